// A task's part in checkpoints, from the barrier to the acknowledgement.
//
// The chain is cut as the barrier passes through it; encoding goes on between batches, writing on off-load
// threads; the master is told where the state lies. A checkpoint that cannot be written is declined, the task
// itself goes on. Used on the task's thread.
#pragma once

#include <map>
#include <optional>

#include "flott/base/error.h"
#include "flott/env/clock.h"
#include "flott/runtime/chain.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

class MasterGateway;

class TaskCheckpoints {
 public:
  TaskCheckpoints(TaskId task, CheckpointStorage& storage, Env& env, MasterGateway& master)
      : task_(task), storage_(storage), env_(env), master_(master) {}

  /// The barrier is about to enter the chain.
  void begin(const Barrier& barrier, StepTime now, int64_t alignmentNanos);
  /// Goes on with what the chain was cut for; whether there is more to do right away.
  bool step(OperatorChain& chain, ChainHost& host);
  void end(CheckpointId checkpoint) { underWay_.erase(checkpoint); }
  /// A cut is not stored: a task that ended now would count as one that had finished before it.
  bool unstored() const { return !underWay_.empty(); }

 private:
  void store(ChainSnapshot snapshot, ChainHost& host);

  const TaskId task_;
  CheckpointStorage& storage_;
  Env& env_;
  MasterGateway& master_;
  std::map<CheckpointId, CheckpointDurations> underWay_;  // neither acknowledged nor void
};

}  // namespace flott
