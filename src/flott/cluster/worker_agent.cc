#include "flott/cluster/worker_agent.h"

#include <algorithm>
#include <set>

#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/cluster/message_checks.h"
#include "flott/env/job_scope.h"
#include "flott/master/job_options.h"
#include "flott/runtime/state_backend.h"

namespace flott {
namespace {

// How soon the master is told that tasks have opened.
constexpr Duration kLookInterval = Duration::millis(100);

}  // namespace

WorkerAgent::WorkerAgent(const JobGraph& graph, WorkerAgentOptions options, Env& env, Scheduler& scheduler,
                         std::unique_ptr<MessagePort> port)
    : graph_(graph),
      options_(std::move(options)),
      env_(env),
      scheduler_(scheduler),
      port_(std::move(port)),
      mailbox_(waker()),
      patience_(options_.registrationTimeout) {}

WorkerAgent::~WorkerAgent() { port_->close(); }

void WorkerAgent::onFrame(std::string frame) {
  mailbox_.post([this, frame = std::move(frame)] { received(frame); });
}

void WorkerAgent::onClosed(std::string_view why) {
  std::string what =
      why.empty() ? "it has closed the connection" : "the connection broke: " + std::string(why);
  mailbox_.post([this, what = std::move(what)] { leave(Error(ErrorKind::kTransient, what)); });
}

void WorkerAgent::post(ToMaster message) {
  mailbox_.post([this, message = std::move(message)] { send(message); });
}

void WorkerAgent::send(const ToMaster& message) {
  if (state_ != State::kLeaving) port_->send(frameOf(message));
}

Runnable::Progress WorkerAgent::step(StepTime now) {
  const std::string id = jobId_;  // it may be told in this step
  const JobScope job(id.c_str());
  now_ = now;
  if (state_ == State::kNew) begin();
  mailbox_.drain();
  if (state_ != State::kLeaving && now.nanos - heardNanos_ >= patience_.ms * 1'000'000) {
    leave(Error(ErrorKind::kTransient, "it has said nothing for " + toString(patience_) +
                                           ". Was it killed, stopped, or cut off from the network?"));
  }
  if (state_ == State::kServing && now.nanos >= nextBeat_) beat();
  if (state_ == State::kServing && now.nanos >= nextLook_) {
    nextLook_ = allOpen() ? kNoDeadline : deadlineAfter(env_.clock, kLookInterval);
    report();
  }
  if (state_ != State::kLeaving || !running_.empty()) return Progress::kIdle;
  if (!mailbox_.settled()) return Progress::kMore;
  if (copies_ && !error_) copies_->removeAll();  // the job has ended
  return Progress::kDone;
}

int64_t WorkerAgent::deadlineNanos() const {
  if (state_ == State::kLeaving) return kNoDeadline;
  const int64_t lease = heardNanos_ + patience_.ms * 1'000'000;
  return state_ == State::kServing ? std::min({lease, nextBeat_, nextLook_}) : lease;
}

void WorkerAgent::begin() {
  state_ = State::kRegistering;
  heardNanos_ = now_.nanos;
  port_->open(*this);
  send(messages::Register{options_.name, options_.slots, digestOf(graph_)});
}

void WorkerAgent::received(std::string_view frame) {
  if (state_ == State::kLeaving) return;
  heardNanos_ = env_.clock.monotonicNanos();
  try {
    std::visit([this](auto&& any) { on(std::forward<decltype(any)>(any)); }, decodeToWorker(frame));
  } catch (...) {
    leave(currentError());
  }
}

void WorkerAgent::leave(std::optional<Error> why) {
  if (state_ == State::kLeaving) return;
  state_ = State::kLeaving;
  port_->close();
  if (why) {
    error_ = std::move(why->at("worker '" + options_.name + "' has lost its master at " + port_->peer()));
    env_.log.error("cluster", error_->what());
  }
  for (const auto& [key, deployed] : running_) deployed.task->cancel();
  opened_.clear();
  for (const auto& [number, region] : regions_) {
    if (region.newest != nullptr) region.newest->stopLinks();
  }
}

void WorkerAgent::beat() {
  nextBeat_ = deadlineAfter(env_.clock, interval_);
  send(messages::Heartbeat());
  if (!running_.empty()) report();
}

messages::TaskReport WorkerAgent::reportOf(const Deployed& deployed) const {
  TaskReadings readings = deployed.task->readMetrics(now_.nanos - deployed.sinceNanos);
  return {deployed.task->id(), deployed.task->state(), std::move(readings.operators),
          std::move(readings.task)};
}

void WorkerAgent::report() {
  messages::Reports reports;
  for (const auto& [key, deployed] : running_) reports.tasks.push_back(reportOf(deployed));
  send(reports);
}

bool WorkerAgent::allOpen() const {
  return std::none_of(running_.begin(), running_.end(),
                      [](const auto& entry) { return entry.second.task->state() == TaskState::kCreated; });
}

// --- what tasks say ---

void WorkerAgent::onTaskEnded(TaskId task, TaskState state, std::optional<Error> error,
                              Accumulators accumulators) {
  std::optional<messages::Failure> failure;
  if (error) failure = messages::Failure::of(*error);
  mailbox_.post(
      [this, task, state, failure = std::move(failure), accumulators = std::move(accumulators)]() mutable {
        taskEnded(task, state, std::move(failure), std::move(accumulators));
      });
}

void WorkerAgent::taskEnded(TaskId task, TaskState state, std::optional<messages::Failure> failure,
                            Accumulators accumulators) {
  const auto ended = running_.extract({task.vertex, task.subtask.value});
  messages::TaskReport last = reportOf(ended.mapped());
  last.state = state;
  send(messages::TaskEnded{std::move(last), std::move(failure), std::move(accumulators)});
}

void WorkerAgent::reportDamaged(TaskId task, Error what) {
  post(messages::Damaged{task, messages::Failure::of(what)});
}

// --- what the master says ---

void WorkerAgent::on(messages::Welcome&& message) {
  if (state_ != State::kRegistering) throw Error(ErrorKind::kBug, "it welcomes a worker twice");
  state_ = State::kServing;
  jobId_ = std::move(message.jobId);
  const JobScope job(jobId_.c_str());
  for (const auto& [key, value] : message.configuration) configuration_.set(key, value, "the master");
  interval_ = configuration_.get(kHeartbeatInterval);
  // The master waits for a heartbeat.interval longer before it gives the tasks to another worker.
  patience_ = configuration_.get(kHeartbeatTimeout) - interval_;
  storage_.emplace(env_.files, checkpointStorageOptions(configuration_, jobId_), &env_.stores);
  if (const auto local = localCopiesOptions(configuration_, jobId_, options_.localFolder))
    storage_->useCopies(&copies_.emplace(env_.files, env_.log, *local));
  coldMemory_ = newColdMemory(configuration_);
  nextBeat_ = deadlineAfter(env_.clock, interval_);
  nextLook_ = kNoDeadline;
  env_.log.info("cluster",
                "registered as worker '" + options_.name + "' with the master at " + port_->peer());
}

void WorkerAgent::on(messages::Refused&& message) { throw Error(ErrorKind::kUser, std::move(message.why)); }

void WorkerAgent::on(messages::Dismiss&&) { leave(std::nullopt); }

void WorkerAgent::check(const messages::Deploy& message) const {
  if (state_ != State::kServing) throw Error(ErrorKind::kBug, "it deploys tasks before a welcome");
  if (message.tasks.empty()) throw Error(ErrorKind::kBug, "it deploys no tasks");
  std::set<TaskKey> mine;
  std::set<TaskKey> elsewhere;
  for (const messages::Deploy::One& one : message.tasks) {
    checkTask(graph_, one.vertex, one.subtask);
    checkFits(graph_, one.vertex, one.restored);
    if (running_.contains({one.vertex, one.subtask}))
      throw Error(ErrorKind::kBug, "it deploys a task that runs here already");
    mine.emplace(one.vertex, one.subtask);
  }
  for (const messages::Peer& peer : message.peers) {
    for (const messages::Peer::One& one : peer.tasks) {
      checkTask(graph_, one.vertex, one.subtask);
      elsewhere.emplace(one.vertex, one.subtask);
    }
  }
  checkPlaces(graph_, mine, elsewhere);
  if (!message.peers.empty() && !opened_.contains(message.links))
    throw Error(ErrorKind::kBug, "it deploys tasks with links that it has not asked for");
}

void WorkerAgent::on(messages::Deploy&& message) {
  check(message);
  std::unique_ptr<Attempt> attempt;
  try {
    attempt = make(message);
  } catch (...) {
    const messages::Failure failure = messages::Failure::of(currentError());
    for (const messages::Deploy::One& one : message.tasks) {
      const TaskId id{one.vertex, SubtaskIndex(one.subtask), message.attempt};
      send(messages::TaskEnded{{id, TaskState::kFailed, {}}, failure, {}});
    }
    return;
  }
  Region& region = regions_[message.region];
  region.before = std::move(region.newest);
  region.newest = std::move(attempt);
  for (const auto& task : region.newest->worker->tasks())
    running_[{task->id().vertex, task->id().subtask.value}] = {task.get(), now_.nanos};
  if (region.newest->links != nullptr) region.newest->links->start();
  region.newest->worker->deploy(scheduler_);
  nextLook_ = deadlineAfter(env_.clock, kLookInterval);
}

std::unique_ptr<WorkerAgent::Attempt> WorkerAgent::make(messages::Deploy& message) {
  auto attempt = std::make_unique<Attempt>();
  attempt->number = message.links;
  attempt->links = linksFor(message);
  WorkerOptions options = workerOptions(configuration_, message.attempt, jobId_, *storage_);
  options.coldMemory = coldMemory_;
  if (attempt->links != nullptr) options.remote = &attempt->links->links();
  RestoredJob restored;
  for (const JobVertex& vertex : graph_.vertices) {
    if (message.isRestored) restored.emplace_back(static_cast<size_t>(vertex.parallelism));
  }
  for (messages::Deploy::One& one : message.tasks) {
    options.tasks.emplace(one.vertex, one.subtask);
    if (!message.isRestored) continue;
    restored[static_cast<size_t>(one.vertex)][static_cast<size_t>(one.subtask)] = std::move(one.restored);
  }
  MasterGateway& master = *this;
  attempt->worker = std::make_unique<Worker>(graph_, configuration_, placement(message), std::move(options),
                                             env_, master, std::move(restored));
  return attempt;
}

std::unique_ptr<OpenedLinks> WorkerAgent::linksFor(const messages::Deploy& message) {
  if (message.peers.empty()) return nullptr;
  std::unique_ptr<OpenedLinks> links = std::move(opened_.extract(message.links).mapped());
  std::map<std::string, PeerAddress> peers;
  std::map<TaskKey, std::string> places;
  for (const messages::Peer& peer : message.peers) {
    peers[peer.worker] = {peer.address, peer.port};
    for (const messages::Peer::One& one : peer.tasks) places[{one.vertex, one.subtask}] = peer.worker;
  }
  links->links().setPeers(std::move(peers), std::move(places));
  return links;
}

void WorkerAgent::on(messages::OpenLinks&& message) {
  if (state_ != State::kServing) throw Error(ErrorKind::kBug, "it opens links before a welcome");
  messages::LinksOpened answer{.links = message.links, .address = {}, .port = 0, .failure = {}};
  try {
    if (options_.dataPlane == nullptr)
      throw Error(ErrorKind::kUser, "it was started without a network to other workers");
    LinkOptions options = linkOptions(configuration_);
    options.job = jobId_ + ", links " + std::to_string(message.links);
    options.attempt = message.attempt;
    options.worker = options_.name;
    std::unique_ptr<OpenedLinks>& links = opened_[message.links];
    links = options_.dataPlane->open(std::move(options));
    answer.address = options_.dataPlane->address();
    answer.port = links->links().port();
  } catch (...) {
    opened_.erase(message.links);
    answer.failure = messages::Failure::of(currentError());
  }
  send(answer);
}

void WorkerAgent::on(messages::CloseLinks&& message) {
  opened_.erase(message.links);
  for (const auto& [number, region] : regions_) {
    if (region.newest != nullptr && region.newest->number == message.links) region.newest->stopLinks();
  }
}

// The tasks of a slot share a lane; slots take lanes by turns, as they come.
Placement WorkerAgent::placement(const messages::Deploy& message) {
  Placement placement{.lanes = options_.lanes, .laneOf = {}};
  for (const JobVertex& vertex : graph_.vertices)
    placement.laneOf.emplace_back(static_cast<size_t>(vertex.parallelism), 0);
  for (const messages::Deploy::One& one : message.tasks) {
    const std::string& group = graph_.vertices[static_cast<size_t>(one.vertex)].slotSharingGroup;
    const int next = static_cast<int>(laneOf_.size()) % options_.lanes;
    placement.laneOf[static_cast<size_t>(one.vertex)][static_cast<size_t>(one.subtask)] =
        laneOf_.try_emplace({group, one.subtask}, next).first->second;
  }
  return placement;
}

Task* WorkerAgent::find(TaskId id) {
  const auto found = running_.find({id.vertex, id.subtask.value});
  const bool same = found != running_.end() && found->second.task->id().attempt == id.attempt;
  return same ? found->second.task : nullptr;
}

Task* WorkerAgent::findReader(TaskId id) {
  Task* task = find(id);
  if (task != nullptr) checkReads(graph_, id.vertex);
  return task;
}

void WorkerAgent::on(messages::Cancel&& message) {
  if (Task* task = find(message.task)) task->cancel();
}

void WorkerAgent::on(messages::Splits&& message) {
  if (Task* task = findReader(message.task)) task->assignSplits(std::move(message.splits));
}

void WorkerAgent::on(messages::NoMoreSplits&& message) {
  if (Task* task = findReader(message.task)) task->signalNoMoreSplits();
}

void WorkerAgent::on(messages::EventForReader&& message) {
  if (Task* task = findReader(message.task)) task->deliverSourceEvent(std::move(message.event));
}

void WorkerAgent::on(messages::WatermarkLimit&& message) {
  if (Task* task = findReader(message.task)) task->setWatermarkLimit(message.limit);
}

void WorkerAgent::on(messages::Trigger&& message) {
  if (Task* task = find(message.task)) task->triggerCheckpoint(std::move(message.barrier));
}

void WorkerAgent::on(messages::CheckpointEnd&& message) {
  if (Task* task = find(message.task)) task->endCheckpoint(message.checkpoint, message.completed);
}

void WorkerAgent::on(messages::Drain&& message) {
  if (Task* task = find(message.task)) task->drain();
}

void WorkerAgent::on(messages::ReadTimes&& message) {
  Task* task = find(message.task);
  if (task == nullptr) return;
  task->readTimes([this, id = message.task, question = message.question](TaskTimes times) {
    post(messages::Times{id, question, std::move(times)});
  });
}

void WorkerAgent::on(messages::ReadAccumulators&& message) {
  Task* task = find(message.task);
  if (task == nullptr) return;
  task->readAccumulators([this, id = message.task, question = message.question](Accumulators copy) {
    post(messages::AccumulatorsOfTask{id, question, std::move(copy)});
  });
}

}  // namespace flott
