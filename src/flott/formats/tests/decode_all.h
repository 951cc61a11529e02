// Decodes a text as a reader would that gets it in blocks, for tests of formats.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/data/rows.h"
#include "flott/formats/block_format.h"

namespace flott {

/// What came out of one text, each record as print() shows it.
struct DecodedText {
  std::vector<std::string> records;
  std::vector<BadRecord> bad;
  size_t rejected = 0;
};

/// All of `text`, with `block` more bytes at a time. Stops at the first bad record where the policy is to
/// fail.
inline DecodedText decodeAll(const BlockFormat& format, std::string_view text, size_t block = SIZE_MAX,
                             const std::string& file = "a.csv") {
  BatchPools pools;
  DecodedText all;
  const auto decoder = format.createDecoder(pools);
  const size_t header = format.hasHeader() ? format.headerSize(text, true) : 0;
  decoder->begin(file, text.substr(0, header));
  size_t at = header;
  size_t end = std::min(text.size(), header + std::min(block, text.size()));
  while (at < text.size()) {
    Batch batch;
    const bool last = end == text.size();
    const Decoded done =
        decoder->decode({.bytes = text.substr(at, end - at), .owned = end - at, .last = last}, batch);
    at += done.bytes;
    all.rejected += done.rejected;
    for (size_t i = 0; i < batch.size(); ++i) all.records.push_back(batch->print(i));
    for (BadRecord& bad : decoder->takeBad()) all.bad.push_back(std::move(bad));
    if (!all.bad.empty() && format.badRecords() == BadRecordPolicy::kFail) break;
    if (done.bytes == 0) {
      FLOTT_CHECK(!last, "the decoder does not finish");
      end = std::min(text.size(), end + std::min(block, text.size()));
    }
  }
  return all;
}

}  // namespace flott
