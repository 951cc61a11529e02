#include "flott/cluster/manager/log_files.h"

#include <algorithm>
#include <optional>
#include <span>

#include "flott/base/error.h"
#include "flott/env/posix/crash_report.h"

namespace flott {
namespace {

constexpr size_t kLastBytes = 4000;
constexpr int kKillSignal = 9;  // which leaves a process no time to say anything

std::string endOf(Files& files, const std::string& path, size_t most) {
  const auto reader = files.open(path);
  const uint64_t size = reader->size();
  std::string text(std::min<uint64_t>(size, most), '\0');
  size_t have = 0;
  for (size_t n = 1; n > 0 && have < text.size(); have += n)
    n = reader->read(size - text.size() + have, std::span(text).subspan(have));
  text.resize(have);
  return text;
}

/// The beginning of a text, by whole lines.
std::string firstLines(std::string text) {
  if (text.size() > kLastBytes) text.resize(text.rfind('\n', kLastBytes) + 1);
  return text;
}

/// The end of a text, by whole lines.
std::string lastLines(std::string text) {
  if (text.size() > kLastBytes) text.erase(0, text.find('\n', text.size() - kLastBytes) + 1);
  return text;
}

}  // namespace

void dropOldLogs(Files& files, const std::string& folder, size_t most, const std::set<std::string>& inUse) {
  std::vector<FileInfo> logs;
  for (FileInfo& file : files.listFolder(folder)) {
    if (file.path.substr(folder.size() + 1).starts_with("job-")) logs.push_back(std::move(file));
  }
  if (logs.size() < most) return;
  size_t tooMany = logs.size() - most + 1;
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.modified < b.modified; });
  for (const FileInfo& file : logs) {
    if (tooMany == 0) return;
    if (inUse.contains(file.path)) continue;
    files.remove(file.path);
    --tooMany;
  }
}

std::string lastWords(Files& files, const std::string& path, const ProcessEnd& end) {
  try {
    const std::string written = endOf(files, path, kMostCrashReportBytes + kLastBytes);
    std::string text = lastLines(written);
    if (end.signal != 0 && end.signal != kKillSignal) {
      if (std::optional<std::string> report = findCrashReport(written)) text = firstLines(*std::move(report));
    }
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.empty() ? text : ":\n" + text;
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::pair<std::string, std::string>> libraryPath(const Env& env, const std::string& folder) {
  const std::optional<std::string> before = env.system.environment("LD_LIBRARY_PATH");
  return {{"LD_LIBRARY_PATH", folder + (before && !before->empty() ? ":" + *before : "")}};
}

}  // namespace flott
