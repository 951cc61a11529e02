#include "bench/loops/sliding.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case slidingCase() {
  return {.name = "sliding",
          .what = "sum of each of 100 k keys over event-time windows of 10 s by 1 s, with shared slices",
          .kind = CaseKind::kThroughput,
          .size = 40'000'000,
          .lanes = 1,
          .loop = slidingLoop,
          .engine = slidingJob};
}

}  // namespace flott::bench
