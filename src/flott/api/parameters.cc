#include "flott/api/parameters.h"

#include <cctype>
#include <mutex>
#include <set>

#include "flott/api/config_file.h"
#include "flott/base/error.h"
#include "flott/base/nearest.h"
#include "flott/base/options.h"

namespace flott {
namespace {

bool isNumber(std::string_view text) {
  try {
    OptionValue<double>::parse(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool isKey(std::string_view text) { return text.size() > 1 && text[0] == '-' && !isNumber(text); }

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

// The logical lines of a properties file: comments gone, continued lines joined, escapes still in.
std::vector<std::string> logicalLines(std::string_view text) {
  std::vector<std::string> lines;
  bool continued = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && isBlank(line.front())) line.remove_prefix(1);
    if (!continued && (line.empty() || line[0] == '#' || line[0] == '!')) continue;
    size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    if (!continued) lines.emplace_back();
    continued = slashes % 2 == 1;
    lines.back() += line.substr(0, line.size() - (continued ? 1 : 0));
  }
  return lines;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  return out;
}

// Where the key ends: at the first '=', ':' or blank that is not escaped.
size_t keyEnd(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && line[at] != '=' && line[at] != ':' && !isBlank(line[at]))
    at += line[at] == '\\' ? 2 : 1;
  return std::min(at, line.size());
}

// "key=value" behind -D.
void setFromDefinition(Configuration& configuration, std::string_view definition) {
  const size_t equals = definition.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(ErrorKind::kUser,
                "argument '-D " + std::string(definition) + "' sets nothing: write -D key=value");
  }
  configuration.set(std::string(definition.substr(0, equals)), std::string(definition.substr(equals + 1)),
                    "-D");
}

}  // namespace

/// The keys that were asked for.
class Parameters::Asked {
 public:
  void add(std::string_view key) {
    const std::lock_guard lock(mutex_);
    if (!keys_.contains(key)) keys_.emplace(key);
  }
  std::set<std::string, std::less<>> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> keys_;
};

Parameters::Parameters() : asked_{std::make_shared<Asked>()} {}

void Parameters::ask(std::string_view key) const {
  for (const auto& asked : asked_) asked->add(key);
}

bool Parameters::has(std::string_view key) const {
  ask(key);
  return values_.contains(key);
}

StringMap Parameters::toMap() const {
  for (const auto& [key, value] : values_) ask(key);
  return {values_.begin(), values_.end()};
}

std::vector<Parameters::Unread> Parameters::unread() const {
  const std::set<std::string, std::less<>> asked = asked_.front()->keys();
  std::vector<std::string_view> missing;
  for (const std::string& key : asked) {
    if (!values_.contains(key)) missing.push_back(key);
  }
  std::vector<Unread> unread;
  for (const auto& [key, value] : values_) {
    if (!asked.contains(key)) unread.push_back({key, std::string(nearestOf(key, missing))});
  }
  return unread;
}

Parameters Parameters::fromArgs(std::span<const std::string> arguments) {
  Parameters parameters;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!isKey(argument)) {
      throw Error(ErrorKind::kUser, "argument '" + argument + "' belongs to no key: write --key " + argument);
    }
    std::string_view key = argument;
    key.remove_prefix(key.starts_with("--") ? 2 : 1);
    const size_t equals = key.find('=');
    if (key.empty() || equals == 0)
      throw Error(ErrorKind::kUser, "argument '" + argument + "' has no key: write --key value");
    if (equals != std::string_view::npos) {
      parameters.values_[std::string(key.substr(0, equals))] = key.substr(equals + 1);
    } else {
      const bool hasValue = i + 1 < arguments.size() && !isKey(arguments[i + 1]);
      parameters.values_[std::string(key)] = hasValue ? arguments[++i] : "";
    }
  }
  return parameters;
}

Parameters Parameters::fromPropertiesFile(Files& files, const std::string& path) {
  Parameters parameters;
  for (const std::string& line : logicalLines(readWholeFile(files, path))) {
    const size_t end = keyEnd(line);
    std::string_view value = std::string_view(line).substr(end);
    const auto skipBlanks = [&] {
      while (!value.empty() && isBlank(value.front())) value.remove_prefix(1);
    };
    skipBlanks();
    if (value.starts_with('=') || value.starts_with(':')) value.remove_prefix(1);
    skipBlanks();
    parameters.values_[unescaped(std::string_view(line).substr(0, end))] = unescaped(value);
  }
  return parameters;
}

Parameters Parameters::fromEnvironment(const System& system, std::string_view prefix,
                                       std::span<const std::string> keys) {
  Parameters parameters;
  for (const std::string& key : keys) {
    std::string name = std::string(prefix) + "_" + key;
    for (char& c : name) {
      const auto byte = static_cast<unsigned char>(c);
      c = std::isalnum(byte) ? static_cast<char>(std::toupper(byte)) : '_';
    }
    if (std::optional<std::string> value = system.environment(name))
      parameters.values_[key] = *std::move(value);
  }
  return parameters;
}

const std::string& Parameters::get(std::string_view key) const {
  ask(key);
  const auto found = values_.find(key);
  if (found != values_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [name, value] : values_) known.push_back(name);
  const std::string_view nearest = nearestOf(key, known);
  throw Error(ErrorKind::kUser,
              "parameter '" + std::string(key) + "' is missing: give --" + std::string(key) + " VALUE" +
                  (nearest.empty() ? "" : " (there is '" + std::string(nearest) + "': is that a slip?)"));
}

template <typename T>
T Parameters::read(std::string_view key) const {
  const std::string& text = get(key);
  try {
    return OptionValue<T>::parse(text);
  } catch (const Error& error) {
    throw Error(ErrorKind::kUser, "parameter '" + std::string(key) + "': " + error.what());
  }
}

std::string Parameters::get(std::string_view key, std::string_view otherwise) const {
  return has(key) ? get(key) : std::string(otherwise);
}
int64_t Parameters::getInt(std::string_view key) const { return read<int64_t>(key); }
int64_t Parameters::getInt(std::string_view key, int64_t otherwise) const {
  return has(key) ? getInt(key) : otherwise;
}
double Parameters::getDouble(std::string_view key) const { return read<double>(key); }
double Parameters::getDouble(std::string_view key, double otherwise) const {
  return has(key) ? getDouble(key) : otherwise;
}
bool Parameters::getBool(std::string_view key) const { return get(key).empty() || read<bool>(key); }
bool Parameters::getBool(std::string_view key, bool otherwise) const {
  return has(key) ? getBool(key) : otherwise;
}
Duration Parameters::getDuration(std::string_view key) const { return read<Duration>(key); }
Duration Parameters::getDuration(std::string_view key, Duration otherwise) const {
  return has(key) ? getDuration(key) : otherwise;
}

Parameters Parameters::mergedWith(const Parameters& stronger) const {
  Parameters merged = stronger;
  merged.asked_.insert(merged.asked_.end(), asked_.begin(), asked_.end());
  merged.values_.insert(values_.begin(), values_.end());
  return merged;
}

namespace {

// Of an option that has a name of its own on the command line; nothing when the argument is not one.
std::optional<std::string_view> optionBehind(std::string_view argument) {
  if (argument == "-s" || argument == "--from-savepoint") return kRecoveryPath.key;
  if (argument == "--claim-mode") return kClaimMode.key;
  return std::nullopt;
}

}  // namespace

ProgramArguments parseProgramArguments(int argc, const char* const* argv, Files& files) {
  ProgramArguments result;
  Configuration definitions;
  std::vector<std::string> rest;
  const auto valueOf = [&](int& i, const char* what) -> std::string {
    if (i + 1 < argc) return argv[++i];
    throw Error(ErrorKind::kUser, std::string("argument '") + argv[i] + "' is the last one: write " + what);
  };
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "-D") {
      setFromDefinition(definitions, valueOf(i, "-D key=value"));
    } else if (argument.starts_with("-D") && argument.find('=') != std::string::npos) {
      setFromDefinition(definitions, std::string_view(argument).substr(2));
    } else if (argument == "--config") {
      result.configuration.merge(loadConfigFile(files, valueOf(i, "--config FILE")));
    } else if (argument.starts_with("--config=")) {
      result.configuration.merge(loadConfigFile(files, argument.substr(9)));
    } else if (const auto option = optionBehind(std::string_view(argument).substr(0, argument.find('=')))) {
      const size_t value = argument.find('=');
      definitions.set(
          std::string(*option),
          value == std::string::npos ? valueOf(i, (argument + " VALUE").c_str()) : argument.substr(value + 1),
          argument.substr(0, value));
    } else if (argument == "--allow-non-restored-state" ||
               (argument == "-n" && (i + 1 == argc || isKey(argv[i + 1])))) {
      // -n with a value is the program's own.
      definitions.set(std::string(kIgnoreUnclaimedState.key), "true", argument);
    } else {
      rest.push_back(argument);
    }
  }
  result.configuration.merge(definitions);
  result.parameters = Parameters::fromArgs(rest);
  return result;
}

}  // namespace flott
