#include "bench/loops/map_filter.h"

namespace flott::bench {

Outcome mapFilterLoop(const Load& load) {
  FoldBuffer<Reading> out;
  for (uint64_t i = 0; i < load.size; ++i) {
    // A branch on random data would be mispredicted for one record in five, and cost more than the arithmetic
    // it saves.
    const Reading kelvin = toKelvin(mapFilterInput(i));
    const Reading dense = toHectopascal(kelvin);
    out.next() = shiftX(dense);
    out.writtenIf(static_cast<int>(isWarm(kelvin)) & static_cast<int>(isDense(dense)));
  }
  return out.outcome(load.size);
}

}  // namespace flott::bench
