// Reads a split of a block format: lines or CSV.
//
// While one block is decoded the next is read by an off-load thread. The two sides never touch a block at the
// same time: a block belongs to the work from its submission until its `done` has run on the task's thread. A
// record that a block cuts is copied in front of the next block, into room kept for that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/connectors/files/content.h"
#include "flott/connectors/files/split_reading.h"
#include "flott/formats/block_format.h"

namespace flott {

class BlockReading final : public SplitReading {
 public:
  BlockReading(SourceReaderContext& context, std::shared_ptr<const BlockFormat> format, FileSplit split,
               const FileSourceOptions& options);

  Poll poll(Output& output) override;
  FileSplit split() const override { return split_; }

 private:
  /// Bytes [begin, end) of `memory` are content; what lies before is room for the record that the last block
  /// cut.
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t room = 0;
    size_t begin = 0;
    size_t end = 0;
    bool last = false;  // the file ends behind it

    std::string_view bytes() const { return {memory.get() + begin, end - begin}; }
    void reserve(size_t size);
  };
  /// What off-loaded work fills.
  struct Ahead {
    std::optional<FileContent> content;
    Block block;
    // Set by the first work:
    std::string header;
    uint64_t start = 0;  // content offset of the block's first record
    // Set and read by the task:
    bool underWay = false;
    bool ready = false;
  };
  /// Decoded but not yet emitted, since its bad records do not know their lines.
  struct Held {
    Batch batch;
    std::vector<BadRecord> bad;
    uint64_t position = 0;
  };

  struct LinesBefore {
    int64_t count = 0;   // by the work
    bool known = false;  // by the task
  };

  static void open(Ahead& ahead, Files& files, const BlockFormat& format, const FileSplit& split,
                   size_t blockSize);
  static void align(Ahead& ahead, const FileSplit& split, size_t blockSize);
  static void fill(Ahead& ahead, size_t size);
  static size_t readSize(const FileSplit& split, uint64_t offset, size_t blockSize);

  void startWork(MoveFunction<void()> work);
  void readAhead();
  void takeAhead();
  void begin();
  void decode();
  Poll settle(Output& output);
  bool knowsLines();
  void emitBad(Output& output);
  bool through() const;

  SourceReaderContext& context_;
  const std::shared_ptr<const BlockFormat> format_;
  FileSplit split_;
  const size_t blockSize_;
  Counter& errors_;
  std::unique_ptr<RecordDecoder> decoder_;
  /// Shared with work under way, which may outlive this object.
  std::shared_ptr<Ahead> ahead_ = std::make_shared<Ahead>();
  Block current_;
  bool begun_ = false;
  bool needMore_ = false;
  uint64_t offset_ = 0;  // of the next byte to decode, in the content
  uint64_t start_ = 0;   // of the first record read
  Held held_;
  /// Lines before start_, counted when first asked for; shared with the work that counts.
  std::shared_ptr<LinesBefore> linesBefore_;
};

}  // namespace flott
