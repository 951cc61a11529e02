// expect: window: an assigner needs `using Window`, kDomain, kName and assignWindows(
#include "flott/api/windowed_stream.h"

struct NoAssigner {
  using Window = flott::TimeWindow;
  static constexpr flott::TimeDomain kDomain = flott::TimeDomain::kEventTime;
  static constexpr const char* kName = "NoAssigner";
};

void build(const flott::DataStream<int64_t>& numbers) { numbers.windowAll(NoAssigner()); }
