// A command of the `flott` program: `flott state` has commands of its own, `flott state cat` does something.
//
// commands.cc lists those of the program, a group's file those of the group. To add one, write a file with
// the function that returns it, and add a line there. Help, messages and the completion of shells are made
// from what a command says of its options and operand.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "arguments.h"
#include "flott/base/error.h"
#include "flott/env/env.h"

namespace flott::app {

/// Exit codes. Those of `diff` are kSame, kDiffers and kError, as everywhere. kRefused: the cluster, or the
/// job, has said no; kError: it was not understood, or nobody has answered.
enum ExitCode : int { kDone = 0, kSame = 0, kDiffers = 1, kRefused = 1, kError = 2, kBrokenPipe = 141 };

/// What a command takes besides options; for the completion of a shell.
enum class Operand : uint8_t {
  kNothing,
  kJob,      // of a running cluster
  kPath,     // of a checkpoint or savepoint
  kProgram,  // and whatever belongs to it
  kOption,   // a key of the configuration
  kShell     // bash, zsh or fish
};

struct Command {
  std::string_view name;     // "cat"
  std::string_view summary;  // a line for the list of commands
  /// `name` is how it was called, "flott state cat"; `words` is what follows. Returns the exit code.
  int (*run)(const Env& env, const std::string& name, std::span<const std::string> words);
  /// Its own, without those of all commands. Empty for a group.
  std::span<const OptionHelp> options = {};
  Operand operand = Operand::kNothing;
  /// Of a group.
  std::span<const Command> commands = {};
};

/// Runs the one that the first word names, or prints what there is.
int runOneOf(std::span<const Command> commands, const Env& env, const std::string& name,
             std::span<const std::string> words);

/// The cluster has understood what was asked, and said no.
class Refused : public Error {
 public:
  explicit Refused(std::string message) : Error(ErrorKind::kUser, std::move(message)) {}
};

/// Standard output is closed: whoever read it has seen enough.
struct BrokenPipe {};
/// Throws BrokenPipe.
void print(std::string_view text);

/// The configuration of all sources, as flott/api/config_sources.h says. Throws Error(kUser) for what is not
/// an option.
Configuration configurationOf(const Env& env, const Arguments& given);

/// The commands of the program, in the order of its help.
std::span<const Command> allCommands();

Command cancelCommand();
Command checkpointCommand();
Command clusterCommand();
Command completionCommand();
Command configCommand();
Command infoCommand();
Command jobManagerCommand();
Command listCommand();
Command logsCommand();
Command runCommand();
Command savepointCommand();
Command stateCommand();
Command stopCommand();
Command taskManagerCommand();

}  // namespace flott::app
