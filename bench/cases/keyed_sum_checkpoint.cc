#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case keyedSumCheckpointCase() {
  return {.name = "keyed-sum-checkpoint",
          .what = "keyed-sum with a checkpoint every second, against itself without",
          .kind = CaseKind::kCheckpoint,
          .size = 120'000'000,
          .lanes = 1,
          .loop = keyedSumJob,
          .engine = keyedSumCheckpointJob};
}

}  // namespace flott::bench
