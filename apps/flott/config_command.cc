// `flott config`: which value each option has, and where it comes from.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"
#include "flott/base/secret_keys.h"

namespace flott::app {
namespace {

constexpr OptionHelp kConfigOptions[] = {
    {"--set", "", "only options that a file, a variable or -D has set"},
    {"--json", "", "as JSON, with type, default and meaning, and with options that have no value"},
};

int printConfigHelp(const std::string& name) {
  print("Usage: " + name +
        " [OPTION]... [KEY]...\n\n"
        "Shows the value of each option, or of those whose keys are or begin with KEY, and where it comes "
        "from,\n"
        "as a file that --config reads. Later ones of these are stronger: the default; a file, which is the "
        "one\n"
        "of --config, or config.yaml in the folder FLOTT_CONF_DIR, or conf/config.yaml; environment "
        "variables,\n"
        "FLOTT_OPTION_REST_PORT for rest.port; -D. Secrets are shown as ******.\n\n" +
        optionLines(kConfigOptions) + "\n  " + name + " rest.port -D rest.port=8082\n  " + name +
        " --set --json | jq '.[].key'\n");
  return kDone;
}

/// What is said of one key.
struct Line {
  const OptionSpec* option = nullptr;
  std::string key;  // the option's, or one below it
  std::optional<std::string> value;
  std::string origin;  // "default" when it was not set
  bool set = false;
};

std::vector<Line> linesOf(const OptionRegistry& registry, const Configuration& configuration) {
  std::vector<Line> lines;
  for (const auto& [key, option] : registry.options()) {
    if (configuration.contains(key)) continue;
    std::optional<std::string> value;
    if (option.defaultText) value = *option.defaultText;
    lines.push_back({.option = &option, .key = std::string(key), .value = value, .origin = "default"});
  }
  for (const auto& [key, entry] : configuration.entries()) {
    lines.push_back({.option = registry.find(key),
                     .key = key,
                     .value = entry.value,
                     .origin = entry.origin,
                     .set = true});
  }
  for (Line& line : lines)
    if (line.set && isSecretKey(line.key)) line.value = kHiddenValue;
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.key < b.key; });
  return lines;
}

bool isAtOrBelow(std::string_view key, std::string_view above) {
  return key.starts_with(above) &&
         (key.size() == above.size() || key[above.size()] == '.' || above.ends_with('.'));
}

/// Those that were asked for; all when nothing was.
std::vector<Line> chosenFrom(std::vector<Line> lines, const std::vector<std::string>& asked) {
  if (asked.empty()) return lines;
  std::vector<bool> wanted(lines.size());
  for (const std::string& key : asked) {
    bool any = false;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!isAtOrBelow(lines[i].key, key)) continue;
      any = wanted[i] = true;
    }
    if (any) continue;
    std::vector<std::string_view> known;
    known.reserve(lines.size());
    for (const Line& line : lines) known.push_back(line.key);
    const std::string_view nearest = nearestOf(key, known);
    throw Error(ErrorKind::kUser, "there is no option '" + key + "'" +
                                      (nearest.empty() ? ": flott config lists those there are"
                                                       : ": did you mean '" + std::string(nearest) + "'?"));
  }
  std::vector<Line> chosen;
  for (size_t i = 0; i < lines.size(); ++i)
    if (wanted[i]) chosen.push_back(std::move(lines[i]));
  return chosen;
}

/// As YAML reads it back.
std::string yamlOf(const std::string& value) {
  const auto isPlain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == '.' || c == '/' || c == '_' || c == '-' || c == ';' || c == '=' || c == '+';
  };
  const bool plain = !value.empty() && value != "null" && value != "Null" && value != "NULL" &&
                     value.front() != ' ' && value.back() != ' ' && value.front() != '-' &&
                     value.front() != '=' && std::all_of(value.begin(), value.end(), isPlain);
  // A number may be negative, though a line of a list begins so as well.
  if (plain ||
      (value.size() > 1 && value[0] == '-' && std::all_of(value.begin() + 1, value.end(), [](char c) {
         return (c >= '0' && c <= '9') || c == '.';
       })))
    return value;
  std::string quoted = "\"";
  constexpr const char* kHex = "0123456789abcdef";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += std::string("\\x") + kHex[(c >> 4) & 15] + kHex[c & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string toText(const std::vector<Line>& lines, bool all) {
  std::string text;
  for (const Line& line : lines) {
    if (!line.value && all) continue;
    std::string left = line.value ? line.key + ": " + yamlOf(*line.value) : "# " + line.key + ":";
    left.resize(std::max<size_t>(left.size() + 2, 64), ' ');
    text += left + "# " + (line.value ? line.origin : "not set, and without a default") + "\n";
  }
  return text;
}

const char* nameOf(OptionType type) {
  switch (type) {
    case OptionType::kBool:
      return "bool";
    case OptionType::kInteger:
      return "integer";
    case OptionType::kNumber:
      return "number";
    case OptionType::kString:
      return "text";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kMemory:
      return "size";
    case OptionType::kList:
      return "list";
    case OptionType::kMap:
      return "map";
  }
  return "";
}

std::string toJson(const std::vector<Line>& lines) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const Line& line : lines) {
    const OptionSpec& option = *line.option;
    all.push_back({{"key", line.key},
                   {"value", line.value ? Json(*line.value) : Json()},
                   {"origin", line.value ? Json(line.origin) : Json()},
                   {"set", line.set},
                   {"type", nameOf(option.type)},
                   {"default", option.defaultText ? Json(*option.defaultText) : Json()},
                   {"description", option.description}});
  }
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int runConfig(const Env& env, const std::string& name, std::span<const std::string> words) {
  const Arguments given = parseArguments(kConfigOptions, words);
  if (given.has("--help")) return printConfigHelp(name);
  const OptionRegistry registry = standardOptions();
  const Configuration configuration = configurationOf(env, given);
  std::vector<Line> lines = chosenFrom(linesOf(registry, configuration), given.positional);
  if (given.has("--set"))
    lines.erase(std::remove_if(lines.begin(), lines.end(), [](const Line& line) { return !line.set; }),
                lines.end());
  print(given.has("--json") ? toJson(lines) : toText(lines, given.positional.empty()));
  return kDone;
}

}  // namespace

Command configCommand() {
  return {.name = "config",
          .summary = "show the options in effect, and where each value comes from",
          .run = runConfig,
          .options = kConfigOptions,
          .operand = Operand::kOption};
}

}  // namespace flott::app
