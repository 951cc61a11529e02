#include "arguments.h"

#include <algorithm>
#include <charconv>

#include "flott/base/error.h"
#include "flott/base/nearest.h"

namespace flott::app {
namespace {

constexpr OptionHelp kEverywhere[] = {
    {"--config", "FILE", "a file of options, in place of conf/config.yaml"},
    {"-D", "KEY=VALUE", "an option, such as s3.endpoint=http://localhost:9000"},
    {"--help", "", "this text", "-h"},
};

Error failed(const std::string& message) { return Error(ErrorKind::kUser, message); }

void setOption(const std::string& text, Configuration& configuration) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw failed("'-D " + text + "' sets nothing: write -D key=value");
  configuration.set(text.substr(0, equals), text.substr(equals + 1), "-D");
}

/// "--savepointPath", as Flink spells it, is "--savepoint-path".
std::string withoutCapitals(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z' && text.size() > 2) {
      text += '-';
      text += static_cast<char>(c - 'A' + 'a');
    } else {
      text += c;
    }
  }
  return text;
}

const OptionHelp& findOption(std::span<const OptionHelp> known, std::string_view name) {
  const std::string plain = withoutCapitals(name);
  std::vector<std::string_view> names;
  for (const std::span<const OptionHelp> options : {known, std::span<const OptionHelp>(kEverywhere)}) {
    for (const OptionHelp& option : options) {
      if (option.name == plain || (!option.letter.empty() && option.letter == name)) return option;
      names.push_back(option.name);
    }
  }
  const std::string_view nearest = nearestOf(name, names);
  throw failed("unknown option '" + std::string(name) + "'" +
               (nearest.empty() ? ": --help lists those there are"
                                : ": did you mean '" + std::string(nearest) + "'?"));
}

}  // namespace

std::optional<std::string> Arguments::find(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

std::optional<uint64_t> Arguments::findNumber(std::string_view option) const {
  const std::optional<std::string> text = find(option);
  if (!text) return std::nullopt;
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (problem != std::errc() || end != text->data() + text->size() || text->empty())
    throw failed("'" + *text + "' for " + std::string(option) + " is not a whole number");
  return number;
}

Arguments parseArguments(std::span<const OptionHelp> known, std::span<const std::string> words,
                         Behind behind) {
  Arguments given;
  bool onlyPositional = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (onlyPositional || word.size() < 2 || word[0] != '-') {
      given.positional.push_back(word);
      onlyPositional |= behind == Behind::kProgram;
      continue;
    }
    if (word == "--") {
      onlyPositional = true;
      continue;
    }
    if (word.starts_with("-D") && word.size() > 2) {
      setOption(word.substr(2), given.configuration);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const OptionHelp& option = findOption(known, name);
    std::string value;
    if (option.value.empty()) {
      if (equals != std::string::npos) throw failed("option " + name + " takes no value");
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (++i < words.size()) {
      value = words[i];
    } else {
      throw failed("option " + name + " lacks its value: write " + name + " " + std::string(option.value));
    }
    if (option.name == "-D") {
      setOption(value, given.configuration);
    } else {
      given.options[std::string(option.name)] = std::move(value);
    }
  }
  return given;
}

std::span<const OptionHelp> commonOptions() { return kEverywhere; }

std::string optionLines(std::span<const OptionHelp> options) {
  std::string text;
  for (const std::span<const OptionHelp> some : {options, std::span<const OptionHelp>(kEverywhere)}) {
    for (const OptionHelp& option : some) {
      std::string left = "  ";
      if (!option.letter.empty()) left += std::string(option.letter) + ", ";
      left += std::string(option.name);
      if (!option.value.empty()) left += " " + std::string(option.value);
      left.resize(std::max<size_t>(left.size() + 2, 30), ' ');
      text += left + std::string(option.help) + "\n";
    }
  }
  return text;
}

}  // namespace flott::app
