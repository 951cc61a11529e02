#include "bench/loops/keyed_sum_rocksdb.h"

#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case keyedSumRocksDbCase() {
  return {.name = "keyed-sum-rocksdb",
          .what = "keyed-sum on the rocksdb backend as it comes",
          .kind = CaseKind::kThroughput,
          .size = 3'000'000,
          .lanes = 1,
          .loop = keyedSumRocksDbLoop,
          .engine = keyedSumRocksDbJob};
}

Case keyedSumRocksDbColdCase() {
  return {.name = "keyed-sum-rocksdb-cold",
          .what = "the same with caches of a tenth of the state",
          .kind = CaseKind::kThroughput,
          .size = 4'000'000,
          .lanes = 1,
          .loop = keyedSumRocksDbColdLoop,
          .engine = keyedSumRocksDbColdJob};
}

}  // namespace flott::bench
