#include "flott/env/files.h"

#include <algorithm>
#include <cerrno>

#include "flott/env/failures.h"

namespace flott {
namespace {

std::string joined(const std::string& folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  return folder.back() == '/' ? folder + std::string(name) : folder + "/" + std::string(name);
}

std::string_view nameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Matches the set that begins behind '[' and moves `at` behind its ']'. A set without an end matches nothing.
bool matchSet(std::string_view pattern, size_t& at, char c) {
  const bool negated = at < pattern.size() && pattern[at] == '!';
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    const char low = pattern[at++];
    char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      high = pattern[at + 1];
      at += 2;
    }
    found |= low <= c && c <= high;
  }
  if (at >= pattern.size()) return false;
  ++at;
  return found != negated;
}

// One path component against one pattern component. On a mismatch only the last '*' is tried longer, which is
// enough and keeps the time at the product of the lengths.
bool matchName(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  size_t p = 0, n = 0, starAt = std::string_view::npos, starName = 0;
  while (n < name.size()) {
    size_t next = p;
    bool matches = false;
    if (p < pattern.size()) {
      const char c = pattern[next++];
      if (c == '*') {
        starAt = p = next;
        starName = n;
        continue;
      }
      matches = c == '?' || (c == '[' ? matchSet(pattern, next, name[n]) : c == name[n]);
    }
    if (matches) {
      p = next;
      ++n;
    } else if (starAt != std::string_view::npos) {
      p = starAt;
      n = ++starName;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

void collectFiles(Files& files, const std::string& folder, std::vector<FileInfo>& found) {
  for (FileInfo& info : files.listFolder(folder)) {
    if (!info.isFolder) {
      found.push_back(std::move(info));
    } else if (!info.isLink) {
      collectFiles(files, info.path, found);
    }
  }
}

void sortByPath(std::vector<FileInfo>& found) {
  std::sort(found.begin(), found.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
}

// Walks the folders along the components of a pattern.
class GlobWalk {
 public:
  GlobWalk(Files& files, std::vector<std::string_view> components)
      : files_(files), components_(std::move(components)) {}

  void walk(const std::string& folder, size_t at) {
    const std::string_view component = components_[at];
    const bool last = at + 1 == components_.size();
    if (!isGlob(component)) {
      step(joined(folder, component), at, last);
    } else if (component == "**") {
      if (!last) walk(folder, at + 1);
      for (FileInfo& info : list(folder)) {
        if (nameOf(info.path).starts_with('.')) continue;
        if (info.isFolder && !info.isLink) walk(info.path, at);
        if (!info.isFolder && last) found.push_back(std::move(info));
      }
    } else {
      for (FileInfo& info : list(folder)) {
        if (!matchName(component, nameOf(info.path))) continue;
        if (info.isFolder && !last) walk(info.path, at + 1);
        if (!info.isFolder && last) found.push_back(std::move(info));
      }
    }
  }

  std::vector<FileInfo> found;

 private:
  void step(const std::string& path, size_t at, bool last) {
    std::optional<FileInfo> info = files_.stat(path);
    if (!info) return;
    if (info->isFolder && !last) walk(path, at + 1);
    if (!info->isFolder && last) found.push_back(std::move(*info));
  }

  // In the current folder, paths come out without "./", as they went in.
  std::vector<FileInfo> list(const std::string& folder) {
    std::vector<FileInfo> entries = files_.listFolder(folder.empty() ? "." : folder);
    if (folder.empty()) {
      for (FileInfo& entry : entries) entry.path = nameOf(entry.path);
    }
    return entries;
  }

  Files& files_;
  std::vector<std::string_view> components_;
};

}  // namespace

bool isGlob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::vector<FileInfo> Files::listFiles(const std::string& path) {
  std::optional<FileInfo> info = stat(path);
  if (!info) throw fileError(FileDeed::kRead, path, ENOENT);
  std::vector<FileInfo> found;
  if (info->isFolder) {
    collectFiles(*this, path, found);
  } else {
    found.push_back(std::move(*info));
  }
  sortByPath(found);
  return found;
}

std::vector<FileInfo> Files::glob(const std::string& pattern) {
  std::vector<std::string_view> components;
  for (size_t at = 0; at < pattern.size();) {
    const size_t end = std::min(pattern.find('/', at), pattern.size());
    if (end > at) components.push_back(std::string_view(pattern).substr(at, end - at));
    at = end + 1;
  }
  if (components.empty()) return {};
  GlobWalk walk(*this, std::move(components));
  walk.walk(pattern.starts_with('/') ? "/" : "", 0);
  // Two '**' can reach a file in several ways.
  sortByPath(walk.found);
  const auto same = [](const FileInfo& a, const FileInfo& b) { return a.path == b.path; };
  walk.found.erase(std::unique(walk.found.begin(), walk.found.end(), same), walk.found.end());
  return std::move(walk.found);
}

}  // namespace flott
