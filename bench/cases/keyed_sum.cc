#include "bench/loops/keyed_sum.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case keyedSumCase() {
  return {.name = "keyed-sum",
          .what = "a million int64 keys, running sum of the key for every record",
          .kind = CaseKind::kThroughput,
          .size = 40'000'000,
          .lanes = 1,
          .loop = keyedSumLoop,
          .engine = keyedSumJob};
}

}  // namespace flott::bench
