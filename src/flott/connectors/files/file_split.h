// A piece of a file for one reader: what the enumerator hands out and checkpoints keep.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace flott {

/// A part owns what begins in [begin, end): lines, CSV records, Parquet row groups.
struct FileSplit {
  static constexpr uint64_t kWholeFile = std::numeric_limits<uint64_t>::max();

  std::string path;
  uint64_t begin = 0;
  uint64_t end = kWholeFile;
  /// Where to go on. Lines and CSV: offset in the (decompressed) file of the next record, or 0 at first.
  /// Parquet: rows of this part that are done.
  uint64_t position = 0;

  std::string splitId() const {
    return path + ":" + std::to_string(begin) + "-" + (end == kWholeFile ? "end" : std::to_string(end));
  }
};

}  // namespace flott
