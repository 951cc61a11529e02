// A task that runs in a worker, or will once one has room for it, as the master sees it.
//
// What the master tells it becomes messages; before it has a place these wait, in order, as mail of a task
// in this process would. It knows of the task what the worker reported last. Made by the deployer; on the
// master's lane only.
//
//   RemoteTask task(graph, id, deployer.waker());
//   task.triggerCheckpoint(barrier);  // waits
//   task.place(worker);               // is sent
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "flott/cluster/messages.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/runnable.h"
#include "flott/runtime/task_gateway.h"

namespace flott {

/// The way to the worker of a task. Lives until the task has ended.
class WorkerLink {
 public:
  virtual void send(const ToWorker& message) = 0;
  /// The name of the worker.
  virtual const std::string& id() const = 0;

 protected:
  ~WorkerLink() = default;
};

class RemoteTask final : public TaskGateway {
 public:
  /// `placer` is woken when the task is cancelled before it has a place.
  RemoteTask(const JobGraph& graph, TaskId id, Waker& placer) : graph_(graph), id_(id), placer_(placer) {}

  // TaskGateway
  const TaskId& id() const override { return id_; }
  TaskState state() const override { return state_; }
  std::string where() const override;
  std::string worker() const override { return workerId_; }
  /// Of the last report, over the worker's own time.
  TaskReadings readMetrics(int64_t) const override { return readings_; }
  void cancel() override;
  void assignSplits(std::vector<SourceSplit> splits) override;
  void signalNoMoreSplits() override { send(messages::NoMoreSplits{id_}); }
  void deliverSourceEvent(std::string event) override;
  void setWatermarkLimit(Timestamp limit) override { send(messages::WatermarkLimit{id_, limit}); }
  void triggerCheckpoint(Barrier barrier) override;
  void endCheckpoint(CheckpointId checkpoint, bool completed) override;
  void drain() override { send(messages::Drain{id_}); }
  void readTimes(MoveFunction<void(TaskTimes)> reply) override;
  void readAccumulators(MoveFunction<void(Accumulators)> reply) override;

  /// What has waited is sent, and what comes from now on; the worker has been told to run the task.
  void place(WorkerLink& worker);
  bool placed() const { return worker_ != nullptr; }
  /// Before it has a place.
  bool cancelled() const { return cancelled_; }

  // What came for it. These throw Error(kBug) for what does not fit the job.
  void report(messages::TaskReport report);
  void checkReads() const;
  void check(const TaskSnapshot& snapshot) const;
  /// Nothing is sent after that.
  void end(TaskState state);
  void answer(uint64_t question, TaskTimes times);
  void answer(uint64_t question, Accumulators accumulators);

  /// A worker that does not answer costs no more memory than so many questions.
  static constexpr size_t kMostQuestions = 1000;

 private:
  template <typename Answer>
  using Questions = std::map<uint64_t, MoveFunction<void(Answer)>>;

  void send(ToWorker message);
  template <typename Answer>
  uint64_t ask(Questions<Answer>& questions, MoveFunction<void(Answer)> reply);

  const JobGraph& graph_;
  const TaskId id_;
  Waker& placer_;
  WorkerLink* worker_ = nullptr;  // null: it has no place yet
  std::string workerId_;
  std::vector<ToWorker> waiting_;  // for a place; no more than the master has under way
  bool cancelled_ = false;
  bool ended_ = false;
  TaskState state_ = TaskState::kCreated;
  TaskReadings readings_;
  uint64_t lastQuestion_ = 0;
  Questions<TaskTimes> times_;
  Questions<Accumulators> accumulators_;
};

}  // namespace flott
