// Through which a process function reads the time and sets timers for the key at hand.
//
// A key has a timer for a moment once or not at all, in each kind of time. Event-time timers fire when the
// watermark reaches them, in the order of time, before the watermark goes on; the last watermark of a bounded
// input fires all of them. Processing-time timers fire when the clock reaches them; what is still pending
// when the input has ended is dropped, as in Flink. A timer that is set while timers fire, for a moment that
// is due, fires in the same round. One for each operator instance, used on its task's thread.
//
//   ctx.timerService().registerEventTimeTimer(ctx.timestamp() + 10s);
#pragma once

#include <cstdint>

#include "flott/base/time.h"
#include "flott/data/element.h"
#include "flott/operators/context.h"
#include "flott/operators/metrics.h"
#include "flott/state/keyed_backend.h"

namespace flott {

enum class TimeDomain : uint8_t { kEventTime, kProcessingTime };

class TimerService {
 public:
  /// As of the beginning of this step.
  Timestamp currentProcessingTime() const { return context_->processingTime(); }
  /// Timestamp::min() before the first watermark.
  Timestamp currentWatermark() const { return watermark_.time; }

  // These throw Error(kUser) on a stream without keys, and in a function without onTimer(…).

  void registerEventTimeTimer(Timestamp at) { queue(eventTimers_).add(key(), at); }
  void registerProcessingTimeTimer(Timestamp at);
  void deleteEventTimeTimer(Timestamp at) { queue(eventTimers_).remove(key(), at); }
  void deleteProcessingTimeTimer(Timestamp at) { queue(processingTimers_).remove(key(), at); }

  // What follows is for operators.

  /// `keyed` is null on a stream without keys.
  void open(OperatorContext& context, KeyedStateBackend* keyed, bool hasOnTimer);
  void setWatermark(Watermark watermark) { watermark_ = watermark; }
  bool popDue(TimeDomain domain, Timestamp upTo, Timer& timer) {
    if (!(domain == TimeDomain::kEventTime ? eventTimers_ : processingTimers_)->popDue(upTo, timer))
      return false;
    fired_->add();
    return true;
  }
  /// Sets the operator's alarm for the earliest processing-time timer; after the alarm went off.
  void resetAlarm();

 private:
  TimerQueue& queue(TimerQueue* timers) const {
    if (timers == nullptr) [[unlikely]]
      failNoTimers();
    return *timers;
  }
  const KeyRef& key() const { return keyed_->currentKey(); }
  [[noreturn]] void failNoTimers() const;

  OperatorContext* context_ = nullptr;
  KeyedStateBackend* keyed_ = nullptr;
  TimerQueue* eventTimers_ = nullptr;
  TimerQueue* processingTimers_ = nullptr;
  Counter* fired_ = nullptr;
  Watermark watermark_;
  Timestamp alarm_ = Timestamp::max();
};

/// Inside a catch block: throws what is being handled on, with the timer it happened at, unless an operator
/// further down the chain has named its own place.
[[noreturn]] void throwAtTimer(TimeDomain domain, Timestamp at, const std::string& key);

}  // namespace flott
