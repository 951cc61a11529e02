// Files in memory, with faults on request.
//
// Behaves as the real ones do, down to the texts of errors; additionally a read may return less than asked
// for, as the contract allows and disks seldom do. The test's own thread only.
//
//   SimulatedFiles& files = simulated.files();
//   files.put("in/a.csv", "1,2\n");
//   files.setFault("in/b.csv", FileFault::kUnreadable);
//   files.setFreeBytes(100);
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/env/clock.h"
#include "flott/env/files.h"
#include "flott/env/random.h"

namespace flott {

/// What happens to a file from now on, also to readers and writers that are open.
enum class FileFault : uint8_t {
  kNone,
  kUnreadable,  // open: permission denied
  kReadOnly,    // create: permission denied
  kReadFails,   // the disk fails under a read
  kWriteFails,  // the disk fails under a flush
  kShortReads,  // every read returns one byte at most
};

class SimulatedFiles final : public Files {
 public:
  /// The clock gives times of change, the random stream the lengths of reads.
  SimulatedFiles(const Clock& clock, Random random);
  ~SimulatedFiles() override;

  /// Makes or replaces a file, and the folders above it.
  void put(const std::string& path, std::string content);
  /// What readers would see: flushed bytes only. The file must exist.
  std::string content(const std::string& path) const;
  /// The file must exist.
  void setFault(const std::string& path, FileFault fault);
  /// So many more bytes can be written before the disk is full. Without limit at first.
  void setFreeBytes(uint64_t bytes) { freeBytes_ = bytes; }

  /// From now on so many calls fail, about one in `every`: before they have done anything, or after.
  void failSome(uint64_t every, int count) {
    failEvery_ = every;
    failCount_ = count;
  }
  /// How many of these are still to come.
  int failuresLeft() const { return failCount_; }

  std::optional<FileInfo> stat(const std::string& path) override;
  std::vector<FileInfo> listFolder(const std::string& folder) override;
  std::unique_ptr<FileReader> open(const std::string& path) override;
  std::unique_ptr<FileWriter> create(const std::string& path, WriteMode mode) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void makeFolders(const std::string& path) override;

 private:
  struct Node;
  class Reader;
  class Writer;

  Node* find(const std::string& path) const;
  bool hasFolderFor(const std::string& path) const;
  FileInfo infoOf(const std::string& path, const Node& node) const;
  /// At the beginning and at the end of a call that can fail.
  void mayFail(const std::string& path);
  void append(Node& node, const std::string& path, std::string_view bytes);

  const Clock& clock_;
  Random random_;
  uint64_t freeBytes_ = ~uint64_t{0};
  uint64_t failEvery_ = 0;
  int failCount_ = 0;
  /// By path without a '/' at its end. Shared with open readers and writers, as an inode is.
  std::map<std::string, std::shared_ptr<Node>> nodes_;
};

}  // namespace flott
