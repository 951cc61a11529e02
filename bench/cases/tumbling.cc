#include "bench/loops/tumbling.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case tumblingCase() {
  return {.name = "tumbling",
          .what = "sum of each of 100 k keys over event-time windows of 10 s",
          .kind = CaseKind::kThroughput,
          .size = 120'000'000,
          .lanes = 1,
          .loop = tumblingLoop,
          .engine = tumblingJob};
}

}  // namespace flott::bench
