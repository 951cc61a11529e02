// Which tasks begin with what was in the channels of an unaligned checkpoint, at whatever parallelism.
//
// A channel of the job before is given to each task that records in it would go to today. By key: those whose
// key groups the old receiver had, each of which takes its own. By a partitioner of the program's: all, the
// same way. Otherwise to one, since no record was meant for a subtask of its own; where there are more tasks
// than before, some only learn how far the senders' time was. Called on an off-load thread; reads files.
#pragma once

#include <string>

#include "flott/graph/job_graph.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

struct StateAssignmentOptions;

/// "checkpoint 7 in '/checkpoints/chk-7'"
std::string nameOf(const CheckpointMetadata& checkpoint);

/// Adds to each wanted task's channels. Throws Error(kUser) for records of an exchange that the job does not
/// have, unless those are ignored; and what reading throws.
void assignChannels(const JobGraph& graph, const CheckpointMetadata& checkpoint, CheckpointStorage& storage,
                    const StateAssignmentOptions& options, RestoredJob& tasks);

}  // namespace flott
