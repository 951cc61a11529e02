// What a window assigner is: the function from a record to the windows it belongs to.
//
// A user's assigner is a class like this; the operator calls it for each record, on the task's thread:
//
//   struct HalfHoursOfShop {
//     using Window = TimeWindow;                                   // or a window type of one's own
//     static constexpr TimeDomain kDomain = TimeDomain::kEventTime;
//     static constexpr const char* kName = "HalfHoursOfShop";
//     TimeWindow assignWindows(const Sale& sale, Timestamp timestamp, AssignerContext& context);
//   };
//
// assignWindows returns one window or any range of them. `timestamp` is the record's on event time, and the
// clock's on processing time. An assigner with mergeWindows(span, MergeCallback&) is a merging one: after
// each record it is shown all windows of the key and says which of them become one.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/timer_service.h"
#include "flott/operators/window/windows.h"

namespace flott {

/// What an assigner may ask. Good during the call it is passed to.
class AssignerContext {
 public:
  explicit AssignerContext(Timestamp processingTime) : processingTime_(processingTime) {}
  /// As of the beginning of this step.
  Timestamp currentProcessingTime() const { return processingTime_; }

 private:
  Timestamp processingTime_;
};

/// Takes what a merging assigner decides.
template <typename W>
class MergeCallback {
 public:
  struct Merge {
    std::vector<W> windows;
    W result;
  };

  /// These windows, each of which was shown, become `result`. A window may be merged once.
  void merge(std::span<const W> windows, const W& result) {
    merges_.push_back({{windows.begin(), windows.end()}, result});
  }

  const std::vector<Merge>& merges() const { return merges_; }
  void clear() { merges_.clear(); }

 private:
  std::vector<Merge> merges_;
};

/// As sessions do: windows that overlap or touch become the window that covers them.
void mergeTimeWindows(std::span<const TimeWindow> windows, MergeCallback<TimeWindow>& merges);

namespace internal {

template <typename A>
consteval auto windowOf() {
  if constexpr (requires { typename A::Window; }) {
    return std::type_identity<typename A::Window>();
  } else {
    return std::type_identity<TimeWindow>();
  }
}

}  // namespace internal

/// The window type of an assigner: a window of time unless it says otherwise.
template <typename A>
using WindowOf = typename decltype(internal::windowOf<A>())::type;

/// Divides time evenly: its windows are made of slices (slice_window_operator.h).
template <typename A>
concept SlicingAssigner = requires(const A& assigner) {
  assigner.slices();
};

/// Its windows need not begin at the same time in all subtasks.
template <typename A>
concept StaggeringAssigner = requires(const A& assigner) {
  assigner.stagger();
};

template <typename A>
concept MergingAssigner = requires(A& assigner, std::span<const WindowOf<A>> windows,
                                   MergeCallback<WindowOf<A>>& merges) {
  assigner.mergeWindows(windows, merges);
};

template <typename A, typename T>
concept WindowAssigner = SlicingAssigner<A> ||
    (Window<WindowOf<A>>&& requires(A& assigner, const T& record, Timestamp timestamp,
                                    AssignerContext& context) {
      { A::kDomain } -> std::convertible_to<TimeDomain>;
      { A::kName } -> std::convertible_to<const char*>;
      assigner.assignWindows(record, timestamp, context);
    });

/// f(const W&) for each window of a record.
template <typename A, typename T, typename F>
void forEachWindow(A& assigner, const T& record, Timestamp timestamp, AssignerContext& context, F&& f) {
  if constexpr (SlicingAssigner<A>) {
    assigner.slices().forEachWindowOf(timestamp.ms, f);
  } else {
    auto&& assigned = assigner.assignWindows(record, timestamp, context);
    if constexpr (std::is_convertible_v<decltype(assigned), const WindowOf<A>&>) {
      f(assigned);
    } else {
      for (const WindowOf<A>& window : assigned) f(window);
    }
  }
}

/// How it is printed in the job's plan.
template <typename A>
std::string assignerText(const A& assigner) {
  if constexpr (requires { assigner.toString(); }) {
    return assigner.toString();
  } else {
    return A::kName;
  }
}

}  // namespace flott
