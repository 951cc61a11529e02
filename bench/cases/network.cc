#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"
#include "bench/loops/socket_pair.h"

namespace flott::bench {

Case networkKeyedSumCase() {
  return {
      .name = "network-keyed-sum",
      .what =
          "keyed-sum over two workers that a loopback connection links, against one process with two lanes",
      .kind = CaseKind::kOneCore,
      .size = 20'000'000,
      .lanes = 2,
      .loop = twoLaneKeyedSumJob,
      .engine = networkKeyedSumJob};
}

Case networkForwardCase() {
  return {.name = "network-forward",
          .what = "16-byte records from one worker to another over loopback, against a bare socket pair",
          .kind = CaseKind::kThroughput,
          .size = 100'000'000,
          .lanes = 2,
          .loop = socketPairLoop,
          .engine = networkForwardJob};
}

}  // namespace flott::bench
