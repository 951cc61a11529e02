#include "bench/loops/session.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case sessionCase() {
  return {.name = "session",
          .what = "sum of each session with a gap of 5 s, 100 k keys at a time",
          .kind = CaseKind::kThroughput,
          .size = 60'000'000,
          .lanes = 1,
          .loop = sessionLoop,
          .engine = sessionJob};
}

}  // namespace flott::bench
