#include "flott/cluster/distributed_deployer.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {
namespace {

// In a row. What differs by chance may be the same in another process.
constexpr int kMostUnlike = 3;

}  // namespace

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
  loseDisconnected(now.nanos);
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
  for (const Disconnected& gone : disconnected_) deadline = std::min(deadline, gone.untilNanos);
  return deadline;
}

void DistributedDeployer::disconnected(RemoteWorker& worker, const std::string& what) {
  disconnected_.push_back({worker.shared_from_this(), what, deadlineAfter(env_.clock, options_.endPatience)});
  waker().wake();
}

void DistributedDeployer::lost(const RemoteWorker& worker) {
  if (options_.onLostWorker) options_.onLostWorker(worker.id());
}

void DistributedDeployer::workerEnded(const messages::WorkerEnded& ended) {
  for (const auto& worker : workers_) {
    if (worker->state() == RemoteWorker::State::kRegistered && worker->id() == ended.worker)
      worker->lose(Error(ErrorKind::kTransient, "its process " + ended.how));
  }
}

void DistributedDeployer::loseDisconnected(int64_t now) {
  std::erase_if(disconnected_, [now](const Disconnected& gone) {
    if (gone.worker->state() != RemoteWorker::State::kGone && now < gone.untilNanos) return false;
    gone.worker->lose(Error(ErrorKind::kTransient, gone.what));  // unless it is gone
    return true;
  });
}

void DistributedDeployer::registered(RemoteWorker& worker, const messages::Register& about) {
  const std::string name = "worker '" + about.worker + "'";
  if (about.slots < 1)
    throw Error(ErrorKind::kUser, name + " offers " + std::to_string(about.slots) + " slots: give it some");
  if (const auto difference = about.graph.differenceTo(digest_)) refuseUnlike(name, *difference);
  unlike_ = 0;
  for (const auto& other : workers_) {
    if (other.get() == &worker || other->id() != about.worker) continue;
    other->lose(Error(ErrorKind::kTransient, "another process has registered under its name"));
  }
  worker.welcome(about, options_.welcome);
  if (options_.onNewWorker) options_.onNewWorker(worker.id());
}

void DistributedDeployer::refuseUnlike(const std::string& name, const std::string& difference) {
  const Error why(ErrorKind::kUser,
                  "the program of " + name + " builds another job than the master's: it " + difference +
                      ". Start all processes of a job from the same program with the same arguments, and let "
                      "what it builds depend on nothing else");
  if (++unlike_ == kMostUnlike && options_.onUnlikePrograms) options_.onUnlikePrograms(why);
  throw Error(why);
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

/// A slot has one subtask of each vertex of its slot sharing group. Those of a subtask are side by side.
std::vector<TaskSet> DistributedDeployer::slotsOf(size_t region) const {
  std::map<std::pair<int, std::string>, TaskSet> slots;
  for (const TaskKey& task : regions_.tasks(region))
    slots[{task.second, graph_.vertices[static_cast<size_t>(task.first)].slotSharingGroup}].insert(task);
  std::vector<TaskSet> all;
  all.reserve(slots.size());
  for (auto& [name, tasks] : slots) all.push_back(std::move(tasks));
  return all;
}

void DistributedDeployer::place() {
  closeLinks();
  const int64_t now = env_.clock.monotonicNanos();
  std::erase_if(waiting_, [&](Waiting& waiting) {
    endCancelled(waiting);
    if (place(waiting) || waiting.tasks.empty()) return true;
    if (now < waiting.untilNanos) return false;
    giveUpLinks(waiting);
    fail(waiting, noSlots(waiting));
    return true;
  });
}

/// Whether it waits no more.
bool DistributedDeployer::place(Waiting& waiting) {
  // A part of it is cancelled already, and the rest will be.
  const bool cancelled = waiting.tasks.size() < waiting.message.tasks.size();
  const bool lost = std::any_of(waiting.parts.begin(), waiting.parts.end(), [](const Part& part) {
    return part.worker->state() == RemoteWorker::State::kGone;
  });
  if (cancelled || lost) giveUpLinks(waiting);
  if (cancelled) return false;
  if (waiting.parts.empty()) {
    waiting.parts = partsOf(waiting.region);
    if (waiting.parts.size() > 1) openLinks(waiting);
  }
  for (const Part& part : waiting.parts) {
    if (!part.opened || !part.opened->failure) continue;
    const Error why = part.opened->failure->error().at(part.worker->name() + " cannot be reached by others");
    giveUpLinks(waiting);
    fail(waiting, why);
    return true;
  }
  const bool opened = std::all_of(waiting.parts.begin(), waiting.parts.end(),
                                  [](const Part& part) { return part.opened.has_value(); });
  if (waiting.parts.empty() || (waiting.parts.size() > 1 && !opened)) return false;
  deploy(waiting);
  return true;
}

std::vector<DistributedDeployer::Part> DistributedDeployer::partsOf(size_t region) {
  const std::vector<TaskSet> slots = slotsOf(region);
  std::vector<std::shared_ptr<RemoteWorker>> workers;
  std::vector<OfferedSlots> offers;
  for (const auto& worker : workers_) {
    if (worker->state() != RemoteWorker::State::kRegistered) continue;
    workers.push_back(worker);
    offers.push_back({worker->id(), worker->slots(), worker->freeSlots()});
  }
  std::vector<std::string>& before = placedAt_[region];
  before.resize(slots.size());
  const std::vector<size_t> chosen = assignSlots(before, std::move(offers), options_.slotSpread);
  std::map<size_t, Part> parts;
  for (size_t i = 0; i < chosen.size(); ++i) {
    Part& part = parts[chosen[i]];
    part.worker = workers[chosen[i]];
    part.tasks.insert(slots[i].begin(), slots[i].end());
    ++part.slots;
    before[i] = part.worker->id();
  }
  std::vector<Part> all;
  all.reserve(parts.size());
  for (auto& [worker, part] : parts) all.push_back(std::move(part));
  return all;
}

void DistributedDeployer::openLinks(Waiting& waiting) {
  waiting.links = ++lastLinks_;
  for (const Part& part : waiting.parts) {
    part.worker->reserve(waiting.region, part.slots);
    part.worker->send(messages::OpenLinks{waiting.links, waiting.message.attempt});
  }
}

void DistributedDeployer::giveUpLinks(Waiting& waiting) {
  for (const Part& part : std::exchange(waiting.parts, {})) {
    part.worker->release(waiting.region);
    part.worker->send(messages::CloseLinks{waiting.links});
  }
  waiting.links = 0;
}

void DistributedDeployer::linksOpened(RemoteWorker& worker, messages::LinksOpened opened) {
  for (Waiting& waiting : waiting_) {
    if (waiting.links != opened.links) continue;
    for (Part& part : waiting.parts) {
      if (part.worker.get() == &worker) part.opened = opened;
    }
  }
}

void DistributedDeployer::deploy(Waiting& waiting) {
  std::vector<messages::Peer> peers;
  for (const Part& part : waiting.parts) {
    messages::Peer& peer = peers.emplace_back();
    peer.worker = part.worker->id();
    if (part.opened) peer.address = part.opened->address;
    if (part.opened) peer.port = part.opened->port;
    for (const auto& [vertex, subtask] : part.tasks) peer.tasks.push_back({vertex, subtask});
  }
  Spread spread{.region = waiting.region, .links = waiting.links, .workers = {}};
  for (size_t i = 0; i < waiting.parts.size(); ++i) {
    const Part& part = waiting.parts[i];
    messages::Deploy message{.attempt = waiting.message.attempt,
                             .region = static_cast<uint32_t>(waiting.region),
                             .isRestored = waiting.message.isRestored,
                             .tasks = {},
                             .links = waiting.links,
                             .peers = peers};
    message.peers.erase(message.peers.begin() + static_cast<std::ptrdiff_t>(i));
    std::map<TaskKey, RemoteTask*> tasks;
    for (messages::Deploy::One& one : waiting.message.tasks) {
      const TaskKey key(one.vertex, one.subtask);
      if (!part.tasks.contains(key)) continue;
      message.tasks.push_back(std::move(one));
      tasks[key] = waiting.tasks.at(key);
    }
    part.worker->deploy(message, tasks, part.slots);
    spread.workers.push_back(part.worker);
  }
  if (spread.workers.size() > 1) spread_.push_back(std::move(spread));
}

/// Not before all tasks of a region have ended: the others would take it for a failure.
void DistributedDeployer::closeLinks() {
  std::erase_if(spread_, [](const Spread& spread) {
    const auto runs = [&](const auto& worker) { return worker->runs(spread.region); };
    if (std::any_of(spread.workers.begin(), spread.workers.end(), runs)) return false;
    for (const auto& worker : spread.workers) worker->send(messages::CloseLinks{spread.links});
    return true;
  });
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

void DistributedDeployer::fail(Waiting& waiting, const Error& why) {
  for (const auto& [key, task] : std::exchange(waiting.tasks, {})) {
    Error error = why;
    error.at(task->where());
    task->end(TaskState::kFailed);
    master_->onTaskEnded(task->id(), TaskState::kFailed, std::move(error), {});
  }
}

Error DistributedDeployer::noSlots(const Waiting& waiting) const {
  const auto count = [](size_t n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  size_t offered = 0;
  for (const auto& worker : workers_) offered += static_cast<size_t>(worker->slots());
  return Error(ErrorKind::kTransient,
               "it and the tasks that it is connected with need " +
                   count(slotsOf(waiting.region).size(), "free slot") + ", and there were fewer for " +
                   toString(options_.slotRequestTimeout) + " (slot.request.timeout): " +
                   count(workers_.size(), "worker") + (workers_.size() == 1 ? " offers " : " offer ") +
                   count(offered, "slot") + " in all. Start another one, or lower the parallelism");
}

}  // namespace flott
