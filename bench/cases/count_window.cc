#include "bench/loops/count_window.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case countWindowCase() {
  return {.name = "count-window",
          .what = "sum of each hundred records of each of 100 k keys",
          .kind = CaseKind::kThroughput,
          .size = 80'000'000,
          .lanes = 1,
          .loop = countWindowLoop,
          .engine = countWindowJob};
}

}  // namespace flott::bench
