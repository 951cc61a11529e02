// A format whose records lie one behind another in a file: what it looks like to whoever reads the bytes.
//
// The file connector reads blocks and hands them to a decoder, which appends records to a batch and says how
// far it came; what is left (the beginning of a record) comes again, joined with the next block. A file may
// be read in parts: a part owns the records that begin in it, and the decoder finishes the last one beyond
// its end. A format is shared and never changes; a decoder belongs to one reader.
//
//   Batch batch = …;
//   Decoded done = decoder->decode({.bytes = block, .owned = block.size(), .last = true}, batch);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/data/batch.h"
#include "flott/formats/bad_record.h"

namespace flott {

struct BlockInput {
  std::string_view bytes;  // begins with a record
  size_t owned = 0;        // only records that begin in the first so many bytes
  bool last = false;       // the file ends behind `bytes`
};

struct Decoded {
  size_t bytes = 0;     // used up, always whole records
  size_t rejected = 0;  // records that could not be read
};

class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  /// A part of a file comes next. `header` is what BlockFormat::headerSize() measured, from the beginning of
  /// the file. Throws Error(kUser) when it does not fit.
  virtual void begin(const std::string& file, std::string_view header) = 0;
  /// Appends records to `out` (which is empty, or an empty handle) until it is full, or until `in` has no
  /// whole record left that the part owns. No bytes used and no records: it needs more bytes.
  virtual Decoded decode(const BlockInput& in, Batch& out) = 0;

  /// Records rejected since the last call, under kFail and kSideOutput; their lines count from begin(). Under
  /// kFail decode() stops at the first.
  std::vector<BadRecord> takeBad() { return std::move(bad_); }

 protected:
  std::vector<BadRecord> bad_;
};

class BlockFormat {
 public:
  virtual ~BlockFormat() = default;
  virtual std::unique_ptr<RecordDecoder> createDecoder(BatchPools& pools) const = 0;
  /// Whether a record begins behind every line feed, so that reading can begin anywhere.
  virtual bool splittable() const { return true; }
  /// Whether a file begins with something that is no record.
  virtual bool hasHeader() const { return false; }
  /// Size of the header at the beginning of a file; 0 when `start` does not hold all of it. Never 0 if
  /// `last`, unless the file is empty.
  virtual size_t headerSize(std::string_view /*start*/, bool /*last*/) const { return 0; }
  virtual BadRecordPolicy badRecords() const { return BadRecordPolicy::kFail; }
};

}  // namespace flott
