// A job whose test says when barriers may pass and when it ends.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/master/tests/simulated_job.h"
#include "flott/operators/function.h"

namespace flott {

inline Configuration settings(std::initializer_list<std::pair<const char*, const char*>> options) {
  Configuration configuration;
  for (const auto& [key, value] : options) configuration.set(key, value);
  return configuration;
}

// A reader that ends when its test says so.
class OpenReader final : public ReaderWithoutSplits {
 public:
  explicit OpenReader(std::shared_ptr<bool> ends) : ends_(std::move(ends)) {}
  Poll poll(Output&) override {
    context_->setAlarm(context_->processingTime() + Duration::millis(5));
    return *ends_ ? Poll::kEnd : Poll::kIdle;
  }
  std::vector<SourceSplit> snapshot() override { return {{.id = "all", .state = "position"}}; }

 private:
  std::shared_ptr<bool> ends_;
};

/// Lets barriers pass only while `open`.
class Gatekeeper final : public Operator {
 public:
  explicit Gatekeeper(std::shared_ptr<bool> open) : open_(std::move(open)) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
  Step beforeBarrier(CheckpointId, Output& output) override { return resume(output); }
  Step resume(Output&) override {
    if (*open_) return Step::kDone;
    context_->wakeAtNanos(context_->monotonicNanos() + 1'000'000);
    return Step::kWait;
  }
  void onCheckpointEnded(CheckpointId id, bool completed) override {
    context_->accumulators()
        .get<LongCounter>((completed ? "completed " : "void ") + std::to_string(id.value))
        .add(1);
  }

 private:
  std::shared_ptr<bool> open_;
  OperatorContext* context_ = nullptr;
};

class CheckpointedJob {
 public:
  explicit CheckpointedJob(const Configuration& configuration, uint64_t seed = 1)
      : CheckpointedJob(configuration, NoEnumerator(), seed) {}
  /// `enumerator` is only for its class.
  template <typename E>
  CheckpointedJob(const Configuration& configuration, E, uint64_t seed = 1)
      : run(graph(std::make_shared<TestSource<OpenReader, E>>(OpenReader(ends))), seed, configuration) {}

  void advance(Duration by) {
    const int64_t end = deadlineAfter(run.sim->clock(), by);
    while (!run.scheduler->runUntilIdle() && run.sim->clock().monotonicNanos() < end) {
      run.sim->clock().advanceTo(std::min(end, run.scheduler->nextDeadline()));
    }
  }
  JobResult end() {
    *ends = true;
    return run.end();
  }
  CheckpointStatistics statistics() {
    CheckpointStatistics all;
    run.job->readCheckpoints([&all](CheckpointStatistics now) { all = std::move(now); });
    run.scheduler->runUntilIdle();
    return all;
  }

  const std::shared_ptr<bool> ends = std::make_shared<bool>(false);
  const std::shared_ptr<bool> passes = std::make_shared<bool>(true);

 private:
  JobGraph graph(std::shared_ptr<const SourceFactory> source) {
    Pipeline pipeline(std::move(source), 2);
    auto make = [passes = passes] { return std::make_unique<Gatekeeper>(passes); };
    pipeline.then("gate", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), 1,
                  PartitionKind::kRebalance);
    return pipeline.job();
  }

 public:
  Simulated run;
};

}  // namespace flott
