#include "flott/cluster/manager/cluster_api.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/cluster_documents.h"
#include "flott/cluster/manager/forwarding.h"
#include "flott/cluster/manager/log_api.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/program_plan.h"
#include "flott/rest/built_in.h"
#include "flott/rest/documents.h"
#include "flott/rest/json_body.h"
#include "flott/rest/refusal.h"
#include "flott/rest/rest_api.h"

namespace flott {
namespace {

constexpr size_t kMostSegments = 12;
// Answers of masters together for one document.
constexpr Duration kForOverview = Duration::seconds(3);
// Between the last word of a master and what the JobManager makes of it.
constexpr Duration kForEndOfMaster = Duration::seconds(1);
constexpr Duration kLookForEnd = Duration(5);
// Whether the JobManager has ended, which then answers nobody.
constexpr Duration kBetweenLooks = Duration(200);

std::vector<std::string_view> segmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) segments.push_back(path.substr(0, end));
    if (segments.size() > kMostSegments) return {"-"};  // no path of ours
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!segments.empty() && segments.front() == "v1") segments.erase(segments.begin());
  return segments;
}

/// One of a few that may wait for a program.
class Place {
 public:
  Place(std::atomic<int>& all, int most) : all_(all) {
    if (++all_ <= most) return;
    --all_;
    throw Refusal{503, std::to_string(most) + " programs are being started: try again"};
  }
  ~Place() { --all_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::atomic<int>& all_;
};

nlohmann::json bodyOf(const RestRequest& request) { return jsonBody(request.body); }

template <typename T>
std::optional<T> field(const nlohmann::json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    throw Refusal{400, "the field '" + std::string(name) + "' of the body has a value of another type"};
  }
}

/// As Flink's: fields of the body before parameters of the query.
JobRequest jobRequestOf(const RestRequest& request, const std::string& program) {
  const nlohmann::json body = bodyOf(request);
  JobRequest job{.program = program};
  if (const auto id = field<std::string>(body, "jobId"))
    throw Refusal{400, "the field 'jobId' of the body cannot be chosen: leave it out"};
  if (auto list = field<std::vector<std::string>>(body, "programArgsList")) {
    job.arguments = *std::move(list);
  } else if (const auto line = field<std::string>(body, "programArgs")) {
    job.arguments = wordsOf(*line);
  } else {
    const auto [from, to] = request.query.equal_range("programArg");
    for (auto at = from; at != to; ++at) job.arguments.push_back(at->second);
    if (const auto words = request.parameter("program-args")) job.arguments = wordsOf(*words);
  }
  if (auto options = field<std::map<std::string, std::string>>(body, "flinkConfiguration"))
    job.options = *std::move(options);
  const auto given = body.find("parallelism");
  if (given != body.end() && !given->is_null() && !given->is_number_integer())
    throw Refusal{400, "the field 'parallelism' of the body is no whole number"};
  if (const auto parallelism = field<int64_t>(body, "parallelism"))
    job.options["parallelism.default"] = std::to_string(*parallelism);
  else if (const auto text = request.parameter("parallelism"))
    job.options["parallelism.default"] = *text;
  std::optional<std::string> savepoint = field<std::string>(body, "savepointPath");
  if (!savepoint) savepoint = request.parameter("savepointPath");
  if (savepoint && !savepoint->empty()) job.options["execution.state-recovery.path"] = *savepoint;
  const auto allowed = field<bool>(body, "allowNonRestoredState");
  if (allowed.value_or(request.parameter("allowNonRestoredState") == "true"))
    job.options["execution.state-recovery.ignore-unclaimed-state"] = "true";
  if (const auto mode = field<std::string>(body, "claimMode"))
    job.options["execution.state-recovery.claim-mode"] = *mode;
  return job;
}

}  // namespace

std::vector<std::string> wordsOf(std::string_view line) {
  std::vector<std::string> words;
  bool inWord = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        words.back() += c;
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n') {
      inWord = false;
      continue;
    }
    if (!std::exchange(inWord, true)) words.emplace_back();
    if (c == '\'' || c == '"')
      quote = c;
    else
      words.back() += c;
  }
  if (quote != 0)
    throw Error(ErrorKind::kUser, std::string("the arguments have a quote ") + quote + " without an end");
  return words;
}

// One request on its way through a route; `at` are the parts of the path that the route leaves open.
struct ClusterApi::Call {
  const RestRequest& request;
  std::vector<std::string_view> at;
};

struct ClusterApi::Route {
  std::string_view method;
  /// "jars/*/run"; "**" at the end stands for any rest.
  std::string_view path;
  RestResponse (*answer)(ClusterApi& api, const Call& call);

  bool matches(std::span<const std::string_view> segments, std::vector<std::string_view>& open) const {
    size_t i = 0;
    for (const std::string_view part : segmentsOf(path)) {
      if (part == "**") return true;
      if (i == segments.size() || (part != "*" && part != segments[i])) return false;
      if (part == "*") open.push_back(segments[i]);
      ++i;
    }
    return i == segments.size();
  }
};

std::vector<ClusterApi::Route> ClusterApi::routes() {
  using Api = ClusterApi;
  return {
      {"GET", "",
       [](Api&, const Call&) {
         RestResponse page{.contentType = "text/html; charset=UTF-8"};
         page.body = std::string(webPage());
         return page;
       }},
      {"GET", "config",
       [](Api& api, const Call&) {
         return RestResponse::json(webConfigDocument(api.options_.refreshInterval));
       }},
      {"GET", "overview",
       [](Api& api, const Call&) {
         return RestResponse::json(clusterOverviewDocument(*api.manager_.view()));
       }},
      {"DELETE", "cluster",
       [](Api& api, const Call&) {
         api.manager_.stop(true);
         return RestResponse::json("{}");
       }},
      {"GET", "jobs",
       [](Api& api, const Call&) { return RestResponse::json(clusterJobsDocument(*api.manager_.view())); }},
      {"GET", "jobs/overview", [](Api& api, const Call&) { return api.jobsOverview(); }},
      {"", "jobs/*/**", [](Api& api, const Call& call) { return api.ofJob(call); }},
      {"GET", "taskmanagers",
       [](Api& api, const Call&) { return RestResponse::json(taskManagersDocument(*api.manager_.view())); }},
      {"", "savepoint-disposal/**",
       [](Api& api, const Call& call) { return api.withoutJob_->answer(call.request); }},
      {"", "taskmanagers/*/**", [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {"GET", "jobmanager/config",
       [](Api& api, const Call&) { return RestResponse::json(configDocument(api.options_.configuration)); }},
      {"GET", "jobmanager/environment",
       [](Api&, const Call&) { return RestResponse::json(environmentDocument()); }},
      {"GET", "jobmanager/logs",
       [](Api& api, const Call&) {
         return RestResponse::json(logsDocument(api.env_.files.listFolder(api.options_.logFolder)));
       }},
      {"GET", "jobmanager/logs/*",
       [](Api& api, const Call& call) { return api.logFile(std::string(call.at[0]), call.request); }},
      {"GET", "jobmanager/log",
       [](Api& api, const Call& call) { return api.logFile(api.options_.logFile, call.request); }},
      {"GET", "jars",
       [](Api& api, const Call&) { return RestResponse::json(jarsDocument("", api.programs_.list())); }},
      {"POST", "jars/upload", [](Api& api, const Call& call) { return api.programUpload(call); }},
      {"POST", "jars/*/run", [](Api& api, const Call& call) { return api.run(call); }},
      {"POST", "jars/*/plan", [](Api& api, const Call& call) { return api.plan(call); }},
      {"GET", "jars/*/plan", [](Api& api, const Call& call) { return api.plan(call); }},
      {"DELETE", "jars/*", [](Api& api, const Call& call) { return api.deleteProgram(call); }},
      {"POST", "programs", [](Api& api, const Call& call) { return api.describeProgram(call); }},
      {"GET", "programs/*",
       [](Api& api, const Call& call) { return RestResponse::json(toJson(api.programOf(call.at[0]))); }},
      {"PUT", "blobs/*", [](Api& api, const Call& call) { return api.takeBlob(call); }},
      {"GET", "blobs/*",
       [](Api& api, const Call& call) {
         const std::string hash(call.at[0]);
         if (!api.programs_.hasBlob(hash))
           throw Refusal{404, "there is no file with the hash '" + hash + "'"};
         RestResponse response{.contentType = "application/octet-stream"};
         response.file = FilePart{.path = api.programs_.blobPath(hash)};
         return response;
       }},
  };
}

class ClusterApi::NoJobs final : public JobBoard {
 public:
  ClusterSummary cluster() override { return {}; }
  std::vector<ListedJob> jobs() override { return {}; }
  std::optional<ListedJob> find(const JobId&) override { return std::nullopt; }
  std::optional<Accumulators> accumulators(const JobId&) override { return std::nullopt; }
  std::optional<WatermarkReport> watermarks(const JobId&) override { return std::nullopt; }
  AskOutcome cancel(const JobId&) override { return AskOutcome::kUnknown; }
  AskOutcome triggerSavepoint(const JobId&, SavepointOrder, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kUnknown;
  }
  AskOutcome triggerCheckpoint(const JobId&, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kUnknown;
  }
};

ClusterApi::ClusterApi(const Env& env, Processes& processes, JobManager& manager, ProgramStore& programs,
                       ClusterApiOptions options)
    : env_(env),
      processes_(processes),
      manager_(manager),
      programs_(programs),
      options_(std::move(options)),
      noJobs_(std::make_unique<NoJobs>()),
      withoutJob_(std::make_unique<RestApi>(
          *noJobs_, RestApiOptions{.stores = storeOptions(options_.configuration)}, env_)) {}

ClusterApi::~ClusterApi() = default;

BodyPlan ClusterApi::bodyPlan(const RestRequest& head) {
  const std::vector<std::string_view> segments = segmentsOf(head.path);
  const bool upload =
      segments.size() == 2 && ((head.method == "POST" && segments[0] == "jars" && segments[1] == "upload") ||
                               (head.method == "PUT" && segments[0] == "blobs"));
  return upload ? BodyPlan::file(programs_.uploadFolder(), options_.uploadBytes) : BodyPlan::text();
}

RestResponse ClusterApi::answer(const RestRequest& request) {
  try {
    return routed(request);
  } catch (const Refusal& refusal) {
    return RestResponse::error(refusal.status, refusal.text);
  } catch (...) {
    const Error error = currentError();
    const int status = error.kind() == ErrorKind::kUser        ? 400
                       : error.kind() == ErrorKind::kTransient ? 503
                                                               : 500;
    return RestResponse::error(status, error.what());
  }
}

RestResponse ClusterApi::routed(const RestRequest& request) {
  const std::vector<std::string_view> segments = segmentsOf(request.path);
  static const std::vector<Route> kRoutes = routes();
  std::string allowed;
  for (const Route& route : kRoutes) {
    Call call{request, {}};
    if (!route.matches(segments, call.at)) continue;
    const bool fits = route.method.empty() || route.method == request.method ||
                      (route.method == "GET" && request.method == "HEAD");
    if (fits) return route.answer(*this, call);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) throw Refusal{404, "there is no '" + request.path.substr(0, 200) + "' here"};
  RestResponse response = RestResponse::error(405, "'" + request.path.substr(0, 200) + "' takes " + allowed);
  response.allow = allowed;
  return response;
}

// --- jobs ---

RestResponse ClusterApi::jobsOverview() const {
  const auto view = manager_.view();
  const Timestamp now = env_.clock.wallTime();
  const int64_t until = deadlineAfter(env_.clock, kForOverview);
  std::vector<std::string> entries;
  for (const JobView& job : view->jobs) {
    std::string entry;
    if (job.archive != nullptr) {
      entry = firstJobSummary(job.archive->find("/jobs/overview").value_or(""));
    } else if (job.restPort != 0 && env_.clock.monotonicNanos() < until) {
      try {
        entry = firstJobSummary(fetchHere(env_, job.restPort, "/jobs/overview"));
      } catch (const Error&) {  // what is known here will do
      }
    }
    entries.push_back(entry.empty() ? jobSummary(job, now) : std::move(entry));
  }
  return RestResponse::json(jobSummaries(entries));
}

RestResponse ClusterApi::ofJob(const Call& call) {
  const std::string text(call.at[0]);
  if (text == "metrics") throw Refusal{404, "there are metrics of single jobs: /jobs/<id>/metrics"};
  const std::optional<JobId> id = parseJobId(text);
  if (!id) throw Refusal{400, "cannot read the path parameter 'jobid' from '" + text.substr(0, 64) + "'"};
  auto view = manager_.view();
  const JobView* job = view->find(*id);
  if (job == nullptr) throw Refusal{404, "there is no job '" + text + "'"};
  // Not before main() has ended as well, which may write more.
  const std::vector<std::string_view> segments = segmentsOf(call.request.path);
  if (job->archive == nullptr && segments.size() == 3 && segments[2] == "execution-result")
    return RestResponse::json(R"({"status":{"id":"IN_PROGRESS"}})");
  if (job->archive == nullptr && call.request.method == "PATCH" && call.request.parameter("mode") == "kill" &&
      !call.request.fromOtherSite) {
    manager_.kill(job->id);
    return RestResponse::json("{}", 202);
  }
  // The master sees this process as its client, not the page behind it.
  if (call.request.fromOtherSite && (call.request.method != "GET" || segments.back().starts_with("yarn-")))
    throw Refusal{403, "a page of another site may not do this"};
  if (job->archive == nullptr && job->restPort != 0) {
    try {
      return forward(env_, "127.0.0.1", job->restPort, call.request);
    } catch (const Error& error) {
      if (call.request.method == "GET") {
        view = viewWithout(*id, job->restPort);
        job = view->find(*id);
        if (job == nullptr || job->restPort != 0)
          throw Error(ErrorKind::kTransient,
                      "the master of job '" + text + "' does not answer: " + error.message());
      }
    }
  }
  return ofJobWithoutMaster(call, *job);
}

/// As soon as the JobManager has noticed that a master has ended, if it has.
std::shared_ptr<const ClusterView> ClusterApi::viewWithout(const JobId& id, uint16_t masterPort) const {
  const int64_t until = deadlineAfter(env_.clock, kForEndOfMaster);
  const std::unique_ptr<Parker> parker = env_.threads.makeParker();
  for (;;) {
    auto view = manager_.view();
    const JobView* job = view->find(id);
    if (job == nullptr || job->restPort != masterPort || env_.clock.monotonicNanos() >= until) return view;
    parker->park(deadlineAfter(env_.clock, kLookForEnd));
  }
}

RestResponse ClusterApi::ofJobWithoutMaster(const Call& call, const JobView& job) {
  const RestRequest& request = call.request;
  const std::string id = toString(job.id);
  const std::vector<std::string_view> segments = segmentsOf(request.path);
  if (job.archive != nullptr) {
    if (request.method == "GET" || request.method == "HEAD") {
      std::string path;
      for (const std::string_view segment : segments) path.append("/").append(segment);
      if (segments.size() == 3 && segments[2] == "execution-result" && !job.archive->find(path))
        return RestResponse::json(R"({"status":{"id":"COMPLETED"}})");
      if (auto document = job.archive->find(path)) return RestResponse::json(*std::move(document));
      throw Refusal{404, "job '" + id + "' has ended, and has left no '" + path.substr(0, 200) + "'"};
    }
    if (request.method == "PATCH" && segments.size() == 2 && job.status == "CANCELED")
      return RestResponse::json("{}", 202);
    throw Refusal{409, "job '" + id + "' has ended: it is " + job.status};
  }
  // A master that is there and only slow is not killed for that.
  if (request.method == "PATCH" && segments.size() == 2 && job.restPort == 0) {
    manager_.kill(job.id);
    return RestResponse::json("{}", 202);
  }
  if (request.method == "PATCH") {
    throw Error(ErrorKind::kTransient, "the master of job '" + id +
                                           "' does not answer: try again, or end it by PATCH /jobs/" + id +
                                           "?mode=kill");
  }
  if (request.method == "GET" && segments.size() == 3 && segments[2] == "status")
    return RestResponse::json(textsDocument({{"status", job.status}}));
  throw Error(ErrorKind::kTransient,
              "job '" + id + "' is " + job.status + ": ask again when its master is there");
}

// --- TaskManagers and logs ---

RestResponse ClusterApi::ofTaskManager(const Call& call) {
  const auto view = manager_.view();
  const TaskManagerView* found = view->find(call.at[0]);
  if (found == nullptr)
    throw Refusal{404, "there is no TaskManager '" + std::string(call.at[0].substr(0, 64)) + "'"};
  const std::vector<std::string_view> segments = segmentsOf(call.request.path);
  const bool reading = call.request.method == "GET" || call.request.method == "HEAD";
  if (!reading) {
    RestResponse response = RestResponse::error(405, "a TaskManager takes GET only");
    response.allow = "GET";
    return response;
  }
  if (segments.size() == 2) return RestResponse::json(taskManagerDocument(*found));
  RestRequest request = call.request;
  request.path.clear();
  for (size_t i = 2; i < segments.size(); ++i) request.path.append("/").append(segments[i]);
  return forward(env_, found->about.restAddress, found->about.restPort, request);
}

RestResponse ClusterApi::logFile(const std::string& name, const RestRequest& request) const {
  return logFileResponse(env_.files, options_.logFolder, name, request);
}

// --- programs ---

/// "7f3a…" or "7f3a…_count".
StoredProgram ClusterApi::programOf(std::string_view jar) const {
  auto program = programs_.find(std::string(jar.substr(0, jar.find('_'))));
  if (!program)
    throw Refusal{404, "there is no program '" + std::string(jar.substr(0, 64)) +
                           "': it was not uploaded, or has been deleted"};
  return *std::move(program);
}

RestResponse ClusterApi::programUpload(const Call& call) {
  if (call.request.files.size() != 1)
    throw Refusal{400, "exactly 1 file must be sent, not " + std::to_string(call.request.files.size()) +
                           ": curl -F jarfile=@program"};
  UploadedFile& file = *call.request.files.front();
  const std::string name = file.name.empty() ? "program" : file.name;
  ProgramFile described{.name = name, .hash = hashOfFile(env_.files, file.path()), .bytes = file.size};
  if (programs_.missing({described}).empty()) {
    file.take();
    env_.files.remove(file.path());
  } else {
    programs_.addBlob(described.hash, file.take());
  }
  const StoredProgram program = programs_.add({described});
  return RestResponse::json(textsDocument({{"filename", "/" + jarId(program)}, {"status", "success"}}));
}

RestResponse ClusterApi::describeProgram(const Call& call) {
  jsonBody(call.request.body);  // refuses what would take much memory
  const std::vector<ProgramFile> files = programFilesOf(call.request.body);
  nlohmann::ordered_json json = {{"id", programId(files)}, {"missing", programs_.missing(files)}};
  if (json["missing"].empty()) programs_.add(files);
  return RestResponse::json(json.dump());
}

RestResponse ClusterApi::takeBlob(const Call& call) {
  const std::string hash(call.at[0]);
  if (!isBlobHash(hash)) throw Refusal{400, "'" + hash.substr(0, 64) + "' is no hash of a file"};
  if (call.request.files.size() != 1) throw Refusal{400, "the body has to be the file"};
  programs_.addBlob(hash, call.request.files.front()->take());
  return RestResponse::json("{}");
}

RestResponse ClusterApi::deleteProgram(const Call& call) {
  const StoredProgram program = programOf(call.at[0]);
  const auto view = manager_.view();
  for (const JobView& job : view->jobs) {
    if (job.archive == nullptr && job.program == program.id)
      throw Refusal{409, "job '" + toString(job.id) + "' runs the program: cancel it first"};
  }
  programs_.remove(program.id);
  return RestResponse::json("{}");
}

Submission ClusterApi::submitAndWait(JobRequest request) {
  struct Answer {
    std::mutex mutex;
    std::optional<Submission> what;
    Parker* waiting = nullptr;
  };
  const auto answer = std::make_shared<Answer>();
  const std::unique_ptr<Parker> parker = env_.threads.makeParker();
  answer->waiting = parker.get();
  manager_.submit(std::move(request), [answer](Submission what) {
    const std::lock_guard guard(answer->mutex);
    answer->what = std::move(what);
    if (answer->waiting != nullptr) answer->waiting->unpark();
  });
  const int64_t until = deadlineAfter(env_.clock, options_.programStartTimeout + Duration::seconds(10));
  std::unique_lock lock(answer->mutex);
  while (!answer->what && env_.clock.monotonicNanos() < until && !manager_.stopped()) {
    lock.unlock();
    parker->park(std::min(until, deadlineAfter(env_.clock, kBetweenLooks)));
    lock.lock();
  }
  answer->waiting = nullptr;
  if (answer->what) return *std::move(answer->what);
  throw Error(ErrorKind::kTransient,
              "the JobManager does not say what has become of the program: look at the jobs");
}

RestResponse ClusterApi::run(const Call& call) {
  const StoredProgram program = programOf(call.at[0]);
  JobRequest request = jobRequestOf(call.request, program.id);
  const Place place(starting_, options_.mostStarting);
  const Submission what = submitAndWait(std::move(request));
  if (what.problem) throw Error(*what.problem);
  return RestResponse::json(textsDocument({{"jobid", toString(*what.job)}}));
}

RestResponse ClusterApi::plan(const Call& call) {
  const Place place(starting_, options_.mostStarting);
  const StoredProgram program = programOf(call.at[0]);
  const JobRequest request = jobRequestOf(call.request, program.id);
  ProgramCall wanted{
      .program = programs_.executable(program), .arguments = request.arguments, .options = request.options};
  wanted.environment = libraryPath(env_, programs_.libraryFolder(program));
  const ProgramPlan plan = planOf(processes_, wanted);
  return RestResponse::json(R"({"plan":)" + plan.json + "}");
}

}  // namespace flott
