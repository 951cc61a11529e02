// The files that a file sink writes: one open part for each bucket, rolled when it is large, old or left
// alone, under a hidden name until it is committed.
//
//   out/2024-05-01--10/.part-0-5f2c91d04a11c07f3e-7.csv.inprogress.41    open, or closed and not yet public
//   out/2024-05-01--10/part-0-5f2c91d04a11c07f3e-7.csv                   finished: never touched again
//
// A name holds the subtask, the sink's lineage and six digits of the attempt, and the number of the part in
// it; a hidden name also the last checkpoint that was cut before the part was begun. Files of failed attempts
// are found by that and removed. At a barrier what was written is on the disk, and its length in the state: a
// part that is open in a checkpoint is published up to that length after a restore, and what was written
// behind it is dropped.
//
// A file of a bulk format (bulk_format.h) is made of the records' bytes on the off-load thread. It cannot be
// gone on with, so all are closed at each barrier, and none is open in a checkpoint.
//
// What is closed goes through PartCompaction, which may join small parts before they are committed. Parts in
// an object store (part_store.h) are closed at each barrier, too.
//
// All calls come from the task's thread; file work is off-loaded, one call at a time, in order. Bytes that
// wait are bounded: ready() is false while there are too many; and so is what bulk formats hold.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/base/memory_size.h"
#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/connectors/files/part_compaction.h"
#include "flott/connectors/files/part_file.h"
#include "flott/operators/committing_sink.h"

namespace flott {

class BulkFormat;
class PartStore;

/// When a part is closed, and the next one begun with the next record.
struct RollingPolicy {
  MemorySize maxSize = MemorySize::mb(128);     // reached
  Duration interval = Duration::seconds(60);    // since its first record
  Duration inactivity = Duration::seconds(60);  // since its last record
  bool onCheckpoint = false;                    // at each barrier; of bulk formats and in stores always
};

struct PartFileOptions {
  std::string prefix = "part";
  std::string suffix = {};
  RollingPolicy rolling = {};
  MemorySize bufferSize = MemorySize::mb(1);
  /// Beyond that the one that waited longest for a record is closed.
  int maxOpenFiles = 256;
  /// Nothing: each part is published as it is.
  std::optional<CompactionPolicy> compaction = {};
};

/// When a part of a bulk format is closed: at each barrier, or when it is about this large before.
inline constexpr RollingPolicy kBulkRolling{
    .interval = Duration::max(), .inactivity = Duration::max(), .onCheckpoint = true};

/// Throws Error(kUser) for options that make no sense.
void checkPartFiles(const std::string& path, const PartFileOptions& options, DeliveryGuarantee guarantee);

class PartFiles {
 public:
  /// `head` is what each file of rows begins with; `bulk` is null for these.
  PartFiles(std::string path, PartFileOptions options, std::string head,
            std::shared_ptr<const BulkFormat> bulk);
  ~PartFiles();

  void open(OperatorContext& context);
  void begin(const SinkAttempt& attempt);
  /// Where a record of this bucket goes; follow it by appended().
  std::string& bufferOf(std::string_view bucket) {
    if (current_ == nullptr || current_->id != bucket) [[unlikely]]
      enter(bucket);
    return current_->buffer;
  }
  void appended() {
    if (current_->buffer.size() >= current_->room) [[unlikely]]
      bufferFull();
  }
  bool ready() const { return waitingBytes_ < kBuffers * options_.bufferSize.bytes && !compaction_.behind(); }
  void endBatch();
  void resume();
  /// Whether all that was written is on the disk.
  bool flush();
  /// No record follows: what is open is closed with the next flush().
  void end() { ended_ = true; }
  /// What is to be committed: parts that were closed since the last call, or were joined to larger ones.
  std::vector<PartFile> takeClosed();
  /// After flush().
  void cut(CheckpointId checkpoint);

 private:
  /// Buffers that may wait for the disk.
  static constexpr uint64_t kBuffers = 4;

  struct File;
  struct Bucket {
    std::string id;
    std::shared_ptr<File> file;  // none: the next record begins one
    std::string buffer;          // not yet handed to the disk
    size_t room = 0;             // bytes in the buffer with which something has to happen
    uint64_t handed = 0;         // bytes of the file handed over
    int64_t begunNanos = 0;
    int64_t lastNanos = 0;
  };
  struct Deed;

  void enter(std::string_view bucket);
  PartFile nextPart(const std::string& folder);
  void beginPart(Bucket& bucket);
  void bufferFull();
  void handOver(Bucket& bucket);
  void roll(Bucket& bucket);
  void rollAll();
  void rollDue(int64_t now);
  void keepToLimits();
  int64_t dueAt(const Bucket& bucket) const;
  void wakeFor(const Bucket& bucket);
  /// As it is and as far as one knows: of a bulk format it is smaller when it is written.
  uint64_t sizeOf(const Bucket& bucket) const;
  void submit();
  void done(std::deque<Deed>& deeds);

  const std::string path_;
  const PartFileOptions options_;
  const std::string head_;
  const std::shared_ptr<const BulkFormat> bulk_;
  std::shared_ptr<PartStore> store_;
  OperatorContext* context_ = nullptr;
  SinkAttempt attempt_;
  std::string unique_;  // lineage and attempt
  uint64_t epoch_ = 0;
  uint64_t number_ = 0;
  OperatorListState<PartFile>* open_ = nullptr;
  std::map<std::string, std::unique_ptr<Bucket>, std::less<>> buckets_;
  Bucket* current_ = nullptr;
  int64_t wakeAt_;
  std::deque<Deed> waiting_;   // for the off-load thread
  uint64_t waitingBytes_ = 0;  // in buffers that were handed over and are not written
  bool busy_ = false;
  bool flushing_ = false;
  bool ended_ = false;
  std::vector<PartFile> closed_;
  std::vector<PartFile> restored_;  // that were open in the checkpoint, until they are taken over
  PartCompaction compaction_;
  std::vector<PartFile> unneeded_;  // of failed attempts
};

/// Publishes parts by renaming them. A part of which a checkpoint knows only the beginning is cut.
class PartFileCommitter final : public Committer<PartFile> {
 public:
  explicit PartFileCommitter(std::string path) : path_(std::move(path)) {}
  void open(OperatorContext& context) override;
  std::vector<CommitOutcome> commit(std::span<const PartFile> parts) override;

 private:
  const std::string path_;
  std::shared_ptr<PartStore> store_;
};

}  // namespace flott
