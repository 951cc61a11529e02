// keyed-sum where the sums lie in RocksDB: looked up and written a batch at a time, with nothing before it.
#pragma once

#include "bench/harness.h"
#include "bench/loops/keyed_sum.h"
#include "flott/base/memory_size.h"

namespace flott::bench {

/// All caches of the cold case together: a tenth of a million entries of 27 bytes in the store.
inline constexpr MemorySize kColdMemory{2'700'000};
/// Small, so that most of the state lies in files.
inline constexpr MemorySize kColdWriteBuffer = MemorySize::mb(4);

Outcome keyedSumRocksDbLoop(const Load& load);
Outcome keyedSumRocksDbColdLoop(const Load& load);

}  // namespace flott::bench
