#include "flott/cluster/program_plan.h"

#include <optional>

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr Duration kForAnswer = Duration::seconds(60);
constexpr Duration kForEnd = Duration::seconds(10);
constexpr size_t kMostBytes = size_t{64} << 20;

}  // namespace

ProgramPlan planOf(Processes& processes, const ProgramCall& call) {
  ProcessSpec spec{.program = call.program, .arguments = call.arguments};
  spec.environment = call.environment;
  spec.output = ProcessSpec::Output::kToStandardError;
  spec.role = ProgramRole{.options = call.options}.encode();
  const std::unique_ptr<ChildProcess> child = processes.start(spec);
  const std::string answer = child->answer(kMostBytes, kForAnswer);
  const std::optional<ProcessEnd> end = child->wait(kForEnd);  // what it has printed is there then
  if (answer.empty()) failWithoutJob(call.program, end);
  try {
    return ProgramPlan::decode(answer);
  } catch (Error& error) {
    throw std::move(error).at("the answer of program '" + call.program + "'");
  }
}

void failWithoutJob(const std::string& program, const std::optional<ProcessEnd>& end) {
  const std::string name = "program '" + program + "'";
  if (end && !end->succeeded()) {
    throw Error(ErrorKind::kUser,
                name + " " + toString(*end) + " before it started a job: what it wrote is above");
  }
  throw Error(ErrorKind::kUser,
              name +
                  " ended without starting a job: a program for Flott builds one and calls execute() of its "
                  "StreamExecutionEnvironment");
}

ProgramPlan steadyPlanOf(Processes& processes, const ProgramCall& call) {
  ProgramPlan plan = planOf(processes, call);
  const ProgramPlan again = planOf(processes, call);
  if (const std::optional<std::string> difference = again.digest.differenceTo(plan.digest)) {
    throw Error(ErrorKind::kUser,
                "the job of program '" + call.program + "' is not the same in two runs: the second " +
                    *difference +
                    ". What it is built from must not be time, chance or anything else that "
                    "changes: give it as an argument");
  }
  return plan;
}

}  // namespace flott
