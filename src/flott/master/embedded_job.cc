#include "flott/master/embedded_job.h"

#include <algorithm>
#include <map>
#include <string>

#include "flott/base/options.h"
#include "flott/master/job_options.h"
#include "flott/runtime/state_backend.h"

namespace flott {
namespace {

int lanesFor(const JobGraph& graph, const Configuration& configuration, const System& system) {
  const auto configured = static_cast<int>(configuration.get(kLanes));
  return configured > 0 ? configured : std::max(1, std::min(graph.slots, system.cpus()));
}

}  // namespace

Placement placeOnLanes(const JobGraph& graph, int lanes) {
  std::map<std::string, int> firstSlot;  // by slot sharing group
  int next = 0;
  for (const JobSlotGroup& group : graph.slotGroups) {
    firstSlot.emplace(group.name, next);
    next += group.slots;
  }
  Placement placement{.lanes = lanes, .laneOf = {}};
  for (const JobVertex& vertex : graph.vertices) {
    std::vector<int>& mine = placement.laneOf.emplace_back();
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
      mine.push_back((firstSlot[vertex.slotSharingGroup] + subtask) % lanes);
    }
  }
  return placement;
}

EmbeddedJob::World::World(JobGraph jobGraph, Configuration config, Env environment,
                          std::shared_ptr<const void> owner, int laneCount, RestartPolicy restarts)
    : envOwner(std::move(owner)),
      env(environment),
      configuration(std::move(config)),
      graph(std::move(jobGraph)),
      id(drawJobId(graph.jobName, env)),
      lanes(laneCount),
      checkpoints(env.files, checkpointStorageOptions(configuration, toString(id)), &env.stores),
      master(graph, masterOptions(configuration, toString(id)), std::move(restarts), checkpoints, env,
             *this) {
  checkJobOptions(configuration, graph);
  const std::optional<LocalCopies::Options> local = localCopiesOptions(configuration, toString(id), "");
  if (local) checkpoints.useCopies(&copies.emplace(env.files, env.log, *local));
}

EmbeddedJob::World::~World() {
  if (copies) copies->removeAll();
}

std::map<TaskKey, TaskGateway*> EmbeddedJob::World::deploy(int attempt, RestoredJob restored,
                                                           const TaskSet& tasks) {
  WorkerOptions options = workerOptions(configuration, attempt, toString(id), checkpoints);
  options.tasks = tasks;
  if (coldMemory == nullptr) coldMemory = newColdMemory(configuration);
  options.coldMemory = coldMemory;
  auto made = std::make_shared<Worker>(graph, configuration, placeOnLanes(graph, lanes), std::move(options),
                                       env, master, std::move(restored));
  auto next = std::make_shared<Deployed>();
  if (deployed != nullptr) *next = *deployed;
  std::map<TaskKey, TaskGateway*> gateways;
  for (const auto& task : made->tasks()) {
    const TaskKey key{task->id().vertex, task->id().subtask.value};
    next->tasks[key] = task.get();
    gateways[key] = task.get();
  }
  const auto replaced =
      std::partition(next->workers.begin(), next->workers.end(), [&](const std::shared_ptr<Worker>& worker) {
        return std::any_of(worker->tasks().begin(), worker->tasks().end(), [&](const auto& task) {
          return next->tasks.at({task->id().vertex, task->id().subtask.value}) == task.get();
        });
      });
  if (tasks.empty()) before.clear();
  before[tasks.empty() ? TaskKey() : *tasks.begin()].assign(replaced, next->workers.end());
  next->workers.erase(replaced, next->workers.end());
  next->workers.push_back(made);
  std::atomic_store(&deployed, std::shared_ptr<const Deployed>(next));
  made->deploy(*scheduler);
  return gateways;
}

EmbeddedJob::EmbeddedJob(JobGraph graph, Configuration configuration, Env env,
                         std::shared_ptr<const void> envOwner, MakeScheduler& makeScheduler,
                         RestartPolicy restarts) {
  const int lanes = lanesFor(graph, configuration, env.system);
  world_ = std::make_unique<World>(std::move(graph), std::move(configuration), env, std::move(envOwner),
                                   lanes, std::move(restarts));
  scheduler_ = makeScheduler(lanes + 1, world_->configuration);
  world_->scheduler = scheduler_.get();
  scheduler_->add(lanes, world_->master);
}

EmbeddedJob::~EmbeddedJob() {
  if (started_ && !joined_) {
    cancel();
    wait();
  }
  if (world_->master.abandonedTasks()) {
    (void)world_.release();
    (void)scheduler_.release();
  }
}

void EmbeddedJob::start() {
  scheduler_->start();
  started_ = true;
}

void EmbeddedJob::wait() {
  while (!waitFor(Duration::seconds(1))) {
  }
}

bool EmbeddedJob::waitFor(Duration timeout) {
  if (joined_) return true;
  // A lane that user code blocks never returns; the master gives it up and ends without it.
  joined_ = scheduler_->joinFor(timeout) || (isFinal(status()) && world_->master.abandonedTasks());
  return joined_;
}

JobResult EmbeddedJob::result() const { return world_->master.result(); }

JobProgress EmbeddedJob::progress() const {
  JobProgress progress;
  const std::shared_ptr<const World::Deployed> deployed = std::atomic_load(&world_->deployed);
  if (deployed == nullptr) return progress;
  for (const auto& [key, task] : deployed->tasks) {
    const JobVertex& vertex = world_->graph.vertices[static_cast<size_t>(key.first)];
    const std::vector<OperatorChain::NodeMetrics> nodes = task->metrics();
    for (size_t i = 0; i < nodes.size(); ++i) {
      const MetricGroup& metrics = nodes[i].metrics;
      if (vertex.chain[i].source != nullptr) progress.recordsIn += metrics.count("numRecordsOut");
      if (vertex.chain[i].outputs.empty()) progress.recordsOut += metrics.count("numRecordsIn");
    }
  }
  return progress;
}

}  // namespace flott
