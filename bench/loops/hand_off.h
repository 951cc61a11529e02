// latency: 100 k records a second from one thread to another, measured from the moment each record was due.
//
// The loop is the bare hand-off: a producer that sleeps until the next record is due and passes on all that
// are due then, and a consumer that spins briefly for the next record and then sleeps in the kernel. What it
// takes is what the machine takes; the engine adds to it.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

inline constexpr int64_t kLatencyPeriodNs = 10'000;

inline int64_t latencyKey(uint64_t index) {
  constexpr uint64_t kKeys = 10'000;
  return randomBelow(randomBits(index), kKeys);
}

/// Of the monotonic clock.
int64_t nowNs();

Outcome handOffLoop(const Load& load);

}  // namespace flott::bench
