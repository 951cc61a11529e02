// What a program was told from outside: arguments, properties files, environment variables; Flink's
// ParameterTool.
//
// A set of texts under keys, read with a type: get…(key) where the key is required, get…(key, otherwise)
// where not. What is missing or does not fit is an Error(kUser) that names the key. parseProgramArguments()
// takes the engine's own arguments (`-D key=value`, `--config FILE`) out first. Built by one thread, then
// only read, by any. Which keys were asked for is kept, for all copies together, so that a slip can be told.
//
//   const ProgramArguments arguments = parseProgramArguments(argc, argv, files);
//   const int64_t port = arguments.parameters.getInt("port", 9999);
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"
#include "flott/env/files.h"
#include "flott/env/system.h"

namespace flott {

class Parameters {
 public:
  Parameters();

  /// `--key value`, `--key=value` or `-key value`; a key without a value has the value "" (and counts as
  /// true). A text that begins with '-' and is no number is a key. Throws for a value that belongs to no key.
  static Parameters fromArgs(std::span<const std::string> arguments);
  /// A Java properties file: `key=value`, `key: value` or `key value` lines, `#` and `!` comments, `\`
  /// escapes.
  static Parameters fromPropertiesFile(Files& files, const std::string& path);
  /// For each of the keys the variable PREFIX_KEY, in capitals and with '_' for what is no letter or digit,
  /// if it is set; "db.url" with the prefix "APP" is APP_DB_URL.
  static Parameters fromEnvironment(const System& system, std::string_view prefix,
                                    std::span<const std::string> keys);

  bool has(std::string_view key) const;
  size_t size() const { return values_.size(); }

  /// The value; throws when it is missing, naming the nearest key that is there.
  const std::string& get(std::string_view key) const;
  std::string get(std::string_view key, std::string_view otherwise) const;
  int64_t getInt(std::string_view key) const;
  int64_t getInt(std::string_view key, int64_t otherwise) const;
  double getDouble(std::string_view key) const;
  double getDouble(std::string_view key, double otherwise) const;
  /// "true", "false", or a key without a value, which is true.
  bool getBool(std::string_view key) const;
  bool getBool(std::string_view key, bool otherwise) const;
  Duration getDuration(std::string_view key) const;
  Duration getDuration(std::string_view key, Duration otherwise) const;

  /// Both together; the values of `stronger` replace those of the same key.
  Parameters mergedWith(const Parameters& stronger) const;
  /// By key; as global job parameters, user functions see them.
  StringMap toMap() const;

  /// A key that was given and that nobody has asked for.
  struct Unread {
    std::string key;
    /// The nearest key that was asked for and not given; empty when none is near.
    std::string nearest;
  };
  /// In the order of their names.
  std::vector<Unread> unread() const;

 private:
  class Asked;

  void ask(std::string_view key) const;
  template <typename T>
  T read(std::string_view key) const;

  std::map<std::string, std::string, std::less<>> values_;
  /// Shared by copies; several after mergedWith().
  std::vector<std::shared_ptr<Asked>> asked_;
};

/// Arguments of a program, told apart.
struct ProgramArguments {
  /// From `--config FILE` (several: later ones win) and, stronger, from `-D key=value`.
  Configuration configuration;
  /// All the rest, for the user.
  Parameters parameters;
};

/// argv[0] is skipped. Does not check whether configuration keys are known. Throws Error(kUser).
ProgramArguments parseProgramArguments(int argc, const char* const* argv, Files& files);

}  // namespace flott
