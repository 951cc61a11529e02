// Who a sink is to the outside: what names of its transactions or files are made of, so that those of failed
// attempts are found and aborted.
//
// A transaction is named after the sink's lineage, its subtask and the last checkpoint that was cut before it
// began (its epoch). An attempt that goes on from checkpoint R then knows: what began in an epoch before R is
// in R's state and is committed; what began at R or after it is left over, since its records come again. Each
// name belongs to one subtask, also when there were more of them before. A value, made by SinkLineage, which
// lives on the task's thread.
#pragma once

#include <cstdint>
#include <string>

#include "flott/base/types.h"
#include "flott/state/operator_state.h"

namespace flott {

struct OperatorInfo;

struct SinkAttempt {
  /// Twelve hexadecimal digits: the same in all attempts, and in jobs that start from a checkpoint of this
  /// one; another one for each sink and each start from nothing.
  std::string lineage;
  SubtaskIndex subtask;
  int parallelism = 1;
  /// Zero: it begins from nothing.
  CheckpointId restored;
  /// Of the job that made that checkpoint.
  int restoredParallelism = 0;

  /// Whether this subtask has to abort what subtask `owner` of an earlier attempt began in `epoch`. Only for
  /// what was begun before this attempt.
  bool aborts(int owner, CheckpointId epoch) const {
    return owner % parallelism == subtask.value && epoch.value >= restored.value;
  }
};

/// Keeps a sink's lineage in its state.
class SinkLineage {
 public:
  /// In Operator::open().
  SinkAttempt open(const OperatorInfo& info, OperatorStateBackend& states);
  /// In Operator::snapshotState().
  void cut(CheckpointId checkpoint);

 private:
  BroadcastState<std::string, uint64_t>* state_ = nullptr;
  int parallelism_ = 1;
};

}  // namespace flott
