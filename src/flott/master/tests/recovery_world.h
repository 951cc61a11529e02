// For tests of jobs that fail and go on: a world that outlives its jobs.
#pragma once

#include <memory>

#include "flott/base/function.h"
#include "flott/master/tests/simulated_job.h"
#include "flott/operators/tests/number_ranges.h"

namespace flott {

/// How the barriers of a job find their way.
enum class Alignment : uint8_t { kAligned, kUnaligned, kTimeout };

inline void align(Configuration& configuration, Alignment alignment) {
  if (alignment == Alignment::kAligned) return;
  configuration.set("execution.checkpointing.unaligned.enabled", "true");
  if (alignment == Alignment::kTimeout)
    configuration.set("execution.checkpointing.aligned-checkpoint-timeout", "2 ms");
}

// A world that outlives its jobs.
class RecoveryWorld {
 public:
  explicit RecoveryWorld(uint64_t seed) : seed_(seed), sim(std::make_shared<SimulatedEnv>(seed)) {}

  /// `triggers` checkpoints are asked for at moments that the seed chooses, `restarts` failures forgiven.
  JobResult run(JobGraph graph, const Configuration& configuration, int triggers, int restarts) {
    EmbeddedJob::MakeScheduler make = [&](int lanes, const Configuration&) -> std::unique_ptr<Scheduler> {
      return std::make_unique<DeterministicScheduler>(*sim, lanes, DeterministicOptions{.seed = seed_});
    };
    EmbeddedJob job(std::move(graph), configuration, sim->env(), sim, make,
                    [restarts](const Error&, int64_t) mutable {
                      return restarts-- > 0 ? RestartDecision::in(Duration()) : RestartDecision();
                    });
    job.start();
    const auto alive = std::make_shared<EmbeddedJob*>(&job);
    if (triggers > 0) triggerSome(alive, triggers);
    job.wait();
    *alive = nullptr;
    return job.result();
  }

 private:
  /// Until `job` is null.
  void triggerSome(const std::shared_ptr<EmbeddedJob*>& job, int count) {
    ASSERT_TRUE(sim->offload().submit("trigger", [this, job, count] {
      if (*job == nullptr) return;
      if (clockMoves) sim->clock().advanceTo(sim->clock().monotonicNanos() + 1'000'000);
      if (atEachMoment) {
        atEachMoment(**job);
      } else {
        (*job)->triggerCheckpoint([](CheckpointOutcome) {});
      }
      if (count > 1) triggerSome(job, count - 1);
    }));
  }

  const uint64_t seed_;

 public:
  const std::shared_ptr<SimulatedEnv> sim;
  /// Instead of asking for a checkpoint.
  MoveFunction<void(EmbeddedJob&)> atEachMoment = {};
  /// By a millisecond at each moment; otherwise only when there is nothing else to do.
  bool clockMoves = false;
};

inline Configuration kept(bool inFiles = true) {
  Configuration configuration;
  configuration.set("taskmanager.network.memory.buffers-per-channel", "2");
  if (!inFiles) return configuration;
  configuration.set("execution.checkpointing.dir", "/checkpoints");
  configuration.set("execution.checkpointing.create-subdir", "false");
  configuration.set("execution.checkpointing.data-inline-threshold", "64 b");
  configuration.set("execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION");
  return configuration;
}

}  // namespace flott
