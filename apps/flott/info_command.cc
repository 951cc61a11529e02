// `flott info`: what the job of a program looks like.
#include <string>

#include "command.h"
#include "flott/cluster/program_plan.h"
#include "flott/env/posix/processes.h"

namespace flott::app {
namespace {

constexpr OptionHelp kInfoOptions[] = {
    {"--parallelism", "N", "of operators that are given none by the program", "-p"},
    {"--json", "", "the plan as JSON, in Flink's form"},
};

int printInfoHelp(const std::string& name) {
  print(
      "Usage: " + name +
      " [OPTION]... PROGRAM [ARGUMENT]...\n\n"
      "Shows the plan of the first job that a program starts, without running it. The program itself is "
      "run,\n"
      "twice, with its arguments; what it prints goes to standard error. A job that is not the same in both\n"
      "runs is refused.\n\n" +
      optionLines(kInfoOptions) + "\n  " + name + " ./wordcount --input texts\n  " + name +
      " -p 4 --json ./wordcount | jq '.nodes[].type'\n");
  return kDone;
}

int runInfo(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kInfoOptions, words, Behind::kProgram);
  if (given.has("--help")) return printInfoHelp(name);
  if (given.positional.empty())
    throw Error(ErrorKind::kUser, name + " takes a PROGRAM: see " + name + " --help");
  ProgramCall call{.program = given.positional.front(),
                   .arguments = {given.positional.begin() + 1, given.positional.end()}};
  Configuration configuration = configurationOf(env, given);
  if (const auto parallelism = given.find("--parallelism"))
    configuration.set("parallelism.default", *parallelism, "--parallelism");
  for (const auto& [key, entry] : configuration.entries()) call.options[key] = entry.value;
  const ProgramPlan plan = steadyPlanOf(*makeProcesses(env.clock), call);
  print(given.has("--json") ? plan.json + "\n" : plan.tree);
  return kDone;
}

}  // namespace

Command infoCommand() {
  return {.name = "info",
          .summary = "show the plan of a program's job",
          .run = runInfo,
          .options = kInfoOptions,
          .operand = Operand::kProgram};
}

}  // namespace flott::app
