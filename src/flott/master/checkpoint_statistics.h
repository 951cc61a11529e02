// What a job tells about its checkpoints: counts, and the history of the last ones.
//
// Plain values; copied out of the master for whoever asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/checkpoint_properties.h"
#include "flott/runtime/task_snapshot.h"

namespace flott {

enum class CheckpointStatus : uint8_t {
  kInProgress,
  kCompleted,
  kFailed,  // void: see its failure
};

struct CheckpointRecord {
  struct Task {
    int vertex = 0;
    SubtaskIndex subtask;
    CheckpointDurations durations;
    CheckpointInFlight inFlight;
    uint64_t stateBytes = 0;
    uint64_t sharedBytes = 0;    // of these, those that an earlier checkpoint has stored
    Duration acknowledgedAfter;  // the trigger
  };

  CheckpointId id;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  CheckpointStatus status = CheckpointStatus::kInProgress;
  Timestamp triggered;
  Duration duration;  // until it was complete or void
  uint64_t stateBytes = 0;
  uint64_t sharedBytes = 0;  // of these, those that an earlier checkpoint has stored
  std::string folder;        // empty: in the master's memory
  std::string failure;       // why it is void
  bool discarded = false;    // completed, and replaced by later ones
  std::vector<Task> tasks;   // that have acknowledged, in that order
};

struct CheckpointStatistics {
  int64_t triggered = 0;
  int64_t completed = 0;
  int64_t failed = 0;
  int64_t inProgress = 0;
  std::vector<CheckpointRecord> history;  // newest first

  /// The newest of this status, or null.
  const CheckpointRecord* latest(CheckpointStatus status) const {
    for (const CheckpointRecord& record : history) {
      if (record.status == status) return &record;
    }
    return nullptr;
  }
};

/// What a checkpoint that somebody asked for has come to.
struct CheckpointOutcome {
  CheckpointId id;
  std::string folder;
  std::optional<Error> error;  // why there is none
};

}  // namespace flott
