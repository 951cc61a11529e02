// What a job's checkpoints took, for cases that measure them.
#pragma once

#include <algorithm>

#include "bench/harness.h"
#include "flott/flott.h"

namespace flott::bench {

inline Checkpointing checkpointingOf(const CheckpointStatistics& statistics) {
  Checkpointing all{.completed = static_cast<uint64_t>(statistics.completed)};
  for (const CheckpointRecord& record : statistics.history) {
    all.megabytes = std::max(all.megabytes, static_cast<double>(record.stateBytes) / 1e6);
    for (const CheckpointRecord::Task& task : record.tasks)
      all.longestSyncMs = std::max(all.longestSyncMs, static_cast<double>(task.durations.syncNanos) / 1e6);
  }
  return all;
}

}  // namespace flott::bench
