// What a program does that was not started by its user: the first job that it starts is not run here, but
// shown to somebody, or run together with other processes of the same program (master/program_role.h).
//
// Called where jobs are started, on the program's thread.
#pragma once

#include <optional>
#include <string>

#include "flott/master/job_status.h"

namespace flott {

class Program;

/// Nothing: the user has started the program, and the job is to be run as always. Otherwise the process shows
/// the job's plan or works on it, and ends; or it is the job's master, and gets the result when the job has
/// ended. Throws Error(kUser) for a master whose caller does not wait for the end (`waits`), and for a second
/// job.
std::optional<JobResult> runInRole(Program& program, const std::string& jobName, bool waits);

}  // namespace flott
