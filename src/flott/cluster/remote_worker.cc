#include "flott/cluster/remote_worker.h"

#include <algorithm>
#include <set>

#include "flott/base/error.h"

namespace flott {

RemoteWorker::RemoteWorker(std::unique_ptr<MessagePort> port, Mailbox& mailbox, Env& env, WorkerHost& host,
                           MasterGateway& master)
    : port_(std::move(port)),
      mailbox_(mailbox),
      env_(env),
      host_(host),
      master_(master),
      id_("at " + port_->peer()),
      heardNanos_(env.clock.monotonicNanos()) {}

void RemoteWorker::begin() { port_->open(*this); }

void RemoteWorker::onFrame(std::string frame) {
  mailbox_.post([self = shared_from_this(), frame = std::move(frame)] { self->received(frame); });
}

void RemoteWorker::onClosed(std::string_view why) {
  std::string what =
      why.empty() ? "it has closed the connection" : "the connection broke: " + std::string(why);
  mailbox_.post([self = shared_from_this(), what = std::move(what)]() mutable {
    if (self->state_ == State::kRegistered) return self->host_.disconnected(*self, what);
    self->lose(Error(ErrorKind::kTransient, std::move(what)));
  });
}

void RemoteWorker::received(std::string_view frame) {
  if (state_ == State::kGone) return;
  try {
    heardNanos_ = env_.clock.monotonicNanos();
    ToMaster message = decodeToMaster(frame);
    if (state_ == State::kConnected && !std::holds_alternative<messages::Register>(message) &&
        !std::holds_alternative<messages::WorkerEnded>(message))
      throw Error(ErrorKind::kCorruption, "it did not say who it is before anything else");
    std::visit([this](auto&& any) { on(std::forward<decltype(any)>(any)); }, std::move(message));
  } catch (...) {
    const Error error = currentError();
    if (state_ == State::kConnected) return refuse(error.what());
    lose(error);
  }
}

void RemoteWorker::send(const ToWorker& message) {
  if (state_ != State::kGone) port_->send(frameOf(message));
}

int RemoteWorker::freeSlots() const {
  std::set<size_t> regions;
  int free = slots_;
  for (const auto& [region, slots] : reserved_) free -= slots;
  for (const auto& [key, placed] : tasks_) {
    if (regions.insert(placed.region).second) free -= placed.slots;
  }
  return free;
}

void RemoteWorker::welcome(const messages::Register& about, const messages::Welcome& answer) {
  id_ = about.worker;
  slots_ = about.slots;
  state_ = State::kRegistered;
  env_.log.info("cluster", name() + " at " + port_->peer() + " offers " + std::to_string(slots_) +
                               (slots_ == 1 ? " slot" : " slots"));
  send(answer);
}

void RemoteWorker::refuse(const std::string& why) {
  env_.log.warn("cluster", name() + " was refused: " + why);
  send(messages::Refused{why});
  state_ = State::kGone;
  port_->close();
}

void RemoteWorker::deploy(const messages::Deploy& message, const std::map<TaskKey, RemoteTask*>& tasks,
                          int slots) {
  const size_t region = message.region;
  release(region);
  send(message);
  for (const auto& [key, task] : tasks) {
    tasks_[key] = {task, region, slots};
    task->place(*this);
  }
}

bool RemoteWorker::runs(size_t region) const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [region](const auto& entry) { return entry.second.region == region; });
}

// Its tasks may go on for a while, and what they send is not read: the port is closed.
void RemoteWorker::lose(const Error& why) {
  if (state_ == State::kGone) return;
  env_.log.warn("cluster", name() + " is lost: " + why.what());
  const bool belonged = state_ == State::kRegistered;
  state_ = State::kGone;
  port_->close();
  if (belonged) host_.lost(*this);
  for (const auto& [key, placed] : std::exchange(tasks_, {})) {
    placed.task->end(TaskState::kFailed);
    master_.onTaskEnded(
        placed.task->id(), TaskState::kFailed,
        Error(ErrorKind::kTransient, name() + " is lost: " + why.what()).at(placed.task->where()), {});
  }
  host_.slotsChanged();
}

void RemoteWorker::dismiss() {
  send(messages::Dismiss{});
  state_ = State::kGone;
  port_->close();
  for (const auto& [key, placed] : std::exchange(tasks_, {})) placed.task->end(placed.task->state());
}

RemoteTask* RemoteWorker::find(TaskId id) {
  const auto found = tasks_.find({id.vertex, id.subtask.value});
  const bool same = found != tasks_.end() && found->second.task->id().attempt == id.attempt;
  return same ? found->second.task : nullptr;
}

void RemoteWorker::on(messages::Register&& message) {
  if (state_ != State::kConnected) throw Error(ErrorKind::kBug, "it registers twice");
  host_.registered(*this, message);
}

void RemoteWorker::on(messages::Reports&& message) {
  for (messages::TaskReport& report : message.tasks) {
    if (RemoteTask* task = find(report.task)) task->report(std::move(report));
  }
}

void RemoteWorker::on(messages::TaskEnded&& message) {
  const TaskId id = message.last.task;
  const TaskState state = message.last.state;
  RemoteTask* task = find(id);
  if (task == nullptr) return;
  if (state != TaskState::kFinished && state != TaskState::kFailed && state != TaskState::kCancelled)
    throw Error(ErrorKind::kBug, "a task has ended that is " + std::string(toString(state)));
  if ((state == TaskState::kFailed) != message.failure.has_value())
    throw Error(ErrorKind::kBug, "a task has failed without a cause, or has a cause without a failure");
  task->report(std::move(message.last));
  task->end(state);
  tasks_.erase({id.vertex, id.subtask.value});
  std::optional<Error> error;
  if (message.failure) error = message.failure->error();
  master_.onTaskEnded(id, state, std::move(error), std::move(message.accumulators));
  host_.slotsChanged();
}

void RemoteWorker::on(messages::Damaged&& message) {
  if (find(message.task) != nullptr) master_.reportDamaged(message.task, message.what.error());
}

void RemoteWorker::on(messages::SplitRequest&& message) {
  const RemoteTask* task = find(message.task);
  if (task == nullptr) return;
  task->checkReads();
  master_.requestSplit(message.task);
}

void RemoteWorker::on(messages::EventOfReader&& message) {
  const RemoteTask* task = find(message.task);
  if (task == nullptr) return;
  task->checkReads();
  master_.sendSourceEvent(message.task, std::move(message.event));
}

void RemoteWorker::on(messages::WatermarkOfTask&& message) {
  if (find(message.task) != nullptr) master_.reportWatermark(message.task, message.time);
}

void RemoteWorker::on(messages::Acknowledgement&& message) {
  const RemoteTask* task = find(message.task);
  if (task == nullptr) return;
  task->check(message.snapshot);
  master_.acknowledgeCheckpoint(message.task, message.checkpoint, std::move(message.snapshot));
}

void RemoteWorker::on(messages::AwaitsFinalCheckpoint&& message) {
  if (find(message.task) != nullptr) master_.awaitFinalCheckpoint(message.task);
}

void RemoteWorker::on(messages::Decline&& message) {
  if (find(message.task) == nullptr) return;
  master_.declineCheckpoint(message.task, message.checkpoint, message.reason.error());
}

void RemoteWorker::on(messages::Times&& message) {
  if (RemoteTask* task = find(message.task)) task->answer(message.question, std::move(message.times));
}

void RemoteWorker::on(messages::AccumulatorsOfTask&& message) {
  if (RemoteTask* task = find(message.task)) task->answer(message.question, std::move(message.accumulators));
}

void RemoteWorker::on(messages::WorkerEnded&& message) {
  if (state_ != State::kConnected) throw Error(ErrorKind::kBug, "a worker tells the end of another one");
  state_ = State::kGone;
  port_->close();
  host_.workerEnded(message);
}

void RemoteWorker::on(messages::LinksOpened&& message) { host_.linksOpened(*this, std::move(message)); }

}  // namespace flott
