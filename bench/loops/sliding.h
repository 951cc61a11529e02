// sliding: 100 k keys, a million events per second of event time, sum of each key over windows of 10 s by 1
// s.
//
// The loop shares slices: a key has one sum for each second of the last ten, in a ring; a window is their
// sum.
#pragma once

#include "bench/loops/tumbling.h"

namespace flott::bench {

inline constexpr int64_t kSlideMs = 1'000;

Outcome slidingLoop(const Load& load);

}  // namespace flott::bench
