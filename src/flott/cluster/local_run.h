// A job whose processes are all children of this one, on one machine: its master, and workers that are
// replaced when they crash.
//
// The master and the workers run the same program, each in its role (master/program_role.h); they find each
// other over loopback. Blocks until the master has ended.
//
//   return runLocally(env, processes, {.call = {.program = "./count"}, .workers = 2});
#pragma once

#include "flott/cluster/program_plan.h"
#include "flott/env/env.h"
#include "flott/env/processes.h"

namespace flott {

struct LocalRun {
  ProgramCall call;
  int workers = 1;
  int slots = 1;  // of each; it has as many threads for tasks
};

/// Returns what the master exited with: 0 when the program has come to its end. SIGINT and SIGTERM cancel the
/// job, the second one ends all at once. Throws Error(kUser) that says so when the program cannot be run,
/// starts no job or is killed.
int runLocally(const Env& env, Processes& processes, const LocalRun& run);

}  // namespace flott
