// What a program does that was not started by its user: the first job that it starts is not run here, but
// shown to somebody, or run together with other processes of the same program (master/program_role.h).
//
// Called where jobs are started, on the program's thread.
#pragma once

#include <memory>
#include <string>

namespace flott {

class ClientJob;
class Program;

/// Null: the user has started the program, and the job is to be run as always. Otherwise the process shows
/// the job's plan or works on it, and ends; or it is the job's master, which is started. Throws Error(kUser)
/// for a master whose job needs its tasks in this process (`tasksHere`), and for a second job.
std::unique_ptr<ClientJob> startInRole(Program& program, const std::string& jobName, bool tasksHere);

}  // namespace flott
