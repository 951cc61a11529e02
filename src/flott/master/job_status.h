// What becomes of a job, and what it leaves behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/error.h"
#include "flott/master/checkpoint_statistics.h"
#include "flott/operators/accumulators.h"
#include "flott/runtime/task_gateway.h"

namespace flott {

/// Flink's names.
enum class JobStatus : uint8_t {
  kCreated,     // not yet started
  kRunning,     // tasks are deployed
  kFailing,     // a task failed; the others are being cancelled
  kRestarting,  // the same, and the job begins anew from its last checkpoint
  kFailed,      // ended by a failure
  kCancelling,  // asked to stop; tasks are being cancelled
  kCancelled,   // stopped on request
  kFinished,    // all sources ended and all records worked off
};

inline constexpr size_t kJobStatuses = static_cast<size_t>(JobStatus::kFinished) + 1;

std::string_view toString(JobStatus status);
constexpr bool isFinal(JobStatus status) {
  return status == JobStatus::kFailed || status == JobStatus::kCancelled || status == JobStatus::kFinished;
}

/// How many records all sources and all sinks have taken so far.
struct JobProgress {
  int64_t recordsIn = 0;
  int64_t recordsOut = 0;
};

struct JobResult {
  std::string jobName;
  JobStatus status = JobStatus::kCreated;
  std::optional<Error> error;  // the first cause, for kFailed
  int64_t runNanos = 0;
  int restarts = 0;
  Accumulators accumulators;
  std::vector<OperatorReadings> metrics;
  CheckpointStatistics checkpoints;
};

}  // namespace flott
