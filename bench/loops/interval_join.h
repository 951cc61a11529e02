// interval-join: two streams of a million events per second of event time each, 100 k keys; pairs of a key
// that are no more than 50 ms apart.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

inline constexpr int64_t kJoinReachMs = 50;

/// Even indices are the left stream, odd ones the right.
inline KeyValue joinInput(uint64_t index) {
  constexpr uint64_t kKeys = 100'000;
  return {randomBelow(randomBits(index), kKeys), static_cast<int64_t>(index & 1023)};
}

/// Milliseconds; in order along the index.
inline int64_t joinTimestamp(uint64_t index) { return static_cast<int64_t>(index / 2000); }

/// A pair, and the later of its timestamps, which is that of the result.
struct JoinedPair {
  int64_t key;
  int64_t left;
  int64_t right;
};
struct StampedPair {
  JoinedPair pair;
  int64_t timestamp;
};

inline uint64_t fold(const StampedPair& result) {
  const JoinedPair& pair = result.pair;
  const uint64_t values = static_cast<uint64_t>(pair.left) << 16 | static_cast<uint64_t>(pair.right);
  return randomBits(values ^ (static_cast<uint64_t>(pair.key) << 32)) ^
         randomBits(static_cast<uint64_t>(result.timestamp));
}

Outcome intervalJoinLoop(const Load& load);

}  // namespace flott::bench
