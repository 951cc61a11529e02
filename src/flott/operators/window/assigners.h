// Window assigners: which windows a record belongs to. Values that the user hands to window(…).
//
// An assigner that divides time evenly says so by slices(): its windows are kept by SliceWindowOperator.
//
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(1h))
//   clicks.keyBy(&Click::user).window(TumblingEventTimeWindows::of(24h, -8h))    // days in Beijing
//   clicks.keyBy(&Click::user).window(TumblingProcessingTimeWindows::of(1h, 0h, WindowStagger::kRandom))
//   clicks.keyBy(&Click::user).window(SlidingEventTimeWindows::of(10min, 1min))
//   clicks.keyBy(&Click::user).window(CumulatingEventTimeWindows::of(24h, 1h))   // the day so far, each hour
#pragma once

#include <string>

#include "flott/operators/timer_service.h"
#include "flott/operators/window/time_window.h"
#include "flott/operators/window/window_stagger.h"

namespace flott {

/// "TumblingEventTimeWindows(10 s)", with the step and the offset when there is one.
std::string slicingText(const char* name, const SliceGrid& slices);

/// Windows of one size that touch and do not overlap, aligned to the epoch but for an offset.
template <TimeDomain domain>
class TumblingWindows {
 public:
  static constexpr bool kOverlap = false;
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName =
      domain == TimeDomain::kEventTime ? "TumblingEventTimeWindows" : "TumblingProcessingTimeWindows";

  /// `offset` moves the windows, in either direction, by less than their size; `stagger` by more. Throws
  /// Error(kUser).
  static TumblingWindows of(Duration size, Duration offset = Duration(),
                            WindowStagger stagger = WindowStagger::kAligned) {
    return TumblingWindows(SliceGrid::tumbling(size, offset), stagger);
  }

  const SliceGrid& slices() const { return slices_; }
  SliceGrid& slices() { return slices_; }
  WindowStagger stagger() const { return stagger_; }
  std::string toString() const {
    std::string text = slicingText(kName, slices_);
    return text.insert(text.size() - 1, staggerText(stagger_));
  }

 private:
  TumblingWindows(SliceGrid slices, WindowStagger stagger) : slices_(slices), stagger_(stagger) {}

  SliceGrid slices_;
  WindowStagger stagger_;
};

using TumblingEventTimeWindows = TumblingWindows<TimeDomain::kEventTime>;
using TumblingProcessingTimeWindows = TumblingWindows<TimeDomain::kProcessingTime>;

/// Windows of one size, of which one begins every `slide`: a record is in size / slide of them.
template <TimeDomain domain>
class SlidingWindows {
 public:
  static constexpr bool kOverlap = true;
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName =
      domain == TimeDomain::kEventTime ? "SlidingEventTimeWindows" : "SlidingProcessingTimeWindows";

  /// `offset` moves the windows, in either direction. Throws Error(kUser).
  static SlidingWindows of(Duration size, Duration slide, Duration offset = Duration()) {
    return SlidingWindows(SliceGrid::sliding(size, slide, offset));
  }

  const SliceGrid& slices() const { return slices_; }
  std::string toString() const { return slicingText(kName, slices_); }

 private:
  explicit SlidingWindows(SliceGrid slices) : slices_(slices) {}

  SliceGrid slices_;
};

using SlidingEventTimeWindows = SlidingWindows<TimeDomain::kEventTime>;
using SlidingProcessingTimeWindows = SlidingWindows<TimeDomain::kProcessingTime>;

/// Windows that begin together and grow by a step until they have their full size; then the next ones begin.
template <TimeDomain domain>
class CumulatingWindows {
 public:
  static constexpr bool kOverlap = true;
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName =
      domain == TimeDomain::kEventTime ? "CumulatingEventTimeWindows" : "CumulatingProcessingTimeWindows";

  /// `offset` moves the windows, in either direction. Throws Error(kUser).
  static CumulatingWindows of(Duration size, Duration step, Duration offset = Duration()) {
    return CumulatingWindows(SliceGrid::cumulating(size, step, offset));
  }

  const SliceGrid& slices() const { return slices_; }
  std::string toString() const { return slicingText(kName, slices_); }

 private:
  explicit CumulatingWindows(SliceGrid slices) : slices_(slices) {}

  SliceGrid slices_;
};

using CumulatingEventTimeWindows = CumulatingWindows<TimeDomain::kEventTime>;
using CumulatingProcessingTimeWindows = CumulatingWindows<TimeDomain::kProcessingTime>;

}  // namespace flott
