#include "bench/loops/exchange.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case exchangeForwardCase() {
  return {.name = "exchange-forward",
          .what = "16-byte records from one lane to another, against a bare ring of batches",
          .kind = CaseKind::kThroughput,
          .size = 300'000'000,
          .lanes = 2,
          .loop = exchangeLoop,
          .engine = exchangeForwardJob};
}

Case exchangeHashCase() {
  Case hash = exchangeForwardCase();
  hash.name = "exchange-hash";
  hash.what = "16-byte records routed by key between two lanes, against a bare ring of batches";
  hash.engine = exchangeHashJob;
  return hash;
}

}  // namespace flott::bench
