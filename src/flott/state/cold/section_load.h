// Keyed state that lies in a checkpoint entry by entry, put into a store on disk without being in memory.
//
// A section is read a piece at a time; its entries are told apart by the description of their types, and
// those that are wanted go to the store as a backend keeps them. What cannot be told apart, for a type has a
// codec of its own, and what is not for the disk (timers) is kept as it is. Blocks: off-load threads only.
//
//   loadSection(storage, stored, {.keyGroups = {0, 64}, .maxParallelism = 128}, states, restored);
#pragma once

#include <cstdint>
#include <string>

#include "flott/state/cold/cold_restore.h"
#include "flott/state/keyed_snapshot.h"

namespace flott {

/// Of an old subtask.
struct StoredSection {
  std::string folder;  // of the checkpoint
  StateHandle handle;
  uint32_t maxParallelism = kDefaultMaxParallelism;  // it was written with
  ColdSnapshot shared = {};                          // in place of the handle: it lies in shared files
};
/// All of it. Throws Error(kCorruption) that names the file.
std::string readSection(CheckpointStorage& storage, const StoredSection& section);

struct SectionTarget {
  KeyGroupRange keyGroups;
  uint32_t maxParallelism = kDefaultMaxParallelism;
};

/// Of a section in one piece. `states` has a store; `restored` gets the description of all states and what is
/// not in the store. Throws Error(kCorruption) that names the file.
void loadSection(CheckpointStorage& storage, const StoredSection& section, const SectionTarget& target,
                 ColdStates& states, RestoredKeyedState& restored);

}  // namespace flott
