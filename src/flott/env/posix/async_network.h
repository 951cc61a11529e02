// AsyncNetwork on Linux: epoll.
#pragma once

#include <memory>

#include "flott/env/async_network.h"

namespace flott {

/// One for each loop. The clock outlives it. Throws Error(kTransient) when the system gives no descriptor.
std::unique_ptr<AsyncNetwork> makeAsyncNetwork(const Clock& clock);

}  // namespace flott
