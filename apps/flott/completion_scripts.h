// What a shell needs to complete the words of a command line, made from the commands themselves.
//
// Pure functions; any thread. The scripts call `flott list --quiet` for the ids of jobs, nothing else.
//
//   print(bashCompletion(allCommands(), keys));
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "command.h"

namespace flott::app {

// `keys` are those of the configuration.
std::string bashCompletion(std::span<const Command> commands, std::span<const std::string_view> keys);
std::string zshCompletion(std::span<const Command> commands, std::span<const std::string_view> keys);
std::string fishCompletion(std::span<const Command> commands, std::span<const std::string_view> keys);

}  // namespace flott::app
