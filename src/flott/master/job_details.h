// What a job tells about itself while it runs and at its end: its states and when it got there, its tasks
// with what they count, its failures and its checkpoints.
//
// Plain values, copied out of the master for whoever asks: JobMaster::readDetails(). rest makes documents of
// them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/master/checkpoint_statistics.h"
#include "flott/master/job_status.h"
#include "flott/runtime/task_gateway.h"
#include "flott/runtime/task_id.h"

namespace flott {

struct JobFailure {
  Timestamp at;
  ErrorKind kind = ErrorKind::kUser;
  std::string text;            // with its places
  std::optional<TaskId> task;  // the one that failed; none: something beside the tasks did
};

struct TaskDetails {
  TaskId id;
  TaskState state = TaskState::kCreated;
  Timestamp ended;                          // min(): it has not
  std::vector<OperatorReadings> operators;  // as JobVertex::chain; empty before it runs
  std::vector<MetricReading> metrics = {};  // of the task itself
  std::string worker = {};                  // that has it; empty: the master's process, or none yet
};

/// The checkpoint that an attempt began with.
struct RestoredCheckpoint {
  CheckpointId id;
  std::string folder;  // empty: in the master's memory
  Timestamp at;
};

struct JobDetails {
  JobStatus status = JobStatus::kCreated;
  /// When it last got there, by JobStatus; min(): never.
  std::array<Timestamp, kJobStatuses> since;
  int restarts = 0;
  Timestamp attemptBegan;            // of the tasks; min(): none is deployed
  std::vector<TaskDetails> tasks;    // of the last attempt; empty before the first
  std::vector<JobFailure> failures;  // newest first
  bool failuresForgotten = false;    // there were more
  CheckpointStatistics checkpoints;
  int64_t restores = 0;
  std::optional<RestoredCheckpoint> restored;  // the last

  Timestamp sinceStatus(JobStatus of) const { return since[static_cast<size_t>(of)]; }
  Timestamp started() const { return sinceStatus(JobStatus::kCreated); }
  /// min(): not yet.
  Timestamp ended() const { return isFinal(status) ? sinceStatus(status) : Timestamp::min(); }
};

}  // namespace flott
