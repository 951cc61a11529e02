#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case recoveryCase() {
  return {.name = "recovery",
          .what = "16 M keys of state: a checkpoint to local files, a failure, and the way back",
          .kind = CaseKind::kRecovery,
          .size = 16'000'000,
          .lanes = 1,
          .loop = nullptr,
          .engine = recoveryJob};
}

}  // namespace flott::bench
