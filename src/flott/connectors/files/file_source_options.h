// What a user may set at a file source, beside its format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"

namespace flott {

struct FileSourceOptions {
  /// 0: reads what is there and ends. Else the source never ends: it looks for new files so often, and reads
  /// a file whose time of change is new, from its beginning. Put files in place by a rename, so that none is
  /// read half written.
  Duration discoveryInterval{0};
  /// Files are cut into parts of at most this size, so that several subtasks can read one; smaller ones when
  /// there would not be one for each subtask. Compressed files are never cut.
  MemorySize splitSize = MemorySize::mb(64);
  /// Bytes read at a time. Two blocks are in memory for each of the two splits that a subtask has at hand.
  MemorySize blockSize = MemorySize::mb(1);
};

/// One or more files, folders (with all files below them) or patterns as of Files::glob(). In folders, names
/// that begin with '.' or '_' are left out.
struct FilePaths {
  FilePaths(const char* path) : paths{path} {}
  FilePaths(std::string path) : paths{std::move(path)} {}
  FilePaths(std::vector<std::string> several) : paths(std::move(several)) {}
  FilePaths(std::initializer_list<std::string> several) : paths(several) {}

  std::vector<std::string> paths;
};

}  // namespace flott
