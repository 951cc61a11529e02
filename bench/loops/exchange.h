// exchange-forward, exchange-hash: 16-byte records from one thread to another.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

/// As cheap as can be, for the exchange is what is measured. Keys are all different.
inline KeyValue exchangeInput(uint64_t index) {
  const int64_t i = static_cast<int64_t>(index);
  return {i, i & 0xffff};
}

/// One thread generates into a BatchRing, another folds.
Outcome exchangeLoop(const Load& load);

}  // namespace flott::bench
