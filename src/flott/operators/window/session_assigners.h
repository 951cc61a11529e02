// Session windows: of a key's records that follow each other closely, until nothing comes for a gap.
//
// A record alone is a window from its time to its time plus the gap; windows of a key that overlap or touch
// become one. The gap is fixed, or the record says it. Values that the user hands to window(…).
//
//   clicks.keyBy(&Click::user).window(EventTimeSessionWindows::withGap(30min))
//   clicks.keyBy(&Click::user).window(EventTimeSessionWindows::withDynamicGap(
//       [](const Click& click) -> Duration { return click.onPhone ? 5min : 30min; }))
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/operators/timer_service.h"
#include "flott/operators/window/window_assigner.h"

namespace flott {

/// The longest gap, so that the end of a session is a number.
inline constexpr Duration kLongestGap{int64_t{1} << 60};

/// Throws Error(kUser) unless the gap is positive and not too long.
Duration checkedGap(Duration gap);
/// The same for the gap that a record asks for: throws from inside the loop over a batch.
[[noreturn]] void throwGapOfRecord(Duration gap);

struct FixedGap {
  Duration gap;
  template <typename T>
  int64_t of(const T&) const {
    return gap.ms;
  }
};

template <typename F>
struct GapOfRecord {
  F extractor;
  template <typename T>
  int64_t of(const T& record) {
    const Duration gap = extractor(record);
    if (gap <= Duration() || gap > kLongestGap) [[unlikely]]
      throwGapOfRecord(gap);
    return gap.ms;
  }
};

template <TimeDomain domain, typename Gap>
class SessionWindows {
 public:
  using Window = TimeWindow;
  static constexpr TimeDomain kDomain = domain;
  static constexpr const char* kName =
      domain == TimeDomain::kEventTime ? "EventTimeSessionWindows" : "ProcessingTimeSessionWindows";

  explicit SessionWindows(Gap gap) : gap_(std::move(gap)) {}

  const Gap& gap() const { return gap_; }
  std::string toString() const {
    if constexpr (std::is_same_v<Gap, FixedGap>) {
      return std::string(kName) + "(" + flott::toString(gap_.gap) + ")";
    } else {
      return std::string(kName) + "(dynamic gap)";
    }
  }

  template <typename T>
  TimeWindow assignWindows(const T& record, Timestamp timestamp, AssignerContext&) {
    return {timestamp, timestamp + Duration(gap_.of(record))};
  }
  void mergeWindows(std::span<const TimeWindow> windows, MergeCallback<TimeWindow>& merges) const {
    mergeTimeWindows(windows, merges);
  }

 private:
  Gap gap_;
};

/// What makes session windows of one kind of time.
template <TimeDomain domain>
struct SessionWindowsMaker {
  /// Throws Error(kUser) for a gap that is not positive.
  static SessionWindows<domain, FixedGap> withGap(Duration gap) {
    return SessionWindows<domain, FixedGap>(FixedGap{checkedGap(gap)});
  }
  /// extractor(const T&) -> Duration. A record whose gap is not positive fails the job.
  template <typename F>
  static SessionWindows<domain, GapOfRecord<F>> withDynamicGap(F extractor) {
    return SessionWindows<domain, GapOfRecord<F>>(GapOfRecord<F>{std::move(extractor)});
  }
};

using EventTimeSessionWindows = SessionWindowsMaker<TimeDomain::kEventTime>;
using ProcessingTimeSessionWindows = SessionWindowsMaker<TimeDomain::kProcessingTime>;

template <typename Assigner>
inline constexpr bool kIsSessions = false;
template <TimeDomain domain, typename Gap>
inline constexpr bool kIsSessions<SessionWindows<domain, Gap>> = true;

}  // namespace flott
