// Processes on Linux.
#pragma once

#include <memory>

#include "flott/env/clock.h"
#include "flott/env/processes.h"

namespace flott {

/// The clock outlives it.
std::unique_ptr<Processes> makeProcesses(const Clock& clock);

}  // namespace flott
