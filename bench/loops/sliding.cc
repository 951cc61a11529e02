#include "bench/loops/sliding.h"

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>

namespace flott::bench {
namespace {

constexpr size_t kSlices = kTumblingWindowMs / kSlideMs;

}  // namespace

// Every key has events in every window, so that none has to be forgotten before the end.
Outcome slidingLoop(const Load& load) {
  boost::unordered_flat_map<int64_t, std::array<int64_t, kSlices>> sums;
  FoldBuffer<WindowSum> out;
  int64_t sliceEnd = kSlideMs;
  size_t slice = 0;
  // Fires the window that ends with the slice at hand, and makes that of its first slice ready for the next.
  const auto fire = [&](bool drained) {
    slice = (slice + 1) % kSlices;
    for (auto& [key, slices] : sums) {
      int64_t sum = 0;
      bool any = !drained;
      for (const int64_t each : slices) {
        sum += each;
        any |= each != 0;
      }
      if (any) {
        out.next() = {{key, sum}, sliceEnd - 1};
        out.written();
      }
      slices[slice] = 0;
    }
    sliceEnd += kSlideMs;
  };
  for (uint64_t i = 0; i < load.size; ++i) {
    if (tumblingTimestamp(i) >= sliceEnd) [[unlikely]]
      fire(false);
    const KeyValue in = tumblingInput(i);
    sums[in.key][slice] +=
        in.value + 1;  // never 0: a slice that has events can be told from one that has none
  }
  for (size_t last = 0; last < kSlices; ++last) fire(true);
  return out.outcome(load.size);
}

}  // namespace flott::bench
