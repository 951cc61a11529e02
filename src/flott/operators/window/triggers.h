// The triggers there are. Values that the user hands to trigger(…), in place of the usual one of the windows.
//
//   clicks.keyBy(&Click::user)
//       .window(TumblingEventTimeWindows::of(1h))
//       .trigger(ContinuousEventTimeTrigger::of(5min))      // early results, and those at the end
//       .sum(&Click::amount)
//
// A trigger given here is all there is: CountTrigger, for one, does not fire at the end of the window.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/window/trigger_context.h"

namespace flott {

/// Throws Error(kUser) unless it is positive.
Duration checkedInterval(const char* trigger, Duration interval);
int64_t checkedCount(const char* what, int64_t count);
[[noreturn]] void throwTriggerNeedsTimestamps(const char* trigger);

/// Fires when the watermark reaches the window's last millisecond, and at each late record after that: the
/// usual one of windows on event time.
struct EventTimeTrigger {
  static EventTimeTrigger create() { return {}; }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp, const W& window, TriggerContext<>& context) {
    if (window.maxTimestamp() <= context.currentWatermark()) return TriggerResult::kFire;
    context.registerEventTimeTimer(window.maxTimestamp());
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<>&) {
    return time == window.maxTimestamp() ? TriggerResult::kFire : TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  void onMerge(const W& window, TriggerContext<>& context) {
    // Beyond the watermark the record that merges fires by itself.
    if (window.maxTimestamp() > context.currentWatermark())
      context.registerEventTimeTimer(window.maxTimestamp());
  }
  template <typename W>
  void clear(const W& window, TriggerContext<>& context) {
    context.deleteEventTimeTimer(window.maxTimestamp());
  }
};

/// Fires when the clock has passed the end of the window: the usual one of windows on processing time.
struct ProcessingTimeTrigger {
  static ProcessingTimeTrigger create() { return {}; }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp, const W& window, TriggerContext<>& context) {
    context.registerProcessingTimeTimer(window.maxTimestamp());
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kFire;
  }
  template <typename W>
  void onMerge(const W& window, TriggerContext<>& context) {
    if (window.maxTimestamp() > context.currentProcessingTime())
      context.registerProcessingTimeTimer(window.maxTimestamp());
  }
  template <typename W>
  void clear(const W& window, TriggerContext<>& context) {
    context.deleteProcessingTimeTimer(window.maxTimestamp());
  }
};

/// Never fires: the usual one of global windows.
struct NeverTrigger {
  static NeverTrigger create() { return {}; }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  void onMerge(const W&, TriggerContext<>&) {}
  template <typename W>
  void clear(const W&, TriggerContext<>&) {}
};

/// Fires at every `count`-th record of a window, and at nothing else.
class CountTrigger {
 public:
  struct State {
    int64_t count = 0;
    bool operator==(const State&) const = default;
  };

  /// Throws Error(kUser) for a count that is not positive.
  static CountTrigger of(int64_t count) { return CountTrigger(checkedCount("CountTrigger", count)); }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp, const W&, TriggerContext<State>& context) {
    if (++context.state().count < count_) return TriggerResult::kContinue;
    context.state().count = 0;
    return TriggerResult::kFire;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  void onMerge(const W&, TriggerContext<State>&) {}
  static void mergeState(State& into, const State& from) { into.count += from.count; }
  template <typename W>
  void clear(const W&, TriggerContext<State>& context) {
    context.state() = {};
  }

 private:
  explicit CountTrigger(int64_t count) : count_(count) {}

  int64_t count_;
};

/// Fires at a record that differs by more than a threshold from the one that it fired at last (at first: from
/// the window's first). The delta is what delta(const T& last, const T& record) returns.
template <typename T, typename F>
class DeltaTrigger {
 public:
  struct State {
    std::optional<T> last;
  };

  DeltaTrigger(double threshold, F delta) : threshold_(threshold), delta_(std::move(delta)) {}

  template <typename W>
  TriggerResult onElement(const T& record, Timestamp, const W&, TriggerContext<State>& context) {
    std::optional<T>& last = context.state().last;
    const bool fires = last && delta_(std::as_const(*last), record) > threshold_;
    if (!last || fires) last = record;
    return fires ? TriggerResult::kFire : TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  void clear(const W&, TriggerContext<State>& context) {
    context.state() = {};
  }

 private:
  double threshold_;
  F delta_;
};

/// deltaTrigger<Reading>(5, [](const Reading& last, const Reading& now) { return now.degrees - last.degrees;
/// })
template <typename T, typename F>
DeltaTrigger<T, F> deltaTrigger(double threshold, F delta) {
  return {threshold, std::move(delta)};
}

/// When the next of regular firings is due.
struct NextFiring {
  std::optional<Timestamp> at;
  bool operator==(const NextFiring&) const = default;
};

/// Fires at each multiple of an interval of event time that the watermark passes while the window has
/// records, and when the watermark reaches the end of the window.
class ContinuousEventTimeTrigger {
 public:
  using State = NextFiring;

  /// Throws Error(kUser) for an interval that is not positive.
  static ContinuousEventTimeTrigger of(Duration interval) {
    return ContinuousEventTimeTrigger(checkedInterval("ContinuousEventTimeTrigger", interval));
  }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp timestamp, const W& window, TriggerContext<State>& context) {
    if (timestamp == Timestamp::min()) throwTriggerNeedsTimestamps("ContinuousEventTimeTrigger");
    if (window.maxTimestamp() <= context.currentWatermark()) return TriggerResult::kFire;
    context.registerEventTimeTimer(window.maxTimestamp());
    if (!context.state().at) {
      setNext(timestamp - Duration(timestamp.ms % interval_.ms), window, context);
    }
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    if (time == window.maxTimestamp()) return TriggerResult::kFire;
    if (context.state().at != time) return TriggerResult::kContinue;
    setNext(time, window, context);
    return TriggerResult::kFire;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  void onMerge(const W& window, TriggerContext<State>& context) {
    if (window.maxTimestamp() > context.currentWatermark())
      context.registerEventTimeTimer(window.maxTimestamp());
    if (context.state().at) context.registerEventTimeTimer(*context.state().at);
  }
  static void mergeState(State& into, const State& from) {
    if (from.at) into.at = into.at ? std::min(*into.at, *from.at) : *from.at;
  }
  template <typename W>
  void clear(const W& window, TriggerContext<State>& context) {
    context.deleteEventTimeTimer(window.maxTimestamp());
    if (context.state().at) context.deleteEventTimeTimer(*context.state().at);
    context.state() = {};
  }

 private:
  explicit ContinuousEventTimeTrigger(Duration interval) : interval_(interval) {}

  template <typename W>
  void setNext(Timestamp from, const W& window, TriggerContext<State>& context) {
    // Where neither the input nor the window has a time left to come, the multiples of an interval have no
    // end.
    const bool endless =
        context.currentWatermark() == Timestamp::max() && window.maxTimestamp() == Timestamp::max();
    const Timestamp next = endless ? Timestamp::max() : std::min(from + interval_, window.maxTimestamp());
    context.state().at = next;
    context.registerEventTimeTimer(next);
  }

  Duration interval_;
};

/// Fires at each multiple of an interval of processing time while the window has records, and on processing
/// time at the end of the window.
class ContinuousProcessingTimeTrigger {
 public:
  using State = NextFiring;

  /// Throws Error(kUser) for an interval that is not positive.
  static ContinuousProcessingTimeTrigger of(Duration interval) {
    return ContinuousProcessingTimeTrigger(checkedInterval("ContinuousProcessingTimeTrigger", interval));
  }

  template <typename T, typename W>
  TriggerResult onElement(const T&, Timestamp, const W& window, TriggerContext<State>& context) {
    const Timestamp now = context.currentProcessingTime();
    if (!context.state().at) setNext(now - Duration(now.ms % interval_.ms), window, context);
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp, const W&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    if (context.state().at != time) return TriggerResult::kContinue;
    setNext(time, window, context);
    return TriggerResult::kFire;
  }
  template <typename W>
  void onMerge(const W&, TriggerContext<State>& context) {
    if (context.state().at) context.registerProcessingTimeTimer(*context.state().at);
  }
  static void mergeState(State& into, const State& from) {
    if (from.at) into.at = into.at ? std::min(*into.at, *from.at) : *from.at;
  }
  template <typename W>
  void clear(const W&, TriggerContext<State>& context) {
    if (context.state().at) context.deleteProcessingTimeTimer(*context.state().at);
    context.state() = {};
  }

 private:
  explicit ContinuousProcessingTimeTrigger(Duration interval) : interval_(interval) {}

  template <typename W>
  void setNext(Timestamp from, const W& window, TriggerContext<State>& context) {
    const Timestamp next = std::min(from + interval_, window.maxTimestamp());
    context.state().at = next;
    if (next > from) context.registerProcessingTimeTimer(next);
  }

  Duration interval_;
};

/// Turns each firing of another trigger into one that purges, too: PurgingTrigger(CountTrigger::of(100)).
template <typename Inner>
class PurgingTrigger {
 public:
  using State = TriggerStateOf<Inner>;

  explicit PurgingTrigger(Inner inner) : inner_(std::move(inner)) {}

  void open(RuntimeContext& context) { openFunction(inner_, context); }
  void close() { closeFunction(inner_); }
  template <typename T, typename W>
  TriggerResult onElement(const T& record, Timestamp at, const W& window, TriggerContext<State>& context) {
    return purging(inner_.onElement(record, at, window, context));
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return purging(inner_.onEventTime(time, window, context));
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    return purging(inner_.onProcessingTime(time, window, context));
  }
  template <typename W>
  requires MergingTrigger<Inner, W>
  void onMerge(const W& window, TriggerContext<State>& context) { inner_.onMerge(window, context); }
  void mergeState(State& into, const State& from) requires requires(Inner& inner) {
    inner.mergeState(into, from);
  }
  { inner_.mergeState(into, from); }
  template <typename W>
  void clear(const W& window, TriggerContext<State>& context) {
    inner_.clear(window, context);
  }

 private:
  static TriggerResult purging(TriggerResult result) {
    return isFire(result) ? TriggerResult::kFireAndPurge : result;
  }

  Inner inner_;
};

/// Fires when a while has passed since the window's first record (or, with resetTimer, since its last), if
/// the trigger inside has not fired meanwhile, and whenever that does.
template <typename Inner>
class ProcessingTimeoutTrigger {
 public:
  struct State {
    TriggerStateOf<Inner> inner{};
    std::optional<Timestamp> timeout{};
    bool operator==(const State&) const = default;
  };

  /// `resetTimer`: each record puts the timeout off. `clearOnTimeout`: firing by timeout begins anew, also
  /// for the trigger inside. Throws Error(kUser) for a timeout that is not positive.
  explicit ProcessingTimeoutTrigger(Inner inner, Duration timeout, bool resetTimer = false,
                                    bool clearOnTimeout = true)
      : inner_(std::move(inner)),
        timeout_(checkedInterval("ProcessingTimeoutTrigger", timeout)),
        resetTimer_(resetTimer),
        clearOnTimeout_(clearOnTimeout) {}

  void open(RuntimeContext& context) { openFunction(inner_, context); }
  void close() { closeFunction(inner_); }
  template <typename T, typename W>
  TriggerResult onElement(const T& record, Timestamp at, const W& window, TriggerContext<State>& context) {
    auto inside = context.with(context.state().inner);
    const TriggerResult result = inner_.onElement(record, at, window, inside);
    if (isFire(result)) {
      clear(window, context);
      return result;
    }
    std::optional<Timestamp>& timeout = context.state().timeout;
    if (timeout && resetTimer_) {
      context.deleteProcessingTimeTimer(*timeout);
      timeout.reset();
    }
    if (!timeout) {
      timeout = context.currentProcessingTime() + timeout_;
      context.registerProcessingTimeTimer(*timeout);
    }
    return result;
  }
  template <typename W>
  TriggerResult onEventTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    auto inside = context.with(context.state().inner);
    return fired(inner_.onEventTime(time, window, inside), window, context);
  }
  template <typename W>
  TriggerResult onProcessingTime(Timestamp time, const W& window, TriggerContext<State>& context) {
    auto inside = context.with(context.state().inner);
    return fired(inner_.onProcessingTime(time, window, inside), window, context);
  }
  template <typename W>
  void clear(const W& window, TriggerContext<State>& context) {
    if (context.state().timeout) context.deleteProcessingTimeTimer(*context.state().timeout);
    context.state().timeout.reset();
    auto inside = context.with(context.state().inner);
    inner_.clear(window, inside);
  }

 private:
  template <typename W>
  TriggerResult fired(TriggerResult inner, const W& window, TriggerContext<State>& context) {
    if (clearOnTimeout_) clear(window, context);
    return isPurge(inner) ? TriggerResult::kFireAndPurge : TriggerResult::kFire;
  }

  Inner inner_;
  Duration timeout_;
  bool resetTimer_;
  bool clearOnTimeout_;
};

}  // namespace flott
