// Makes a job's checkpoints: triggers them, gathers what the tasks acknowledge, completes or drops them.
//
// A checkpoint is triggered in one step of the master: the split enumerators are asked for their state and
// all tasks get the trigger, so that a split is in one of them and not in both. It waits for each task that
// ran then, until the task has acknowledged or has finished, which counts as before the cut. With its
// metadata stored it is complete, the tasks are told, and older ones go. One is triggered at once when all
// tasks that are left have ended but for it. A checkpoint that takes too long or
// that a task declines is void; what was written for it is removed, and again with each task that comes too
// late. Called on the master's lane only.
//
// A savepoint is made in the same way into a folder of the user's, whenever it is asked for, and is then
// forgotten: no later checkpoint replaces it, no failure counts, the job does not go on from it, and sinks
// publish nothing for it. One that is void leaves nothing behind. It is aligned always; where checkpoints are
// not it waits for the one under way, since barriers must not overtake each other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/data/element.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/master/checkpoint_options.h"
#include "flott/master/checkpoint_statistics.h"
#include "flott/master/job_status.h"
#include "flott/master/shared_file_registry.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

/// What the coordinator needs from the master around it.
class CheckpointHost {
 public:
  virtual ~CheckpointHost() = default;
  virtual void callAfter(Duration delay, MoveFunction<void()> then) = 0;
  /// Runs `work` where it may block, then `done` with what it threw: also while the job is being cancelled.
  virtual void writeAsync(std::string what, MoveFunction<void()> work,
                          MoveFunction<void(std::optional<Error>)> done) = 0;
  /// The tasks that run, by vertex and subtask.
  virtual const std::set<std::pair<int, int>>& runningTasks() const = 0;
  /// Asks the split enumerators for their state and sends the trigger to all running tasks.
  virtual std::map<int, std::string> triggerTasks(const Barrier& barrier) = 0;
  virtual void tellTasks(CheckpointId checkpoint, bool completed) = 0;
  /// One that the job, or a part of it, may begin anew from.
  virtual void checkpointCompleted(CheckpointId checkpoint) = 0;
  /// Ends all sources; the tasks then wait for a checkpoint.
  virtual void drainTasks() = 0;
  virtual void failAttempt(Error error) = 0;
};

class CheckpointCoordinator {
 public:
  CheckpointCoordinator(const JobGraph& graph, CheckpointOptions options, CheckpointStorage& storage,
                        Env& env, CheckpointHost& host);

  /// Later ids follow this one: of a checkpoint that the job starts from.
  void continueAfter(CheckpointId id) { last_ = std::max(last_, id); }
  /// A checkpoint of another job that this one starts from is its own from now on.
  void claim(CheckpointMetadata checkpoint);
  /// A complete checkpoint turned out to be damaged: it is not used again, and its files are left as
  /// evidence.
  void leaveDamaged(CheckpointId id, const Error& why);
  /// All tasks of an attempt are deployed.
  void beginAttempt();
  /// Whether some source works off a backlog. The interval changes at once.
  void setBacklog(bool backlog);
  /// The attempt is being cancelled: what is not complete by the tasks is void.
  void abandonAttempt(const std::string& why);
  /// Some tasks are cancelled to begin anew, while the others run: what is not complete by the tasks is void,
  /// and there are no others until resume().
  void pause(const std::string& why, const std::set<std::pair<int, int>>& cancelled);
  /// All tasks run, or have finished.
  void resume();
  /// Some checkpoint has all tasks' shares, and lacks its metadata.
  bool completing() const;
  /// Somebody has asked for a savepoint to end the job with.
  bool stopping() const { return stopping_; }
  /// All tasks of the attempt have ended: nobody writes any more.
  void endAttempt();
  /// No later attempt follows: drops the checkpoints that do not outlive the job. Once.
  void endJob(JobStatus status);

  /// A checkpoint now, whatever the interval. Always replies.
  void trigger(MoveFunction<void(CheckpointOutcome)> reply) { trigger(nullptr, std::move(reply)); }
  /// One with properties: null for an ordinary one.
  void trigger(SharedCheckpointProperties properties, MoveFunction<void(CheckpointOutcome)> reply);
  /// A savepoint, after which the job ends; see StopMode. Always replies, when it is complete or void. Where
  /// it is void a suspended job goes on, and one that was drained begins anew.
  void stop(SharedCheckpointProperties properties, MoveFunction<void(CheckpointOutcome)> reply);
  /// The folder of the savepoint that the job has stopped with, once that is complete; else empty.
  const std::string& stoppedWith() const { return stoppedWith_; }
  void acknowledge(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot);
  void decline(TaskId task, CheckpointId checkpoint, const Error& reason);
  void taskFinished(TaskId task);
  /// MasterGateway::awaitFinalCheckpoint(), of a task that runs.
  void awaitFinal(TaskId task);

  /// The newest complete one; null before the first.
  const CheckpointMetadata* latest() const { return completed_.empty() ? nullptr : &completed_.back(); }
  /// Those that are retained, oldest first.
  const std::deque<CheckpointMetadata>& completed() const { return completed_; }
  CheckpointStatistics statistics() const;

 private:
  using TaskKey = std::pair<int, int>;
  using Reply = MoveFunction<void(CheckpointOutcome)>;
  struct Pending {
    SharedCheckpointProperties properties;  // null: an ordinary one
    std::set<TaskKey> waitingFor;
    std::map<TaskKey, TaskSnapshot> tasks;
    std::map<int, std::string> enumerators;  // by vertex
    int64_t triggeredNanos = 0;
    bool completing = false;  // its metadata is being written
    CheckpointRecord record;
    Reply reply;

    StopMode stop() const { return properties ? properties->stop : StopMode::kGoOn; }
    bool isSavepoint() const { return record.kind == CheckpointKind::kSavepoint; }
  };

  Duration interval() const { return backlog_ ? options_.intervalDuringBacklog : options_.interval; }
  void tickAfter(Duration delay);
  void tick();
  void begin(SharedCheckpointProperties properties, Reply reply);
  std::optional<Error> refuses(CheckpointKind kind) const;
  void beginWhenAlone(SharedCheckpointProperties properties, Reply reply);
  void beginWaiting();
  Timestamp overtakesFrom(const Pending& pending) const;
  void triggerFinal();
  void stopped(CheckpointId id, const std::string& folder);
  void notStopped(StopMode mode, const Error& why);
  void tellTasks(CheckpointId id, bool completed);
  /// Why what the tasks gave makes no checkpoint, since others have finished.
  std::optional<Error> lacksUnionLists(const Pending& pending) const;
  void progress(std::map<CheckpointId, Pending>::iterator at);
  void complete(Pending& pending);
  void completed(CheckpointId id, CheckpointMetadata metadata);
  void retain(CheckpointId id, CheckpointMetadata metadata);
  /// `counts` towards the failures that are tolerated.
  void abort(CheckpointId id, const Error& why, bool counts);
  void ended(Pending pending, CheckpointStatus status);
  void countFailure(CheckpointId id, const Error& why);
  std::string folderOf(const Pending& pending) const;
  SharedCheckpointProperties ordinary() const;
  /// The checkpoint has ended: what it builds on may go.
  void letGoOfBase(const Pending& pending);
  void removeShared(std::vector<SharedFile> files);
  /// A complete checkpoint that is not retained.
  void drop(const CheckpointMetadata& metadata);
  /// A void one.
  void discard(CheckpointId id, const std::string& folder);
  void removeFiles(CheckpointId id, const std::string& folder, MoveFunction<void()> remove);
  /// Makes good for files that could not be removed, now that the store may work again.
  void sweepIfOwed();
  CheckpointMetadata metadataOf(Pending& pending) const;
  Duration since(int64_t nanos) const;

  const JobGraph& graph_;
  const CheckpointOptions options_;
  CheckpointStorage& storage_;
  Env& env_;
  CheckpointHost& host_;
  int attempt_ = 0;
  bool running_ = false;
  bool backlog_ = false;
  int64_t tickId_ = 0;      // of the tick that is due; those before it are void
  bool tickWaits_ = false;  // for a checkpoint under way to end
  CheckpointId last_;
  int64_t lastEndedNanos_ = 0;
  int failuresInARow_ = 0;
  std::map<CheckpointId, Pending> pending_;
  std::deque<CheckpointMetadata> completed_;  // retained, oldest first
  SharedFileRegistry shared_;                 // of those among them, and damaged ones, that lie in the folder
  bool stopping_ = false;                     // since somebody asked for it; no ordinary checkpoints are made
  SharedCheckpointProperties drainedInto_;    // a savepoint that is triggered when all tasks have ended
  Reply drainReply_;
  /// A savepoint that waits until no checkpoint is under way.
  struct Waiting {
    SharedCheckpointProperties properties;
    Reply reply;
  };
  std::optional<Waiting> waiting_;
  std::string stoppedWith_;
  std::set<TaskKey> awaitingFinal_;           // have ended but for a checkpoint, since the last one's end
  std::map<CheckpointId, std::string> void_;  // of this attempt: the folders that tasks may still write to
  std::set<CheckpointId> damaged_;            // complete, but their files are not as they were written
  std::optional<CheckpointId> firstOwn_;      // triggered by this job
  bool sweepOwed_ = false;                    // files of void or old checkpoints could not be removed
  std::set<std::string> foldersOwed_;         // of void savepoints, the same
  CheckpointStatistics statistics_;
};

}  // namespace flott
