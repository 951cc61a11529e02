#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"
#include "bench/loops/hand_off.h"

namespace flott::bench {

Case latencyCase() {
  return {
      .name = "latency",
      .what = "100 k records a second through a keyed exchange between two lanes, from the time each was due",
      .kind = CaseKind::kLatency,
      .size = 200'000,
      .lanes = 2,
      .loop = handOffLoop,
      .engine = latencyJob};
}

}  // namespace flott::bench
