// What each task of a job starts from when the job is restored from a checkpoint, at whatever parallelism.
//
// Operators are found by their id. Keyed state goes where its key groups go; lists of operator state stay
// with their subtask where the parallelism is the same, and are dealt out evenly where it is not. What was
// in channels goes to those that the records would go to today, and is worked off before all else. Reads
// files, so it is called on an off-load thread.
#pragma once

#include <map>
#include <string>

#include "flott/graph/job_graph.h"
#include "flott/master/failover_regions.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

struct RestoredState {
  RestoredJob tasks;
  std::map<int, std::string> enumerators;  // by vertex
};

struct StateAssignmentOptions {
  /// State of operators, and records of exchanges, that the job does not have are dropped.
  bool ignoreUnclaimed = false;
  /// A checkpoint of which what was in channels is dropped.
  int64_t withoutChannelsOf = -1;
  /// Keyed state in files of more bytes tasks read themselves, all at the same time.
  uint64_t mostRead = uint64_t{1} << 20;
  /// By vertex and subtask: the tasks that are to be restored; all when there are none.
  TaskSet tasks = {};
};

/// Throws Error(kUser) when the checkpoint does not fit the job: state of an operator, or records of an
/// exchange, that the job does not have, or another number of key groups; and what reading throws.
RestoredState assignState(const JobGraph& graph, const CheckpointMetadata& checkpoint,
                          CheckpointStorage& storage, const StateAssignmentOptions& options);

}  // namespace flott
