#include "bench/engine/two_workers.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "flott/env/posix/async_network.h"
#include "flott/env/posix/real_env.h"
#include "flott/graph/stream_graph.h"
#include "flott/runtime/links/worker_links.h"
#include "flott/runtime/scheduler.h"
#include "flott/runtime/worker.h"

namespace flott::bench {
namespace {

constexpr const char* kName[] = {"left", "right"};

/// Decides nothing: sources need no splits, and a failure ends the process.
class NoMaster final : public MasterGateway {
 public:
  void onTaskEnded(TaskId, TaskState, std::optional<Error> error, Accumulators) override {
    const std::lock_guard lock(mutex_);
    if (error && !failure_) failure_ = std::move(error);
  }
  void reportDamaged(TaskId, Error) override {}
  void requestSplit(TaskId) override {}
  void sendSourceEvent(TaskId, std::string) override {}
  void reportWatermark(TaskId, Timestamp) override {}
  void acknowledgeCheckpoint(TaskId, CheckpointId, TaskSnapshot) override {}
  void awaitFinalCheckpoint(TaskId) override {}
  void declineCheckpoint(TaskId, CheckpointId, Error) override {}

  void throwFailure() const {
    if (failure_) throw *failure_;
  }

 private:
  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace

void runOnTwoWorkers(StreamExecutionEnvironment& env, const std::string& name, SideOf sideOf) {
  const JobGraph job = compile(env.program()->takeGraph(name));
  const auto real = makeRealEnv({.log = {.level = LogLevel::kWarn}});
  Env world = real->env();
  std::map<std::pair<int, int>, std::string> places;
  std::set<std::pair<int, int>> tasks[2];
  Placement placement{.lanes = 2, .laneOf = {}};
  for (const JobVertex& vertex : job.vertices) {
    std::vector<int>& lanes = placement.laneOf.emplace_back();
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      lanes.push_back(sideOf(vertex.id, subtask));
      places[{vertex.id, subtask}] = kName[lanes.back()];
      tasks[lanes.back()].insert({vertex.id, subtask});
    }
  }
  NoMaster master;
  std::unique_ptr<AsyncNetwork> networks[2];
  std::optional<WorkerLinks> links[2];
  std::optional<Worker> workers[2];
  for (int side = 0; side < 2; ++side) {
    networks[side] = makeAsyncNetwork(world.clock);
    LinkOptions options = linkOptions(env.configuration());
    options.job = name;
    options.worker = kName[side];
    links[side].emplace(options, *networks[side], world);
  }
  const auto scheduler = makeThreadedScheduler(world, {.lanes = 2});
  for (int side = 0; side < 2; ++side) {
    links[side]->setPeers({{kName[1 - side], {"127.0.0.1", links[1 - side]->port()}}}, places);
    workers[side].emplace(job, env.configuration(), placement,
                          WorkerOptions{.tasks = tasks[side], .remote = &*links[side]}, world, master);
    workers[side]->deploy(*scheduler);
  }
  LinkThread left(world, *networks[0], *links[0]);
  LinkThread right(world, *networks[1], *links[1]);
  scheduler->start();
  scheduler->join();
  left.join();
  right.join();
  master.throwFailure();
}

}  // namespace flott::bench
