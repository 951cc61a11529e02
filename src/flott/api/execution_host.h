// The world a program runs in: the real one, or a simulated one for tests.
//
// Shared by an environment and the jobs it started, so that it lives as long as any of them.
#pragma once

#include <memory>

#include "flott/base/config.h"
#include "flott/env/env.h"
#include "flott/runtime/scheduler.h"

namespace flott {

class GivenRole;

class ExecutionHost {
 public:
  virtual ~ExecutionHost() = default;
  virtual Env env() = 0;
  virtual std::unique_ptr<Scheduler> makeScheduler(int lanes, const Configuration& configuration) = 0;
  /// Whether flott.web-ui.enabled has an effect here: there are sockets, and threads for them.
  virtual bool servesWeb() const = 0;
  /// What this process was started for; null when by its user.
  virtual GivenRole* role() { return nullptr; }
};

/// What whoever started the program as theirs wants to be set, beneath the program's own. `role` may be null.
Configuration withRole(Configuration configuration, const GivenRole* role);

/// Real time, threads and files; log level and the like from the configuration.
std::shared_ptr<ExecutionHost> makeRealHost(const Configuration& configuration);

}  // namespace flott
