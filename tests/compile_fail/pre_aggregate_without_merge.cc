// expect: a function whose accumulators are combined needs merge
#include "flott/api/pre_aggregated_stream.h"

struct Sum {
  int64_t createAccumulator() const { return 0; }
  void add(const int64_t& x, int64_t& acc) const { acc += x; }
  int64_t getResult(const int64_t& acc) const { return acc; }
};

void build(const flott::DataStream<int64_t>& numbers) {
  numbers.keyBy([](const int64_t& x) { return x; }).preAggregate().aggregate(Sum());
}
