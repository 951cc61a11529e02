// What time it is: the only clock of the engine.
//
// Processing time is wallTime(); timers, time-outs and measurements use monotonicNanos(), which never goes
// back. Both may be called from any thread and cost about 20 ns in the real environment: once a batch, never
// once a record. In the simulation time stands still until the test advances it.
//
//   const int64_t deadline = deadlineAfter(env.clock, Duration::seconds(10));
#pragma once

#include <cstdint>
#include <limits>

#include "flott/base/time.h"

namespace flott {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Time of day, UTC. May jump when somebody sets the machine's clock. Never throws.
  virtual Timestamp wallTime() const = 0;
  /// Nanoseconds since some moment before the process began. Never goes back, never throws.
  virtual int64_t monotonicNanos() const = 0;
};

/// As a deadline in monotonic nanoseconds: wait for ever.
inline constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

/// The monotonic time `wait` from now; kNoDeadline when that lies beyond the range of the clock.
inline int64_t deadlineAfter(const Clock& clock, Duration wait) {
  int64_t nanos;
  if (__builtin_mul_overflow(wait.ms, int64_t{1'000'000}, &nanos)) return kNoDeadline;
  int64_t deadline;
  if (__builtin_add_overflow(clock.monotonicNanos(), nanos, &deadline)) return kNoDeadline;
  return deadline;
}

}  // namespace flott
