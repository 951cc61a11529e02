#include "flott/cluster/distributed_deployer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "flott/base/error.h"

namespace flott {

DistributedDeployer::DistributedDeployer(const JobGraph& graph, DistributedDeployerOptions options, Env& env)
    : graph_(graph),
      options_(std::move(options)),
      env_(env),
      regions_(graph),
      digest_(digestOf(graph)),
      mailbox_(waker()) {
  if (options_.heartbeatTimeout > options_.heartbeatInterval) return;
  throw Error(ErrorKind::kUser,
              "heartbeat.timeout (" + toString(options_.heartbeatTimeout) +
                  ") is not more than heartbeat.interval (" + toString(options_.heartbeatInterval) +
                  "): every worker would soon count as lost. Make it several times as long");
}

DistributedDeployer::~DistributedDeployer() = default;

void DistributedDeployer::accept(std::unique_ptr<MessagePort> port) {
  mailbox_.post([this, port = std::move(port)]() mutable {
    WorkerHost& host = *this;
    workers_.push_back(std::make_shared<RemoteWorker>(std::move(port), mailbox_, env_, host, *master_));
    workers_.back()->begin();
  });
}

void DistributedDeployer::jobEnded() {
  jobEnded_ = true;
  waker().wake();
}

Runnable::Progress DistributedDeployer::step(StepTime now) {
  mailbox_.drain();
  for (const auto& worker : workers_) {
    if (now.nanos - worker->heardNanos() < options_.heartbeatTimeout.ms * 1'000'000) continue;
    worker->lose(Error(ErrorKind::kTransient,
                       "it has said nothing for " + toString(options_.heartbeatTimeout) +
                           " (heartbeat.timeout). Was it killed, stopped, or cut off from the network?"));
  }
  std::erase_if(workers_, [](const auto& worker) { return worker->state() == RemoteWorker::State::kGone; });
  place();
  if (now.nanos >= nextBeat_) beat();
  if (!jobEnded_) return Progress::kIdle;
  for (const auto& worker : std::exchange(workers_, {})) worker->dismiss();
  return mailbox_.settled() ? Progress::kDone : Progress::kMore;
}

void DistributedDeployer::beat() {
  for (const auto& worker : workers_) {
    if (worker->state() == RemoteWorker::State::kRegistered) worker->send(messages::Heartbeat());
  }
  nextBeat_ = deadlineAfter(env_.clock, options_.heartbeatInterval);
}

int64_t DistributedDeployer::deadlineNanos() const {
  int64_t deadline = workers_.empty() ? kNoDeadline : nextBeat_;
  for (const auto& worker : workers_)
    deadline = std::min(deadline, worker->heardNanos() + options_.heartbeatTimeout.ms * 1'000'000);
  for (const Waiting& waiting : waiting_) deadline = std::min(deadline, waiting.untilNanos);
  return deadline;
}

void DistributedDeployer::registered(RemoteWorker& worker, const messages::Register& about) {
  const std::string name = "worker '" + about.worker + "'";
  if (about.slots < 1)
    throw Error(ErrorKind::kUser, name + " offers " + std::to_string(about.slots) + " slots: give it some");
  if (const auto difference = about.graph.differenceTo(digest_)) {
    throw Error(ErrorKind::kUser,
                "the program of " + name + " builds another job than the master's: it " + *difference +
                    ". Start all processes of a job from the same program with the same arguments, and let "
                    "what it builds depend on nothing else");
  }
  for (const auto& other : workers_) {
    if (other.get() == &worker || other->id() != about.worker) continue;
    other->lose(Error(ErrorKind::kTransient, "another process has registered under its name"));
  }
  worker.welcome(about, options_.welcome);
}

// --- deployment ---

std::map<TaskKey, TaskGateway*> DistributedDeployer::deploy(int attempt, RestoredJob restored,
                                                            const TaskSet& tasks) {
  std::map<TaskKey, TaskGateway*> gateways;
  for (size_t region = 0; region < regions_.count(); ++region) {
    if (!tasks.empty() && !tasks.contains(*regions_.tasks(region).begin())) continue;
    waiting_.push_back(prepare(region, attempt, restored));
    for (const auto& [key, task] : waiting_.back().tasks) gateways[key] = task;
  }
  place();
  waker().wake();  // there may be something to wait for
  return gateways;
}

DistributedDeployer::Waiting DistributedDeployer::prepare(size_t region, int attempt, RestoredJob& restored) {
  Waiting waiting{.region = region,
                  .message = {.attempt = attempt, .isRestored = !restored.empty(), .tasks = {}},
                  .tasks = {},
                  .untilNanos = deadlineAfter(env_.clock, options_.slotRequestTimeout)};
  for (const TaskKey& key : regions_.tasks(region)) {
    const auto [vertex, subtask] = key;
    messages::Deploy::One& one = waiting.message.tasks.emplace_back();
    one.vertex = vertex;
    one.subtask = subtask;
    if (!restored.empty())
      one.restored = std::move(restored[static_cast<size_t>(vertex)][static_cast<size_t>(subtask)]);
    Made& made = tasks_[key];
    made.before = std::move(made.newest);
    made.newest =
        std::make_unique<RemoteTask>(graph_, TaskId{vertex, SubtaskIndex(subtask), attempt}, waker());
    waiting.tasks[key] = made.newest.get();
  }
  return waiting;
}

/// A slot has one subtask of each vertex of its slot sharing group.
int DistributedDeployer::slotsOf(const TaskSet& tasks) const {
  std::set<std::pair<std::string, int>> slots;
  for (const auto& [vertex, subtask] : tasks)
    slots.emplace(graph_.vertices[static_cast<size_t>(vertex)].slotSharingGroup, subtask);
  return static_cast<int>(slots.size());
}

void DistributedDeployer::place() {
  const int64_t now = env_.clock.monotonicNanos();
  std::erase_if(waiting_, [&](Waiting& waiting) {
    endCancelled(waiting);
    if (waiting.tasks.empty() || place(waiting)) return true;
    if (now < waiting.untilNanos) return false;
    failUnplaced(waiting);
    return true;
  });
}

bool DistributedDeployer::place(Waiting& waiting) {
  // A part of it is cancelled already, and the rest will be.
  if (waiting.tasks.size() < waiting.message.tasks.size()) return false;
  const int slots = slotsOf(regions_.tasks(waiting.region));
  RemoteWorker* worker = workerFor(waiting, slots);
  if (worker == nullptr) return false;
  placedAt_[waiting.region] = worker->id();
  worker->deploy(waiting.message, waiting.tasks, waiting.region, slots);
  return true;
}

RemoteWorker* DistributedDeployer::workerFor(const Waiting& waiting, int slots) {
  RemoteWorker* best = nullptr;
  int bestFree = slots - 1;
  for (const auto& worker : workers_) {
    if (worker->state() != RemoteWorker::State::kRegistered) continue;
    const int free = worker->freeSlots();
    const auto before = placedAt_.find(waiting.region);
    if (free >= slots && before != placedAt_.end() && before->second == worker->id()) return worker.get();
    if (free <= bestFree) continue;
    best = worker.get();
    bestFree = free;
  }
  return best;
}

void DistributedDeployer::endCancelled(Waiting& waiting) {
  std::erase_if(waiting.tasks, [this](const auto& entry) {
    RemoteTask& task = *entry.second;
    if (!task.cancelled()) return false;
    task.end(TaskState::kCancelled);
    master_->onTaskEnded(task.id(), TaskState::kCancelled, std::nullopt, {});
    return true;
  });
}

void DistributedDeployer::failUnplaced(Waiting& waiting) {
  const int slots = slotsOf(regions_.tasks(waiting.region));
  int most = 0;
  for (const auto& worker : workers_) most = std::max(most, worker->slots());
  for (const auto& [key, task] : std::exchange(waiting.tasks, {})) {
    Error error(
        ErrorKind::kTransient,
        "no worker has had " + std::to_string(slots) + " free " + (slots == 1 ? "slot" : "slots") +
            " for it and the tasks that it is connected with, for " + toString(options_.slotRequestTimeout) +
            " (slot.request.timeout); there " +
            (workers_.size() == 1 ? "is 1 worker" : "are " + std::to_string(workers_.size()) + " workers") +
            " of at most " + std::to_string(most) + (most == 1 ? " slot" : " slots") +
            ". Start another one, or lower the parallelism");
    error.at(task->where());
    task->end(TaskState::kFailed);
    master_->onTaskEnded(task->id(), TaskState::kFailed, std::move(error), {});
  }
}

}  // namespace flott
