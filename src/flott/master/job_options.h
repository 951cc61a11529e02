// What a configuration means for the parts of a job: its master, its checkpoints, its workers. The same in
// one process and in many. Pure functions of the configuration.
#pragma once

#include <optional>
#include <string>

#include "flott/base/config.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_master.h"
#include "flott/runtime/worker.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

JobMasterOptions masterOptions(const Configuration& configuration, const std::string& jobId);

CheckpointStorageOptions checkpointStorageOptions(const Configuration& configuration,
                                                  const std::string& jobId);

/// Where copies of the job's checkpoints are kept on this machine, and how; nothing: they are not. `folder`
/// is what the process has for that, empty for none.
std::optional<LocalCopies::Options> localCopiesOptions(const Configuration& configuration,
                                                       const std::string& jobId, const std::string& folder);

WorkerOptions workerOptions(const Configuration& configuration, int attempt, const std::string& jobId,
                            CheckpointStorage& checkpoints);

/// Throws Error(kUser) for options that do not fit the job: a folder that is none, checkpoints of what cannot
/// have any.
void checkJobOptions(const Configuration& configuration, const JobGraph& graph);

}  // namespace flott
