#include "flott/api/interval_join.h"

namespace flott {

void throwIntervalJoinInProcessingTime() {
  throw Error(ErrorKind::kUser,
              "interval joins are on event time only: give both streams timestamps and watermarks with "
              "assignTimestampsAndWatermarks(…), of ingestion if there are no others");
}

}  // namespace flott
