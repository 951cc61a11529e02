// expect: process: the record type it puts out cannot be seen
#include "flott/api/process.h"

void build(const flott::DataStream<int64_t>& numbers) {
  numbers.process([](const int64_t& number, auto&, auto& out) { out.collect(number); });
}
