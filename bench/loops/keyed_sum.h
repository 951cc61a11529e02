// keyed-sum: a key uniform in a million, the running sum of its key emitted for every record.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

/// The value depends on the key alone: whatever order records arrive in, the running sums of a key are the
/// same set.
inline KeyValue keyedSumInput(uint64_t index) {
  constexpr uint64_t kKeys = 1'000'000;
  const int64_t key = randomBelow(randomBits(index), kKeys);
  return {key, 1 + (key & 255)};
}

Outcome keyedSumLoop(const Load& load);

}  // namespace flott::bench
