// The `flott` command: finds the command that was named, and says what went wrong.
#include <csignal>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/env/posix/real_env.h"

using namespace flott;
using namespace flott::app;

namespace {

constexpr Command kCommands[] = {
    {"info", "show the plan of a program's job", runInfo},
    {"run", "run a program's job in a master and workers of its own, on this machine", runRun},
    {"state", "look at checkpoints and savepoints: list, print and compare what is in them", runState},
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), which print() knows
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto real = makeRealEnv({.log = {.level = LogLevel::kWarn}});
  try {
    return runOneOf(kCommands, real->env(), "flott", words);
  } catch (const BrokenPipe&) {
    return kBrokenPipe;
  } catch (...) {
    try {
      real->env().console.err(std::string("flott: ") + currentError().what() + "\n");
    } catch (const Error&) {  // nobody listens
    }
    return kError;
  }
}
