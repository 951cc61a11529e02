// The master of one job: an actor that deploys its tasks, runs its source enumerators, and decides what a
// failure, a request to cancel or an end means.
//
// It is a Runnable like a task: messages and timers in, messages out, one thread at a time, no locks. Tasks
// report through the MasterGateway; clients through cancel() and the calls below, all of which only post
// mail.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/env/env.h"
#include "flott/master/checkpoint_coordinator.h"
#include "flott/master/failover_regions.h"
#include "flott/master/job_details.h"
#include "flott/master/job_status.h"
#include "flott/master/restart_strategy.h"
#include "flott/master/source_coordinator.h"
#include "flott/master/state_assignment.h"
#include "flott/master/task_accumulators.h"
#include "flott/master/watermark_alignment_groups.h"
#include "flott/master/watermark_report.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/master_gateway.h"
#include "flott/runtime/runnable.h"
#include "flott/runtime/task_gateway.h"
#include "flott/runtime/task_snapshot.h"

namespace flott {

/// Makes the tasks of an attempt and hands them to their lanes. Called in the master's steps.
class TaskDeployer {
 public:
  virtual ~TaskDeployer() = default;
  /// All tasks of the job, or those of a region in place of what it had before. They live until the attempt
  /// after the next of the same tasks is deployed, or longer.
  virtual std::map<TaskKey, TaskGateway*> deploy(int attempt, RestoredJob restored, const TaskSet& tasks) = 0;
};

struct JobMasterOptions {
  /// Tasks that have not ended so long after being cancelled make the job fail; zero: wait for ever.
  Duration cancellationTimeout = Duration::seconds(180);
  /// How often a task that does not end is named in the log meanwhile.
  Duration cancellationInterval = Duration::seconds(30);
  /// The log explains a watermark that has not moved for so long; zero: never.
  Duration stallWarning = Duration::seconds(60);
  /// 16 hexadecimal digits.
  std::string jobId;
  CheckpointOptions checkpoints;
  /// Where savepoints go whose trigger names no folder; empty: nowhere.
  std::string savepointDir;
  /// Folder of a checkpoint to start from; empty: none.
  std::string recoveryPath;
  /// That checkpoint becomes the job's own.
  bool claims = false;
  bool ignoreUnclaimedState = false;
  int64_t withoutChannelsOf = -1;  // a checkpoint
  /// How many failures are remembered.
  size_t failureHistory = 16;
  /// A failure restarts the tasks that channels connect with the one that failed, and not the whole job.
  bool byRegion = true;
  /// Keyed state in files of more bytes tasks read themselves, all at the same time.
  uint64_t mostRead = uint64_t{1} << 20;
};

class JobMaster final : public Runnable,
                        public MasterGateway,
                        public CoordinatorHost,
                        private CheckpointHost {
 public:
  /// What is referred to outlives the master.
  JobMaster(const JobGraph& graph, JobMasterOptions options, RestartPolicy restarts,
            CheckpointStorage& checkpoints, Env& env, TaskDeployer& deployer);
  ~JobMaster() override;

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "master of job '" + graph_.jobName + "'"; }

  // MasterGateway: on the tasks' lanes.
  void onTaskEnded(TaskId task, TaskState state, std::optional<Error> error,
                   Accumulators accumulators) override;
  void reportDamaged(TaskId task, Error what) override;
  void requestSplit(TaskId task) override;
  void sendSourceEvent(TaskId task, std::string event) override;
  void reportWatermark(TaskId task, Timestamp time) override;
  void acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) override;
  void awaitFinalCheckpoint(TaskId task) override;
  void declineCheckpoint(TaskId task, CheckpointId checkpoint, Error reason) override;

  // Any thread.
  void cancel();
  /// Ends the job as failed, whatever its restart strategy is.
  void giveUp(Error why);
  JobStatus status() const { return status_.load(std::memory_order_acquire); }
  /// Merged over the tasks that have ended and those that run; `reply` is called on the master's lane, also
  /// after the end of the job, unless the master itself is done: then result() has them.
  void readAccumulators(MoveFunction<void(Accumulators)> reply);
  /// The same by task, of the last attempt of each.
  void readTaskAccumulators(MoveFunction<void(std::vector<TaskAccumulators>)> reply);
  /// How far each operator's watermark is, who holds it back and why. As readAccumulators(); tasks that do
  /// not answer within seconds are named as such.
  void explainWatermarks(MoveFunction<void(WatermarkReport)> reply);
  /// Makes a checkpoint now; `reply` is called on the master's lane once it is complete or void.
  void triggerCheckpoint(MoveFunction<void(CheckpointOutcome)> reply);
  /// Makes a savepoint in a new folder below `dir`, or below the configured one when it is empty. As
  /// triggerCheckpoint().
  void triggerSavepoint(std::string dir, MoveFunction<void(CheckpointOutcome)> reply);
  /// Makes a savepoint and ends the job with it: see StopMode. `reply` as of triggerSavepoint(); the job's
  /// end follows.
  void stopWithSavepoint(std::string dir, StopMode mode, MoveFunction<void(CheckpointOutcome)> reply);
  /// States, tasks with what they count, failures and checkpoints. As readAccumulators().
  void readDetails(MoveFunction<void(JobDetails)> reply);
  /// Before the first step: `then` is called on the master's lane with the last word about the job, before
  /// its status says that it has ended. No reply comes after that.
  void whenEnded(MoveFunction<void(JobDetails, std::vector<TaskAccumulators>)> then);
  /// Before the first step: `keep` is called on the master's lane as soon as it is certain how the job ends,
  /// with the cause of FAILED. Whether it has kept that: else no checkpoint is removed, since the job may
  /// have to go on from one to come to its end again.
  void whenDecided(MoveFunction<bool(JobStatus, const std::optional<Error>& why)> keep) {
    whenDecided_ = std::move(keep);
  }
  /// As readAccumulators().
  void readCheckpoints(MoveFunction<void(CheckpointStatistics)> reply);

  /// After the end only.
  JobResult result() const;
  /// A task did not end after cancellation: its thread is lost, and what it may still touch must stay alive.
  bool abandonedTasks() const { return abandoned_.load(std::memory_order_acquire); }

 private:
  static TaskKey keyOf(TaskId task) { return {task.vertex, task.subtask.value}; }
  // The accumulators of tasks that have ended, and those that running ones are still asked for.
  struct AccumulatorQuery {
    std::map<TaskKey, Accumulators> parts;
    TaskSet waitingFor;
    MoveFunction<void(std::vector<TaskAccumulators>)> reply;
  };

  // A region on its way from a failure to where it runs again.
  struct RegionRestart {
    enum class Stage : uint8_t { kEnding, kWaiting, kReady, kReading };
    Stage stage = Stage::kEnding;
    Duration delay;
  };

  // As AccumulatorQuery.
  struct WatermarkQuery {
    std::map<TaskKey, TaskTimes> times;
    TaskSet waitingFor;
    MoveFunction<void(WatermarkReport)> reply;
  };

  // CoordinatorHost
  void callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) override;
  void callAfter(Duration delay, MoveFunction<void()> then) override;
  void backlogChanged() override;
  TaskGateway& task(int vertex, SubtaskIndex subtask) override;

  // CheckpointHost, beside callAfter()
  void writeAsync(std::string what, MoveFunction<void()> work,
                  MoveFunction<void(std::optional<Error>)> done) override;
  const TaskSet& runningTasks() const override { return running_; }
  std::map<int, std::string> triggerTasks(const Barrier& barrier) override;
  void tellTasks(CheckpointId checkpoint, bool completed) override;
  void checkpointCompleted(CheckpointId checkpoint) override;
  void drainTasks() override;
  void failAttempt(Error error) override { fail(std::move(error)); }

  // Attempts.
  void lookForLeftOvers();
  void recover();
  void damaged(const TaskKey& task, const Error& what);
  void deploy(RestoredState restored);
  void endAttempt();

  // Regions (job_master_regions.cc).
  bool mayRestartRegion(size_t region) const;
  void restartRegion(size_t region, Duration delay);
  bool regionTaskEnded(TaskId task);
  void advanceRegions();
  void recoverRegion(size_t region);
  void deployRegion(size_t region, CheckpointId from, RestoredState restored);
  void restartAll();

  std::string savepointFolder(const std::string& dir);

  struct Write;
  void submitWrites();

  void start();
  void setStatus(JobStatus status);
  void noteFailure(const Error& error, std::optional<TaskId> task);
  std::map<TaskKey, Accumulators> endedAccumulators() const;
  std::vector<TaskAccumulators> named(std::map<TaskKey, Accumulators>&& parts) const;
  JobDetails details() const;
  void fail(Error error, std::optional<TaskId> task = {});
  void cancelTasks();
  void taskEnded(TaskId task, TaskState state, std::optional<Error> error, Accumulators accumulators);
  void startQuery(MoveFunction<void(std::vector<TaskAccumulators>)> reply);
  void addToQuery(std::list<AccumulatorQuery>::iterator query, TaskKey task, const Accumulators& part);
  void startWatermarkQuery(MoveFunction<void(WatermarkReport)> reply);
  void answerWatermarkQuery(int64_t query);
  void announceLimit(int vertex);
  void watchWatermarks();
  void runTimers();
  void watchCancellation();
  /// Whether there is nothing more to wait for.
  bool windUp();
  RestartDecision decideAfter(const Error& error);
  JobStatus finalStatus() const;
  void finish();

  const JobGraph& graph_;
  const JobMasterOptions options_;
  RestartPolicy restarts_;
  Env& env_;
  TaskDeployer& deployer_;
  CheckpointStorage& storage_;
  Mailbox mailbox_;
  const FailoverRegions regions_;
  std::map<TaskKey, TaskGateway*> tasks_;  // the newest of each; empty before the first attempt
  int attempt_ = -1;
  std::map<int, std::unique_ptr<SourceCoordinator>> coordinators_;  // by vertex
  std::multimap<int64_t, MoveFunction<void()>> timers_;             // by monotonic nanoseconds
  std::atomic<JobStatus> status_{JobStatus::kCreated};
  std::array<Timestamp, kJobStatuses> since_;  // by status
  Timestamp attemptBegan_;
  struct TaskEnd {
    TaskState state;
    Timestamp at;
    Accumulators accumulators;
  };
  std::map<TaskKey, TaskEnd> ended_;  // of this attempt
  std::deque<JobFailure> failures_;   // newest first
  bool failuresForgotten_ = false;
  int64_t restores_ = 0;
  std::optional<RestoredCheckpoint> restored_;
  std::map<TaskKey, CheckpointId> startedFrom_;  // those that are the job's own
  bool triesAnother_ = false;  // what a task started from is damaged, and there is another checkpoint
  MoveFunction<void(JobDetails, std::vector<TaskAccumulators>)> whenEnded_;
  MoveFunction<bool(JobStatus, const std::optional<Error>&)> whenDecided_;
  StepTime now_;
  int64_t startedNanos_ = 0;
  int64_t endedNanos_ = 0;
  TaskSet running_;  // tasks not ended
  std::list<AccumulatorQuery> queries_;
  std::map<int64_t, WatermarkQuery> watermarkQueries_;
  int64_t lastWatermarkQuery_ = 0;
  WatermarkAlignmentGroups alignment_;
  std::map<int, Timestamp> limits_;  // by vertex, what its readers were last told
  bool watchesWatermarks_ = false;
  StallLog stalls_;
  int asyncCalls_ = 0;  // off-loaded and not yet back
  CheckpointCoordinator checkpoints_;
  Random savepointNames_;
  std::deque<std::shared_ptr<Write>> toWrite_;  // the pool's queue was full
  int writing_ = 0;                             // handed to the pool, reply not yet here
  std::optional<Duration> restartAfter_;        // what runs is cancelled for another attempt
  std::map<size_t, RegionRestart> restarting_;  // by region
  bool waitsForAttempt_ = false;                // between two, or before the first
  bool attemptEnded_ = false;
  bool jobEnded_ = false;
  bool cancelling_ = false;  // this attempt
  bool cancelled_ = false;   // the job, by somebody
  int64_t cancelledAt_ = 0;
  int64_t nextReminder_ = kNoDeadline;
  std::atomic<bool> abandoned_{false};
  struct Failure {
    std::string text;
    CheckpointId checkpoint;  // the last before it
  };
  Failure lastFailure_;
  std::optional<Error> error_;
};

}  // namespace flott
