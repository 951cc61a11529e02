// A task that does nothing but remember what it is told: for tests of the master without workers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "flott/runtime/task_gateway.h"

namespace flott {

class ToldTask final : public TaskGateway {
 public:
  explicit ToldTask(TaskId id) : id_(id) {}

  const TaskId& id() const override { return id_; }
  TaskState state() const override { return TaskState::kRunning; }
  std::string where() const override {
    return "task " + std::to_string(id_.vertex) + "/" + std::to_string(id_.subtask.value);
  }
  TaskReadings readMetrics(int64_t) const override { return {}; }
  void cancel() override { ++cancelled; }
  void assignSplits(std::vector<SourceSplit> some) override {
    for (SourceSplit& split : some) splits.push_back(std::move(split.id));
  }
  void signalNoMoreSplits() override { ++noMoreSplits; }
  void deliverSourceEvent(std::string) override {}
  void setWatermarkLimit(Timestamp) override {}
  void triggerCheckpoint(Barrier) override {}
  void endCheckpoint(CheckpointId, bool) override {}
  void drain() override {}
  void readTimes(MoveFunction<void(TaskTimes)>) override {}
  void readAccumulators(MoveFunction<void(Accumulators)>) override {}

  int cancelled = 0;
  int noMoreSplits = 0;
  std::vector<std::string> splits;  // ids

 private:
  const TaskId id_;
};

}  // namespace flott
