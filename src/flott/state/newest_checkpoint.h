// The newest complete checkpoint in a job's folder: where a master begins that takes an earlier one's place.
//
// Blocks; any thread.
//
//   if (auto folder = newestCheckpoint(env.files, env.stores, options)) …
#pragma once

#include <optional>
#include <string>

#include "flott/env/files.h"
#include "flott/env/object_store.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

/// The folder of the checkpoint; nothing when there is none, or no folder. Throws Error(kTransient) when the
/// store does not answer.
std::optional<std::string> newestCheckpoint(Files& files, ObjectStores& stores,
                                            const CheckpointStorageOptions& options);

}  // namespace flott
