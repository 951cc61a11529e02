#include "bench/loops/map_filter.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case mapFilterCase() {
  return {.name = "map-filter",
          .what = "64-byte records through map, filter, map, filter, map",
          .kind = CaseKind::kThroughput,
          .size = 150'000'000,
          .lanes = 1,
          .loop = mapFilterLoop,
          .engine = mapFilterJob};
}

}  // namespace flott::bench
