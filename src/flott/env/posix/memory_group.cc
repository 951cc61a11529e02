#include "flott/env/posix/memory_group.h"

#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

namespace flott::posix {
namespace {

// Where version 1 has no limit it says the largest multiple of a page.
constexpr int64_t kNoLimit = int64_t{1} << 60;

/// The number behind the word, or of a file that has nothing else.
std::optional<int64_t> numberIn(const std::string& path, std::string_view word) {
  std::ifstream file(path);
  std::string first;
  while (file >> first) {
    if (!word.empty() && (first != word || !(file >> first))) continue;
    int64_t number = 0;
    const auto [end, problem] = std::from_chars(first.data(), first.data() + first.size(), number);
    if (problem == std::errc() && end == first.data() + first.size()) return number;
    return std::nullopt;
  }
  return std::nullopt;
}

/// Folders that may be ours, the likely ones first. Within a container the group's own path is often not
/// there, and its root is what we are in.
struct Candidate {
  std::string folder;
  bool second;  // of version 2
};
std::vector<Candidate> candidates(const std::string& ours, const std::string& groups) {
  std::vector<Candidate> all;
  std::ifstream file(ours);
  for (std::string line; std::getline(file, line);) {
    const size_t controllers = line.find(':');
    const size_t path = controllers == std::string::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string::npos) continue;
    const std::string names = "," + line.substr(controllers + 1, path - controllers - 1) + ",";
    const std::string folder = line.substr(path + 1);
    if (names == ",,") all.push_back({groups + folder, true});
    if (names.find(",memory,") != std::string::npos) all.push_back({groups + "/memory" + folder, false});
  }
  all.push_back({groups, true});
  all.push_back({groups + "/memory", false});
  return all;
}

}  // namespace

MemoryGroup readMemoryGroup(const std::string& ours, const std::string& groups) {
  for (const auto& [folder, second] : candidates(ours, groups)) {
    MemoryGroup group;
    group.kills = numberIn(folder + (second ? "/memory.events" : "/memory.oom_control"), "oom_kill");
    group.limitBytes = numberIn(folder + (second ? "/memory.max" : "/memory.limit_in_bytes"), "");
    if (group.limitBytes && *group.limitBytes >= kNoLimit) group.limitBytes.reset();
    if (group.kills || group.limitBytes) return group;
  }
  return {};
}

}  // namespace flott::posix
