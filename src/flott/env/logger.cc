#include "flott/env/logger.h"

#include <cctype>
#include <string>

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "off"};

}  // namespace

std::string_view toString(LogLevel level) { return kNames[static_cast<size_t>(level)]; }

LogLevel parseLogLevel(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "warning") lower = "warn";
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == lower) return static_cast<LogLevel>(i);
  }
  throw Error(ErrorKind::kUser,
              "'" + std::string(text) + "' is not a log level: give trace, debug, info, warn, error or off");
}

}  // namespace flott
