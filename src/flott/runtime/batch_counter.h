// How many batches have gone by, and how many bytes of records were in them.
//
// Counted by the task that owns it, read by any thread. Looking at all records of a batch would cost a pass
// over them where they hold memory of their own, so of each 16 batches one is looked at, and the others count
// by its bytes a record: exact where all records are of one size.
#pragma once

#include <cstdint>

#include "flott/data/batch.h"
#include "flott/operators/metrics.h"

namespace flott {

class BatchCounter {
 public:
  /// Bytes of its records, about.
  int64_t weigh(const Batch& batch) {
    if (untilLook_-- == 0) {
      untilLook_ = kLookEvery - 1;
      bytesARecord_ =
          batch.size() == 0 ? 0 : static_cast<double>(batch->bytes()) / static_cast<double>(batch.size());
    }
    return static_cast<int64_t>(bytesARecord_ * static_cast<double>(batch.size()) + 0.5);
  }
  void add(int64_t bytes) {
    batches_.add();
    bytes_.add(bytes);
  }

  // Any thread.
  int64_t batches() const { return batches_.value(); }
  int64_t bytes() const { return bytes_.value(); }

 private:
  static constexpr uint32_t kLookEvery = 16;

  Counter batches_;
  Counter bytes_;
  double bytesARecord_ = 0;
  uint32_t untilLook_ = 0;
};

/// How full channels are, as any thread sees it: roughly.
struct ChannelFill {
  size_t waiting = 0;   // elements
  size_t capacity = 0;  // of their rings

  /// From 0 to 1; 0 where there is no channel.
  double share() const {
    if (capacity == 0) return 0;
    return waiting >= capacity ? 1 : static_cast<double>(waiting) / static_cast<double>(capacity);
  }
  ChannelFill& operator+=(const ChannelFill& other) {
    waiting += other.waiting;
    capacity += other.capacity;
    return *this;
  }
};

}  // namespace flott
