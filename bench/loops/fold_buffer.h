// Where a loop puts its output: a buffer of 1024 records that is folded into a checksum whenever it is full.
//
// It stands for the batch that an engine would hand on: each output record is really written to memory, and
// really read again. The checksum is a sum, so that it does not depend on the order of the results. Owned by
// one thread.
//
//   FoldBuffer<KeyValue> out;
//   out.next() = {key, sum};
//   out.written();
//   return out.outcome(records);
#pragma once

#include <cstdint>
#include <memory>

#include "bench/harness.h"
#include "bench/loops/generated.h"

namespace flott::bench {

/// Binds the value to its key; sums of values are below 2^32 in all inputs here.
inline uint64_t fold(const KeyValue& record) {
  return static_cast<uint64_t>(record.value) ^ (static_cast<uint64_t>(record.key) << 32);
}

template <typename T>
class FoldBuffer {
 public:
  static constexpr uint32_t kCapacity = 1024;

  /// The record to write; it still holds what was written there 1024 records ago.
  T& next() { return records_[size_]; }
  void written() { writtenIf(true); }
  /// Drops the record again unless `keep`, without a branch that depends on it.
  void writtenIf(bool keep) {
    size_ += keep;
    if (size_ == kCapacity) [[unlikely]]
      foldAll();
  }

  Outcome outcome(uint64_t records) {
    foldAll();
    return {.records = records, .results = results_, .checksum = checksum_, .latency = {}};
  }

 private:
  void foldAll() {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < size_; ++i) sum += fold(records_[i]);
    checksum_ += sum;
    results_ += size_;
    size_ = 0;
  }

  const std::unique_ptr<T[]> records_ = std::make_unique<T[]>(kCapacity);
  uint32_t size_ = 0;
  uint64_t results_ = 0;
  uint64_t checksum_ = 0;
};

}  // namespace flott::bench
