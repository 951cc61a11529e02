// The way from tasks to the master. Called on the tasks' lanes; must not block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/operators/accumulators.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_snapshot.h"

namespace flott {

enum class TaskState : uint8_t;

class MasterGateway {
 public:
  virtual ~MasterGateway() = default;
  /// Final states only, once for each task. `error` for kFailed.
  virtual void onTaskEnded(TaskId task, TaskState state, std::optional<Error> error,
                           Accumulators accumulators) = 0;
  /// Before onTaskEnded(): what the task was to start from is not as it was written.
  virtual void reportDamaged(TaskId task, Error what) = 0;
  virtual void requestSplit(TaskId task) = 0;
  virtual void sendSourceEvent(TaskId task, std::string event) = 0;
  /// From each task that makes watermarks, once when it begins; from then on from those in an alignment
  /// group. Timestamp::max(): nobody need wait for it.
  virtual void reportWatermark(TaskId task, Timestamp time) = 0;
  /// The task's share of the checkpoint is stored.
  virtual void acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) = 0;
  /// The task has ended but for a checkpoint that it waits for; again after each one that ends, while it
  /// does.
  virtual void awaitFinalCheckpoint(TaskId task) = 0;
  /// The task has no share: the checkpoint is void.
  virtual void declineCheckpoint(TaskId task, CheckpointId checkpoint, Error reason) = 0;
};

}  // namespace flott
