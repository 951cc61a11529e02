#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case latencyCheckpointCase() {
  return {.name = "latency-checkpoint",
          .what = "the same with 10 M keys of state, one checkpoint to local files after the other",
          .kind = CaseKind::kLatency,
          .size = 400'000,
          .lanes = 2,
          .loop = latencyWithStateJob,
          .engine = latencyCheckpointJob};
}

}  // namespace flott::bench
