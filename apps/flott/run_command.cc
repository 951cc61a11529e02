// `flott run`: a program's job in a cluster, or in processes of its own on this machine.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/cluster/local_run.h"
#include "flott/cluster/manager/cluster_client.h"
#include "flott/env/posix/processes.h"
#include "rest_calls.h"

namespace flott::app {
namespace {

constexpr OptionHelp kRunOptions[] = {
    {"--parallelism", "N", "of operators that are given none by the program", "-p"},
    {"--detached", "", "do not wait for the end of the job", "-d"},
    kJobManagerOption,
    {"--local", "", "without a cluster: in processes of its own, on this machine"},
    {"--workers", "N", "of these, how many do the work (default 1)"},
    {"--slots", "N", "of each of them, and threads (default: so that all together have the N of -p)"},
    {"--json", "", "what has become of the job, as JSON"},
    {"--from-savepoint", "PATH", "begin with this savepoint or checkpoint", "-s"},
    {"--allow-non-restored-state", "", "leave out state that no operator asks for", "-n"},
};

int printRunHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]... PROGRAM [ARGUMENT]...\n\n"
        "Sends a program to a cluster, with the libraries that it needs and Debian has not, and runs its "
        "first\n"
        "job there. Its main() runs in the job's master; what that writes comes here. Ctrl-C cancels the "
        "job.\n"
        "With --local there is no cluster, but a master and workers that end with the job.\n\n" +
        optionLines(kRunOptions) + "\n  " + name + " -d -p 4 ./sums --input /data/numbers\n  " + name +
        " -D execution.checkpointing.interval=10s -s /savepoints/7 ./orders\n  " + name +
        " --local --workers 2 ./sums --input numbers\n");
  return kDone;
}

int numberOf(const Arguments& given, std::string_view option, int otherwise) {
  const std::optional<uint64_t> number = given.findNumber(option);
  if (!number) return otherwise;
  if (*number < 1 || *number > 1024)
    throw Error(ErrorKind::kUser, std::string(option) + " is from 1 to 1024, not " + std::to_string(*number));
  return static_cast<int>(*number);
}

/// Follows a job of a cluster to its end.
class Following {
 public:
  Following(const Env& env, const ClusterClient& cluster, std::string job)
      : env_(env), cluster_(cluster), job_(std::move(job)) {}

  JobEnd toTheEnd() {
    const auto watch = env_.signals.watch([this](int) { interrupted_.store(true); });
    const std::unique_ptr<Parker> parker = env_.threads.makeParker();
    for (;;) {
      if (interrupted_.exchange(false)) cancel();
      bool news = false;
      try {
        const std::optional<JobEnd> end = cluster_.ended(job_);
        news = printNews();
        if (end) return *end;
        awaySince_ = 0;
      } catch (const Error& error) {
        waitFor(error);
      }
      pauseMillis_ = news ? kShortest : std::min(kLongest, pauseMillis_ * 2);
      parker->park(deadlineAfter(env_.clock, Duration(pauseMillis_)));
    }
  }

 private:
  static constexpr int64_t kShortest = 5;
  static constexpr int64_t kLongest = 200;
  static constexpr Duration kPatience = Duration::seconds(60);

  void cancel() {
    env_.console.err("the job is being cancelled; once more leaves it alone\n");
    cluster_.cancel(job_);
  }
  /// Another JobManager may take up the jobs of one that does not answer.
  void waitFor(const Error& problem) {
    const int64_t now = env_.clock.monotonicNanos();
    if (problem.kind() != ErrorKind::kTransient) throw Error(problem);
    if (awaySince_ == 0) {
      awaySince_ = now;
      env_.console.err(std::string("waiting for the cluster: ") + problem.what() + "\n");
    }
    if (now - awaySince_ > kPatience.ms * 1'000'000) throw Error(problem);
  }
  bool printNews() {
    bool news = false;
    for (;;) {
      const std::string text = cluster_.output(job_, printed_);
      if (text.empty()) return news;
      print(text);
      printed_ += text.size();
      news = true;
    }
  }

  const Env& env_;
  const ClusterClient& cluster_;
  const std::string job_;
  std::atomic<bool> interrupted_{false};
  uint64_t printed_ = 0;
  int64_t pauseMillis_ = kShortest;
  int64_t awaySince_ = 0;
};

int runInCluster(const Env& env, const Arguments& given, const Configuration& configuration,
                 const ProgramCall& call) {
  const ClusterAddress place = clusterAddress(configuration, given.find("--jobmanager"));
  const ClusterClient cluster(env, place.host, place.port);
  const std::vector<LocalFile> files = filesOfProgram(env, *makeProcesses(env.clock), call.program);
  std::atomic<bool> interrupted{false};
  std::string job;
  try {
    // Until the job has an id there is nothing to cancel: it is then.
    const auto watch = env.signals.watch([&](int) {
      env.console.err("the job is cancelled as soon as it is there; once more leaves it alone\n");
      interrupted.store(true);
    });
    job = cluster.run(cluster.upload(files), {.arguments = call.arguments, .options = call.options});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw Refused(error.what());
    throw Error(ErrorKind::kTransient,
                std::string(error.what()) +
                    ". Is there a cluster? `flott cluster start` starts one on this machine, -m names "
                    "another, and --local runs the job without one");
  }
  if (interrupted.load()) cluster.cancel(job);
  if (given.has("--detached")) {
    print(given.has("--json") ? "{\"jobid\":\"" + job + "\"}\n"
                              : "Job has been submitted with JobID " + job + "\n");
    return kDone;
  }
  const JobEnd end = Following(env, cluster, job).toTheEnd();
  if (given.has("--json")) print("{\"jobid\":\"" + job + "\",\"status\":\"" + end.status + "\"}\n");
  if (end.status == "FINISHED") return kDone;
  throw Refused("job " + job + (end.status == "CANCELED" ? " was cancelled" : " has failed: " + end.failure));
}

int runHere(const Env& env, const Arguments& given, const Configuration& configuration, ProgramCall call) {
  for (const char* option : {"--detached", "--jobmanager", "--json"}) {
    if (given.has(option))
      throw Error(ErrorKind::kUser,
                  std::string(option) + " has no meaning with --local, where there is no cluster");
  }
  LocalRun run{.call = std::move(call)};
  run.workers = numberOf(given, "--workers", 1);
  const auto parallelism = static_cast<int>(configuration.get(kDefaultParallelism));
  run.slots = numberOf(given, "--slots", (parallelism + run.workers - 1) / run.workers);
  return runLocally(env, *makeProcesses(env.clock), run);
}

int runRun(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kRunOptions, words, Behind::kProgram);
  if (given.has("--help")) return printRunHelp(name);
  if (given.positional.empty())
    throw Error(ErrorKind::kUser, name + " takes a PROGRAM: see " + name + " --help");
  ProgramCall call{.program = given.positional.front(),
                   .arguments = {given.positional.begin() + 1, given.positional.end()}};
  Configuration configuration = configurationOf(env, given);
  if (const auto parallelism = given.find("--parallelism"))
    configuration.set("parallelism.default", *parallelism, "--parallelism");
  if (const auto path = given.find("--from-savepoint"))
    configuration.set("execution.state-recovery.path", *path, "--from-savepoint");
  if (given.has("--allow-non-restored-state"))
    configuration.set("execution.state-recovery.ignore-unclaimed-state", "true",
                      "--allow-non-restored-state");
  standardOptions().check(configuration);
  for (const auto& [key, entry] : configuration.entries()) call.options[key] = entry.value;
  if (given.has("--local")) return runHere(env, given, configuration, std::move(call));
  for (const char* option : {"--workers", "--slots"}) {
    if (given.has(option))
      throw Error(ErrorKind::kUser,
                  std::string(option) + " goes with --local: in a cluster TaskManagers decide");
  }
  return runInCluster(env, given, configuration, call);
}

}  // namespace

Command runCommand() {
  return {.name = "run",
          .summary = "run a program's job in a cluster, or in processes of its own",
          .run = runRun,
          .options = kRunOptions,
          .operand = Operand::kProgram};
}

}  // namespace flott::app
