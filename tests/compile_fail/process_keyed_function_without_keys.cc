// expect: process: a KeyedProcessFunction needs a stream with keys; call keyBy(…) before process(…)
#include "flott/api/process.h"

struct Count : flott::KeyedProcessFunction<int64_t, int64_t, int64_t> {
  void processElement(const int64_t&, Context&, flott::Collector<int64_t>&) override {}
};

void build(const flott::DataStream<int64_t>& numbers) { numbers.process(Count()); }
