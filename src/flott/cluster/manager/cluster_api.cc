#include "flott/cluster/manager/cluster_api.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/aggregated_metrics.h"
#include "flott/cluster/manager/archived_job.h"
#include "flott/cluster/manager/cluster_documents.h"
#include "flott/cluster/manager/forwarding.h"
#include "flott/cluster/manager/job_request.h"
#include "flott/cluster/manager/log_api.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/program_plan.h"
#include "flott/rest/built_in.h"
#include "flott/rest/documents.h"
#include "flott/rest/json_body.h"
#include "flott/rest/metric_query.h"
#include "flott/rest/open_api.h"
#include "flott/rest/refusal.h"
#include "flott/rest/rest_api.h"

namespace flott {
namespace {

// Answers of masters together for one document.
constexpr Duration kForOverview = Duration::seconds(3);
// Between the last word of a master and what the JobManager makes of it.
constexpr Duration kForEndOfMaster = Duration::seconds(3);
constexpr Duration kLookForEnd = Duration(5);
// Whether the JobManager has ended, which then answers nobody.
constexpr Duration kBetweenLooks = Duration(200);

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

}  // namespace

// One request on its way through a route; `at` are the parts of the path that the route leaves open.
struct ClusterApi::Call {
  const RestRequest& request;
  std::vector<std::string_view> at;
};

struct ClusterApi::Route {
  RoutePattern pattern;
  RestResponse (*answer)(ClusterApi& api, const Call& call);
};

const std::vector<ClusterApi::Route>& ClusterApi::routes() {
  using Api = ClusterApi;
  static const std::vector<Route> kRoutes = {
      {{"GET", "/"},
       [](Api&, const Call&) {
         RestResponse page{.contentType = "text/html; charset=UTF-8"};
         page.body = std::string(webPage());
         return page;
       }},
      {{"GET", "/index.html"},
       [](Api&, const Call&) {
         RestResponse page{.contentType = "text/html; charset=UTF-8"};
         page.body = std::string(webPage());
         return page;
       }},
      {{"GET", "/openapi.yml"},
       [](Api&, const Call&) {
         RestResponse description{.contentType = "application/yaml; charset=UTF-8"};
         description.body = openApiOfCluster();
         return description;
       }},
      {{"GET", "/config"},
       [](Api& api, const Call&) {
         return RestResponse::json(webConfigDocument(api.options_.refreshInterval, true));
       }},
      {{"GET", "/overview"},
       [](Api& api, const Call&) {
         return RestResponse::json(clusterOverviewDocument(*api.manager_.view()));
       }},
      {{"DELETE", "/cluster"},
       [](Api& api, const Call&) {
         api.manager_.stop(true);
         return RestResponse::json("{}");
       }},
      {{"GET", "/jobs"},
       [](Api& api, const Call&) { return RestResponse::json(clusterJobsDocument(*api.manager_.view())); }},
      {{"GET", "/jobs/overview"}, [](Api& api, const Call&) { return api.jobsOverview(); }},
      {{"GET", "/jobs/metrics"}, [](Api& api, const Call& call) { return api.jobMetrics(call); }},
      {{"", "/jobs/{jobid}/**"}, [](Api& api, const Call& call) { return api.ofJob(call); }},
      {{"GET", "/taskmanagers"},
       [](Api& api, const Call&) { return RestResponse::json(taskManagersDocument(*api.manager_.view())); }},
      {{"", "/savepoint-disposal/**"},
       [](Api& api, const Call& call) { return api.withoutJob_->answer(call.request); }},
      {{"GET", "/taskmanagers/metrics"},
       [](Api& api, const Call& call) { return api.taskManagerMetrics(call); }},
      {{"GET", "/taskmanagers/{taskmanagerid}"},
       [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {{"GET", "/taskmanagers/{taskmanagerid}/log"},
       [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {{"GET", "/taskmanagers/{taskmanagerid}/logs"},
       [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {{"GET", "/taskmanagers/{taskmanagerid}/logs/{name}"},
       [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {{"GET", "/taskmanagers/{taskmanagerid}/metrics"},
       [](Api& api, const Call& call) { return api.ofTaskManager(call); }},
      {{"GET", "/jobmanager/config"},
       [](Api& api, const Call&) { return RestResponse::json(configDocument(api.options_.configuration)); }},
      {{"GET", "/jobmanager/environment"},
       [](Api&, const Call&) { return RestResponse::json(environmentDocument()); }},
      {{"GET", "/jobmanager/logs"},
       [](Api& api, const Call&) {
         return RestResponse::json(logsDocument(api.env_.files.listFolder(api.options_.logFolder)));
       }},
      {{"GET", "/jobmanager/logs/{name}"},
       [](Api& api, const Call& call) { return api.logFile(std::string(call.at[0]), call.request); }},
      {{"GET", "/jobmanager/log"},
       [](Api& api, const Call& call) { return api.logFile(api.options_.logFile, call.request); }},
      {{"GET", "/jars"},
       [](Api& api, const Call&) { return RestResponse::json(jarsDocument("", api.programs_.list())); }},
      {{"POST", "/jars/upload"}, [](Api& api, const Call& call) { return api.programUpload(call); }},
      {{"POST", "/jars/{jarid}/run"}, [](Api& api, const Call& call) { return api.run(call); }},
      {{"POST", "/jars/{jarid}/plan"}, [](Api& api, const Call& call) { return api.plan(call); }},
      {{"GET", "/jars/{jarid}/plan"}, [](Api& api, const Call& call) { return api.plan(call); }},
      {{"DELETE", "/jars/{jarid}"}, [](Api& api, const Call& call) { return api.deleteProgram(call); }},
      {{"POST", "/programs"}, [](Api& api, const Call& call) { return api.describeProgram(call); }},
      {{"GET", "/programs/{programid}"},
       [](Api& api, const Call& call) { return RestResponse::json(toJson(api.programOf(call.at[0]))); }},
      {{"PUT", "/blobs/{hash}"}, [](Api& api, const Call& call) { return api.takeBlob(call); }},
      {{"GET", "/blobs/{hash}"},
       [](Api& api, const Call& call) {
         const std::string hash(call.at[0]);
         if (!api.programs_.hasBlob(hash))
           throw Refusal{404, "there is no file with the hash '" + hash + "'"};
         RestResponse response{.contentType = "application/octet-stream"};
         response.file = FilePart{.path = api.programs_.blobPath(hash)};
         return response;
       }},
  };
  return kRoutes;
}

class ClusterApi::NoJobs final : public JobBoard {
 public:
  ClusterSummary cluster() override { return {}; }
  std::vector<ListedJob> jobs() override { return {}; }
  std::optional<ListedJob> find(const JobId&) override { return std::nullopt; }
  std::optional<std::vector<TaskAccumulators>> accumulators(const JobId&) override { return std::nullopt; }
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
  const std::vector<std::string_view> parts = pathParts(head.path);
  const bool upload =
      parts.size() == 2 && ((head.method == "POST" && parts[0] == "jars" && parts[1] == "upload") ||
                            (head.method == "PUT" && parts[0] == "blobs"));
  return upload ? BodyPlan::file(programs_.uploadFolder(), options_.uploadBytes) : BodyPlan::text();
}

RestResponse ClusterApi::answer(const RestRequest& request) {
  try {
    return routed(request);
  } catch (const Refusal&) {
    return responseToCurrentError();
  } catch (...) {
    const Error error = currentError();
    const int status = error.kind() == ErrorKind::kUser        ? 400
                       : error.kind() == ErrorKind::kTransient ? 503
                                                               : 500;
    return RestResponse::error(status, error.what());
  }
}

std::vector<RoutePattern> ClusterApi::patterns() {
  std::vector<RoutePattern> all;
  for (const Route& route : routes()) all.push_back(route.pattern);
  return all;
}

RestResponse ClusterApi::routed(const RestRequest& request) {
  static const Router kRouter(patterns());
  Router::Found found = kRouter.find(request.method, request.path);
  return routes()[found.route].answer(*this, {request, std::move(found.open)});
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

RestResponse ClusterApi::jobMetrics(const Call& call) const {
  const std::optional<std::string> given = call.request.parameter("jobs");
  std::set<JobId> chosen;
  for (const std::string& text : listFrom(given.value_or(""))) {
    const std::optional<JobId> id = parseJobId(text);
    if (!id) refuseUnreadable("query", "jobs", text);
    chosen.insert(*id);
  }
  std::vector<MetricPlace> places;
  for (const JobView& job : manager_.view()->jobs) {
    if (job.archive == nullptr && (!given || chosen.contains(job.id)))
      places.push_back({"127.0.0.1", job.restPort, "/jobs/" + toString(job.id) + "/metrics"});
  }
  return RestResponse::json(aggregatedMetrics(env_, places, call.request));
}

RestResponse ClusterApi::taskManagerMetrics(const Call& call) const {
  const std::optional<std::string> given = call.request.parameter("taskmanagers");
  const std::vector<std::string> chosen = listFrom(given.value_or(""));
  std::vector<MetricPlace> places;
  for (const TaskManagerView& one : manager_.view()->taskManagers) {
    if (!given || std::find(chosen.begin(), chosen.end(), one.about.id) != chosen.end())
      places.push_back({one.about.restAddress, one.about.restPort, "/metrics"});
  }
  return RestResponse::json(aggregatedMetrics(env_, places, call.request));
}

RestResponse ClusterApi::ofJob(const Call& call) {
  const std::string text(call.at[0]);
  const std::optional<JobId> id = parseJobId(text);
  if (!id) refuseUnreadable("path", "jobid", text);
  auto view = manager_.view();
  const JobView* job = view->find(*id);
  if (job == nullptr) throw Refusal{404, "there is no job '" + text + "'"};
  // Not before main() has ended as well, which may write more.
  const std::vector<std::string_view> parts = pathParts(call.request.path);
  const bool ended = job->archive != nullptr && job->restPort == 0;
  const bool reading = call.request.method == "GET" || call.request.method == "HEAD";
  if (!ended && reading && parts.size() == 3 && parts[2] == "execution-result")
    return RestResponse::json(R"({"status":{"id":"IN_PROGRESS"}})");
  if (!ended && call.request.method == "PATCH" && call.request.parameter("mode") == "kill" &&
      !call.request.fromOtherSite) {
    manager_.kill(job->id);
    return RestResponse::json("{}", 202);
  }
  // The master sees this process as its client, not the page behind it.
  if (call.request.fromOtherSite && (call.request.method != "GET" || parts.back().starts_with("yarn-")))
    throw Refusal{403, "a page of another site may not do this"};
  if (job->restPort != 0) {
    try {
      RestResponse response = forward(env_, "127.0.0.1", job->restPort, call.request);
      // Of a job that has ended the port may be another program's by now.
      if (job->archive == nullptr || response.status != 404) return response;
    } catch (const Error& error) {
      if (job->archive == nullptr && call.request.method == "GET") {
        view = viewWithout(*id, job->restPort);
        job = view->find(*id);
        if (job == nullptr || (job->archive == nullptr && job->restPort != 0))
          throw Error(ErrorKind::kTransient,
                      "the master of job '" + text + "' does not answer: " + error.message());
      }
    }
  }
  return ofJobWithoutMaster(call, *job);
}

/// As soon as the JobManager has noticed that a master or its job has ended, if it has.
std::shared_ptr<const ClusterView> ClusterApi::viewWithout(const JobId& id, uint16_t masterPort) const {
  const int64_t until = deadlineAfter(env_.clock, kForEndOfMaster);
  const std::unique_ptr<Parker> parker = env_.threads.makeParker();
  for (;;) {
    auto view = manager_.view();
    const JobView* job = view->find(id);
    if (job == nullptr || job->archive != nullptr || job->restPort != masterPort ||
        env_.clock.monotonicNanos() >= until)
      return view;
    parker->park(deadlineAfter(env_.clock, kLookForEnd));
  }
}

RestResponse ClusterApi::ofJobWithoutMaster(const Call& call, const JobView& job) {
  const RestRequest& request = call.request;
  const std::string id = toString(job.id);
  const std::vector<std::string_view> parts = pathParts(request.path);
  if (job.archive != nullptr) {
    if (request.method == "GET" || request.method == "HEAD") {
      if (parts.size() == 3 && parts[2] == "execution-result" &&
          !job.archive->find("/jobs/" + id + "/execution-result"))
        return RestResponse::json(R"({"status":{"id":"COMPLETED"}})");
      return RestResponse::json(archivedDocument(*job.archive, request));
    }
    if (request.method == "PATCH" && parts.size() == 2 && job.status == "CANCELED")
      return RestResponse::json("{}", 202);
    throw Refusal{409, "job '" + id + "' has ended: it is " + job.status};
  }
  // A master that is there and only slow is not killed for that.
  if (request.method == "PATCH" && parts.size() == 2 && job.restPort == 0) {
    manager_.kill(job.id);
    return RestResponse::json("{}", 202);
  }
  if (request.method == "PATCH") {
    throw Error(ErrorKind::kTransient, "the master of job '" + id +
                                           "' does not answer: try again, or end it by PATCH /jobs/" + id +
                                           "?mode=kill");
  }
  if (request.method == "GET" && parts.size() == 3 && parts[2] == "status")
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
  const std::vector<std::string_view> parts = pathParts(call.request.path);
  if (parts.size() == 2) return RestResponse::json(taskManagerDocument(*found));
  RestRequest request = call.request;
  request.path.clear();
  for (size_t i = 2; i < parts.size(); ++i) request.path.append("/").append(parts[i]);
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
    if (job.program == program.id)
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
  // Its main() runs, also for a GET.
  if (call.request.fromOtherSite) throw Refusal{403, "a page of another site may not do this"};
  const Place place(starting_, options_.mostStarting);
  const StoredProgram program = programOf(call.at[0]);
  const JobRequest request = jobRequestOf(call.request, program.id);
  ProgramCall wanted{
      .program = programs_.executable(program), .arguments = request.arguments, .options = request.options};
  wanted.environment = libraryPath(env_, programs_.libraryFolder(program));
  return RestResponse::json(planOf(processes_, wanted).rest);
}

}  // namespace flott
