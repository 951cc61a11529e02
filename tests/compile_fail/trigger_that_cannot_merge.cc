// expect: trigger: windows of this assigner merge, which this trigger is not made for
#include "flott/api/windowed_stream.h"

struct Click {
  int64_t user = 0;
};

void build(const flott::DataStream<Click>& clicks) {
  const auto delta = [](const Click& a, const Click& b) { return static_cast<double>(b.user - a.user); };
  clicks.keyBy(&Click::user)
      .window(flott::EventTimeSessionWindows::withGap(flott::Duration::seconds(1)))
      .trigger(flott::deltaTrigger<Click>(5, delta));
}
