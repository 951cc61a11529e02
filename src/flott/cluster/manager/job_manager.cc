#include "flott/cluster/manager/job_manager.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/manager/job_manager_parts.h"

namespace flott {
namespace {

// How often masters are looked at, as long as there are some: those that start more often.
constexpr int64_t kBetweenLooksNanos = 20 * kNanosPerMilli;
constexpr int64_t kBetweenLooksAtStartNanos = 2 * kNanosPerMilli;
// A worker that ends at once, again and again, is not to keep the machines busy.
constexpr int64_t kBetweenWorkersNanos = 500 * kNanosPerMilli;
// A TaskManager on which a worker ends before it has lived for so long, where perhaps the disk is full, is
// not the job's first choice for a while.
constexpr int64_t kEarlyNanos = 10'000 * kNanosPerMilli;
constexpr int64_t kAvoidedNanos = 60'000 * kNanosPerMilli;
// Between its end and that of the process: who has asked for it gets an answer.
constexpr Duration kForAnswers = Duration(100);
// Of a TaskManager, as taskmanager.numberOfTaskSlots.
constexpr int32_t kMostSlots = 4096;
// Connections that have not said who they are.
constexpr size_t kMostStrangers = 1000;

}  // namespace

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
  manager_messages::Welcome welcome{.heartbeatIntervalMs = options_.heartbeatInterval.ms,
                                    .heartbeatTimeoutMs = options_.heartbeatTimeout.ms,
                                    .restAddress = options_.restAddress,
                                    .restPort = options_.restPort};
  for (const auto& job : jobs_) {
    if (job->state != Job::State::kEnded) welcome.jobs.push_back(toString(job->id));
  }
  peer.send(welcome);
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

void JobManager::on(Peer& peer, manager_messages::WorkerRegistered&& message) {
  if (peer.state != Peer::State::kStranger) throw Error(ErrorKind::kBug, "a TaskManager speaks for a master");
  const std::optional<JobId> job = parseJobId(message.jobId);
  for (auto& [number, worker] : workers_)
    if (worker.job == job && worker.name == message.worker) worker.registered = true;
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
  // Back to where its workers were: what they have left there, copies of its state, may be of use.
  std::vector<std::string> before = job.left;
  before.resize(static_cast<size_t>(job.slots - job.assigned));
  std::map<size_t, int> slots;
  for (const size_t chosen : assignSlots(before, std::move(offers), options_.slotSpread)) ++slots[chosen];
  if (!slots.empty()) job.left.clear();
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

/// A program that hangs before it starts its job, or a TaskManager that does not get to starting it.
void JobManager::giveUpSilentWorkers(int64_t now) {
  const int64_t patience = options_.programStartTimeout.ms * kNanosPerMilli;
  std::vector<uint64_t> silent;
  for (const auto& [number, worker] : workers_)
    if (!worker.registered && now - worker.startedNanos >= patience) silent.push_back(number);
  for (const uint64_t number : silent) {
    const Worker& worker = workers_.at(number);
    env_.log.warn("jobmanager", "worker '" + worker.name + "' of job " + toString(worker.job) +
                                    " has not come to its master after " +
                                    toString(options_.programStartTimeout) +
                                    " (flott.jobmanager.program-start-timeout), and is given up");
    if (Job* job = find(worker.job)) job->avoided[worker.taskManager] = now + kAvoidedNanos;
    if (Peer* taskManager = findTaskManager(worker.taskManager))
      taskManager->send(manager_messages::StopWorker{number});
    changed_ = true;
    workerEnded(number, false);
  }
}

void JobManager::workerEnded(uint64_t number, bool dismissed) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  Job* job = find(found->second.job);
  if (job != nullptr) {
    job->assigned -= found->second.slots;
    job->left.insert(job->left.end(), static_cast<size_t>(found->second.slots), found->second.taskManager);
    --job->workers;
    if (dismissed) job->slots = 0;  // it needs no others either
  }
  workers_.erase(found);
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
    if (job.state == Job::State::kRunning && job.archive == nullptr) shown.status = "RUNNING";
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
  giveUpSilentWorkers(now.nanos);
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
  for (const auto& [number, worker] : workers_) {
    if (!worker.registered)
      deadline = std::min(deadline, worker.startedNanos + options_.programStartTimeout.ms * kNanosPerMilli);
  }
  for (const auto& job : jobs_) {
    if (job->state == Job::State::kPausing) deadline = std::min(deadline, job->nextStartNanos);
    if (job->master != nullptr) deadline = std::min(deadline, nextLook_);
    if (job->state == Job::State::kRunning && job->slots > job->assigned && job->nextWorkerNanos > lastStep_)
      deadline = std::min(deadline, job->nextWorkerNanos);
  }
  return deadline;
}

}  // namespace flott
