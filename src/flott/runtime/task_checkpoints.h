// A task's part in checkpoints, from the barrier to the acknowledgement.
//
// The chain is cut as the barrier passes through it; encoding goes on between batches, writing on off-load
// threads; the master is told where the state lies. Of state on disk only files are written, and of state in
// memory only segments, that the checkpoint does not have which the barrier names: the master keeps that
// one's files meanwhile. Where a barrier has overtaken records the share is complete once they are kept:
// those in the task's channels, and those that it had not got rid of. A checkpoint that cannot be written is
// declined, the task itself goes on. Used on the task's thread.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/env/clock.h"
#include "flott/runtime/chain.h"
#include "flott/runtime/input_gate.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

class MasterGateway;

class TaskCheckpoints {
 public:
  TaskCheckpoints(TaskId task, CheckpointStorage& storage, Env& env, MasterGateway& master)
      : task_(task),
        file_("task-" + std::to_string(task.vertex) + "-" + std::to_string(task.subtask.value)),
        storage_(storage),
        env_(env),
        master_(master) {}

  /// The barrier is about to enter the chain.
  struct Alignment {
    int64_t nanos = 0;
    uint64_t bytes = 0;  // worked off meanwhile
    bool overtook = false;
  };
  void begin(OperatorChain& chain, const Barrier& barrier, StepTime now, Alignment alignment);
  /// Goes on with what the chain was cut for; whether there is more to do right away.
  bool step(OperatorChain& chain, InputGate& gate, ChainHost& host);
  void end(CheckpointId checkpoint, bool completed);
  /// What end() leaves to be done for local copies, by somebody who may block; nothing where there are none.
  std::optional<MoveFunction<void()>> cleanUpOfCopies(CheckpointId checkpoint, bool completed) const;
  /// The checkpoint has these files of an operator's store, which was opened on them.
  void hasStored(CheckpointId checkpoint, size_t index, const std::vector<SharedFile>& files);
  /// When step() must be called again because a barrier then overtakes.
  int64_t deadlineNanos(StepTime now) const;
  /// A cut is not stored: a task that ended now would count as one that had finished before it.
  bool unstored() const { return !underWay_.empty(); }

  // Of the last barrier, in nanoseconds. Any thread.
  int64_t lastStartDelay() const { return lastDelay_.load(std::memory_order_relaxed); }
  int64_t lastAlignment() const { return lastAlignment_.load(std::memory_order_relaxed); }

 private:
  struct UnderWay {
    Timestamp overtakesFrom;
    CheckpointDurations durations;
    CheckpointInFlight inFlight;
  };
  /// What a checkpoint has of one operator in shared files.
  struct Stored {
    std::map<std::string, SharedFile> files;         // of its store, by their name there
    std::shared_ptr<const SegmentCatalog> segments;  // null: there is no such state
  };
  struct Writing;
  /// Keyed state too large to be in memory until it is complete: a file of its own.
  struct Stream;

  bool encode(OperatorChain& chain, ChainHost& host);
  bool waitsForWrite(const OperatorChain& chain) const;
  void writeAhead(OperatorChain& chain, ChainHost& host);
  bool settled(ChainSnapshot& cut, OperatorChain& chain, InputGate& gate, StepTime now);
  void store(ChainSnapshot snapshot, ChainHost& host);
  void written(Writing& writing);
  const std::vector<Stored>* baseOf(const Barrier& barrier);
  Stored& storedAt(CheckpointId checkpoint, size_t index);

  const TaskId task_;
  const std::string file_;  // that its share of a checkpoint goes to
  CheckpointStorage& storage_;
  Env& env_;
  MasterGateway& master_;
  std::map<CheckpointId, UnderWay> underWay_;  // neither acknowledged nor void
  std::deque<ChainSnapshot> cut_;              // encoded, but what barriers overtook may be missing
  // By operator; of checkpoints that later ones may be told to build on.
  std::map<CheckpointId, std::vector<Stored>> stored_;
  std::map<std::pair<CheckpointId, size_t>, std::shared_ptr<Stream>> streams_;  // with the operator
  bool writesAhead_ = false;                                                    // a part of the oldest cut
  std::atomic<int64_t> lastDelay_{0};
  std::atomic<int64_t> lastAlignment_{0};
};

}  // namespace flott
