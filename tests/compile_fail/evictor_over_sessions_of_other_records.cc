// expect: evictor: the class needs evictBefore and evictAfter(std::vector<TimestampedValue<T>>&
#include "flott/api/windowed_stream.h"

struct Click {
  int64_t user = 0;
};

struct KeepOfNumbers {
  void evictBefore(std::vector<flott::TimestampedValue<int64_t>>&, const flott::TimeWindow&,
                   flott::EvictorContext&) {}
  void evictAfter(std::vector<flott::TimestampedValue<int64_t>>&, const flott::TimeWindow&,
                  flott::EvictorContext&) {}
};

void build(const flott::DataStream<Click>& clicks) {
  clicks.keyBy(&Click::user)
      .window(flott::EventTimeSessionWindows::withGap(flott::Duration::seconds(1)))
      .evictor(KeepOfNumbers());
}
