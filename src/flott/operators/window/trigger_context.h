// What a trigger is, and what it may ask: its state and timers for the window of the key at hand, and the
// time.
//
// A trigger decides when a window puts out its results (fire) and when it forgets its contents (purge). It is
// a class like this; each operator instance has a copy, which it calls on the task's thread:
//
//   struct FireOnLargeSale {
//     struct State { int64_t cents = 0; };          // optional: kept for each key and window, a plain struct
//     TriggerResult onElement(const Sale& sale, Timestamp timestamp, const TimeWindow& window,
//                             TriggerContext<State>& context) {
//       context.state().cents += sale.cents;
//       return context.state().cents > 100'000 ? TriggerResult::kFireAndPurge : TriggerResult::kContinue;
//     }
//     TriggerResult onEventTime(Timestamp time, const TimeWindow& window, TriggerContext<State>& context);
//     TriggerResult onProcessingTime(Timestamp time, const TimeWindow& window, TriggerContext<State>&);
//     void clear(const TimeWindow& window, TriggerContext<State>& context);   // the window ends
//   };
//
// `timestamp` is the record's, Timestamp::min() where it has none. For windows that merge a trigger needs
// onMerge(window, context) too, which sets the timers of the window that others have become, and, when it has
// a State, mergeState(State& into, const State& from). A trigger without State takes TriggerContext<>&. It
// may be rich: keyed state that it gets in open(RuntimeContext&) is that of the key over all its windows.
#pragma once

#include <cstdint>
#include <type_traits>

#include "flott/operators/context.h"
#include "flott/operators/timer_service.h"
#include "flott/operators/window/windows.h"
#include "flott/state/keyed_backend.h"

namespace flott {

enum class TriggerResult : uint8_t {
  kContinue,
  kFire,          // put out results; the contents stay
  kPurge,         // forget the contents
  kFireAndPurge,  // both
};
constexpr bool isFire(TriggerResult result) {
  return result == TriggerResult::kFire || result == TriggerResult::kFireAndPurge;
}
constexpr bool isPurge(TriggerResult result) {
  return result == TriggerResult::kPurge || result == TriggerResult::kFireAndPurge;
}

/// The state of a trigger that has none.
struct NoTriggerState {
  bool operator==(const NoTriggerState&) const = default;
};

/// The window whose trigger is called: one for each operator instance.
class TriggerScope {
 public:
  void open(OperatorContext& context, KeyedStateBackend& keyed);
  /// At the beginning of each step.
  void begin() { processingTime_ = context_->processingTime(); }
  void setWatermark(Timestamp watermark) { watermark_ = watermark; }
  /// Timers are those of the backend's current key in the window of this number. The operator has a timer of
  /// its own at `cleanup`, in the time of the windows.
  void enter(int64_t window, TimeDomain domain, Timestamp cleanup) {
    window_ = window;
    domain_ = domain;
    cleanup_ = cleanup;
  }

  Timestamp watermark() const { return watermark_; }
  Timestamp processingTime() const { return processingTime_; }
  void add(TimeDomain domain, Timestamp at) {
    if (domain != domain_ || at != cleanup_) addTimer(domain, at);
  }
  void remove(TimeDomain domain, Timestamp at) {
    if (domain != domain_ || at != cleanup_) removeTimer(domain, at);
  }
  void addTimer(TimeDomain domain, Timestamp at);
  void removeTimer(TimeDomain domain, Timestamp at);
  /// A timer on processing time is due when its millisecond is over, so that the last one of a window lies in
  /// it.
  bool popDue(TimeDomain domain, Timestamp upTo, Timer& timer) {
    return domain == TimeDomain::kEventTime ? eventTimers_->popDue(upTo, timer)
                                            : processingTimers_->popDue(upTo, timer);
  }
  /// Sets the operator's alarm for the earliest timer on processing time; after the alarm went off.
  void resetAlarm();

 private:
  OperatorContext* context_ = nullptr;
  KeyedStateBackend* keyed_ = nullptr;
  TimerQueue* eventTimers_ = nullptr;
  TimerQueue* processingTimers_ = nullptr;
  Timestamp watermark_;
  Timestamp processingTime_;
  Timestamp alarm_ = Timestamp::max();
  int64_t window_ = 0;
  TimeDomain domain_ = TimeDomain::kEventTime;
  Timestamp cleanup_;
};

/// Good during the call it is passed to.
template <typename State = NoTriggerState>
class TriggerContext {
 public:
  TriggerContext(TriggerScope& scope, State& state) : scope_(scope), state_(state) {}

  /// Of this window of the key.
  State& state() { return state_; }
  /// Timestamp::min() before the first watermark.
  Timestamp currentWatermark() const { return scope_.watermark(); }
  /// As of the beginning of this step.
  Timestamp currentProcessingTime() const { return scope_.processingTime(); }

  /// Calls onEventTime when the watermark has reached `at`; a window has a timer for a moment once.
  void registerEventTimeTimer(Timestamp at) { scope_.add(TimeDomain::kEventTime, at); }
  /// Calls onProcessingTime when the millisecond `at` is over.
  void registerProcessingTimeTimer(Timestamp at) { scope_.add(TimeDomain::kProcessingTime, at); }
  void deleteEventTimeTimer(Timestamp at) { scope_.remove(TimeDomain::kEventTime, at); }
  void deleteProcessingTimeTimer(Timestamp at) { scope_.remove(TimeDomain::kProcessingTime, at); }

  /// For a trigger inside this one, with a part of the state.
  template <typename Inner>
  TriggerContext<Inner> with(Inner& state) {
    return {scope_, state};
  }

 private:
  TriggerScope& scope_;
  State& state_;
};

namespace internal {

template <typename Trigger>
consteval auto triggerState() {
  if constexpr (requires { typename Trigger::State; }) {
    return std::type_identity<typename Trigger::State>();
  } else {
    return std::type_identity<NoTriggerState>();
  }
}

}  // namespace internal

template <typename Trigger>
using TriggerStateOf = typename decltype(internal::triggerState<Trigger>())::type;

template <typename Trigger, typename T, typename W>
concept TriggerFor = requires(Trigger& trigger, const T& record, Timestamp at, const W& window,
                              TriggerContext<TriggerStateOf<Trigger>>& context) {
  { trigger.onElement(record, at, window, context) } -> std::same_as<TriggerResult>;
  { trigger.onEventTime(at, window, context) } -> std::same_as<TriggerResult>;
  { trigger.onProcessingTime(at, window, context) } -> std::same_as<TriggerResult>;
  trigger.clear(window, context);
};

template <typename Trigger, typename W>
concept MergingTrigger = requires(Trigger& trigger, const W& window,
                                  TriggerContext<TriggerStateOf<Trigger>>& context) {
  trigger.onMerge(window, context);
  requires std::is_same_v<TriggerStateOf<Trigger>, NoTriggerState> ||
      requires(TriggerStateOf<Trigger> & into, const TriggerStateOf<Trigger>& from) {
    trigger.mergeState(into, from);
  };
};

}  // namespace flott
