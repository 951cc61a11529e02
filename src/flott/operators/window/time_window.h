// A window of time, half-open, and the even division of time into slices that windows are made of.
//
// Plain values, any thread.
#pragma once

#include <cstdint>
#include <limits>

#include "flott/base/time.h"

namespace flott {

/// All times from start up to, but not with, end.
struct TimeWindow {
  Timestamp start;
  Timestamp end;

  /// The last millisecond in it: the timestamp of its results.
  constexpr Timestamp maxTimestamp() const { return end - Duration::millis(1); }
  constexpr auto operator<=>(const TimeWindow&) const = default;
};

/// Slices of one length, one of which begins at `offset` after the epoch.
class SliceGrid {
 public:
  /// Of tumbling windows: each is one slice. Throws Error(kUser) for a size that is not positive or too
  /// large, and for an offset that is not smaller than the size.
  static SliceGrid tumbling(Duration size, Duration offset);

  /// The slice that `ms` falls into, which is within the limits of event_time.h.
  TimeWindow sliceOf(int64_t ms) const {
    const int64_t past = (ms - offset_) % length_;
    const int64_t start = ms - (past < 0 ? past + length_ : past);
    return {Timestamp(start), Timestamp(start + length_)};
  }
  TimeWindow sliceEndingAt(Timestamp end) const { return {end - Duration(length_), end}; }
  Duration length() const { return Duration(length_); }
  Duration offset() const { return Duration(offset_); }

 private:
  SliceGrid(int64_t length, int64_t offset) : length_(length), offset_(offset) {}

  int64_t length_;
  int64_t offset_;
};

}  // namespace flott
