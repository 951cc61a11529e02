// Records on disk: a run is written once, in order, and read once, in order.
//
// What an operator cannot keep in memory goes into runs. A run is a file of blocks of whole encoded
// records, each with a checksum. The file has no name any more once it is written, so that nothing is left
// behind however the process ends. Everything here blocks: off-load threads only, one at a time.
//
//   RunWriter writer(files, place.next());
//   Codec<Click>::encode(click, writer.record());
//   writer.recordEnds();
//   RunReader reader(writer.finish());
//   while (ByteReader* in = reader.next()) Codec<Click>::decode(*in, click);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/env/files.h"

namespace flott {

struct Env;

/// The one of a list like io.tmp.dirs (with ',', '|' or ':' between them) whose turn it is for this subtask;
/// empty when the list is.
std::string folderFor(std::string_view folders, int subtask);

/// Where one operator instance puts its runs.
class SpillPlace {
 public:
  /// `prefix` is a path, and the beginning of a name that no other living operator on the machine has.
  SpillPlace(Files& files, std::string prefix) : files_(&files), prefix_(std::move(prefix)) {}
  /// In one of the folders of io.tmp.dirs, which subtasks take in turn, for the object at `owner`. Throws
  /// Error(kUser) when there is no folder.
  static SpillPlace in(Env& env, std::string_view folders, int subtask, const void* owner);

  Files& files() const { return *files_; }
  /// The path of the next run.
  std::string next() { return prefix_ + "-" + std::to_string(count_++); }

 private:
  Files* files_;
  std::string prefix_;
  uint64_t count_ = 0;
};

/// A finished run. Its space is given back when it is destroyed.
struct SpilledRun {
  std::string path;  // it had; for errors
  std::unique_ptr<FileReader> file;
  uint64_t bytes = 0;
};

class RunWriter {
 public:
  /// Makes the folder, too, if it is not there.
  RunWriter(Files& files, std::string path);
  /// An unfinished run is removed.
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  /// Where to encode the next record; then recordEnds().
  ByteWriter& record() { return out_; }
  void recordEnds() {
    if (block_.size() >= kBlockBytes) writeBlock();
  }
  /// The last call.
  SpilledRun finish();

 private:
  static constexpr size_t kBlockBytes = 64 * 1024;

  void writeBlock();

  Files& files_;
  const std::string path_;
  std::unique_ptr<FileWriter> file_;
  std::string block_;
  ByteWriter out_{block_};
  uint64_t bytes_ = 0;
};

class RunReader {
 public:
  explicit RunReader(SpilledRun run) : run_(std::move(run)) {}

  /// At the next record, which must be read as a whole; null at the end. Throws Error(kCorruption) when the
  /// bytes are not those that were written.
  ByteReader* next() {
    if (in_.has_value() && !in_->atEnd()) return &*in_;
    return readBlock() ? &*in_ : nullptr;
  }

 private:
  bool readBlock();
  void readInto(char* to, size_t count);
  [[noreturn]] void fail(const char* why) const;

  SpilledRun run_;
  uint64_t at_ = 0;
  std::string block_;
  std::optional<ByteReader> in_;
};

}  // namespace flott
