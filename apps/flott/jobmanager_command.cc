// `flott jobmanager` and `flott taskmanager`: the processes of a cluster, in the foreground.
#include <memory>
#include <string>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/log_options.h"
#include "flott/base/manager_options.h"
#include "flott/base/options.h"
#include "flott/cluster/manager/manager_processes.h"
#include "flott/env/posix/real_env.h"

namespace flott::app {
namespace {

/// With a log of its own, in the process's folder.
std::unique_ptr<RealEnv> envOfProcess(const Env& env, const Configuration& configuration,
                                      const std::string& folder, const std::string& file) {
  env.files.makeFolders(folder + "/log");
  const std::string level = configuration.get(kLogLevel);
  RealEnvOptions options{.log = {.level = parseLogLevel(level), .file = folder + "/log/" + file}};
  if (configuration.get(kLogFormat) == "json") options.log.format = LogFormat::kJson;
  options.log.fileBytes = configuration.get(kLogFileSize).bytes;
  options.log.oldFiles = static_cast<size_t>(configuration.get(kLogFilesKept));
  options.log.standardError = configuration.get(kLogStandardError);
  return makeRealEnv(options);
}

int refuseOperands(const std::string& name, const Arguments& given) {
  throw Error(ErrorKind::kUser, name + " takes options only, not '" + given.positional.front() + "'");
}

int printJobManagerHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]...\n\n"
        "Runs a JobManager: it takes programs over REST (rest.port), starts a master for each job, and has\n"
        "TaskManagers that come to jobmanager.rpc.port start workers. Ctrl-C ends it; one that is started "
        "again\n"
        "with the same folder (process.jobmanager.working-dir) takes up the jobs that ran.\n\n" +
        optionLines({}) + "\n  " + name + " -D rest.port=8082 -D jobmanager.rpc.port=6124\n");
  return kDone;
}

int runJobManagerCommand(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments({}, words);
  if (given.has("--help")) return printJobManagerHelp(name);
  if (!given.positional.empty()) return refuseOperands(name, given);
  const Configuration configuration = configurationOf(env, given);
  const auto own = envOfProcess(env, configuration, jobManagerFolder(configuration), "jobmanager.log");
  runJobManager(own->env(), configuration, {});
  return kDone;
}

int printTaskManagerHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]...\n\n"
        "Runs a TaskManager: it offers slots (taskmanager.numberOfTaskSlots) to the JobManager at\n"
        "jobmanager.rpc.address and jobmanager.rpc.port, and starts the workers of jobs in them.\n\n" +
        optionLines({}) + "\n  " + name + " -D taskmanager.numberOfTaskSlots=4\n");
  return kDone;
}

int runTaskManagerCommand(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments({}, words);
  if (given.has("--help")) return printTaskManagerHelp(name);
  if (!given.positional.empty()) return refuseOperands(name, given);
  Configuration configuration = configurationOf(env, given);
  if (!configuration.find(kTaskManagerId)) {
    const uint64_t drawn = env.random.fork("taskmanager").next() % 1'000'000'000;
    configuration.set(std::string(kTaskManagerId.key), "tm-" + std::to_string(drawn), "drawn");
  }
  const std::string folder = taskManagerFolder(configuration);
  const auto own = envOfProcess(env, configuration, folder, "taskmanager.log");
  runTaskManager(own->env(), configuration);
  return kDone;
}

}  // namespace

Command jobManagerCommand() {
  return {.name = "jobmanager", .summary = "run a JobManager here", .run = runJobManagerCommand};
}

Command taskManagerCommand() {
  return {.name = "taskmanager", .summary = "run a TaskManager here", .run = runTaskManagerCommand};
}

}  // namespace flott::app
