// open-windows: as many keys as records, all in one window of 10 s; sum of each key.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

inline constexpr int64_t kOpenWindowMs = 10'000;

/// A permutation of the indices, so that neighbours in time are none in a table.
inline KeyValue openWindowsInput(uint64_t index, uint64_t size) {
  constexpr uint64_t kStep = 2'654'435'761;  // a prime above all sizes
  return {static_cast<int64_t>(index * kStep % size), static_cast<int64_t>(index & 1023)};
}

/// Of this process, now.
int64_t residentBytes();

Outcome openWindowsLoop(const Load& load);

}  // namespace flott::bench
