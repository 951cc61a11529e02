// Which state backend a job has, by its options: what the chain makes keyed state with.
//
// Made from the configuration, on the thread of whoever makes the worker (memory) or opens the task (a
// store).
#pragma once

#include <memory>

#include "flott/operators/context.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/state/cold/rocksdb_store.h"

namespace flott {

/// What the stores of all tasks of a process share; null when each is to have memory of its own. Throws
/// Error(kUser) when the options contradict each other.
std::shared_ptr<ColdMemory> newColdMemory(const Configuration& configuration);

/// Whether keyed state is in a store. The configuration may be null: it is in memory.
bool statesOnDisk(const Configuration* configuration);

/// Fetches what an operator instance starts from, for either backend; blocks: on an off-load thread. Throws
/// Error(kCorruption) that names what is not as it was written.
void fetchState(CheckpointStorage& storage, const Configuration& configuration, const OperatorInfo& info,
                std::shared_ptr<ColdMemory> memory, RestoredOperator& restored);

/// The store behind the keyed state of one operator instance; null when that is in memory.
std::shared_ptr<ColdStore> newColdStore(const Configuration& configuration, const OperatorInfo& info,
                                        std::shared_ptr<ColdMemory> memory);

}  // namespace flott
