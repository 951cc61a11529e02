// A command of the `flott` program: `flott state` has commands of its own, `flott state cat` does something.
//
// A command is a constant in a table: the program's own in main.cc, those of a group in the group's file. To
// add one, write its function and add a line there.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "arguments.h"
#include "flott/env/env.h"

namespace flott::app {

/// Exit codes. Those of `diff` are kSame, kDiffers and kError, as everywhere.
enum ExitCode : int { kDone = 0, kSame = 0, kDiffers = 1, kError = 2, kBrokenPipe = 141 };

struct Command {
  std::string_view name;     // "cat"
  std::string_view summary;  // a line for the list of commands
  /// `name` is how it was called, "flott state cat"; `words` is what follows. Returns the exit code.
  int (*run)(const Env& env, const std::string& name, std::span<const std::string> words);
};

/// Runs the one that the first word names, or prints what there is.
int runOneOf(std::span<const Command> commands, const Env& env, const std::string& name,
             std::span<const std::string> words);

/// Standard output is closed: whoever read it has seen enough.
struct BrokenPipe {};
/// Throws BrokenPipe.
void print(std::string_view text);

/// The configuration of --config and -D. Throws Error(kUser) for what is not an option.
Configuration configurationOf(const Env& env, const Arguments& given);

int runRun(const Env& env, const std::string& name, std::span<const std::string> words);
int runInfo(const Env& env, const std::string& name, std::span<const std::string> words);
int runState(const Env& env, const std::string& name, std::span<const std::string> words);

}  // namespace flott::app
