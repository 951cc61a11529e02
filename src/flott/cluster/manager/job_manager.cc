#include "flott/cluster/manager/job_manager.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/cluster_documents.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/manager/unknown_end.h"
#include "flott/cluster/program_plan.h"
#include "flott/master/program_role.h"

namespace flott {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;
// How often masters are looked at, as long as there are some: those that start more often.
constexpr int64_t kBetweenLooksNanos = 20 * kNanosPerMilli;
constexpr int64_t kBetweenLooksAtStartNanos = 2 * kNanosPerMilli;
// A worker that ends at once, again and again, is not to keep the machines busy.
constexpr int64_t kBetweenWorkersNanos = 500 * kNanosPerMilli;
// A TaskManager on which a worker ends before it has lived for so long, where perhaps the disk is full, is
// not the job's first choice for a while.
constexpr int64_t kEarlyNanos = 10'000 * kNanosPerMilli;
constexpr int64_t kAvoidedNanos = 60'000 * kNanosPerMilli;
constexpr size_t kMostAnswer = size_t{1} << 20;
// A master that crashes by itself, before it has lived for so long, so often, is given up.
constexpr int kMostCrashes = 10;
constexpr int64_t kStableNanos = 600'000 * kNanosPerMilli;
constexpr int64_t kFirstRestartNanos = 500 * kNanosPerMilli;
constexpr int64_t kLastRestartNanos = 60'000 * kNanosPerMilli;
// Between its end and that of the process: who has asked for it gets an answer.
constexpr Duration kForAnswers = Duration(100);
// Of a TaskManager, as taskmanager.numberOfTaskSlots.
constexpr int32_t kMostSlots = 4096;
const std::set<std::string> kEnds{"FINISHED", "CANCELED", "FAILED"};
// Of one peer that have come and are not read; whoever sends more is disconnected.
constexpr int kMostUnread = 10'000;
// Connections that have not said who they are.
constexpr size_t kMostStrangers = 1000;

std::string readAll(Files& files, const std::string& path) {
  const auto reader = files.open(path);
  std::string text(reader->size(), '\0');
  size_t have = 0;
  for (size_t n = 1; n > 0 && have < text.size(); have += n)
    n = reader->read(have, {text.data() + have, text.size() - have});
  text.resize(have);
  return text;
}

void writeAll(Files& files, const std::string& path, std::string_view text) {
  const auto writer = files.create(path + ".new", WriteMode::kCreate);
  writer->write(text);
  writer->sync();
  writer->close();
  files.rename(path + ".new", path);
}

}  // namespace

struct JobManager::Peer final : MessagePort::Receiver, std::enable_shared_from_this<Peer> {
  enum class State : uint8_t { kStranger, kTaskManager, kGone };

  Peer(JobManager& manager, std::unique_ptr<MessagePort> to)
      : owner(manager), port(std::move(to)), heardNanos(owner.env_.clock.monotonicNanos()) {}

  void onFrame(std::string frame) override {
    const int before = unread.fetch_add(1, std::memory_order_relaxed);
    if (before > kMostUnread) return;
    owner.mailbox_.post([self = shared_from_this(), frame = std::move(frame), before] {
      if (before == kMostUnread) return self->owner.closed(*self, "it sends more than can be read");
      self->unread.fetch_sub(1, std::memory_order_relaxed);
      self->owner.received(*self, frame);
    });
  }
  void onClosed(std::string_view why) override {
    std::string text =
        why.empty() ? "it has closed the connection" : "the connection broke: " + std::string(why);
    owner.mailbox_.post(
        [self = shared_from_this(), text = std::move(text)] { self->owner.closed(*self, text); });
  }
  void send(const ToTaskManager& message) {
    if (state != State::kGone) port->send(encodeFrame(message));
  }

  JobManager& owner;
  const std::unique_ptr<MessagePort> port;
  State state = State::kStranger;
  manager_messages::Register about;
  int64_t heardNanos;
  Timestamp heard;
  std::atomic<int> unread{0};
};

struct JobManager::Job {
  enum class State : uint8_t {
    kStarting,  // its master has not said where it is
    kRunning,
    kPausing,  // its master has crashed; the next one is started later
    kEnded,
  };

  JobId id;
  JobRequest request;
  Timestamp submitted;
  std::string name;
  State state = State::kStarting;
  std::unique_ptr<ChildProcess> master;
  int64_t startedNanos = 0;  // the master
  MasterAnswer answer;       // empty before it
  int slots = 0;             // that it still takes
  int assigned = 0;          // those of its workers
  int workers = 0;
  int crashes = 0;
  bool known = false;  // it has run before: by itself, or for an earlier JobManager
  bool killed = false;
  int64_t nextStartNanos = 0;  // of the master
  int64_t nextWorkerNanos = 0;
  std::map<std::string, int64_t> avoided;  // TaskManagers, and until when
  std::string status;                      // of one that has ended
  std::shared_ptr<const JobArchive> archive;
  MoveFunction<void(Submission)> reply;
  bool hasReply = false;

  void answerRequest(Submission what) {
    if (std::exchange(hasReply, false)) reply(std::move(what));
  }
};

const JobView* ClusterView::find(const JobId& id) const {
  const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const JobView& job) { return job.id == id; });
  return found == jobs.end() ? nullptr : &*found;
}

const TaskManagerView* ClusterView::find(std::string_view id) const {
  const auto found = std::find_if(taskManagers.begin(), taskManagers.end(),
                                  [&](const TaskManagerView& one) { return one.about.id == id; });
  return found == taskManagers.end() ? nullptr : &*found;
}

JobManager::JobManager(const Env& env, Processes& processes, MessageLoop& loop, ProgramStore& programs,
                       JobManagerOptions options)
    : env_(env),
      processes_(processes),
      loop_(loop),
      programs_(programs),
      options_(std::move(options)),
      mailbox_(waker()) {
  if (options_.heartbeatTimeout <= options_.heartbeatInterval) {
    throw Error(ErrorKind::kUser, "heartbeat.timeout (" + toString(options_.heartbeatTimeout) +
                                      ") is not more than heartbeat.interval (" +
                                      toString(options_.heartbeatInterval) +
                                      "): make it several times as long");
  }
  load();
  publish();
}

JobManager::~JobManager() = default;

void JobManager::serveAt(std::string address, uint16_t port) {
  options_.restAddress = std::move(address);
  options_.restPort = port;
}

// --- what others ask for ---

void JobManager::accept(std::unique_ptr<MessagePort> port) {
  mailbox_.post([this, port = std::move(port)]() mutable {
    const auto strangers = std::count_if(
        peers_.begin(), peers_.end(), [](const auto& peer) { return peer->state == Peer::State::kStranger; });
    if (static_cast<size_t>(strangers) >= kMostStrangers || stopping_) return;  // which closes it
    peers_.push_back(std::make_shared<Peer>(*this, std::move(port)));
    peers_.back()->port->open(*peers_.back());
  });
}

void JobManager::submit(JobRequest request, MoveFunction<void(Submission)> reply) {
  mailbox_.post([this, request = std::move(request), reply = std::move(reply)]() mutable {
    if (stopping_)
      return reply({.job = {}, .problem = Error(ErrorKind::kTransient, "the cluster is about to end")});
    auto job = std::make_unique<Job>();
    std::optional<StoredProgram> program;
    try {
      program = programs_.find(request.program);
    } catch (...) {
      return reply({.job = {}, .problem = currentError()});
    }
    if (!program) {
      return reply({.job = {},
                    .problem = Error(ErrorKind::kUser, "there is no program '" + request.program +
                                                           "': it was not uploaded, or has been deleted")});
    }
    job->id = drawJobId(program->name, env_);
    job->request = std::move(request);
    job->submitted = env_.clock.wallTime();
    job->reply = std::move(reply);
    job->hasReply = true;
    jobs_.push_back(std::move(job));
    startMaster(*jobs_.back(), false);
  });
}

void JobManager::kill(const JobId& id) {
  mailbox_.post([this, id] {
    Job* job = find(id);
    if (job == nullptr || job->state == Job::State::kEnded) return;
    job->killed = true;
    if (job->master != nullptr) return job->master->kill();
    endWithout(*job, JobStatus::kCancelled,
               Error(ErrorKind::kUser, "it was cancelled before its master was there"));
  });
}

void JobManager::stop(bool all) {
  mailbox_.post([this, all] {
    if (std::exchange(stopping_, true)) return;
    endNanos_ = deadlineAfter(env_.clock, kForAnswers);
    env_.log.info("jobmanager", all ? "the cluster ends" : "the JobManager ends");
    if (all) {
      for (const auto& peer : peers_) {
        if (peer->state == Peer::State::kTaskManager) peer->send(manager_messages::Shutdown());
      }
    }
    for (const auto& job : jobs_) {
      job->answerRequest({.job = {}, .problem = Error(ErrorKind::kTransient, "the cluster is about to end")});
      job->master.reset();  // which kills it
    }
    jobs_.clear();
    for (const auto& peer : peers_) {
      peer->state = Peer::State::kGone;
      peer->port->close();
    }
    peers_.clear();
  });
}

// --- TaskManagers ---

void JobManager::received(Peer& peer, std::string_view frame) {
  if (peer.state == Peer::State::kGone) return;
  if (peer.state == Peer::State::kTaskManager) peer.heardNanos = env_.clock.monotonicNanos();
  peer.heard = env_.clock.wallTime();
  try {
    ToJobManager message = decodeFrame<ToJobManager>(frame);
    std::visit([&](auto&& any) { on(peer, std::forward<decltype(any)>(any)); }, std::move(message));
  } catch (...) {
    const Error error = currentError();
    if (peer.state == Peer::State::kTaskManager) return lose(peer, error.what());
    refuse(peer, error.what());
  }
}

void JobManager::closed(Peer& peer, const std::string& why) {
  if (peer.state == Peer::State::kTaskManager) return lose(peer, why);
  peer.state = Peer::State::kGone;
  peer.port->close();
}

void JobManager::refuse(Peer& peer, const std::string& why) {
  env_.log.warn("jobmanager", "who came from " + peer.port->peer() + " was refused: " + why);
  peer.send(manager_messages::Refused{why});
  peer.state = Peer::State::kGone;
  peer.port->close();
}

void JobManager::lose(Peer& peer, const std::string& why) {
  if (peer.state == Peer::State::kGone) return;
  changed_ = true;
  env_.log.warn("jobmanager", "TaskManager '" + peer.about.id + "' is lost: " + why);
  peer.state = Peer::State::kGone;
  peer.port->close();
  std::vector<uint64_t> gone;
  for (const auto& [number, worker] : workers_) {
    if (worker.taskManager == peer.about.id) gone.push_back(number);
  }
  for (const uint64_t number : gone) workerEnded(number, false);
}

JobManager::Peer* JobManager::findTaskManager(std::string_view id) {
  for (const auto& peer : peers_) {
    if (peer->state == Peer::State::kTaskManager && peer->about.id == id) return peer.get();
  }
  return nullptr;
}

void JobManager::on(Peer& peer, manager_messages::Heartbeat&&) {
  if (peer.state == Peer::State::kStranger) throw Error(ErrorKind::kUser, "it did not say who it is");
}

void JobManager::on(Peer& peer, manager_messages::Register&& message) {
  if (peer.state != Peer::State::kStranger) throw Error(ErrorKind::kBug, "a TaskManager registers twice");
  if (message.id.empty() || message.slots < 1 || message.slots > kMostSlots) {
    return refuse(peer, "a TaskManager needs a name and from 1 to " + std::to_string(kMostSlots) +
                            " slots, not " + std::to_string(message.slots));
  }
  if (Peer* other = findTaskManager(message.id)) {
    const std::string why = "another process has registered under its name";
    other->send(manager_messages::Refused{why});  // else it would come back, and the two take turns
    lose(*other, why);
  }
  peer.about = std::move(message);
  peer.state = Peer::State::kTaskManager;
  env_.log.info("jobmanager", "TaskManager '" + peer.about.id + "' at " + peer.port->peer() + " offers " +
                                  std::to_string(peer.about.slots) + " slots");
  peer.send(manager_messages::Welcome{.heartbeatIntervalMs = options_.heartbeatInterval.ms,
                                      .heartbeatTimeoutMs = options_.heartbeatTimeout.ms,
                                      .restAddress = options_.restAddress,
                                      .restPort = options_.restPort});
}

void JobManager::on(Peer& peer, manager_messages::WorkerEnded&& message) {
  const auto found = workers_.find(message.worker);
  if (found == workers_.end() || found->second.taskManager != peer.about.id) return;
  Job* job = find(found->second.job);
  if (!message.dismissed && job != nullptr && job->state == Job::State::kRunning)
    env_.log.warn("jobmanager", "worker '" + found->second.name + "' of job " + toString(found->second.job) +
                                    " " + message.how);
  const int64_t now = env_.clock.monotonicNanos();
  if (!message.dismissed && job != nullptr && now - found->second.startedNanos < kEarlyNanos)
    job->avoided[peer.about.id] = now + kAvoidedNanos;
  workerEnded(message.worker, message.dismissed);
}

// Anybody may say so; it costs a process that the job would soon replace.
void JobManager::on(Peer& peer, manager_messages::LostWorker&& message) {
  if (peer.state != Peer::State::kStranger) throw Error(ErrorKind::kBug, "a TaskManager gives up a worker");
  const std::optional<JobId> job = parseJobId(message.jobId);
  for (const auto& [number, worker] : workers_) {
    Peer* taskManager = findTaskManager(worker.taskManager);
    if (worker.job == job && worker.name == message.worker && taskManager != nullptr)
      taskManager->send(manager_messages::StopWorker{number});
  }
  peer.state = Peer::State::kGone;
  peer.port->close();
}

// --- workers ---

int JobManager::freeSlots(const Peer& taskManager) const {
  int free = taskManager.about.slots;
  for (const auto& [number, worker] : workers_)
    free -= worker.taskManager == taskManager.about.id ? worker.slots : 0;
  return free;
}

/// All that the job lacks, or nothing: parts of two jobs that wait for the rest would wait for each other.
void JobManager::assign(Job& job, int64_t now) {
  if (job.state != Job::State::kRunning || job.slots <= job.assigned || now < job.nextWorkerNanos) return;
  std::erase_if(job.avoided, [now](const auto& entry) { return now >= entry.second; });
  std::vector<Peer*> taskManagers;
  std::vector<Peer*> preferred;
  for (const auto& peer : peers_) {
    if (peer->state != Peer::State::kTaskManager) continue;
    taskManagers.push_back(peer.get());
    if (!job.avoided.contains(peer->about.id)) preferred.push_back(peer.get());
  }
  if (assign(job, preferred) || (!job.avoided.empty() && assign(job, taskManagers)))
    job.nextWorkerNanos = now + kBetweenWorkersNanos;
}

/// Whether these have room for what the job lacks.
bool JobManager::assign(Job& job, const std::vector<Peer*>& taskManagers) {
  std::vector<OfferedSlots> offers;
  offers.reserve(taskManagers.size());
  for (const Peer* peer : taskManagers)
    offers.push_back({peer->about.id, peer->about.slots, freeSlots(*peer)});
  const auto wanted = static_cast<size_t>(job.slots - job.assigned);
  std::map<size_t, int> slots;
  for (const size_t chosen :
       assignSlots(std::vector<std::string>(wanted), std::move(offers), options_.slotSpread))
    ++slots[chosen];
  for (const auto& [chosen, count] : slots) startWorker(job, *taskManagers[chosen], count);
  return !slots.empty();
}

void JobManager::startWorker(Job& job, Peer& taskManager, int slots) {
  changed_ = true;
  const uint64_t number = ++lastWorker_;
  const std::string name = taskManager.about.id + "/w" + std::to_string(number);
  workers_[number] = {.job = job.id,
                      .taskManager = taskManager.about.id,
                      .name = name,
                      .slots = slots,
                      .startedNanos = lastStep_};
  job.assigned += slots;
  ++job.workers;
  taskManager.send(manager_messages::StartWorker{.worker = number,
                                                 .jobId = toString(job.id),
                                                 .name = name,
                                                 .program = job.request.program,
                                                 .arguments = job.request.arguments,
                                                 .options = optionsOf(job),
                                                 .slots = slots,
                                                 .masterAddress = options_.address,
                                                 .masterPort = job.answer.port});
}

void JobManager::stopWorkers(const JobId& job) {
  for (const auto& [number, worker] : workers_) {
    Peer* taskManager = findTaskManager(worker.taskManager);
    if (worker.job == job && taskManager != nullptr) taskManager->send(manager_messages::StopWorker{number});
  }
}

void JobManager::workerEnded(uint64_t number, bool dismissed) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  Job* job = find(found->second.job);
  if (job != nullptr) {
    job->assigned -= found->second.slots;
    --job->workers;
    if (dismissed) job->slots = 0;  // it needs no others either
  }
  workers_.erase(found);
}

// --- jobs ---

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
      endJob(*jobs_.back(), readAll(env_.files, file.path));
    } catch (const Error& error) {
      env_.log.warn("jobmanager", "file '" + file.path + "' is left out: " + error.what());
      jobs_.pop_back();
    }
  }
  for (const FileInfo& file : env_.files.listFolder(options_.jobFolder)) {
    if (!file.path.ends_with(".json")) continue;
    try {
      const nlohmann::json json = nlohmann::json::parse(readAll(env_.files, file.path));
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
    writeAll(env_.files, specFile(job.id),
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
    return endJob(job, readAll(env_.files, archiveFile(job.id)));
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
    writeAll(env_.files, archiveFile(job.id), archive);
  } catch (const Error& error) {
    env_.log.error("jobmanager", error.what());
  }
  if (!job.known) job.answerRequest({.job = {}, .problem = why});
  endJob(job, archive);
}

void JobManager::endJob(Job& job, const std::string& archive) {
  job.archive = std::make_shared<const JobArchive>(JobArchive::parse(archive));
  const nlohmann::json summary = nlohmann::json::parse(
      firstJobSummary(job.archive->find("/jobs/overview").value_or("")), nullptr, false);
  if (!summary.is_object() || !summary.contains("state") || !summary.contains("name"))
    throw Error(ErrorKind::kCorruption, "the archive of job " + toString(job.id) + " does not tell its end");
  const bool tells = summary["state"].is_string() && summary["name"].is_string();
  if (!tells || !kEnds.contains(summary["state"].get<std::string>()))
    throw Error(ErrorKind::kCorruption, "the archive of job " + toString(job.id) + " does not tell its end");
  job.name = summary["name"].get<std::string>();
  job.status = summary["state"].get<std::string>();
  job.state = Job::State::kEnded;
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

// --- the course of things ---

void JobManager::beat(int64_t now) {
  const int64_t timeout = options_.heartbeatTimeout.ms * kNanosPerMilli;
  for (const auto& peer : std::vector(peers_)) {
    if (peer->state == Peer::State::kTaskManager && now - peer->heardNanos >= timeout)
      lose(*peer, "it has said nothing for " + toString(options_.heartbeatTimeout) + " (heartbeat.timeout)");
    if (peer->state == Peer::State::kStranger && now - peer->heardNanos >= timeout)
      refuse(*peer, "it did not say who it is");
  }
  if (now < nextBeat_) return;
  for (const auto& peer : peers_) {
    if (peer->state == Peer::State::kTaskManager) peer->send(manager_messages::Heartbeat());
  }
  nextBeat_ = now + options_.heartbeatInterval.ms * kNanosPerMilli;
}

void JobManager::publish() {
  auto view = std::make_shared<ClusterView>();
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at) {
    const Job& job = **at;
    JobView shown{.id = job.id,
                  .name = job.name,
                  .program = job.state == Job::State::kEnded ? std::string() : job.request.program,
                  .status = job.status,
                  .submitted = job.submitted,
                  .restPort = job.answer.restPort,
                  .slots = job.slots,
                  .workers = job.workers,
                  .archive = job.archive};
    if (job.state == Job::State::kStarting) shown.status = "INITIALIZING";
    if (job.state == Job::State::kPausing) shown.status = "RESTARTING";
    if (job.state == Job::State::kRunning) shown.status = "RUNNING";
    view->jobs.push_back(std::move(shown));
  }
  for (const auto& peer : peers_) {
    if (peer->state != Peer::State::kTaskManager) continue;
    TaskManagerView shown{.about = peer->about, .freeSlots = freeSlots(*peer), .lastHeard = peer->heard};
    std::map<JobId, int> slots;
    for (const auto& [number, worker] : workers_)
      if (worker.taskManager == peer->about.id) slots[worker.job] += worker.slots;
    shown.jobs.assign(slots.begin(), slots.end());
    view->taskManagers.push_back(std::move(shown));
  }
  std::atomic_store(&view_, std::shared_ptr<const ClusterView>(std::move(view)));
}

Runnable::Progress JobManager::step(StepTime now) {
  lastStep_ = now.nanos;
  changed_ = changed_ || !mailbox_.empty();
  mailbox_.drain();
  if (stopping_) {
    if (now.nanos < endNanos_) return Progress::kIdle;
    stopped_.store(true, std::memory_order_release);
    return mailbox_.settled() && mailbox_.empty() ? Progress::kDone : Progress::kMore;
  }
  beat(now.nanos);
  if (now.nanos >= nextLook_) {
    bool starting = false;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      look(*jobs_[i], now.nanos);
      starting = starting || jobs_[i]->state == Job::State::kStarting;
    }
    nextLook_ = now.nanos + (starting ? kBetweenLooksAtStartNanos : kBetweenLooksNanos);
  }
  for (const auto& job : jobs_) assign(*job, now.nanos);
  std::erase_if(peers_, [](const auto& peer) { return peer->state == Peer::State::kGone; });
  std::erase_if(jobs_,
                [](const auto& job) { return job->state == Job::State::kEnded && job->status.empty(); });
  if (std::exchange(changed_, false)) publish();
  return Progress::kIdle;
}

int64_t JobManager::deadlineNanos() const {
  if (stopping_) return endNanos_;
  int64_t deadline = peers_.empty() ? kNoDeadline : nextBeat_;
  for (const auto& job : jobs_) {
    if (job->state == Job::State::kPausing) deadline = std::min(deadline, job->nextStartNanos);
    if (job->master != nullptr) deadline = std::min(deadline, nextLook_);
    if (job->state == Job::State::kRunning && job->slots > job->assigned && job->nextWorkerNanos > lastStep_)
      deadline = std::min(deadline, job->nextWorkerNanos);
  }
  return deadline;
}

}  // namespace flott
