#include "flott/cluster/remote_task.h"

#include "flott/cluster/message_checks.h"

namespace flott {
namespace {

template <typename Questions, typename Answer>
void reply(Questions& questions, uint64_t question, Answer answer) {
  auto asked = questions.extract(question);
  if (!asked.empty()) asked.mapped()(std::move(answer));
}

}  // namespace

std::string RemoteTask::where() const {
  const JobVertex& vertex = graph_.vertices[static_cast<size_t>(id_.vertex)];
  return "operator '" + vertex.name + "', subtask " + std::to_string(id_.subtask.value + 1) + "/" +
         std::to_string(vertex.parallelism) +
         (placed() ? " in worker '" + workerId_ + "'" : ", which has no worker yet");
}

void RemoteTask::send(ToWorker message) {
  if (ended_) return;
  if (worker_ != nullptr) return worker_->send(message);
  waiting_.push_back(std::move(message));
}

void RemoteTask::place(WorkerLink& worker) {
  worker_ = &worker;
  workerId_ = worker.id();
  for (const ToWorker& message : std::exchange(waiting_, {})) worker.send(message);
}

void RemoteTask::cancel() {
  if (worker_ != nullptr) return send(messages::Cancel{id_});
  cancelled_ = true;
  placer_.wake();
}

void RemoteTask::assignSplits(std::vector<SourceSplit> splits) {
  send(messages::Splits{id_, std::move(splits)});
}

void RemoteTask::deliverSourceEvent(std::string event) {
  send(messages::EventForReader{id_, std::move(event)});
}

void RemoteTask::triggerCheckpoint(Barrier barrier) { send(messages::Trigger{id_, std::move(barrier)}); }

void RemoteTask::endCheckpoint(CheckpointId checkpoint, bool completed) {
  send(messages::CheckpointEnd{id_, checkpoint, completed});
}

template <typename Answer>
uint64_t RemoteTask::ask(Questions<Answer>& questions, MoveFunction<void(Answer)> reply) {
  if (questions.size() == kMostQuestions) questions.erase(questions.begin());
  questions.emplace(++lastQuestion_, std::move(reply));
  return lastQuestion_;
}

void RemoteTask::readTimes(MoveFunction<void(TaskTimes)> reply) {
  if (!ended_) send(messages::ReadTimes{id_, ask(times_, std::move(reply))});
}

void RemoteTask::readAccumulators(MoveFunction<void(Accumulators)> reply) {
  if (!ended_) send(messages::ReadAccumulators{id_, ask(accumulators_, std::move(reply))});
}

void RemoteTask::report(messages::TaskReport report) {
  if (!ended_) state_ = report.state;
  readings_ = {std::move(report.operators), std::move(report.metrics)};
}

void RemoteTask::end(TaskState state) {
  ended_ = true;
  state_ = state;
  waiting_.clear();
  times_.clear();
  accumulators_.clear();
}

void RemoteTask::checkReads() const { flott::checkReads(graph_, id_.vertex); }

void RemoteTask::check(const TaskSnapshot& snapshot) const { checkFits(graph_, id_.vertex, snapshot); }

void RemoteTask::answer(uint64_t question, TaskTimes times) {
  checkFits(graph_, id_.vertex, times);
  reply(times_, question, std::move(times));
}

void RemoteTask::answer(uint64_t question, Accumulators accumulators) {
  reply(accumulators_, question, std::move(accumulators));
}

}  // namespace flott
