// What a checkpoint is made for, and so where its files go and what follows from it.
//
// Chosen by whoever triggers it, kept by the coordinator while it is under way, and carried by its barrier to
// the tasks. Shared and never changed: any thread may read it.
//
//   Barrier barrier{.checkpoint = CheckpointId(7), .triggered = now,
//                   .properties = savepointIn("/data/savepoint-5f2c01-0123456789ab")};
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "flott/base/types.h"

namespace flott {

/// Stored in metadata: add at the end only.
enum class CheckpointKind : uint8_t {
  kCheckpoint,  // the job's own: what it goes on from after a failure; publishes what sinks have prepared
  kSavepoint,   // the user's: the job writes it and never looks at it again, and sinks publish nothing for it
};

/// What becomes of the job after a savepoint.
enum class StopMode : uint8_t {
  kGoOn,
  kSuspend,  // nothing is read or fired any more, sinks publish what the savepoint has, and the job ends
  kDrain,    // as if all sources had ended: all windows and timers fire, and the savepoint is made at the end
};

struct CheckpointProperties {
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  /// That its files go to; empty: a folder of its own among the job's checkpoints.
  std::string folder;
  StopMode stop = StopMode::kGoOn;
  /// State on disk is stored as its files, and those that checkpoint `base` has are referred to: it is
  /// complete, and keeps its files until this one has ended. Base 0: there is none.
  bool incremental = false;
  CheckpointId base = {};
};

using SharedCheckpointProperties = std::shared_ptr<const CheckpointProperties>;

inline SharedCheckpointProperties savepointIn(std::string folder, StopMode stop = StopMode::kGoOn) {
  return std::make_shared<CheckpointProperties>(
      CheckpointProperties{.kind = CheckpointKind::kSavepoint, .folder = std::move(folder), .stop = stop});
}

}  // namespace flott
