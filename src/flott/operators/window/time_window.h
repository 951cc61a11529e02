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

/// An even division of time into slices, and the windows that are put together from them.
///
/// A window ends every `step`; it begins with a slice and consists of the slices up to its end. Windows that
/// tumble are one slice each, those that slide have slices in common with their neighbours, and cumulating
/// ones begin together and grow by a step.
class SliceGrid {
 public:
  /// Windows that touch and do not overlap. Throws Error(kUser) for a size that is not positive or too large,
  /// and for an offset that is not smaller than the size.
  static SliceGrid tumbling(Duration size, Duration offset);
  /// Windows of `size`, one of which begins every `slide`. Throws Error(kUser) likewise, and when a window
  /// would have more than kMostSlices.
  static SliceGrid sliding(Duration size, Duration slide, Duration offset);
  /// Windows that begin every `size` and end every `step`. Throws Error(kUser) likewise, and when the size is
  /// not a multiple of the step.
  static SliceGrid cumulating(Duration size, Duration step, Duration offset);

  static constexpr int64_t kMostSlices = 10'000;

  /// The slice that `ms` falls into, which is within the limits of event_time.h.
  TimeWindow sliceOf(int64_t ms) const {
    const int64_t start = floor(ms, length_, offset_);
    return {Timestamp(start), Timestamp(start + length_)};
  }
  /// A window is one slice.
  bool tumbles() const { return length_ == size_; }
  Duration size() const { return Duration(size_); }
  Duration step() const { return Duration(step_); }
  Duration offset() const { return Duration(offset_); }

  /// The same windows, later by less than their size.
  SliceGrid movedBy(Duration by) const {
    SliceGrid moved = *this;
    moved.offset_ = (offset_ + by.ms) % size_;
    return moved;
  }

  /// `end` is the end of a window.
  TimeWindow windowEndingAt(Timestamp end) const {
    if (cumulates_) return {Timestamp(floor(end.ms - 1, size_, offset_)), end};
    return {end - Duration(size_), end};
  }
  /// The first end of a window that is not before `at`.
  Timestamp firstEndFrom(Timestamp at) const {
    return Timestamp(floor(at.ms + step_ - 1, step_, offset_ + size_));
  }
  /// The end of the last window that begins with `slice` or before it. That window has the slice, unless it
  /// ends before: windows that slide by more than their size leave slices out.
  Timestamp lastEndOf(const TimeWindow& slice) const {
    if (cumulates_) return Timestamp(floor(slice.start.ms, size_, offset_) + size_);
    return Timestamp(floor(slice.start.ms, step_, offset_) + size_);
  }

  /// f(window) for each window that `ms` falls into, in the order of their ends.
  template <typename F>
  void forEachWindowOf(int64_t ms, F&& f) const {
    if (tumbles()) return f(sliceOf(ms));
    const TimeWindow slice = sliceOf(ms);
    const Timestamp last = lastEndOf(slice);
    for (Timestamp end = firstEndFrom(slice.end); end <= last; end = end + Duration(step_))
      f(windowEndingAt(end));
  }

 private:
  SliceGrid(int64_t length, int64_t size, int64_t step, int64_t offset, bool cumulates)
      : length_(length), size_(size), step_(step), offset_(offset), cumulates_(cumulates) {}

  /// The greatest number up to `x` that is `offset` more than a multiple of `length`.
  static int64_t floor(int64_t x, int64_t length, int64_t offset) {
    const int64_t past = (x - offset) % length;
    return x - (past < 0 ? past + length : past);
  }

  int64_t length_;  // of a slice
  int64_t size_;    // of a window; of cumulating ones, of the last
  int64_t step_;    // from the end of a window to the next
  int64_t offset_;  // from the epoch to the beginning of a window
  bool cumulates_;
};

}  // namespace flott
