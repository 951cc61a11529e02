// A part of a file sink as its checkpoints and commits know it.
//
// A value: writers hand it out, the state keeps it, the committer acts on it.
#pragma once

#include <cstdint>
#include <string>

namespace flott {

struct PartFile {
  std::string hidden;  // where it lies
  std::string name;    // where it is to be; empty: it is to be removed
  uint64_t length = 0;
};

/// "out" of "out/part-0", "." of "part-0".
inline std::string folderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace flott
