#include "bench/loops/tumbling.h"

#include <boost/unordered/unordered_flat_map.hpp>

namespace flott::bench {

Outcome tumblingLoop(const Load& load) {
  boost::unordered_flat_map<int64_t, int64_t> sums;
  FoldBuffer<WindowSum> out;
  int64_t windowEnd = kTumblingWindowMs;
  const auto fire = [&] {
    for (const auto& [key, sum] : sums) {
      out.next() = {{key, sum}, windowEnd - 1};
      out.written();
    }
    sums.clear();
  };
  for (uint64_t i = 0; i < load.size; ++i) {
    // Events are in order, and every window has some.
    if (tumblingTimestamp(i) >= windowEnd) [[unlikely]] {
      fire();
      windowEnd += kTumblingWindowMs;
    }
    const KeyValue in = tumblingInput(i);
    sums[in.key] += in.value;
  }
  fire();
  return out.outcome(load.size);
}

}  // namespace flott::bench
