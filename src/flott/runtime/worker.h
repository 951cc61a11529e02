// A worker: the tasks of one attempt of a job in this process, with their channels and the pools of their
// lanes.
//
// Built from a job graph and the placement that the master decided. It owns everything the lanes touch; the
// lanes themselves belong to the scheduler, which must have been joined before the worker dies.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/task.h"

namespace flott {

class Configuration;

/// Where each task goes.
struct Placement {
  int lanes = 1;
  /// Lane of subtask s of vertex v: laneOf[v][s].
  std::vector<std::vector<int>> laneOf;
};

struct WorkerOptions {
  int attempt = 0;
  std::string jobId = {};
  size_t channelCapacity = 8;  // elements, rounded up to a power of two
  size_t overrunCapBytes = size_t{256} << 20;
  uint32_t adaptiveReach = 0;   // ExchangeOptions
  bool alignedBarriers = true;  // exactly once; otherwise at least once
  /// Barriers may overtake records; also where the program's own partitioner spreads them.
  bool overtakingBarriers = false;
  bool forcedOvertaking = false;
  /// Where tasks keep their shares of checkpoints; outlives the worker. Null: in memory.
  CheckpointStorage* checkpoints = nullptr;
};

class Worker {
 public:
  /// The graph, configuration, env and master outlive the worker.
  Worker(const JobGraph& graph, const Configuration& configuration, Placement placement,
         WorkerOptions options, Env& env, MasterGateway& master, RestoredJob restored = {});
  ~Worker();

  /// Hands all tasks to their lanes.
  void deploy(Scheduler& scheduler);

  Task& task(int vertex, SubtaskIndex subtask);
  const std::vector<std::unique_ptr<Task>>& tasks() const { return tasks_; }
  void cancel();
  /// Batches taken from pools and not given back; 0 once the scheduler was joined, unless something leaks.
  size_t batchesAlive() const;

 private:
  struct Link {
    size_t from, to;  // indices of tasks
  };
  size_t taskIndex(int vertex, int subtask) const;
  std::vector<std::vector<int>> receivers(const JobEdge& edge) const;
  void connect(RestoredJob restored);
  RestoredInput restoredInput(const Task& task, std::vector<RestoredChannel> channels);

  const JobGraph& graph_;
  const Configuration& configuration_;
  const Placement placement_;
  WorkerOptions options_;
  Env& env_;
  std::optional<CheckpointStorage> ownCheckpoints_;
  std::vector<std::unique_ptr<BatchPools>> pools_;  // by lane; outlive channels and tasks
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<size_t> firstTask_;  // by vertex
};

/// Subtasks of the receiving side that sender `subtask` reaches on a point-wise edge (forward, rescale):
/// contiguous groups, as evenly as can be.
std::vector<int> pointwiseReceivers(int subtask, int senders, int receivers);

}  // namespace flott
