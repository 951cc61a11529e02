// One attempt of a sink with a committer, on a task of its own in a simulated environment: the test says what
// is written, which checkpoints are cut and complete, and what state the next attempt begins with.
//
//   SinkRun<std::string> attempt(world, sink);
//   attempt.write({"a"});
//   attempt.checkpoint(1);
//   SinkRun<std::string> next(world, sink, attempt.state(), 1);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/simulated.h"
#include "flott/operators/committing_sink.h"
#include "flott/operators/tests/test_task.h"

namespace flott {

template <typename T>
class SinkRun {
 public:
  template <typename S>
  SinkRun(SimulatedEnv& world, const S& sink, std::string state = {}, int attempt = 0, int subtask = 0,
          int parallelism = 1, bool runs = true)
      : env_(world.env()), task(&env_) {
    task.settings().set("execution.checkpointing.interval", "1 s");
    task.operatorInfo.attempt = attempt;
    task.operatorInfo.subtask = SubtaskIndex(subtask);
    task.operatorInfo.parallelism = parallelism;
    if (!state.empty()) {
      ByteReader in(state);
      task.operatorStates = std::make_unique<OperatorStateBackend>(OperatorStateImage::decode(in));
    }
    op = committingSinkOperator<T>(sink)->create();
    op->open(task);
    if (runs) run();
  }
  ~SinkRun() { op->close(); }

  void write(std::vector<T> records) { finish(op->onBatch(0, task.batchOf<T>(std::move(records)), task)); }
  void checkpoint(uint64_t id) {
    finish(op->beforeBarrier(CheckpointId(id), task));
    op->snapshotState(CheckpointId(id));
  }
  void complete(uint64_t id) {
    op->onCheckpointEnded(CheckpointId(id), true);
    run();
  }
  void end() { finish(op->onEndOfInput(0, task)); }
  void advance(int64_t millis) {
    task.advanceNanos(millis * 1'000'000);
    if (task.takeCall()) finish(op->resume(task));
    run();
  }
  std::string state() {
    std::string bytes;
    ByteWriter out(bytes);
    task.operatorStates->snapshot().encode(out);
    return bytes;
  }
  /// Until nothing is off-loaded.
  void run() {
    while (task.runOffloaded() || task.takeCall()) op->resume(task);
  }

 private:
  void finish(Step step) {
    while (step == Step::kWait) {
      if (!task.runOffloaded()) {
        ASSERT_TRUE(task.wakesIn()) << "nothing to wait for";
        task.advanceNanos(*task.wakesIn());
      }
      if (task.takeCall()) step = op->resume(task);
    }
    run();
  }

  Env env_;

 public:
  TestTask task;
  std::unique_ptr<Operator> op;
};

}  // namespace flott
