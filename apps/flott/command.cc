#include "command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "flott/api/config_sources.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"

namespace flott::app {

int runOneOf(std::span<const Command> commands, const Env& env, const std::string& name,
             std::span<const std::string> words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::string text = "Usage: " + name + " COMMAND …\n\n";
    for (const Command& command : commands) {
      std::string left = "  " + std::string(command.name);
      left.resize(std::max<size_t>(left.size() + 2, 14), ' ');
      text += left + std::string(command.summary) + "\n";
    }
    text += "\n`" + name + " COMMAND --help` says more.\n";
    if (words.empty()) {
      env.console.err(text);
      return kError;
    }
    print(text);
    return kDone;
  }
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    if (command.name == words[0]) return command.run(env, name + " " + words[0], words.subspan(1));
    names.push_back(command.name);
  }
  const std::string_view nearest = nearestOf(words[0], names);
  throw Error(ErrorKind::kUser, "unknown command '" + name + " " + words[0] + "'" +
                                    (nearest.empty() ? ": `" + name + " --help` lists those there are"
                                                     : ": did you mean '" + std::string(nearest) + "'?"));
}

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      throw BrokenPipe();
    } else if (errno != EINTR) {
      throw Error(ErrorKind::kTransient,
                  "standard output cannot be written: " + std::generic_category().message(errno));
    }
  }
}

Configuration configurationOf(const Env& env, const Arguments& given) {
  return gatherConfiguration(env, standardOptions(),
                             {.file = given.find("--config"), .given = given.configuration});
}

}  // namespace flott::app
