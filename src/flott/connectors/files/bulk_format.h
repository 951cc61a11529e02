// Formats of files that are written as a whole: a file of theirs cannot be gone on with where it was left.
//
// The file sink encodes records on the task's thread, each to bytes of its own, and hands them over in
// blocks; what makes the file of them runs on off-load threads. Such a file is closed at each barrier. The
// encoder of such a format is copyable and has append(const T&, std::string&) const and bulkFormat() const;
// ParquetEncoder is one.
//
//   struct Tar final : public BulkFormat {
//     std::unique_ptr<BulkFile> begin(FileWriter& file) const override { return std::make_unique<…>(file); }
//   };
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flott {

class FileWriter;
class PartStore;

/// One file in the making. On an off-load thread, one call at a time.
class BulkFile {
 public:
  /// Without end() the file was given up; it must not be written to.
  virtual ~BulkFile() = default;
  /// Whole records as append() gave them, one behind another.
  virtual void write(std::string_view records) = 0;
  /// Bytes that wait in memory to be written. When a subtask's files have too many of them the one with most
  /// is closed.
  virtual uint64_t held() const = 0;
  /// No record follows: the rest goes into the file. The last call.
  virtual void end() = 0;
};

/// One file in the making, of the records of others. On an off-load thread, one call at a time.
class FileJoin {
 public:
  virtual ~FileJoin() = default;
  /// Puts the records of the first `length` bytes of a file behind those that it has. False: they do not fit
  /// to them, and none was put. Holds no more of them in memory than a file does that is written.
  virtual bool add(PartStore& store, const std::string& path, uint64_t length) = 0;
  /// The last call.
  virtual void end() = 0;
};

/// Shared by all files, and by all threads.
class BulkFormat {
 public:
  virtual ~BulkFormat() = default;
  /// A new file, which is empty; the writer outlives the object.
  virtual std::unique_ptr<BulkFile> begin(FileWriter& file) const = 0;
  /// For compaction: makes one of files of this format. `file` is empty and outlives the object.
  virtual std::unique_ptr<FileJoin> join(FileWriter& file) const = 0;
  /// Bytes that the files of a subtask may hold in memory together.
  virtual uint64_t mayHold() const = 0;
};

}  // namespace flott
