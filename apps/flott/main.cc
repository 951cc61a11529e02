// The `flott` command: finds the command that was named, and says what went wrong.
#include <csignal>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/real_env.h"

using namespace flott;
using namespace flott::app;

namespace {

void tell(const Env& env, const Error& error) {
  try {
    env.console.err(std::string("flott: ") + error.what() + "\n");
  } catch (const Error&) {  // nobody listens
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), which print() knows
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  installCrashReport(words.empty() ? "flott" : "flott " + words.front());
  const auto real = makeRealEnv({.log = {.level = LogLevel::kWarn}});
  try {
    return runOneOf(allCommands(), real->env(), "flott", words);
  } catch (const BrokenPipe&) {
    return kBrokenPipe;
  } catch (const Refused& refused) {
    tell(real->env(), refused);
    return kRefused;
  } catch (...) {
    tell(real->env(), currentError());
    return kError;
  }
}
