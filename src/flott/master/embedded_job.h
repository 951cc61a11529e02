// A whole job inside one process: its master, its worker and the scheduler that steps them.
//
// What runs when no cluster is named, and what tests run. Made, started and awaited by one thread; cancel(),
// status() and the like may come from any.
//
//   EmbeddedJob job(compile(graph), configuration, env, makeScheduler);
//   job.start();
//   job.wait();
//   JobResult result = job.result();
#pragma once

#include <atomic>
#include <memory>

#include "flott/base/config.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_id.h"
#include "flott/master/job_master.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/worker.h"

namespace flott {

/// Which lane each slot's tasks run on: slot i of all groups together, on lane i modulo `lanes`.
Placement placeOnLanes(const JobGraph& graph, int lanes);

class EmbeddedJob {
 public:
  /// Makes the scheduler for `lanes` lanes, the last of which is the master's.
  using MakeScheduler =
      MoveFunction<std::unique_ptr<Scheduler>(int lanes, const Configuration& configuration)>;

  /// Throws Error(kUser) for options that do not fit each other or the job. `envOwner` keeps alive what `env`
  /// refers to: as long as the job, and for good when a thread is lost.
  EmbeddedJob(JobGraph graph, Configuration configuration, Env env, std::shared_ptr<const void> envOwner,
              MakeScheduler& makeScheduler, RestartPolicy restarts = {});
  /// Cancels and waits, when the job has not ended.
  ~EmbeddedJob();

  /// Before start(): JobMaster::whenEnded().
  void whenEnded(MoveFunction<void(JobDetails, std::vector<TaskAccumulators>)> then) {
    world_->master.whenEnded(std::move(then));
  }
  void start();
  /// Until the job has ended.
  void wait();
  /// The same, for so long at most; whether it has ended.
  bool waitFor(Duration timeout);
  /// After wait().
  JobResult result() const;

  JobMaster& master() { return world_->master; }

  // Any thread.
  void cancel() { world_->master.cancel(); }
  JobStatus status() const { return world_->master.status(); }
  void readAccumulators(MoveFunction<void(Accumulators)> reply) {
    world_->master.readAccumulators(std::move(reply));
  }
  void readTaskAccumulators(MoveFunction<void(std::vector<TaskAccumulators>)> reply) {
    world_->master.readTaskAccumulators(std::move(reply));
  }
  void explainWatermarks(MoveFunction<void(WatermarkReport)> reply) {
    world_->master.explainWatermarks(std::move(reply));
  }
  void triggerCheckpoint(MoveFunction<void(CheckpointOutcome)> reply) {
    world_->master.triggerCheckpoint(std::move(reply));
  }
  /// `dir` may be empty: the configured one.
  void stopWithSavepoint(std::string dir, StopMode mode, MoveFunction<void(CheckpointOutcome)> reply) {
    world_->master.stopWithSavepoint(std::move(dir), mode, std::move(reply));
  }
  void triggerSavepoint(std::string dir, MoveFunction<void(CheckpointOutcome)> reply) {
    world_->master.triggerSavepoint(std::move(dir), std::move(reply));
  }
  void readCheckpoints(MoveFunction<void(CheckpointStatistics)> reply) {
    world_->master.readCheckpoints(std::move(reply));
  }
  /// The first answer may be a moment away; none comes when the job ends before it.
  void readDetails(MoveFunction<void(JobDetails)> reply) { world_->master.readDetails(std::move(reply)); }
  JobProgress progress() const;
  Scheduler& scheduler() { return *scheduler_; }
  /// Checkpoints of the job lie in a folder of this name.
  const JobId& id() const { return world_->id; }
  const JobGraph& graph() const { return world_->graph; }
  const Configuration& configuration() const { return world_->configuration; }

 private:
  // Everything a lane may touch. Lost with its threads, on purpose, when a task does not end.
  struct World final : TaskDeployer {
    World(JobGraph jobGraph, Configuration config, Env environment, std::shared_ptr<const void> owner,
          int laneCount, RestartPolicy restarts);
    ~World();
    std::map<TaskKey, TaskGateway*> deploy(int attempt, RestoredJob restored, const TaskSet& tasks) override;

    std::shared_ptr<const void> envOwner;
    Env env;
    const Configuration configuration;
    const JobGraph graph;
    const JobId id;
    const int lanes;
    Scheduler* scheduler = nullptr;
    std::optional<LocalCopies> copies;
    CheckpointStorage checkpoints;
    /// The newest of each task, for threads that look on.
    struct Deployed {
      std::vector<std::shared_ptr<Worker>> workers;
      std::map<TaskKey, Task*> tasks;
    };
    std::shared_ptr<const Deployed> deployed;  // with atomic_load, atomic_store
    /// What the newest replaced, by the first of its tasks: somebody may still look at it.
    std::map<TaskKey, std::vector<std::shared_ptr<Worker>>> before;
    std::shared_ptr<ColdMemory> coldMemory;  // of all workers
    JobMaster master;
  };

  std::unique_ptr<World> world_;
  std::unique_ptr<Scheduler> scheduler_;
  bool started_ = false;
  bool joined_ = false;
};

}  // namespace flott
