// What stands behind a command's name on the command line, taken apart.
//
// A command says which options it has; an argument that it does not know is an Error(kUser) that names the
// nearest. Plain values.
//
//   const Arguments given = parseArguments({{"--json", "", "as JSON"}, {"--limit", "N", "…"}}, words);
//   if (given.has("--json")) …
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"

namespace flott::app {

struct OptionHelp {
  std::string_view name;   // "--limit"
  std::string_view value;  // "N"; empty: it takes none
  std::string_view help;
  std::string_view letter = {};  // "-n", or a longer name with one '-', as Flink's "-type"
};

struct Arguments {
  std::vector<std::string> positional;
  std::map<std::string, std::string, std::less<>> options;
  Configuration configuration;  // of -D key=value

  bool has(std::string_view option) const { return options.contains(option); }
  std::optional<std::string> find(std::string_view option) const;
  /// Throws Error(kUser) unless it is a whole number.
  std::optional<uint64_t> findNumber(std::string_view option) const;
};

/// What may come behind the first word that is no option.
enum class Behind : uint8_t {
  kOptions,
  kProgram  // what belongs to the program that this word names: none of it is looked at
};

/// `-D key=value` and `--config FILE` are known everywhere; values follow their option, or its '='. A long
/// name may be spelled as Flink does, --fromSavepoint for --from-savepoint.
Arguments parseArguments(std::span<const OptionHelp> known, std::span<const std::string> words,
                         Behind behind = Behind::kOptions);
/// What --config, -D and --help say.
std::span<const OptionHelp> commonOptions();
/// Lines for a help text.
std::string optionLines(std::span<const OptionHelp> options);

}  // namespace flott::app
