// expect: the record type of the results cannot be seen
#include "flott/api/async_data_stream.h"

void build(const flott::DataStream<int64_t>& numbers) {
  flott::AsyncDataStream::orderedWait(
      numbers, [](const int64_t& x, auto future) { future.complete(x); }, flott::Duration::seconds(1));
}
