// The archive of a job whose master has left none: it was killed, or never came to run.
//
// Any thread.
#pragma once

#include <string>

#include "flott/base/error.h"
#include "flott/base/time.h"
#include "flott/env/env.h"
#include "flott/master/job_id.h"
#include "flott/master/job_status.h"

namespace flott {

/// In the format of rest/job_archive.h. `why` is among the job's exceptions.
std::string archiveOfUnknownEnd(const Env& env, const JobId& id, const std::string& name, JobStatus status,
                                const Error& why, Timestamp began, Timestamp ended);

}  // namespace flott
