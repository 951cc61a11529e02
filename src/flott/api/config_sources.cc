#include "flott/api/config_sources.h"

#include <algorithm>
#include <map>
#include <vector>

#include "flott/api/config_file.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"

namespace flott {
namespace {

constexpr std::string_view kPrefix = "FLOTT_OPTION_";

// All that this process was started with; nothing where the system does not tell.
std::vector<std::string> environmentOf(Files& files) {
  constexpr const char* kFile = "/proc/self/environ";
  std::vector<std::string> variables;
  if (!files.stat(kFile)) return variables;
  const std::string text = readWholeFile(files, kFile);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\0', begin), text.size());
    variables.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return variables;
}

// The file that is there without being named.
std::optional<std::string> usualFile(const Env& env) {
  if (const auto folder = env.system.environment("FLOTT_CONF_DIR"); folder && !folder->empty()) {
    std::string file = *folder + "/config.yaml";
    if (!env.files.stat(file)) {
      throw Error(ErrorKind::kUser, "FLOTT_CONF_DIR names the folder '" + *folder +
                                        "', which has no config.yaml: make one, or unset the variable");
    }
    return file;
  }
  std::string file = "conf/config.yaml";
  return env.files.stat(file) ? std::optional(std::move(file)) : std::nullopt;
}

}  // namespace

std::string environmentNameOf(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key) {
    if (c >= 'a' && c <= 'z') {
      name += static_cast<char>(c - 'a' + 'A');
    } else {
      name += (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    }
  }
  return name;
}

Configuration configurationFromEnvironment(std::span<const std::string> variables,
                                           const OptionRegistry& known) {
  std::map<std::string, std::string_view> keys;
  for (const auto& [key, option] : known.options()) keys.emplace(environmentNameOf(key), key);
  Configuration configuration;
  for (const std::string& variable : variables) {
    if (!variable.starts_with(kPrefix)) continue;
    const size_t equals = std::min(variable.find('='), variable.size());
    const std::string name = variable.substr(0, equals);
    const auto found = keys.find(name);
    if (found == keys.end()) {
      std::vector<std::string_view> names;
      names.reserve(keys.size());
      for (const auto& [each, key] : keys) names.push_back(each);
      const std::string_view nearest = nearestOf(name, names);
      throw Error(ErrorKind::kUser,
                  "the environment variable " + name + " is no option" +
                      (nearest.empty() ? ": variables that begin with FLOTT_OPTION_ are options, as "
                                         "FLOTT_OPTION_REST_PORT for rest.port"
                                       : ": did you mean '" + std::string(nearest) + "'?"));
    }
    configuration.set(std::string(found->second), variable.substr(std::min(equals + 1, variable.size())),
                      name);
  }
  return configuration;
}

Configuration gatherConfiguration(const Env& env, const OptionRegistry& known, const ConfigSources& sources) {
  Configuration configuration;
  const std::optional<std::string> file = sources.file ? sources.file : usualFile(env);
  if (file) configuration = loadConfigFile(env.files, *file);
  configuration.merge(configurationFromEnvironment(environmentOf(env.files), known));
  configuration.merge(sources.given);
  known.check(configuration);
  return configuration;
}

}  // namespace flott
