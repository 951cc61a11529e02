#include "flott/operators/watermark_strategy.h"

#include "flott/base/error.h"

namespace flott {

BoundedOutOfOrderness::BoundedOutOfOrderness(Duration delay) {
  if (delay < Duration()) {
    throw Error(ErrorKind::kUser, "records cannot be out of order by " + toString(delay) +
                                      ": give 0 or more to forBoundedOutOfOrderness(…)");
  }
  // The first watermark is Timestamp::min(), which stands for none.
  delay_ = delay == Duration::max() ? delay : delay + Duration::millis(1);
  latest_ = Timestamp::min() + delay_;
}

void checkIdleness(Duration idleness) {
  if (idleness > Duration()) return;
  throw Error(ErrorKind::kUser, "a stream cannot be idle after " + toString(idleness) +
                                    ": give more than 0 ms to withIdleness(…)");
}

void checkAlignment(const WatermarkAlignment& alignment) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::kUser, "withWatermarkAlignment(…): " + what);
  };
  if (alignment.group.empty()) refuse("the group needs a name, the same for all sources that belong to it");
  if (alignment.maxDrift < Duration()) {
    refuse("a drift of " + toString(alignment.maxDrift) + " cannot be: give 0 or more");
  }
  if (alignment.updateInterval <= Duration()) {
    refuse("an update interval of " + toString(alignment.updateInterval) + " cannot be: give more than 0 ms");
  }
}

}  // namespace flott
