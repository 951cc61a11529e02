#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/env/job_scope.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

void appendJsonString(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string textLine(const std::string& time, LogLevel level, std::string_view component, const char* job,
                     std::string_view text) {
  std::string name(toString(level));
  for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
  name.resize(5, ' ');
  std::string line = time + " " + name + " [";
  line.append(component).append("] ");
  if (*job != '\0') line.append("[job ").append(job).append("] ");
  line.append(text);
  return line;
}

std::string jsonLine(const std::string& time, LogLevel level, std::string_view component, const char* job,
                     std::string_view text) {
  std::string line = "{\"time\":\"" + time + "\",\"level\":\"";
  line.append(toString(level)).append("\",\"component\":");
  appendJsonString(line, component);
  if (*job != '\0') {
    line += ",\"job\":";
    appendJsonString(line, job);
  }
  line += ",\"text\":";
  appendJsonString(line, text);
  line += '}';
  return line;
}

std::string withProcessId(std::string file) {
  for (size_t at = file.find("%p"); at != std::string::npos; at = file.find("%p"))
    file.replace(at, 2, std::to_string(::getpid()));
  return file;
}

std::vector<spdlog::sink_ptr> makeSinks(const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks;
  if (options.standardError || options.file.empty())
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (options.file.empty()) return sinks;
  try {
    sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        withProcessId(options.file), options.fileBytes, options.oldFiles));
  } catch (const spdlog::spdlog_ex& error) {
    throw Error(ErrorKind::kUser, "the log file '" + options.file + "' cannot be opened: " + error.what() +
                                      "; check the folder, or give another file");
  }
  return sinks;
}

// The library owns files, locks and flushing; lines are made here, so that their time comes from Env's clock
// and the two formats hold the same fields.
class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const LogOptions& options, const Clock& clock, std::vector<spdlog::sink_ptr> sinks)
      : Logger(options.level),
        clock_(clock),
        format_(options.format),
        logger_("flott", sinks.begin(), sinks.end()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::info);
    logger_.flush_on(spdlog::level::info);
  }

 private:
  void write(LogLevel level, std::string_view component, std::string_view text) override {
    const std::string time = toString(clock_.wallTime());
    const auto render = format_ == LogFormat::kJson ? jsonLine : textLine;
    logger_.log(spdlog::level::info, render(time, level, component, JobScope::now(), text));
  }

  const Clock& clock_;
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<Logger> makeLogger(const LogOptions& options, const Clock& clock) {
  return std::make_unique<SpdlogLogger>(options, clock, makeSinks(options));
}

}  // namespace flott::posix
