// expect: allowedLateness: on processing time no record is late
#include "flott/api/windowed_stream.h"

void build(const flott::DataStream<int64_t>& numbers) {
  numbers.windowAll(flott::ProcessingTimeSessionWindows::withGap(flott::Duration::seconds(1)))
      .allowedLateness(flott::Duration::seconds(1));
}
