// The log: what operators of a system read, not what a job puts out (that is the console or a sink).
//
// Loggers may be called from any thread. enabled() is one comparison, so that a text need not be built for
// nothing; log() of a level that is switched off does nothing. Nothing is logged once a record.
//
//   if (env.log.enabled(LogLevel::kDebug)) env.log.log(LogLevel::kDebug, "task", "cut " + toString(id));
#pragma once

#include <cstdint>
#include <string_view>

namespace flott {

enum class LogLevel : uint8_t {
  kTrace,  // every step of the engine: for its developers
  kDebug,  // decisions: for whoever hunts a fault
  kInfo,   // life of jobs: started, finished, checkpointed
  kWarn,   // goes on, but somebody should look
  kError,  // something was given up
  kOff,    // as a threshold: nothing is logged
};

/// "trace", "debug", "info", "warn", "error", "off".
std::string_view toString(LogLevel level);
/// Takes any case, and "warning". Throws Error(kUser) that lists the levels.
LogLevel parseLogLevel(std::string_view text);

class Logger {
 public:
  explicit Logger(LogLevel threshold) : threshold_(threshold) {}
  virtual ~Logger() = default;

  bool enabled(LogLevel level) const { return level >= threshold_ && level != LogLevel::kOff; }
  /// One line. `component` says which part of the engine speaks: "task", "offload", "checkpoint".
  void log(LogLevel level, std::string_view component, std::string_view text) {
    if (enabled(level)) write(level, component, text);
  }
  void info(std::string_view component, std::string_view text) { log(LogLevel::kInfo, component, text); }
  void warn(std::string_view component, std::string_view text) { log(LogLevel::kWarn, component, text); }
  void error(std::string_view component, std::string_view text) { log(LogLevel::kError, component, text); }

 private:
  /// Any thread, several at once; must not throw. Called only for enabled levels.
  virtual void write(LogLevel level, std::string_view component, std::string_view text) = 0;

  const LogLevel threshold_;
};

}  // namespace flott
