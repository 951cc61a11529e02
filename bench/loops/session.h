// session: a million events per second of event time, in order, whose keys come and go: a hundred thousand at
// a time, each for ten seconds. The sum of each session, which ends after 5 s without an event.
#pragma once

#include "bench/loops/tumbling.h"

namespace flott::bench {

inline constexpr int64_t kSessionGapMs = 5'000;

inline KeyValue sessionInput(uint64_t index) {
  constexpr uint64_t kKeys = 100'000;
  // Each millisecond has a thousand events, ten keys that begin and ten that are heard no more.
  return {randomBelow(randomBits(index), kKeys) + static_cast<int64_t>(index / 100),
          static_cast<int64_t>(index & 1023)};
}

Outcome sessionLoop(const Load& load);

}  // namespace flott::bench
