// Configuration: string values under dotted keys, each with the place it came from, read through typed
// options.
//
// An option is a constant that says key, type, default and meaning; options.h has the engine's. A
// Configuration only holds texts, so that it can be sent, printed and merged; a text becomes a value when it
// is read, and what does not fit is an Error(kUser) that names key, value, place and what was expected.
// Unknown keys are found by an OptionRegistry, which is an ordinary object: nothing registers itself.
// Configurations are built by one thread and then only read.
//
//   Configuration config;
//   config.set(kDefaultParallelism, 4);
//   config.set("pipeline.name", "clicks", "-D");
//   standardOptions().check(config);                     // throws: unknown key … did you mean …?
//   const Duration timeout = config.get(kBufferTimeout);
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"

namespace flott {

using StringList = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

enum class OptionType : uint8_t {
  kBool,      // true, false
  kInteger,   // 42
  kNumber,    // 0.5
  kString,    // as it is; or one of the option's choices, in any case
  kDuration,  // 100 ms
  kMemory,    // 64 mb
  kList,      // a;b;c
  kMap,       // a:1,'b:c':'2,3'; or keys of their own: <key>.a = 1
};

/// An option without its static type; texts are literals and live for ever.
struct OptionSpec {
  std::string_view key;
  OptionType type = OptionType::kString;
  std::optional<std::string_view> defaultText;
  std::string_view description;
  /// "STREAMING|AUTOMATIC": the only values; empty when any will do.
  std::string_view choices;
  /// Of integers, of durations in milliseconds, of memory in bytes.
  int64_t minimum = std::numeric_limits<int64_t>::min();
  int64_t maximum = std::numeric_limits<int64_t>::max();
};

/// How a type is written: parse() throws an Error(kUser) that names the text. For the types of OptionType
/// only.
template <typename T>
struct OptionValue;

#define FLOTT_OPTION_VALUE(T, TYPE)                       \
  template <>                                             \
  struct OptionValue<T> {                                 \
    static constexpr OptionType kType = OptionType::TYPE; \
    static T parse(std::string_view text);                \
    static std::string render(const T& value);            \
  }
FLOTT_OPTION_VALUE(bool, kBool);
FLOTT_OPTION_VALUE(int64_t, kInteger);
FLOTT_OPTION_VALUE(double, kNumber);
FLOTT_OPTION_VALUE(std::string, kString);
FLOTT_OPTION_VALUE(Duration, kDuration);
FLOTT_OPTION_VALUE(MemorySize, kMemory);
FLOTT_OPTION_VALUE(StringList, kList);
FLOTT_OPTION_VALUE(StringMap, kMap);
#undef FLOTT_OPTION_VALUE

/// One option; a constant. The default is written as in a file; an option without one may be unset.
template <typename T>
struct ConfigOption {
  std::string_view key;
  std::optional<std::string_view> defaultText;
  std::string_view description;
  std::string_view choices = {};
  int64_t minimum = std::numeric_limits<int64_t>::min();
  int64_t maximum = std::numeric_limits<int64_t>::max();

  constexpr OptionSpec spec() const {
    return {key, OptionValue<T>::kType, defaultText, description, choices, minimum, maximum};
  }
};

class Configuration {
 public:
  struct Entry {
    std::string value;
    /// For messages: "conf/config.yaml:12", "-D", "code".
    std::string origin;
  };

  /// Replaces what was there. The value is looked at when it is read or checked.
  void set(std::string key, std::string value, std::string origin = "code");
  /// As get() below, throws when the value does not fit the option.
  template <typename T>
  void set(const ConfigOption<T>& option, const std::type_identity_t<T>& value) {
    std::string text = OptionValue<T>::render(value);
    checkValue(option.spec(), text, "code");
    set(std::string(option.key), std::move(text));
  }

  /// The value, or the default. Throws Error(kUser) when the text does not fit, or when there is neither.
  template <typename T>
  T get(const ConfigOption<T>& option) const {
    std::optional<T> value = find(option);
    if (!value) failUnset(option.key);
    return *std::move(value);
  }
  /// Nothing when the option is unset and has no default.
  template <typename T>
  std::optional<T> find(const ConfigOption<T>& option) const {
    const OptionSpec spec = option.spec();
    const std::optional<std::string> text = checkedText(spec);
    return text ? std::optional<T>(OptionValue<T>::parse(*text)) : std::nullopt;
  }

  /// Whether it was set; a default does not count. A map is also set by keys below its own.
  bool contains(std::string_view key) const;
  /// The entries of `other` replace those of the same key.
  void merge(const Configuration& other);
  /// By key.
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  friend class OptionRegistry;

  static void checkValue(const OptionSpec& spec, const std::string& text, const std::string& origin);
  [[noreturn]] static void failUnset(std::string_view key);
  std::optional<std::string> checkedText(const OptionSpec& spec) const;
  std::optional<std::string> mapBelow(std::string_view key) const;

  std::map<std::string, Entry, std::less<>> entries_;
};

/// The options that somebody knows.
class OptionRegistry {
 public:
  /// A key may be added once.
  template <typename T>
  OptionRegistry& add(const ConfigOption<T>& option) {
    addSpec(option.spec());
    return *this;
  }
  /// nullptr when the key is unknown.
  const OptionSpec* find(std::string_view key) const;
  /// Throws Error(kUser) for the first key that is unknown (naming the nearest known one) or whose value does
  /// not fit.
  void check(const Configuration& configuration) const;
  /// By key.
  const std::map<std::string_view, OptionSpec>& options() const { return options_; }

 private:
  void addSpec(const OptionSpec& spec);

  std::map<std::string_view, OptionSpec> options_;
};

}  // namespace flott
