// `flott cluster start` and `flott cluster stop`: a cluster on this machine, in the background.
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/client_options.h"
#include "flott/base/error.h"
#include "flott/base/manager_options.h"
#include "flott/base/options.h"
#include "flott/cluster/manager/cluster_client.h"
#include "flott/cluster/manager/log_files.h"
#include "flott/cluster/manager/manager_processes.h"
#include "flott/env/file_lock.h"
#include "flott/env/posix/processes.h"

namespace flott::app {
namespace {

constexpr Duration kForStart = Duration::seconds(30);
constexpr Duration kForStop = Duration::seconds(30);
constexpr Duration kLook = Duration(5);
// The port may be that of something that says nothing.
constexpr Duration kForAnswer = Duration::seconds(3);
// What this program is, also when its file has been replaced.
constexpr const char* kThisProgram = "/proc/self/exe";

constexpr OptionHelp kStartOptions[] = {
    {"--taskmanagers", "N", "how many (default 1)"},
    {"--slots", "N", "of each TaskManager (default: taskmanager.numberOfTaskSlots)"},
};

struct Background {
  std::string what;
  std::string file;  // that it writes to
  std::unique_ptr<ChildProcess> process;
};

Background startInBackground(Processes& processes, const std::string& what, const std::string& file,
                             std::vector<std::string> arguments) {
  ProcessSpec spec{.program = kThisProgram, .arguments = std::move(arguments), .outlives = true};
  spec.name = "flott";
  spec.output = ProcessSpec::Output::kToFile;
  spec.outputFile = file;
  return {what, file, processes.start(spec)};
}

std::vector<std::string> argumentsOf(const std::string& command, const Configuration& configuration) {
  std::vector<std::string> words = {command};
  for (const auto& [key, entry] : configuration.entries()) {
    words.emplace_back("-D");
    words.push_back(key + "=" + entry.value);
  }
  return words;
}

ClusterClient clientOf(const Env& env, const Configuration& configuration) {
  return {env, configuration.get(kRestAddress), static_cast<int>(configuration.get(kRestPort)),
          HttpClientOptions{.silence = kForAnswer}};
}

/// Nothing when nobody answers.
std::optional<int> taskManagersOf(const ClusterClient& cluster) {
  try {
    return cluster.taskManagers();
  } catch (const Error&) {
    return std::nullopt;
  }
}

void waitALittle(const Env& env) { env.threads.makeParker()->park(deadlineAfter(env.clock, kLook)); }

int printStartHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]...\n\n"
        "Starts a JobManager and TaskManagers on this machine, in the background, and waits until they "
        "serve.\n"
        "Their folders are below process.jobmanager.working-dir. `flott cluster stop` ends them.\n\n" +
        optionLines(kStartOptions) + "\n  " + name + " --taskmanagers 2 --slots 4\n  " + name +
        " -D rest.port=8082 -D jobmanager.rpc.port=6124\n");
  return kDone;
}

int runStart(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kStartOptions, words);
  if (given.has("--help")) return printStartHelp(name);
  Configuration configuration = configurationOf(env, given);
  const uint64_t count = given.findNumber("--taskmanagers").value_or(1);
  if (count > 100)
    throw Error(ErrorKind::kUser, "--taskmanagers is from 0 to 100, not " + std::to_string(count));
  if (const auto slots = given.find("--slots"))
    configuration.set(std::string(kTaskSlots.key), *slots, "--slots");
  standardOptions().check(configuration);
  if (configuration.get(kRestPort) == 0 || configuration.get(kJobManagerPort) == 0)
    throw Error(ErrorKind::kUser,
                "rest.port and jobmanager.rpc.port must not be 0: nobody would find the cluster");
  const std::string folder = jobManagerFolder(configuration);
  const ClusterClient cluster = clientOf(env, configuration);
  if (taskManagersOf(cluster))
    throw Error(ErrorKind::kUser,
                "a cluster is there already at " + cluster.url() +
                    ": stop it by `flott cluster stop`, or give this one another rest.port, "
                    "jobmanager.rpc.port and process.jobmanager.working-dir");
  env.files.makeFolders(folder + "/log");
  const auto processes = makeProcesses(env.clock);
  std::vector<Background> started;
  const std::string out = folder + "/log/jobmanager.out";
  env.files.remove(out);
  started.push_back(
      startInBackground(*processes, "the JobManager", out, argumentsOf("jobmanager", configuration)));
  for (uint64_t i = 1; i <= count; ++i) {
    const std::string id = "tm-" + std::to_string(i);
    const std::string own = folder + "/taskmanagers/" + id;
    env.files.makeFolders(own + "/log");
    // One that has outlived its JobManager comes back by itself.
    if (env.files.stat(own + "/lock") && lockFile(own + "/lock") == nullptr) continue;
    env.files.remove(own + "/log/taskmanager.out");
    Configuration its = configuration;
    its.set(std::string(kTaskManagerId.key), id, name);
    its.set(std::string(kTaskManagerWorkingDir.key), own, name);
    started.push_back(startInBackground(*processes, "TaskManager " + id, own + "/log/taskmanager.out",
                                        argumentsOf("taskmanager", its)));
  }
  const int64_t until = deadlineAfter(env.clock, kForStart);
  for (;;) {
    std::string problem;
    for (const Background& one : started) {
      const std::optional<ProcessEnd> end = one.process->wait(Duration());
      if (end && problem.empty())
        problem = one.what + " " + toString(*end) + lastWords(env.files, one.file, *end);
    }
    if (problem.empty() && taskManagersOf(cluster).value_or(-1) >= static_cast<int>(count)) break;
    if (problem.empty() && env.clock.monotonicNanos() > until)
      problem = "the cluster does not serve after " + toString(kForStart) + ": look at the logs in " + folder;
    if (!problem.empty()) {
      for (const Background& one : started) one.process->terminate();
      throw Error(ErrorKind::kUser, problem);
    }
    waitALittle(env);
  }
  print("REST and the web page: " + cluster.url() + "\nTaskManagers:          " + std::to_string(count) +
        "\nFolder:                " + folder + "\n");
  return kDone;
}

int printStopHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]...\n\n"
        "Ends the JobManager and all TaskManagers of the cluster at rest.address and rest.port. Jobs that "
        "run\n"
        "are not cancelled: a JobManager that is started with the same folder takes them up again.\n\n" +
        optionLines({}) + "\n  " + name + "\n  " + name + " -D rest.port=8082\n");
  return kDone;
}

int runStop(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments({}, words);
  if (given.has("--help")) return printStopHelp(name);
  const Configuration configuration = configurationOf(env, given);
  const ClusterClient cluster = clientOf(env, configuration);
  if (!taskManagersOf(cluster)) throw Refused("no cluster answers at " + cluster.url());
  cluster.shutdown();
  const std::string lock = jobManagerFolder(configuration) + "/lock";
  const bool isHere = env.files.stat(lock).has_value();
  const int64_t until = deadlineAfter(env.clock, kForStop);
  while (taskManagersOf(cluster) || (isHere && lockFile(lock) == nullptr)) {
    if (env.clock.monotonicNanos() > until)
      throw Error(ErrorKind::kTransient,
                  "the cluster at " + cluster.url() + " still runs after " + toString(kForStop));
    waitALittle(env);
  }
  print("the cluster at " + cluster.url() + " has ended\n");
  return kDone;
}

int runCluster(const Env& env, const std::string& name, std::span<const std::string> words) {
  return runOneOf(clusterCommand().commands, env, name, words);
}

}  // namespace

Command clusterCommand() {
  static const Command kCommands[] = {
      {.name = "start",
       .summary = "start a JobManager and TaskManagers on this machine",
       .run = runStart,
       .options = kStartOptions},
      {.name = "stop", .summary = "end a cluster", .run = runStop},
  };
  return {.name = "cluster",
          .summary = "start and stop a cluster on this machine",
          .run = runCluster,
          .commands = kCommands};
}

}  // namespace flott::app
