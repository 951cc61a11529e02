// tumbling: 100 k keys, a million events per second of event time, sum of each key over windows of 10 s.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

inline constexpr int64_t kTumblingWindowMs = 10'000;

inline KeyValue tumblingInput(uint64_t index) {
  constexpr uint64_t kKeys = 100'000;
  return {randomBelow(randomBits(index), kKeys), static_cast<int64_t>(index & 1023)};
}

/// Milliseconds; in order along the index.
inline int64_t tumblingTimestamp(uint64_t index) { return static_cast<int64_t>(index / 1000); }

/// What a window emits for a key, with the last millisecond of the window, which is the timestamp of the
/// result.
struct WindowSum {
  KeyValue sum;
  int64_t timestamp;
};

inline uint64_t fold(const WindowSum& result) {
  return fold(result.sum) ^ randomBits(static_cast<uint64_t>(result.timestamp));
}

Outcome tumblingLoop(const Load& load);

}  // namespace flott::bench
