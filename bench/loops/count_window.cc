#include "bench/loops/count_window.h"

#include <boost/unordered/unordered_flat_map.hpp>

namespace flott::bench {

Outcome countWindowLoop(const Load& load) {
  struct Counted {
    int64_t count = 0;
    int64_t sum = 0;
  };
  boost::unordered_flat_map<int64_t, Counted> windows;
  FoldBuffer<KeyValue> out;
  for (uint64_t i = 0; i < load.size; ++i) {
    const KeyValue in = countWindowInput(i);
    Counted& window = windows[in.key];
    window.sum += in.value;
    if (++window.count < kCountWindow) continue;
    out.next() = {in.key, window.sum};
    out.written();
    windows.erase(in.key);
  }
  return out.outcome(load.size);
}

}  // namespace flott::bench
