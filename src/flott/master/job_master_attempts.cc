// The attempts of a job: where one begins, and what follows when it ends.
#include <algorithm>

#include "flott/master/job_master.h"

namespace flott {

// What a process that died left of unfinished checkpoints goes, in the folder of this job and in one that it
// takes over. A store that cannot be reached is no reason not to work: each checkpoint will say so.
void JobMaster::lookForLeftOvers() {
  if (storage_.folder().empty()) return recover();
  waitsForAttempt_ = true;
  auto highest = std::make_shared<CheckpointId>();
  writeAsync(
      "look for unfinished checkpoints",
      [this, highest] {
        *highest = storage_.sweep(storage_.folder(), {});
        if (!options_.claims || options_.recoveryPath.empty()) return;
        const CheckpointMetadata claimed = storage_.readMetadata(options_.recoveryPath);
        // What lies beside a savepoint is not its job's.
        if (claimed.kind == CheckpointKind::kSavepoint) return;
        storage_.sweep(claimed.folder.substr(0, claimed.folder.rfind('/')), {});
      },
      [this, highest](const std::optional<Error>& error) {
        if (cancelling_ || cancelled_) return;
        if (error)
          env_.log.warn("checkpoints", "'" + graph_.jobName +
                                           "' could not remove what may be left of unfinished "
                                           "checkpoints: " +
                                           error->what());
        checkpoints_.continueAfter(*highest);
        waitsForAttempt_ = false;
        recover();
      });
}

// From the last checkpoint of this job, from the one that it was to start from, or from nothing. One that is
// damaged is left out, if there is another before it.
void JobMaster::recover() {
  struct Recovery {
    std::vector<CheckpointMetadata> candidates;  // the best first
    bool useRecoveryPath = false;
    std::vector<std::pair<CheckpointId, Error>> damaged;
    std::optional<CheckpointMetadata> checkpoint;
    RestoredState state;
    bool fromOutside = false;
    StateAssignmentOptions options;
  };
  attemptEnded_ = false;
  auto recovery = std::make_shared<Recovery>();
  recovery->options = {.ignoreUnclaimed = options_.ignoreUnclaimedState,
                       .withoutChannelsOf = options_.withoutChannelsOf,
                       .mostRead = options_.mostRead};
  recovery->candidates.assign(checkpoints_.completed().rbegin(), checkpoints_.completed().rend());
  recovery->useRecoveryPath = !options_.recoveryPath.empty();
  if (recovery->candidates.empty() && !recovery->useRecoveryPath) return deploy({});
  waitsForAttempt_ = true;
  writeAsync(
      "read the checkpoint to start from",
      [this, recovery] {
        for (CheckpointMetadata& candidate : recovery->candidates) {
          try {
            recovery->state = assignState(graph_, candidate, storage_, recovery->options);
            recovery->checkpoint = std::move(candidate);
            return;
          } catch (const Error& error) {
            if (error.kind() != ErrorKind::kCorruption) throw;
            recovery->damaged.emplace_back(candidate.id, error);
            if (&candidate == &recovery->candidates.back() && !recovery->useRecoveryPath) throw;
          }
        }
        recovery->fromOutside = true;
        recovery->checkpoint = storage_.readMetadata(options_.recoveryPath);
        recovery->state = assignState(graph_, *recovery->checkpoint, storage_, recovery->options);
      },
      [this, recovery](std::optional<Error> error) {
        for (const auto& [id, why] : recovery->damaged) checkpoints_.leaveDamaged(id, why);
        if (cancelling_ || cancelled_) return;
        if (error) return fail(*std::move(error));
        const bool isSavepoint = recovery->checkpoint->kind == CheckpointKind::kSavepoint;
        env_.log.info(
            "job", "'" + graph_.jobName + "' starts from " + (isSavepoint ? "savepoint " : "checkpoint ") +
                       std::to_string(recovery->checkpoint->id.value) +
                       (recovery->checkpoint->folder.empty() ? "" : " in ") + recovery->checkpoint->folder);
        checkpoints_.continueAfter(recovery->checkpoint->id);
        ++restores_;
        restored_ = {.id = recovery->checkpoint->id, .folder = recovery->checkpoint->folder, .at = now_.wall};
        const CheckpointId own = recovery->fromOutside ? CheckpointId() : recovery->checkpoint->id;
        if (recovery->fromOutside && options_.claims) checkpoints_.claim(*std::move(recovery->checkpoint));
        deploy(std::move(recovery->state));
        for (const TaskKey& key : running_) startedFrom_[key] = own;
      });
}

// What the master has not read itself the tasks find. Several may find the same.
void JobMaster::damaged(const TaskKey& task, const Error& what) {
  if (cancelling_ || cancelled_ || triesAnother_) return;
  const CheckpointId from = startedFrom_[task];
  const bool known = std::any_of(checkpoints_.completed().begin(), checkpoints_.completed().end(),
                                 [from](const CheckpointMetadata& metadata) { return metadata.id == from; });
  if (!known) return;
  checkpoints_.leaveDamaged(from, what);
  triesAnother_ = checkpoints_.latest() != nullptr || !options_.recoveryPath.empty();
}

void JobMaster::deploy(RestoredState restored) {
  waitsForAttempt_ = false;
  triesAnother_ = false;
  startedFrom_.clear();
  ++attempt_;
  attemptBegan_ = now_.wall;
  ended_.clear();
  restarting_.clear();
  coordinators_.clear();
  backlogChanged();
  alignment_ = {};
  limits_.clear();
  watchesWatermarks_ = false;
  std::vector<std::vector<bool>> finished;
  for (const JobVertex& vertex : graph_.vertices) {
    std::vector<bool>& tasks = finished.emplace_back(static_cast<size_t>(vertex.parallelism), false);
    if (restored.tasks.empty()) continue;
    const std::vector<RestoredTask>& from = restored.tasks[static_cast<size_t>(vertex.id)];
    for (size_t subtask = 0; subtask < from.size(); ++subtask) tasks[subtask] = from[subtask].finished;
  }
  tasks_ = deployer_.deploy(attempt_, std::move(restored.tasks), {});
  for (const auto& [key, task] : tasks_) running_.insert(key);
  setStatus(JobStatus::kRunning);
  env_.log.info("job", "'" + graph_.jobName + "' is running: " + std::to_string(running_.size()) + " tasks");
  for (const JobVertex& vertex : graph_.vertices) {
    const SourceFactory* source = vertex.chain.front().source.get();
    if (source == nullptr) continue;
    auto& coordinator = coordinators_[vertex.id];
    const bool tracks = options_.byRegion && restarts_ && regions_.count() > 1;
    coordinator = std::make_unique<SourceCoordinator>(
        vertex, tracks, checkpoints_.latest() != nullptr ? checkpoints_.latest()->id : CheckpointId(), env_,
        *this);
    coordinator->start(restored.enumerators[vertex.id], finished[static_cast<size_t>(vertex.id)]);
    if (auto alignment = source->alignment()) alignment_.add(vertex.id, *std::move(alignment));
  }
  for (const int vertex : alignment_.sources()) announceLimit(vertex);
  checkpoints_.beginAttempt();
}

// All tasks and calls of the attempt are back: nothing of it can be mistaken for the next one's.
void JobMaster::endAttempt() {
  checkpoints_.endAttempt();
  if (!restartAfter_ || cancelled_) return;
  waitsForAttempt_ = true;
  cancelling_ = false;
  nextReminder_ = kNoDeadline;
  const Duration delay = *std::exchange(restartAfter_, std::nullopt);
  callAfter(delay, [this] { recover(); });
}

}  // namespace flott
