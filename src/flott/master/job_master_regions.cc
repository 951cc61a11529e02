// A failure that concerns a part of the job only: its tasks end and begin anew, while the others run on.
#include <algorithm>

#include "flott/master/job_master.h"

namespace flott {

// One that stops with a savepoint has ended its sources, in parts that did not fail too.
bool JobMaster::mayRestartRegion(size_t region) const {
  if (!options_.byRegion || regions_.count() == 1 || tasks_.empty() || checkpoints_.stopping()) return false;
  const TaskSet& tasks = regions_.tasks(region);
  return std::none_of(tasks.begin(), tasks.end(), [this](const TaskKey& key) {
    const auto source = coordinators_.find(key.first);
    return source != coordinators_.end() && source->second->forgotSplitsOf(SubtaskIndex(key.second));
  });
}

void JobMaster::restartRegion(size_t region, Duration delay) {
  restarting_[region] = {.stage = RegionRestart::Stage::kEnding, .delay = delay};
  setStatus(JobStatus::kRestarting);
  const TaskSet& tasks = regions_.tasks(region);
  checkpoints_.pause("a part of the job has failed", tasks);
  cancelledAt_ = now_.nanos;
  int64_t patience = options_.cancellationInterval.ms;
  if (options_.cancellationTimeout.ms > 0) patience = std::min(patience, options_.cancellationTimeout.ms);
  nextReminder_ = now_.nanos + patience * 1'000'000;
  for (const TaskKey& key : tasks) {
    if (const auto source = coordinators_.find(key.first); source != coordinators_.end())
      source->second->readerDown(SubtaskIndex(key.second));
    if (running_.contains(key)) task(key.first, SubtaskIndex(key.second)).cancel();
  }
}

/// Whether the task was one that is to begin anew.
bool JobMaster::regionTaskEnded(TaskId task) {
  return !cancelling_ && restarting_.contains(regions_.of(keyOf(task)));
}

// A checkpoint whose metadata is being written will be the one to begin from, or none: it is waited for.
void JobMaster::advanceRegions() {
  using Stage = RegionRestart::Stage;
  for (auto& [region, restart] : restarting_) {
    const TaskSet& tasks = regions_.tasks(region);
    const auto runs = [this](const TaskKey& key) { return running_.contains(key); };
    if (restart.stage == Stage::kEnding && std::none_of(tasks.begin(), tasks.end(), runs)) {
      restart.stage = Stage::kWaiting;
      callAfter(restart.delay, [this, region = region] { restarting_.at(region).stage = Stage::kReady; });
    }
    if (restart.stage == Stage::kReady && !checkpoints_.completing()) {
      restart.stage = Stage::kReading;
      recoverRegion(region);
    }
  }
}

void JobMaster::recoverRegion(size_t region) {
  struct Recovery {
    std::optional<CheckpointMetadata> checkpoint;
    RestoredState state;
  };
  auto recovery = std::make_shared<Recovery>();
  if (checkpoints_.latest() != nullptr) recovery->checkpoint = *checkpoints_.latest();
  const CheckpointId from = recovery->checkpoint ? recovery->checkpoint->id : CheckpointId();
  writeAsync(
      "read the checkpoint to start a part of the job from",
      [this, recovery, region] {
        if (!recovery->checkpoint && options_.recoveryPath.empty()) return;
        if (!recovery->checkpoint) recovery->checkpoint = storage_.readMetadata(options_.recoveryPath);
        recovery->state = assignState(graph_, *recovery->checkpoint, storage_,
                                      {.ignoreUnclaimed = options_.ignoreUnclaimedState,
                                       .withoutChannelsOf = options_.withoutChannelsOf,
                                       .mostRead = options_.mostRead,
                                       .tasks = regions_.tasks(region)});
      },
      [this, recovery, region, from](const std::optional<Error>& error) {
        // Meanwhile the whole job may have been cancelled, or even have begun anew.
        if (cancelling_ || cancelled_ || !restarting_.contains(region)) return;
        if (!error) return deployRegion(region, from, std::move(recovery->state));
        env_.log.warn(
            "job",
            "'" + graph_.jobName +
                "' begins anew as a whole, since the state of a part of it cannot be read: " + error->what());
        restartAll();
      });
}

/// Which finds a checkpoint that can be read, if there is one.
void JobMaster::restartAll() {
  restartAfter_ = Duration();
  cancelTasks();
}

void JobMaster::deployRegion(size_t region, CheckpointId from, RestoredState restored) {
  ++attempt_;
  const TaskSet& tasks = regions_.tasks(region);
  const auto hadFinished = [&](const TaskKey& key) {
    return !restored.tasks.empty() &&
           restored.tasks[static_cast<size_t>(key.first)][static_cast<size_t>(key.second)].finished;
  };
  TaskSet finished;
  for (const TaskKey& key : tasks) {
    ended_.erase(key);
    if (hadFinished(key)) finished.insert(key);
  }
  for (const auto& [key, task] : deployer_.deploy(attempt_, std::move(restored.tasks), tasks)) {
    running_.insert(key);
    tasks_[key] = task;
    startedFrom_[key] = from;
    if (const auto limit = limits_.find(key.first); limit != limits_.end())
      task->setWatermarkLimit(limit->second);
  }
  restarting_.erase(region);
  for (const TaskKey& key : tasks) {
    if (const auto source = coordinators_.find(key.first); source != coordinators_.end())
      source->second->restartReader(SubtaskIndex(key.second), from, finished.contains(key));
  }
  if (from.value != 0) ++restores_;
  env_.log.info("job", "'" + graph_.jobName + "': " + std::to_string(tasks.size()) + " tasks run again" +
                           (from.value != 0 ? ", from checkpoint " + std::to_string(from.value) : ""));
  if (!restarting_.empty()) return;
  setStatus(JobStatus::kRunning);
  checkpoints_.resume();
}

}  // namespace flott
