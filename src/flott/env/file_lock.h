// A file that one process at a time holds: so that no two work in the same folder.
//
// Given back when it dies, also with its process. Any thread.
//
//   const std::unique_ptr<FileLock> lock = lockFile("/var/flott/lock");
//   if (lock == nullptr) …  // somebody else has it
#pragma once

#include <memory>
#include <string>

namespace flott {

class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Makes the file if need be. Null: another process has it. Throws Error when the file cannot be opened.
std::unique_ptr<FileLock> lockFile(const std::string& path);

}  // namespace flott
