#include "flott/connectors/files/block_reading.h"

#include <algorithm>
#include <cstring>

#include "flott/connectors/files/block_files.h"
#include "flott/data/rows.h"
#include "flott/env/env.h"

namespace flott {
namespace {

// In front of each block, for a record that the one before cuts.
constexpr size_t kHeadroom = 64 * 1024;
// Read beyond the end of a split at once, where its last record most likely ends.
constexpr size_t kSlack = 64 * 1024;
constexpr size_t kLongestHeader = size_t{16} << 20;
constexpr size_t kLongestRecord = size_t{256} << 20;

std::string quoted(const std::string& path) { return "file '" + path + "'"; }

std::string readHeader(Files& files, const std::string& path, const BlockFormat& format) {
  FileContent content(files, path);
  std::string text;
  for (size_t want = kSlack; want <= kLongestHeader; want *= 2) {
    const size_t old = text.size();
    text.resize(want);
    text.resize(old + content.read(std::span(text).subspan(old)));
    const bool last = text.size() < want;
    const size_t size = format.headerSize(text, last);
    if (size > 0 || last) return text.substr(0, size);
  }
  throw Error(ErrorKind::kUser, "its header does not end within 16 MiB: is this a CSV file?")
      .at(quoted(path));
}

class BlockFiles final : public FileFormat {
 public:
  explicit BlockFiles(std::shared_ptr<const BlockFormat> format) : format_(std::move(format)) {}

  bool splittable(const std::string& path) const override {
    return format_->splittable() && compressionOf(path) == Compression::kNone;
  }
  std::unique_ptr<SplitReading> read(SourceReaderContext& context, FileSplit split,
                                     const FileSourceOptions& options) const override {
    return std::make_unique<BlockReading>(context, format_, std::move(split), options);
  }

 private:
  const std::shared_ptr<const BlockFormat> format_;
};

}  // namespace

OutputTag<BadRecord> badRecords() { return OutputTag<BadRecord>("bad-records"); }

std::shared_ptr<const FileFormat> blockFiles(std::shared_ptr<const BlockFormat> format) {
  return std::make_shared<BlockFiles>(std::move(format));
}

void BlockReading::Block::reserve(size_t size) {
  if (room >= size) return;
  memory = std::make_unique_for_overwrite<char[]>(size);
  room = size;
}

BlockReading::BlockReading(SourceReaderContext& context, std::shared_ptr<const BlockFormat> format,
                           FileSplit split, const FileSourceOptions& options)
    : context_(context),
      format_(std::move(format)),
      split_(std::move(split)),
      blockSize_(std::max<size_t>(1, options.blockSize.bytes)),
      errors_(context.metrics().counter("numRecordsInErrors")),
      decoder_(format_->createDecoder(context.pools())) {
  startWork([ahead = ahead_, &files = context_.env().files, format = format_, split = split_,
             blockSize = blockSize_] { open(*ahead, files, *format, split, blockSize); });
}

void BlockReading::startWork(MoveFunction<void()> work) {
  ahead_->underWay = true;
  context_.offload("read " + quoted(split_.path), std::move(work), [ahead = ahead_] {
    ahead->underWay = false;
    ahead->ready = true;
  });
}

void BlockReading::open(Ahead& ahead, Files& files, const BlockFormat& format, const FileSplit& split,
                        size_t blockSize) {
  if (format.hasHeader()) ahead.header = readHeader(files, split.path, format);
  ahead.content.emplace(files, split.path);
  ahead.start = std::max<uint64_t>({split.begin, split.position, ahead.header.size()});
  const bool atRecord =
      split.begin == 0 || split.position > split.begin || ahead.header.size() >= split.begin;
  if (atRecord) {
    ahead.content->skip(ahead.start);
    fill(ahead, readSize(split, ahead.start, blockSize));
  } else {
    align(ahead, split, blockSize);
  }
}

// The first record begins behind the first line feed from begin - 1 on.
void BlockReading::align(Ahead& ahead, const FileSplit& split, size_t blockSize) {
  Block& block = ahead.block;
  ahead.start = split.begin - 1;
  ahead.content->skip(ahead.start);
  for (bool first = true;; first = false) {
    fill(ahead, readSize(split, ahead.start, blockSize));
    const std::string_view bytes = block.bytes();
    if (first && bytes.empty()) {
      throw Error(ErrorKind::kUser,
                  quoted(split.path) + " has become shorter than byte " + std::to_string(split.begin) +
                      " while it was read: let files be complete before they are put in place");
    }
    const size_t lineFeed = bytes.find('\n');
    const size_t passed = lineFeed == std::string_view::npos ? bytes.size() : lineFeed + 1;
    ahead.start += passed;
    block.begin += passed;
    if (lineFeed != std::string_view::npos || block.last || ahead.start >= split.end) return;
  }
}

void BlockReading::fill(Ahead& ahead, size_t size) {
  Block& block = ahead.block;
  block.reserve(kHeadroom + size);
  block.begin = kHeadroom;
  const size_t got = ahead.content->read({block.memory.get() + kHeadroom, size});
  block.end = kHeadroom + got;
  block.last = got < size;
}

size_t BlockReading::readSize(const FileSplit& split, uint64_t offset, size_t blockSize) {
  const uint64_t left = split.end > offset ? split.end - offset : 0;
  return left > blockSize ? blockSize : std::min<size_t>(blockSize, left + kSlack);
}

void BlockReading::readAhead() {
  if (ahead_->underWay) return;
  const uint64_t next = offset_ + current_.bytes().size();
  startWork([ahead = ahead_, size = readSize(split_, next, blockSize_)] { fill(*ahead, size); });
}

void BlockReading::takeAhead() {
  Block next = std::move(ahead_->block);
  ahead_->ready = false;
  needMore_ = false;
  if (!begun_) begin();
  const std::string_view cut = current_.bytes();
  if (cut.size() > kLongestRecord) {
    throw Error(ErrorKind::kUser, quoted(split_.path) + ": the record at byte " + std::to_string(offset_) +
                                      " does not end within 256 MiB: is this a text file?");
  }
  if (cut.size() > next.begin) {
    Block joined;
    joined.reserve(cut.size() + next.bytes().size());
    joined.begin = cut.size();
    joined.end = joined.room;
    joined.last = next.last;
    std::memcpy(joined.memory.get() + joined.begin, next.bytes().data(), next.bytes().size());
    next = std::move(joined);
  }
  if (!cut.empty()) {
    next.begin -= cut.size();
    std::memcpy(next.memory.get() + next.begin, cut.data(), cut.size());
  }
  ahead_->block = std::move(current_);  // its memory is filled next
  current_ = std::move(next);
  if (!current_.last && offset_ + current_.bytes().size() < split_.end) readAhead();
}

void BlockReading::begin() {
  begun_ = true;
  offset_ = start_ = ahead_->start;
  const std::string& header = ahead_->header;
  decoder_->begin(split_.path, header);
  if (start_ == header.size()) {
    linesBefore_ = std::make_shared<LinesBefore>(
        LinesBefore{.count = std::count(header.begin(), header.end(), '\n'), .known = true});
  }
}

bool BlockReading::through() const {
  return begun_ && (offset_ >= split_.end || (current_.last && current_.bytes().empty()));
}

Poll BlockReading::poll(Output& output) {
  while (held_.position == 0) {
    if (through()) return Poll::kEnd;
    if (!begun_ || needMore_ || current_.bytes().empty()) {
      if (!ahead_->ready) {
        readAhead();
        return Poll::kIdle;
      }
      takeAhead();
      continue;
    }
    decode();
  }
  return settle(output);
}

void BlockReading::decode() {
  const std::string_view bytes = current_.bytes();
  const BlockInput in{.bytes = bytes,
                      .owned = static_cast<size_t>(std::min<uint64_t>(bytes.size(), split_.end - offset_)),
                      .last = current_.last};
  const Decoded done = decoder_->decode(in, held_.batch);
  FLOTT_CHECK(done.bytes > 0 || !in.last, "a decoder does not finish the end of a file");
  needMore_ = done.bytes == 0;
  current_.begin += done.bytes;
  offset_ += done.bytes;
  if (done.rejected > 0) {
    errors_.add(static_cast<int64_t>(done.rejected));
    held_.bad = decoder_->takeBad();
  }
  if (held_.batch.size() > 0 || !held_.bad.empty()) held_.position = offset_;
}

Poll BlockReading::settle(Output& output) {
  if (!held_.bad.empty()) {
    if (!knowsLines()) return Poll::kIdle;
    emitBad(output);
  }
  split_.position = held_.position;
  Held emitted = std::move(held_);
  held_ = {};
  if (emitted.batch) output.emit(std::move(emitted.batch));
  return Poll::kMore;
}

bool BlockReading::knowsLines() {
  if (linesBefore_ == nullptr) {
    linesBefore_ = std::make_shared<LinesBefore>();
    context_.offload(
        "count lines of " + quoted(split_.path),
        [lines = linesBefore_, &files = context_.env().files, path = split_.path, start = start_] {
          lines->count = countLines(files, path, start);
        },
        [lines = linesBefore_] { lines->known = true; });
  }
  return linesBefore_->known;
}

void BlockReading::emitBad(Output& output) {
  for (BadRecord& bad : held_.bad) bad.line += linesBefore_->count;
  if (format_->badRecords() == BadRecordPolicy::kFail) {
    throw Error(ErrorKind::kUser, toString(held_.bad.front()));
  }
  const SideOutputIndex side = badRecords().index();
  if (!output.reads(side)) return;
  Batch batch = rowsPool<BadRecord>(context_.pools()).acquire();
  for (BadRecord& bad : held_.bad) batch.rows<BadRecord>().emplace(std::move(bad));
  output.emitSide(side, std::move(batch));
}

}  // namespace flott
