#include "bench/loops/open_windows.h"

#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case openWindowsCase() {
  return {
      .name = "open-windows",
      .what = "10 M keys in one window of 10 s: memory, time to fire, and how long other work waits for it",
      .kind = CaseKind::kFiring,
      .size = 10'000'000,
      .lanes = 1,
      .loop = openWindowsLoop,
      .engine = openWindowsJob};
}

}  // namespace flott::bench
