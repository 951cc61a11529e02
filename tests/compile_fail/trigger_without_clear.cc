// expect: trigger: the class needs onElement(const T& record, Timestamp, const Window&,
#include "flott/api/windowed_stream.h"

struct HalfATrigger {
  flott::TriggerResult onElement(int64_t, flott::Timestamp, const flott::TimeWindow&,
                                 flott::TriggerContext<>&) {
    return flott::TriggerResult::kFire;
  }
};

void build(const flott::DataStream<int64_t>& numbers) {
  numbers.windowAll(flott::TumblingEventTimeWindows::of(flott::Duration::seconds(1))).trigger(HalfATrigger());
}
