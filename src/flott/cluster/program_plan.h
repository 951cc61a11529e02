// What the job of a program looks like, found by running the program: its main() builds the job, which is
// then not run (master/program_role.h).
//
// Side effects of main() before it starts the job happen. Blocks until the program has answered.
//
//   const ProgramPlan plan = planOf(processes, {.program = "./count", .arguments = {"--top", "3"}});
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/processes.h"
#include "flott/master/program_role.h"

namespace flott {

struct ProgramCall {
  std::string program;  // a path
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> options = {};  // of the engine, beneath the program's own
  std::vector<std::pair<std::string, std::string>> environment = {};  // variables
};

/// Of the first job that it starts. What it prints goes to standard error. Throws Error(kUser) that says so
/// when it starts none, or cannot be run, and Error(kTransient) when it takes too long.
ProgramPlan planOf(Processes& processes, const ProgramCall& call);

/// Throws what planOf() does for a program that has ended without a word.
[[noreturn]] void failWithoutJob(const std::string& program, const std::optional<ProcessEnd>& end);

/// planOf() by two runs: Error(kUser) that says what differs when the job is not the same in both, since
/// processes that run parts of it could not work together.
ProgramPlan steadyPlanOf(Processes& processes, const ProgramCall& call);

}  // namespace flott
