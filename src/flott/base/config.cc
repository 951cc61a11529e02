#include "flott/base/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/nearest.h"

namespace flott {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

// The trimmed parts between separators; none for a text of blanks.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (trimmed(text).empty()) return parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

Error expected(std::string_view text, const char* what) {
  return Error(ErrorKind::kUser, "'" + std::string(text) + "' is not " + what);
}

// A key or value of a map, in single quotes if one of `special` would be misread.
std::string quotedFor(const std::string& text, const char* special) {
  if (text.find_first_of(special) == std::string::npos && trimmed(text) == text) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}
std::string renderEntry(const std::string& key, const std::string& value) {
  return quotedFor(key, ",:'") + ":" + quotedFor(value, ",'");
}

// Reads "a:1,'b:c':'2,3'" piece by piece.
class MapParser {
 public:
  explicit MapParser(std::string_view text) : text_(text) {}

  StringMap parse() {
    StringMap map;
    if (trimmed(text_).empty()) return map;
    do {
      const std::string key = piece(':');
      if (!take(':')) fail();
      map[key] = piece(',');
    } while (take(','));
    if (at_ != text_.size()) fail();
    return map;
  }

 private:
  std::string piece(char end) {
    skipBlanks();
    if (at_ == text_.size() || text_[at_] != '\'') {
      const size_t stop = std::min(text_.find_first_of(end == ':' ? ":," : ",", at_), text_.size());
      const std::string_view found = trimmed(text_.substr(at_, stop - at_));
      at_ = stop;
      return std::string(found);
    }
    std::string unquoted;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '\'') {
        unquoted += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
        unquoted += text_[at_++];
      } else {
        ++at_;
        return unquoted;
      }
    }
    fail();
  }
  void skipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    skipBlanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void fail() const { throw expected(text_, "a map, such as a:1,b:2"); }

  const std::string_view text_;
  size_t at_ = 0;
};

template <typename T>
T parseNumber(std::string_view text, const char* what) {
  const std::string_view digits = trimmed(text);
  T value{};
  const auto [rest, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem == std::errc::result_out_of_range) throw expected(text, what).at("the number is out of range");
  if (problem != std::errc() || rest != digits.data() + digits.size()) throw expected(text, what);
  return value;
}

void checkRange(const OptionSpec& spec, int64_t value, std::string (*render)(int64_t)) {
  if (value >= spec.minimum && value <= spec.maximum) return;
  std::string range = "at least " + render(spec.minimum);
  if (spec.maximum != std::numeric_limits<int64_t>::max())
    range = render(spec.minimum) + " to " + render(spec.maximum);
  throw Error(ErrorKind::kUser, "it must be " + range);
}

std::string renderInteger(int64_t value) { return std::to_string(value); }
std::string renderDuration(int64_t value) { return toString(Duration(value)); }
std::string renderMemory(int64_t value) { return toString(MemorySize(static_cast<uint64_t>(value))); }

// The spelling of the choice that `text` means.
std::string chosen(const OptionSpec& spec, std::string_view text) {
  if (spec.choices.empty()) return std::string(text);
  const std::vector<std::string_view> choices = split(spec.choices, '|');
  std::string list;
  for (const std::string_view choice : choices) {
    if (lowered(choice) == lowered(trimmed(text))) return std::string(choice);
    if (!list.empty()) list += choice == choices.back() ? " or " : ", ";
    list += choice;
  }
  const std::string meaning = spec.description.empty() ? "" : ". " + std::string(spec.description);
  throw Error(ErrorKind::kUser, "it must be " + list + meaning);
}

void checkText(const OptionSpec& spec, std::string_view text) {
  switch (spec.type) {
    case OptionType::kBool:
      OptionValue<bool>::parse(text);
      return;
    case OptionType::kInteger:
      checkRange(spec, OptionValue<int64_t>::parse(text), renderInteger);
      return;
    case OptionType::kNumber:
      OptionValue<double>::parse(text);
      return;
    case OptionType::kString:
      chosen(spec, text);
      return;
    case OptionType::kDuration:
      checkRange(spec, parseDuration(text).ms, renderDuration);
      return;
    case OptionType::kMemory: {
      const uint64_t bytes = parseMemorySize(text).bytes;
      checkRange(spec, static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX)), renderMemory);
      return;
    }
    case OptionType::kList:
      OptionValue<StringList>::parse(text);
      return;
    case OptionType::kMap:
      OptionValue<StringMap>::parse(text);
      return;
  }
}

}  // namespace

bool OptionValue<bool>::parse(std::string_view text) {
  const std::string word = lowered(trimmed(text));
  if (word != "true" && word != "false") throw expected(text, "true or false");
  return word == "true";
}
std::string OptionValue<bool>::render(const bool& value) { return value ? "true" : "false"; }

int64_t OptionValue<int64_t>::parse(std::string_view text) {
  return parseNumber<int64_t>(text, "a whole number");
}
std::string OptionValue<int64_t>::render(const int64_t& value) { return std::to_string(value); }

double OptionValue<double>::parse(std::string_view text) {
  const double value = parseNumber<double>(text, "a number");
  if (!std::isfinite(value)) throw expected(text, "a finite number");
  return value;
}
std::string OptionValue<double>::render(const double& value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string OptionValue<std::string>::parse(std::string_view text) { return std::string(text); }
std::string OptionValue<std::string>::render(const std::string& value) { return value; }

Duration OptionValue<Duration>::parse(std::string_view text) { return parseDuration(text); }
std::string OptionValue<Duration>::render(const Duration& value) { return toString(value); }

MemorySize OptionValue<MemorySize>::parse(std::string_view text) { return parseMemorySize(text); }
std::string OptionValue<MemorySize>::render(const MemorySize& value) { return toString(value); }

StringList OptionValue<StringList>::parse(std::string_view text) {
  StringList list;
  for (const std::string_view part : split(text, ';')) list.emplace_back(part);
  return list;
}
std::string OptionValue<StringList>::render(const StringList& value) {
  std::string text;
  for (const std::string& part : value) text += (text.empty() ? "" : ";") + part;
  return text;
}

StringMap OptionValue<StringMap>::parse(std::string_view text) { return MapParser(text).parse(); }
std::string OptionValue<StringMap>::render(const StringMap& value) {
  std::string text;
  for (const auto& [key, part] : value) text += (text.empty() ? "" : ",") + renderEntry(key, part);
  return text;
}

void Configuration::set(std::string key, std::string value, std::string origin) {
  entries_[std::move(key)] = {std::move(value), std::move(origin)};
}

bool Configuration::contains(std::string_view key) const { return entries_.contains(key) || mapBelow(key); }

void Configuration::merge(const Configuration& other) {
  for (const auto& [key, entry] : other.entries_) entries_[key] = entry;
}

void Configuration::checkValue(const OptionSpec& spec, const std::string& text, const std::string& origin) {
  try {
    checkText(spec, text);
  } catch (const Error& error) {
    throw Error(ErrorKind::kUser, "configuration " + std::string(spec.key) + " = '" + text + "' (" + origin +
                                      "): " + error.what());
  }
}

void Configuration::failUnset(std::string_view key) {
  throw Error(ErrorKind::kUser, "configuration " + std::string(key) +
                                    " is not set and has no default: give -D " + std::string(key) + "=VALUE");
}

std::optional<std::string> Configuration::mapBelow(std::string_view key) const {
  const std::string prefix = std::string(key) + ".";
  std::optional<std::string> text;
  for (auto at = entries_.lower_bound(prefix); at != entries_.end() && at->first.starts_with(prefix); ++at) {
    text = (text ? *text + "," : "") + renderEntry(at->first.substr(prefix.size()), at->second.value);
  }
  return text;
}

std::optional<std::string> Configuration::checkedText(const OptionSpec& spec) const {
  const auto found = entries_.find(spec.key);
  if (found != entries_.end()) {
    checkValue(spec, found->second.value, found->second.origin);
    return spec.type == OptionType::kString ? chosen(spec, found->second.value) : found->second.value;
  }
  if (spec.type == OptionType::kMap) {
    if (std::optional<std::string> below = mapBelow(spec.key)) return below;
  }
  return spec.defaultText ? std::optional<std::string>(*spec.defaultText) : std::nullopt;
}

void OptionRegistry::addSpec(const OptionSpec& spec) {
  if (spec.defaultText) checkText(spec, *spec.defaultText);
  const bool added = options_.emplace(spec.key, spec).second;
  FLOTT_CHECK(added, "option '" + std::string(spec.key) + "' was added twice");
}

const OptionSpec* OptionRegistry::find(std::string_view key) const {
  const auto found = options_.find(key);
  if (found != options_.end()) return &found->second;
  for (size_t dot = key.rfind('.'); dot != std::string_view::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    const auto above = options_.find(key.substr(0, dot));
    if (above != options_.end() && above->second.type == OptionType::kMap) return &above->second;
  }
  return nullptr;
}

void OptionRegistry::check(const Configuration& configuration) const {
  for (const auto& [key, entry] : configuration.entries()) {
    const OptionSpec* spec = find(key);
    if (spec != nullptr) {
      if (spec->key == key) Configuration::checkValue(*spec, entry.value, entry.origin);
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& [name, option] : options_) known.push_back(name);
    const std::string_view nearest = nearestOf(key, known);
    throw Error(ErrorKind::kUser,
                "unknown configuration key '" + key + "' (" + entry.origin + ")" +
                    (nearest.empty() ? "" : ": did you mean '" + std::string(nearest) + "'?"));
  }
}

}  // namespace flott
