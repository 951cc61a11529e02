// Where the configuration of the `flott` command comes from, weakest first: a file, environment variables,
// `-D`.
//
// The file is the one that is named, or config.yaml in the folder of FLOTT_CONF_DIR, or conf/config.yaml
// where the command is called, if it is there. A variable is FLOTT_OPTION_ and the key in capitals, with '_'
// for what is no letter or digit: FLOTT_OPTION_REST_PORT is rest.port. Each entry remembers where it came
// from. One thread; blocks on files.
//
//   Configuration configuration = gatherConfiguration(env, standardOptions(), {.given =
//   arguments.configuration});
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "flott/base/config.h"
#include "flott/env/env.h"

namespace flott {

struct ConfigSources {
  /// In place of config.yaml.
  std::optional<std::string> file = {};
  /// The strongest: those of -D.
  Configuration given = {};
};

/// All of them together, checked. Throws Error(kUser) that says where for a file that cannot be read, an
/// unknown key or variable, and a value that does not fit.
Configuration gatherConfiguration(const Env& env, const OptionRegistry& known, const ConfigSources& sources);

/// "FLOTT_OPTION_REST_PORT".
std::string environmentNameOf(std::string_view key);

/// Of "NAME=value" texts, those that begin with FLOTT_OPTION_. Throws Error(kUser) for one that is no
/// option's, naming the nearest.
Configuration configurationFromEnvironment(std::span<const std::string> variables,
                                           const OptionRegistry& known);

}  // namespace flott
