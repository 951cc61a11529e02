// expect: must be the stream's key type and record type
#include "flott/api/process.h"

struct Length : flott::ProcessFunction<std::string, size_t> {
  void processElement(const std::string&, Context&, flott::Collector<size_t>&) override {}
};

void build(const flott::DataStream<int64_t>& numbers) { numbers.process(Length()); }
