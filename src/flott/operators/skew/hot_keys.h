// Finds the keys that have an outsized share of a stream, in fixed memory and from a sample.
//
// The Space-Saving sketch (Metwally, Agrawal, El Abbadi 2005) over the hashes of a sample, dense at first, so
// that a slow stream need not wait long, and thin later: a key that is not among the kKeys counted ones takes
// the place of the least, with its count as error. Counts are halved from time to time, so that shares are
// those of late. A key's text is made when it first looks hot, while its record is at hand. Owned by one
// task.
//
//   for (size_t i = sketch.next(); i < batch.size(); i = sketch.next()) sketch.sample(hashes[i], [&] { … });
//   sketch.endBatch(batch.size());
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace flott {

class HotKeys {
 public:
  static constexpr size_t kKeys = 32;
  /// Records of one sampled one, on average: at the beginning, and when many have been sampled.
  static constexpr size_t kFirstDistance = 16;
  static constexpr size_t kLastDistance = 512;

  /// Place of the next record to be sampled, from the beginning of the batch at hand.
  size_t next() const { return next_; }
  /// The record at next(); `text()` makes the key's text.
  template <typename Text>
  void sample(uint64_t hash, Text&& text) {
    const size_t key = count(hash);
    if (isHot(key) && texts_[key].empty()) texts_[key] = text();
    skip();
  }
  void endBatch(size_t records) { next_ -= records; }
  /// Once for each few samples: whether the report may have changed.
  bool reportDue() {
    if (samples_ < reportAt_) return false;
    reportAt_ = samples_ + kSamplesPerReport;
    return true;
  }

  struct Report {
    std::string text;  // "bob 34.5%, ann 12.0%", the hottest first; empty when no key is hot
    double share = 0;  // of the hottest
  };
  Report report() const;

 private:
  static constexpr uint64_t kSamplesPerReport = 64;
  static constexpr uint32_t kSamplesAtLeast = 64;  // before anything is said
  static constexpr uint32_t kHalveAt = 2048;
  // A share that is worth a name: with it one key is a noticeable part of a subtask's work.
  static constexpr uint32_t kHotPart = 50;  // 1/50

  size_t count(uint64_t hash);
  uint32_t surely(size_t key) const { return counts_[key] - errors_[key]; }
  bool isHot(size_t key) const { return total_ >= kSamplesAtLeast && surely(key) * kHotPart >= total_; }
  void skip();
  void halve();

  // Of each counted key; apart, since each sample looks through the first and most through the second.
  uint64_t hashes_[kKeys] = {};
  uint32_t counts_[kKeys] = {};
  uint32_t errors_[kKeys] = {};  // of which may have been others'
  std::string texts_[kKeys];
  uint32_t total_ = 0;
  uint64_t samples_ = 0;
  uint64_t reportAt_ = kSamplesPerReport;
  size_t next_ = 0;
  uint64_t random_ = 0x9e3779b97f4a7c15u;
};

}  // namespace flott
