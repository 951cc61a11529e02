// `flott completion`: scripts for shells.
#include <string>
#include <vector>

#include "command.h"
#include "completion_scripts.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"

namespace flott::app {
namespace {

int printCompletionHelp(const std::string& name) {
  print("Usage: " + name +
        " bash|zsh|fish\n\n"
        "Prints a script that completes commands, options, keys of the configuration and ids of running "
        "jobs.\n\n" +
        optionLines({}) + "\n  source <(" + name + " bash)                # in ~/.bashrc\n  " + name +
        " zsh >\"${fpath[1]}/_flott\"        # once, before compinit\n  " + name +
        " fish >~/.config/fish/completions/flott.fish\n");
  return kDone;
}

int runCompletion(const Env& /*env*/, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments({}, words);
  if (given.has("--help")) return printCompletionHelp(name);
  if (given.positional.size() != 1)
    throw Error(ErrorKind::kUser, name + " takes the name of a shell: bash, zsh or fish");
  const OptionRegistry registry = standardOptions();
  std::vector<std::string_view> keys;
  keys.reserve(registry.options().size());
  for (const auto& [key, option] : registry.options()) keys.push_back(key);

  using Script = std::string (*)(std::span<const Command>, std::span<const std::string_view>);
  constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};
  constexpr Script kScripts[] = {bashCompletion, zshCompletion, fishCompletion};
  const std::string& shell = given.positional.front();
  for (size_t i = 0; i < std::size(kShells); ++i) {
    if (shell != kShells[i]) continue;
    print(kScripts[i](allCommands(), keys));
    return kDone;
  }
  const std::string_view nearest = nearestOf(shell, kShells);
  throw Error(ErrorKind::kUser, "there is no completion for the shell '" + shell + "'" +
                                    (nearest.empty() ? ": there are bash, zsh and fish"
                                                     : ": did you mean '" + std::string(nearest) + "'?"));
}

}  // namespace

Command completionCommand() {
  return {.name = "completion",
          .summary = "print the script that completes words for bash, zsh or fish",
          .run = runCompletion,
          .operand = Operand::kShell};
}

}  // namespace flott::app
