// A worker: tasks of one attempt of a job in this process, with their channels and the pools of their lanes.
//
// Built from a job graph and the placement that the master decided. It owns everything the lanes touch; the
// lanes themselves belong to the scheduler, which must have been joined before the worker dies.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/task.h"

namespace flott {

class Configuration;
class ColdMemory;
class RemoteChannels;

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
  /// For state on disk, shared with other workers of the process; null: its own.
  std::shared_ptr<ColdMemory> coldMemory = nullptr;
  /// Its tasks, by vertex and subtask; empty: all of the job.
  std::set<std::pair<int, int>> tasks = {};
  /// For channels with tasks that are not among them; outlives the worker. Null: there are none.
  RemoteChannels* remote = nullptr;
};

class Worker {
 public:
  /// The graph, configuration, env and master outlive the worker.
  Worker(const JobGraph& graph, const Configuration& configuration, Placement placement,
         WorkerOptions options, Env& env, MasterGateway& master, RestoredJob restored = {});
  ~Worker();

  /// Hands all tasks to their lanes.
  void deploy(Scheduler& scheduler);

  /// One of its tasks.
  Task& task(int vertex, SubtaskIndex subtask);
  const std::vector<std::unique_ptr<Task>>& tasks() const { return tasks_; }
  void cancel();
  /// Batches taken from pools and not given back; 0 once the scheduler was joined, unless something leaks.
  size_t batchesAlive() const;

 private:
  static constexpr size_t kNotMine = ~size_t{0};
  /// One channel of the job.
  struct ChannelPlace {
    const JobEdge* edge;
    uint32_t number;  // among all channels of the job
    int sender;
    int receiver;
    EdgeName name;
    bool overtaken;
  };
  size_t taskIndex(int vertex, int subtask) const;
  size_t laneOf(int vertex, int subtask) const;
  void connect(RestoredJob restored);
  Channel* connectChannel(const ChannelPlace& place, std::vector<Task::Wiring>& wirings);
  RestoredInput restoredInput(const Task& task, std::vector<RestoredChannel> channels);

  const JobGraph& graph_;
  const Configuration& configuration_;
  const Placement placement_;
  WorkerOptions options_;
  Env& env_;
  std::optional<CheckpointStorage> ownCheckpoints_;
  // By lane; outlive channels and tasks.
  std::vector<std::unique_ptr<BatchPools>> pools_;
  std::vector<std::unique_ptr<BatchPools>> crossingPools_;  // of batches that go to other lanes
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::vector<size_t>> indexOf_;  // in tasks_, by vertex and subtask
};

/// Subtasks of the receiving side that sender `subtask` reaches on a point-wise edge (forward, rescale):
/// contiguous groups, as evenly as can be.
std::vector<int> pointwiseReceivers(int subtask, int senders, int receivers);

/// Subtasks of the receiving side that each sender of the edge has a channel to, by sender.
std::vector<std::vector<int>> receiversOf(const JobGraph& graph, const JobEdge& edge);

}  // namespace flott
