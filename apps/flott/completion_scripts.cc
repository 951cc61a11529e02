#include "completion_scripts.h"

#include <utility>
#include <vector>

namespace flott::app {
namespace {

/// What may stand somewhere.
enum class Kind : uint8_t { kNothing, kText, kFile, kFolder, kKey, kJob, kShell };

Kind kindOf(std::string_view value) {
  if (value.empty()) return Kind::kNothing;
  if (value == "FILE" || value == "PATH" || value == "PROGRAM") return Kind::kFile;
  if (value == "DIR") return Kind::kFolder;
  if (value == "KEY=VALUE") return Kind::kKey;
  return Kind::kText;
}

Kind kindOf(Operand operand) {
  switch (operand) {
    case Operand::kNothing:
      return Kind::kNothing;
    case Operand::kJob:
      return Kind::kJob;
    case Operand::kPath:
    case Operand::kProgram:
      return Kind::kFile;
    case Operand::kOption:
      return Kind::kKey;
    case Operand::kShell:
      return Kind::kShell;
  }
  return Kind::kNothing;
}

/// A command, or the program: "flott state cat".
struct Place {
  std::string path;
  std::vector<const Command*> commands;  // that may follow
  std::vector<OptionHelp> options;
  Kind operand = Kind::kNothing;
  bool program = false;  // what follows the operand is a program's own
};

void addPlaces(const std::string& path, std::span<const Command> commands, std::vector<Place>& places) {
  Place place{.path = path};
  for (const Command& command : commands) place.commands.push_back(&command);
  place.options = {commonOptions().back()};  // --help
  places.push_back(std::move(place));
  for (const Command& command : commands) {
    std::string below = path + " " + std::string(command.name);
    if (!command.commands.empty()) {
      addPlaces(below, command.commands, places);
      continue;
    }
    Place leaf{.path = std::move(below),
               .operand = kindOf(command.operand),
               .program = command.operand == Operand::kProgram};
    leaf.options.assign(command.options.begin(), command.options.end());
    leaf.options.insert(leaf.options.end(), commonOptions().begin(), commonOptions().end());
    places.push_back(std::move(leaf));
  }
}

std::vector<Place> placesOf(std::span<const Command> commands) {
  std::vector<Place> places;
  addPlaces("flott", commands, places);
  return places;
}

/// In single quotes of a shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) (text += text.empty() ? "" : " ") += word;
  return text;
}

/// Both names of an option, with `before` in front of each, as alternatives of a case.
std::string alternatives(const std::string& before, const OptionHelp& option) {
  std::string text = quoted(before + std::string(option.name));
  if (!option.letter.empty()) text += " | " + quoted(before + std::string(option.letter));
  return text;
}

const char* wordOf(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
    case Kind::kText:
      return "text";
    case Kind::kFile:
      return "file";
    case Kind::kFolder:
      return "folder";
    case Kind::kKey:
      return "key";
    case Kind::kJob:
      return "job";
    case Kind::kShell:
      return "shell";
  }
  return "text";
}

/// "'flott state' | 'flott state ls' | …": the paths below the program.
std::string pathAlternatives(const std::vector<Place>& places, const char* between) {
  std::string text;
  for (const Place& place : places) {
    if (&place == places.data()) continue;
    (text += text.empty() ? "" : between) += quoted(place.path);
  }
  return text;
}

/// Puts texts in place of "@NAME@"s.
std::string filled(std::string_view form, std::span<const std::pair<std::string_view, std::string>> parts) {
  std::string text(form);
  for (const auto& [name, part] : parts)
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + part.size()))
      text.replace(at, name.size(), part);
  return text;
}

// The loops tell where the word to complete stands. Bash cuts words at '=' and ':', which come as words of
// their own.
constexpr std::string_view kBash = R"sh(# Completion of flott for bash, made by `flott completion bash`.
_flott_keys=@KEYS@
_flott() {
  local word=${COMP_WORDS[COMP_CWORD]} place=flott at value= joined= behind= kind= commands= options=
  for ((at = 1; at < COMP_CWORD; ++at)); do
    case "$place ${COMP_WORDS[at]}" in
      @PATHS@) place+=" ${COMP_WORDS[at]}" ;;
      *) break ;;
    esac
  done
  case "$place" in
@PLACES@  esac
  for (( ; at < COMP_CWORD; ++at)); do
    if [[ ${COMP_WORDS[at]} == [=:] ]]; then
      joined=yes
    elif [[ $value || $joined ]]; then
      value= joined=
    else
      case "$place ${COMP_WORDS[at]}" in
@VALUED@        *' -'*) ;;
        @PROGRAMS@) behind=yes; break ;;
      esac
    fi
  done
  if [[ $word == [=:] ]]; then joined=yes word=; fi
  if [[ $behind ]]; then
    kind=file
  elif [[ $value ]]; then
    case "$place $value" in
@KINDS@      *) kind= ;;
    esac
  elif [[ $joined ]]; then
    kind=
  elif [[ $word == -* ]]; then
    kind=options
  fi
  COMPREPLY=()
  case "$kind" in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames 2>/dev/null ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$word"); compopt -o filenames 2>/dev/null ;;
    key) mapfile -t COMPREPLY < <(compgen -W "$_flott_keys" -- "$word") ;;
    setting)
      mapfile -t COMPREPLY < <(compgen -S = -W "$_flott_keys" -- "$word")
      compopt -o nospace 2>/dev/null
      ;;
    job) mapfile -t COMPREPLY < <(compgen -W "$(flott list --quiet 2>/dev/null)" -- "$word") ;;
    shell) mapfile -t COMPREPLY < <(compgen -W '@SHELLS@' -- "$word") ;;
    command) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
    options) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
  esac
}
complete -F _flott flott
)sh";

constexpr std::string_view kZsh = R"sh(#compdef flott
# Completion of flott for zsh, made by `flott completion zsh`.
_flott_keys=(@KEYS@)
_flott_key() { compadd -a _flott_keys }
_flott_setting() { compset -P 1 '*=' || compadd -S = -a _flott_keys }
_flott_job() { compadd -- ${(f)"$(flott list --quiet 2>/dev/null)"} }
_flott() {
  local place=flott curcontext=$curcontext
  integer at=2
  while (( at < CURRENT )); do
    case "$place ${words[at]}" in
      @PATHS@) place+=" ${words[at]}"; (( ++at )) ;;
      *) break ;;
    esac
  done
  words=("$place" "${(@)words[at,-1]}")
  (( CURRENT -= at - 2 ))
  local -a commands
  case "$place" in
@PLACES@  esac
}
if [[ $funcstack[1] == _flott ]]; then _flott "$@"; else compdef _flott flott; fi
)sh";

constexpr std::string_view kFish = R"sh(# Completion of flott for fish, made by `flott completion fish`.
set -g __flott_keys @KEYS@
function __flott_at
    set -l place flott
    for word in (commandline -opc)[2..-1]
        switch "$place $word"
            case @PATHS@
                set place "$place $word"
            case '*'
                break
        end
    end
    test "$place" = "$argv[1]"
end
complete -c flott -f
@PLACES@)sh";

std::string escapedForZsh(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// What follows a ':' in an argument of _arguments.
const char* zshActionOf(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
    case Kind::kText:
      return " ";
    case Kind::kFile:
      return "_files";
    case Kind::kFolder:
      return "_files -/";
    case Kind::kKey:
      return "_flott_key";
    case Kind::kJob:
      return "_flott_job";
    case Kind::kShell:
      return "(bash zsh fish)";
  }
  return " ";
}

std::string zshOption(const OptionHelp& option) {
  std::string rest = "[" + escapedForZsh(option.help) + "]";
  if (!option.value.empty()) {
    const Kind kind = kindOf(option.value);
    rest +=
        ":" + escapedForZsh(option.value) + ":" + (kind == Kind::kKey ? "_flott_setting" : zshActionOf(kind));
  }
  const std::string name(option.name);
  const std::string takes = option.value.empty() || !name.starts_with("--") ? "" : "=";
  if (option.letter.empty()) return " " + quoted(name + takes + rest);
  const std::string letter(option.letter);
  const std::string others = "(" + letter + " " + name + ")";
  return " " + quoted(others + letter + rest) + " " + quoted(others + name + takes + rest);
}

std::string fishOption(const Place& place, const OptionHelp& option) {
  std::string line = "complete -c flott -n " + quoted("__flott_at " + quoted(place.path));
  for (const std::string_view name : {option.letter, option.name}) {
    if (name.starts_with("--")) {
      line += " -l " + std::string(name.substr(2));
    } else if (!name.empty()) {
      line += (name.size() == 2 ? " -s " : " -o ") + std::string(name.substr(1));
    }
  }
  if (!option.value.empty()) {
    const Kind kind = kindOf(option.value);
    line += kind == Kind::kFile || kind == Kind::kFolder ? " -r -F" : " -x";
    if (kind == Kind::kKey) line += " -a '$__flott_keys='";
  }
  return line + " -d " + quoted(option.help) + "\n";
}

const char* fishOperandOf(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
    case Kind::kText:
      return nullptr;
    case Kind::kFile:
    case Kind::kFolder:
      return " -F";
    case Kind::kKey:
      return " -a '$__flott_keys'";
    case Kind::kJob:
      return " -a '(flott list --quiet 2>/dev/null)'";
    case Kind::kShell:
      return " -a 'bash zsh fish'";
  }
  return nullptr;
}

}  // namespace

std::string bashCompletion(std::span<const Command> commands, std::span<const std::string_view> keys) {
  const std::vector<Place> places = placesOf(commands);
  std::string valued;
  std::string kinds;
  std::string known;
  std::string programs;
  for (const Place& place : places) {
    std::string names;
    std::string options;
    for (const Command* command : place.commands) (names += names.empty() ? "" : " ") += command->name;
    for (const OptionHelp& option : place.options) {
      for (const std::string_view name : {option.name, option.letter})
        if (!name.empty()) (options += options.empty() ? "" : " ") += name;
      if (option.value.empty()) continue;
      const std::string both = alternatives(place.path + " ", option);
      valued += "        " + both + ") value=${COMP_WORDS[at]} ;;\n";
      const Kind kind = kindOf(option.value);
      if (kind == Kind::kText) continue;
      kinds += "      " + both + ") kind=" + (kind == Kind::kKey ? "setting" : wordOf(kind)) + " ;;\n";
    }
    known += "    " + quoted(place.path) + ") commands=" + quoted(names) + " options=" + quoted(options) +
             " kind=" + (names.empty() ? wordOf(place.operand) : "command") + " ;;\n";
    if (place.program) (programs += programs.empty() ? "" : " | ") += quoted(place.path + " ") + "*";
  }
  return filled(kBash, std::vector<std::pair<std::string_view, std::string>>{
                           {"@KEYS@", quoted(joined(keys))},
                           {"@PATHS@", pathAlternatives(places, " | ")},
                           {"@PLACES@", known},
                           {"@VALUED@", valued},
                           {"@PROGRAMS@", programs},
                           {"@KINDS@", kinds},
                           {"@SHELLS@", "bash zsh fish"}});
}

std::string zshCompletion(std::span<const Command> commands, std::span<const std::string_view> keys) {
  const std::vector<Place> places = placesOf(commands);
  std::string known;
  for (const Place& place : places) {
    known += "    " + quoted(place.path) + ")\n";
    if (!place.commands.empty()) {
      known += "      commands=(";
      for (const Command* command : place.commands)
        known += "\n        " + quoted(escapedForZsh(command->name) + ":" + std::string(command->summary));
      known += "\n      )\n      _describe command commands\n      ;;\n";
      continue;
    }
    known += "      _arguments -S";
    for (const OptionHelp& option : place.options) known += zshOption(option);
    if (place.program) {
      known += " '1:program:_files' '*::argument:_files'";
    } else if (place.operand != Kind::kNothing) {
      known += " " + quoted(std::string("*:argument:") + zshActionOf(place.operand));
    }
    known += "\n      ;;\n";
  }
  return filled(
      kZsh, std::vector<std::pair<std::string_view, std::string>>{
                {"@KEYS@", joined(keys)}, {"@PATHS@", pathAlternatives(places, " | ")}, {"@PLACES@", known}});
}

std::string fishCompletion(std::span<const Command> commands, std::span<const std::string_view> keys) {
  const std::vector<Place> places = placesOf(commands);
  std::string known;
  for (const Place& place : places) {
    const std::string where = "complete -c flott -n " + quoted("__flott_at " + quoted(place.path));
    for (const Command* command : place.commands)
      known += where + " -a " + std::string(command->name) + " -d " + quoted(command->summary) + "\n";
    if (const char* operand = fishOperandOf(place.operand)) known += where + operand + "\n";
    for (const OptionHelp& option : place.options) known += fishOption(place, option);
  }
  return filled(
      kFish, std::vector<std::pair<std::string_view, std::string>>{
                 {"@KEYS@", joined(keys)}, {"@PATHS@", pathAlternatives(places, " ")}, {"@PLACES@", known}});
}

}  // namespace flott::app
