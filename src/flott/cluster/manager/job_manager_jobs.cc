#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/cluster_documents.h"
#include "flott/cluster/manager/job_manager_parts.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/manager/unknown_end.h"
#include "flott/cluster/program_plan.h"
#include "flott/cluster/whole_files.h"

namespace flott {
namespace {

constexpr size_t kMostAnswer = size_t{1} << 20;
const std::set<std::string> kEnds{"FINISHED", "CANCELED", "FAILED"};
// A master that crashes by itself, before it has lived for so long, so often, is given up.
constexpr int kMostCrashes = 10;
constexpr int64_t kStableNanos = 600'000 * kNanosPerMilli;
constexpr int64_t kFirstRestartNanos = 500 * kNanosPerMilli;
constexpr int64_t kLastRestartNanos = 60'000 * kNanosPerMilli;
// Between what a master leaves first of a job and all of its documents, while main() goes on.
constexpr int64_t kForWholeArchiveNanos = 5'000 * kNanosPerMilli;

}  // namespace

JobManager::Job* JobManager::find(const JobId& id) {
  for (const auto& job : jobs_) {
    if (job->id == id) return job.get();
  }
  return nullptr;
}

std::string JobManager::specFile(const JobId& id) const {
  return options_.jobFolder + "/" + toString(id) + ".json";
}

std::string JobManager::logFile(const JobId& id) const {
  return options_.logFolder + "/job-" + toString(id) + "-master.out";
}

std::string JobManager::archiveFile(const JobId& id) const {
  return options_.archiveFolder + "/" + toString(id) + ".json";
}

void JobManager::load() {
  std::vector<FileInfo> archives = env_.files.listFolder(options_.archiveFolder);
  std::sort(archives.begin(), archives.end(),
            [](const auto& a, const auto& b) { return a.modified < b.modified; });
  for (const FileInfo& file : archives) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    const std::optional<JobId> id = parseJobId(name.substr(0, name.find('.')));
    if (!id || !name.ends_with(".json")) continue;
    try {
      auto job = std::make_unique<Job>();
      job->id = *id;
      job->submitted = file.modified;
      jobs_.push_back(std::move(job));
      endJob(*jobs_.back(), readFile(env_.files, file.path));
    } catch (const Error& error) {
      env_.log.warn("jobmanager", "file '" + file.path + "' is left out: " + error.what());
      jobs_.pop_back();
    }
  }
  for (const FileInfo& file : env_.files.listFolder(options_.jobFolder)) {
    if (!file.path.ends_with(".json")) continue;
    try {
      const nlohmann::json json = nlohmann::json::parse(readFile(env_.files, file.path));
      const std::optional<JobId> id = parseJobId(json.at("id").get<std::string>());
      if (!id || find(*id) != nullptr) {  // it had just ended
        env_.files.remove(file.path);
        continue;
      }
      auto job = std::make_unique<Job>();
      job->id = *id;
      job->request = {.program = json.at("program").get<std::string>(),
                      .arguments = json.at("arguments").get<std::vector<std::string>>(),
                      .options = json.at("options").get<std::map<std::string, std::string>>()};
      job->submitted = Timestamp(json.at("submitted").get<int64_t>());
      job->name = json.at("name").get<std::string>();
      job->known = true;
      job->state = Job::State::kPausing;  // its master is started with the first step
      jobs_.push_back(std::move(job));
      env_.log.info("jobmanager", "job " + toString(*id) + " is taken up again");
    } catch (const std::exception& error) {
      env_.log.error("jobmanager", "file '" + file.path + "' is no job, and is left out: " + error.what());
    }
  }
}

std::map<std::string, std::string> JobManager::optionsOf(const Job& job) const {
  std::map<std::string, std::string> options = job.request.options;
  options.insert(options_.jobDefaults.begin(), options_.jobDefaults.end());  // where there is none
  return options;
}

void JobManager::startMaster(Job& job, bool recovers) {
  changed_ = true;
  job.state = Job::State::kStarting;
  job.startedNanos = env_.clock.monotonicNanos();
  nextLook_ = 0;
  try {
    const std::optional<StoredProgram> program = programs_.find(job.request.program);
    if (!program) throw Error(ErrorKind::kUser, "its program '" + job.request.program + "' has been deleted");
    ProgramRole role{.kind = ProgramRole::Kind::kMaster, .options = optionsOf(job)};
    role.master = {.jobId = toString(job.id),
                   .address = options_.bindAddress,
                   .recovers = recovers,
                   .serves = true,
                   .archive = archiveFile(job.id),
                   .managerAddress = options_.address,
                   .managerPort = options_.port};
    ProcessSpec spec{
        .program = programs_.executable(*program), .arguments = job.request.arguments, .role = role.encode()};
    spec.environment = libraryPath(env_, programs_.libraryFolder(*program));
    spec.output = ProcessSpec::Output::kToFile;
    std::set<std::string> inUse;
    for (const auto& other : jobs_) {
      if (other->master != nullptr) inUse.insert(logFile(other->id));
    }
    dropOldLogs(env_.files, options_.logFolder, options_.keptLogs, inUse);
    spec.outputFile = logFile(job.id);
    job.master = processes_.start(spec);
  } catch (...) {
    failToStart(job, currentError());
  }
}

void JobManager::look(Job& job, int64_t now) {
  if (job.state == Job::State::kPausing && now >= job.nextStartNanos) startMaster(job, true);
  if (job.master == nullptr) return;
  try {
    if (job.state == Job::State::kStarting && job.answer.port == 0) {
      const std::optional<std::string> answer = job.master->tryAnswer(kMostAnswer);
      if (answer && !answer->empty()) masterAnswered(job, *answer);
      if (!answer && now - job.startedNanos > options_.programStartTimeout.ms * kNanosPerMilli) {
        throw Error(ErrorKind::kUser, "the program has not come to start a job after " +
                                          toString(options_.programStartTimeout) +
                                          " (flott.jobmanager.program-start-timeout)");
      }
    }
    if (job.master == nullptr) return;
    if (job.state == Job::State::kRunning && job.workers == 0) lookForEnd(job);
    if (const std::optional<ProcessEnd> end = job.master->wait(Duration())) masterEnded(job, *end);
  } catch (...) {
    job.master.reset();
    failToStart(job, currentError());
  }
}

void JobManager::masterAnswered(Job& job, const std::string& answer) {
  changed_ = true;
  job.answer = MasterAnswer::decode(answer);
  job.name = job.answer.jobName;
  job.slots = job.answer.slots;
  job.state = Job::State::kRunning;
  if (!job.known) {
    replaceFile(env_.files, specFile(job.id),
                nlohmann::json({{"id", toString(job.id)},
                                {"name", job.name},
                                {"program", job.request.program},
                                {"arguments", job.request.arguments},
                                {"options", job.request.options},
                                {"submitted", job.submitted.ms}})
                    .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    job.known = true;
  }
  env_.log.info("jobmanager", "job '" + job.name + "' (" + toString(job.id) + ") takes " +
                                  std::to_string(job.slots) + " slots; its master is process " +
                                  std::to_string(job.master->id()));
  job.answerRequest({.job = job.id, .problem = {}});
}

void JobManager::masterEnded(Job& job, const ProcessEnd& end) {
  changed_ = true;
  const bool ran = job.answer.port != 0;
  job.master.reset();
  job.answer = {};
  job.slots = 0;
  stopWorkers(job.id);
  const std::string how = toString(end) + lastWords(env_.files, logFile(job.id), end);
  if (env_.files.stat(archiveFile(job.id))) {
    if (!end.succeeded())
      env_.log.warn("jobmanager",
                    "after the end of its job the program of job " + toString(job.id) + " " + how);
    return endJob(job, readFile(env_.files, archiveFile(job.id)));
  }
  if (job.killed)
    return endWithout(job, JobStatus::kCancelled,
                      Error(ErrorKind::kUser, "it was cancelled, and its master killed"));
  if (!job.known) {
    return failToStart(job, Error(ErrorKind::kUser,
                                  end.succeeded() ? "the program ended without starting a job: a program for "
                                                    "Flott builds one and calls execute() of its "
                                                    "StreamExecutionEnvironment"
                                                  : "the program " + how));
  }
  if (ran && env_.clock.monotonicNanos() - job.startedNanos > kStableNanos) job.crashes = 0;
  masterCrashed(job, how);
}

void JobManager::masterCrashed(Job& job, const std::string& how) {
  if (++job.crashes > kMostCrashes) {
    return endWithout(job, JobStatus::kFailed,
                      Error(ErrorKind::kUser, "its master crashes again and again: the last one " + how));
  }
  const int64_t pause = std::min(kLastRestartNanos, kFirstRestartNanos << (job.crashes - 1));
  env_.log.error("jobmanager", "the master of job '" + job.name + "' (" + toString(job.id) + ") " + how +
                                   "\nanother one takes its place in " +
                                   toString(Duration(pause / kNanosPerMilli)));
  job.state = Job::State::kPausing;
  job.nextStartNanos = env_.clock.monotonicNanos() + pause;
}

/// A job that has never run leaves nothing but an answer.
void JobManager::failToStart(Job& job, const Error& why) {
  changed_ = true;
  job.master.reset();
  if (job.known) return masterCrashed(job, std::string("did not start: ") + why.what());
  env_.log.warn("jobmanager", "job " + toString(job.id) + " was not started: " + why.what());
  job.answerRequest({.job = {}, .problem = why});
  job.state = Job::State::kEnded;
  job.status.clear();  // so that it is not shown
}

void JobManager::endWithout(Job& job, JobStatus status, const Error& why) {
  const std::string archive =
      archiveOfUnknownEnd(env_, job.id, job.name, status, why, job.submitted, env_.clock.wallTime());
  try {
    replaceFile(env_.files, archiveFile(job.id), archive);
  } catch (const Error& error) {
    env_.log.error("jobmanager", error.what());
  }
  if (!job.known) job.answerRequest({.job = {}, .problem = why});
  endJob(job, archive);
}

/// A job may end long before main() does. Its master leaves how it has ended, then all documents in place of
/// that.
void JobManager::lookForEnd(Job& job) {
  const std::optional<FileInfo> file = env_.files.stat(archiveFile(job.id));
  if (!file || file->size == job.archiveBytes) return;
  const int64_t now = env_.clock.monotonicNanos();
  if (job.archiveSeenNanos == 0) job.archiveSeenNanos = now;
  try {
    JobArchive archive = JobArchive::parse(readFile(env_.files, file->path));
    const std::string vertices = "/jobs/" + toString(job.id) + "/vertices/";
    const auto first = archive.documents().lower_bound(vertices);
    const bool isWhole = first != archive.documents().end() && first->first.starts_with(vertices);
    if (!isWhole && now - job.archiveSeenNanos < kForWholeArchiveNanos) return;
    takeArchive(job, std::move(archive));
  } catch (const Error& error) {  // what the master leaves at its end counts
    env_.log.warn("jobmanager", error.what());
  }
  changed_ = true;
  job.archiveBytes = file->size;
}

/// Which job it was, and how it has ended.
void JobManager::takeArchive(Job& job, JobArchive archive) {
  const nlohmann::json summary =
      nlohmann::json::parse(firstJobSummary(archive.find("/jobs/overview").value_or("")), nullptr, false);
  if (!summary.is_object() || !summary.contains("state") || !summary.contains("name"))
    throw Error(ErrorKind::kCorruption, "the archive of job " + toString(job.id) + " does not tell its end");
  const bool tells = summary["state"].is_string() && summary["name"].is_string();
  if (!tells || !kEnds.contains(summary["state"].get<std::string>()))
    throw Error(ErrorKind::kCorruption, "the archive of job " + toString(job.id) + " does not tell its end");
  job.name = summary["name"].get<std::string>();
  job.status = summary["state"].get<std::string>();
  job.archive = std::make_shared<const JobArchive>(std::move(archive));
}

void JobManager::endJob(Job& job, const std::string& archive) {
  takeArchive(job, JobArchive::parse(archive));
  job.state = Job::State::kEnded;
  for (const auto& peer : peers_) {
    if (peer->state == Peer::State::kTaskManager) peer->send(manager_messages::JobEnded{toString(job.id)});
  }
  try {
    env_.files.remove(specFile(job.id));
    forgetOldJobs();
  } catch (const Error& error) {
    env_.log.error("jobmanager", error.what());
  }
}

void JobManager::forgetOldJobs() {
  size_t ended = 0;
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    if ((*job)->state != Job::State::kEnded || ++ended <= options_.keptJobs) continue;
    env_.files.remove(archiveFile((*job)->id));
    (*job)->status.clear();
  }
}

}  // namespace flott
