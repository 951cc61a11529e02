// count-window: 100 k keys, the sum of each hundred records of a key.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

inline constexpr int64_t kCountWindow = 100;

inline KeyValue countWindowInput(uint64_t index) {
  constexpr uint64_t kKeys = 100'000;
  return {randomBelow(randomBits(index), kKeys), static_cast<int64_t>(index & 1023)};
}

Outcome countWindowLoop(const Load& load);

}  // namespace flott::bench
