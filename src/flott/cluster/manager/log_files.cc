#include "flott/cluster/manager/log_files.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kLastBytes = 4000;

}  // namespace

void dropOldLogs(Files& files, const std::string& folder, size_t most) {
  std::vector<FileInfo> logs;
  for (FileInfo& file : files.listFolder(folder)) {
    if (file.path.substr(folder.size() + 1).starts_with("job-")) logs.push_back(std::move(file));
  }
  if (logs.size() < most) return;
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.modified < b.modified; });
  logs.resize(logs.size() - most + 1);
  for (const FileInfo& file : logs) files.remove(file.path);
}

std::string lastWords(Files& files, const std::string& path) {
  try {
    const auto reader = files.open(path);
    const uint64_t size = reader->size();
    std::string text(std::min<uint64_t>(size, kLastBytes), '\0');
    text.resize(reader->read(size - text.size(), text));
    if (size > text.size()) text.erase(0, text.find('\n') + 1);  // the line that is cut
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
