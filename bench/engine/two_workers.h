// Runs a job on two workers in this process, a lane each, with a loopback connection between them.
#pragma once

#include <string>

#include "flott/flott.h"

namespace flott::bench {

/// Which of the two runs a subtask of a vertex.
using SideOf = int (*)(int vertex, int subtask);

/// The program of `env` so far. Throws what fails a task.
void runOnTwoWorkers(StreamExecutionEnvironment& env, const std::string& name, SideOf sideOf);

}  // namespace flott::bench
