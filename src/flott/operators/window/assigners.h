// Window assigners: which windows a record belongs to. Values that the user hands to window(…).
//
// An assigner that divides time evenly says so by slices(): its windows are kept by SliceWindowOperator.
//
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(1h))
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(24h, -8h))    // days in Beijing
#pragma once

#include <string>

#include "flott/operators/timer_service.h"
#include "flott/operators/window/time_window.h"

namespace flott {

/// "TumblingEventTimeWindows(10 s)", with the offset when there is one.
std::string tumblingText(const char* name, const SliceGrid& slices);

/// Windows of one size that touch and do not overlap, aligned to the epoch but for an offset.
template <TimeDomain domain>
class TumblingWindows {
 public:
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName =
      domain == TimeDomain::kEventTime ? "TumblingEventTimeWindows" : "TumblingProcessingTimeWindows";

  /// `offset` moves the windows, in either direction, by less than their size. Throws Error(kUser).
  static TumblingWindows of(Duration size, Duration offset = Duration()) {
    return TumblingWindows(SliceGrid::tumbling(size, offset));
  }

  const SliceGrid& slices() const { return slices_; }
  std::string toString() const { return tumblingText(kName, slices_); }

 private:
  explicit TumblingWindows(SliceGrid slices) : slices_(slices) {}

  SliceGrid slices_;
};

using TumblingEventTimeWindows = TumblingWindows<TimeDomain::kEventTime>;
using TumblingProcessingTimeWindows = TumblingWindows<TimeDomain::kProcessingTime>;

}  // namespace flott
