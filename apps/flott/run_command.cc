// `flott run`: the processes of a job on this machine, started and kept.
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/cluster/local_run.h"
#include "flott/env/posix/processes.h"

namespace flott::app {
namespace {

constexpr OptionHelp kRunOptions[] = {
    {"--parallelism", "N", "of operators that are given none by the program", "-p"},
    {"--workers", "N", "processes that do the work (default 1)"},
    {"--slots", "N", "of each of them, and threads (default: so that all together have the N of -p)"},
    {"--from-savepoint", "PATH", "begin with this savepoint or checkpoint", "-s"},
    {"--allow-non-restored-state", "", "leave out state that no operator asks for", "-n"},
};

int printRunHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]... PROGRAM [ARGUMENT]...\n\n"
        "Runs the first job that a program starts in processes of its own: one that is its master, in which\n"
        "main() goes on when the job has ended, and workers. A worker that crashes is replaced, and the job "
        "goes\n"
        "on as its restart strategy says. Ctrl-C cancels the job; once more ends it at once.\n\n" +
        optionLines(kRunOptions) + "\n  " + name + " --workers 2 -p 4 ./sums --input numbers\n  " + name +
        " -D execution.checkpointing.interval=10s -s /savepoints/7 ./orders\n");
  return kDone;
}

int numberOf(const Arguments& given, std::string_view option, int otherwise) {
  const std::optional<uint64_t> number = given.findNumber(option);
  if (!number) return otherwise;
  if (*number < 1 || *number > 1024)
    throw Error(ErrorKind::kUser, std::string(option) + " is from 1 to 1024, not " + std::to_string(*number));
  return static_cast<int>(*number);
}

int runRun(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kRunOptions, words, Behind::kProgram);
  if (given.has("--help")) return printRunHelp(name);
  if (given.positional.empty())
    throw Error(ErrorKind::kUser, name + " takes a PROGRAM: see " + name + " --help");
  LocalRun run{.call = {.program = given.positional.front(),
                        .arguments = {given.positional.begin() + 1, given.positional.end()}}};
  Configuration configuration = configurationOf(env, given);
  if (const auto parallelism = given.find("--parallelism"))
    configuration.set("parallelism.default", *parallelism, "--parallelism");
  if (const auto path = given.find("--from-savepoint"))
    configuration.set("execution.state-recovery.path", *path, "--from-savepoint");
  if (given.has("--allow-non-restored-state"))
    configuration.set("execution.state-recovery.ignore-unclaimed-state", "true",
                      "--allow-non-restored-state");
  standardOptions().check(configuration);
  for (const auto& [key, entry] : configuration.entries()) run.call.options[key] = entry.value;
  run.workers = numberOf(given, "--workers", 1);
  const auto parallelism = static_cast<int>(configuration.get(kDefaultParallelism));
  run.slots = numberOf(given, "--slots", (parallelism + run.workers - 1) / run.workers);
  return runLocally(env, *makeProcesses(env.clock), run);
}

}  // namespace

Command runCommand() {
  return {.name = "run",
          .summary = "run a program's job in a master and workers of its own, on this machine",
          .run = runRun,
          .options = kRunOptions,
          .operand = Operand::kProgram};
}

}  // namespace flott::app
