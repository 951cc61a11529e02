// The commands of `flott`.
#include "command.h"

namespace flott::app {

std::span<const Command> allCommands() {
  static const Command kAll[] = {
      runCommand(),        infoCommand(),        listCommand(),   cancelCommand(),     stopCommand(),
      savepointCommand(),  checkpointCommand(),  logsCommand(),   stateCommand(),      clusterCommand(),
      jobManagerCommand(), taskManagerCommand(), configCommand(), completionCommand(),
  };
  return kAll;
}

}  // namespace flott::app
