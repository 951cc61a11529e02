#include "bench/loops/interval_join.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case intervalJoinCase() {
  return {.name = "interval-join",
          .what = "pairs of two streams by each of 100 k keys, up to 50 ms apart",
          .kind = CaseKind::kThroughput,
          .size = 8'000'000,
          .lanes = 1,
          .loop = intervalJoinLoop,
          .engine = intervalJoinJob};
}

}  // namespace flott::bench
