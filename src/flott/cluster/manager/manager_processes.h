// The processes of a cluster: a JobManager, and TaskManagers. Each call serves until it is told to end.
//
// Called on the main thread; threads, sockets, files and signals are real. Ctrl-C and SIGTERM end them.
//
//   runJobManager(env, configuration, [&](const JobManagerPlace& at) { say(at.url); });
#pragma once

#include <cstdint>
#include <string>

#include "flott/base/config.h"
#include "flott/base/function.h"
#include "flott/env/env.h"

namespace flott {

struct JobManagerPlace {
  std::string url;    // of REST and the web page
  uint16_t port = 0;  // for TaskManagers
};

/// `onServing` is called once it serves. Its folder is one of those of io.tmp.dirs unless the configuration
/// says otherwise. Throws Error(kUser) for options that do not fit, ports that are taken, and a folder that
/// another JobManager has.
void runJobManager(Env env, const Configuration& configuration,
                   MoveFunction<void(const JobManagerPlace&)> onServing);

/// With taskmanager.resource-id set. Throws Error(kUser) for options that do not fit and when the JobManager
/// refuses it, Error(kTransient) when no JobManager is found in time.
void runTaskManager(Env env, const Configuration& configuration);

/// The folder of the process; its logs are below, in log/.
std::string jobManagerFolder(const Configuration& configuration);
/// With taskmanager.resource-id set.
std::string taskManagerFolder(const Configuration& configuration);

}  // namespace flott
