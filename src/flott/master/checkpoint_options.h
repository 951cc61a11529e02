// How a job is checkpointed, as its configuration says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flott/base/config.h"
#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/graph/job_graph.h"

namespace flott {

/// What becomes of the last checkpoints when the job has ended. When it has finished they always go.
enum class CheckpointRetention : uint8_t {
  kNone,
  kOnFailure,       // kept when the job failed
  kOnCancellation,  // kept when it failed or was cancelled
};

struct CheckpointOptions {
  Duration interval;                 // zero: only those that are asked for
  Duration intervalDuringBacklog{};  // of a source; zero: only those that are asked for
  Duration timeout = Duration::seconds(600);
  Duration minPause;  // between the end of one and the trigger of the next
  int maxConcurrent = 1;
  int tolerableFailures = 0;
  size_t retained = 1;
  bool incremental = false;  // where there is a folder
  CheckpointRetention retention = CheckpointRetention::kNone;
  size_t history = 10;
  bool unaligned = false;            // barriers overtake records
  Duration alignedFor = Duration();  // … but not before so long after the trigger
};

/// Throws Error(kUser) where options do not fit each other.
CheckpointOptions checkpointOptions(const Configuration& configuration);

/// Why this job cannot be checkpointed: an operator of it has state that no checkpoint would hold. Nothing
/// when it can be.
std::optional<Error> refusesCheckpoints(const JobGraph& graph);

}  // namespace flott
