// expect: discards qualifiers
#include "flott/api/broadcast_stream.h"

const flott::MapStateDescriptor<int64_t, int64_t> kRules("rules");

struct Break : flott::BroadcastProcessFunction<int64_t, int64_t, int64_t> {
  void processElement(const int64_t& event, ReadOnlyContext& ctx, flott::Collector<int64_t>&) override {
    ctx.getBroadcastState(kRules).put(event, event);
  }
  void processBroadcastElement(const int64_t&, Context&, flott::Collector<int64_t>&) override {}
};
