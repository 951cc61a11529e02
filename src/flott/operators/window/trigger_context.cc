#include "flott/operators/window/trigger_context.h"

namespace flott {

void TriggerScope::open(OperatorContext& context, KeyedStateBackend& keyed) {
  context_ = &context;
  keyed_ = &keyed;
  eventTimers_ = &keyed.eventTimers();
  processingTimers_ = &keyed.processingTimers();
  resetAlarm();  // restored timers
}

void TriggerScope::addTimer(TimeDomain domain, Timestamp at) {
  if (domain == TimeDomain::kEventTime) return eventTimers_->add(keyed_->currentKey(), at, window_);
  processingTimers_->add(keyed_->currentKey(), at, window_);
  if (at >= alarm_) return;
  alarm_ = at;
  context_->setAlarm(at + Duration::millis(1));
}

void TriggerScope::removeTimer(TimeDomain domain, Timestamp at) {
  TimerQueue& timers = domain == TimeDomain::kEventTime ? *eventTimers_ : *processingTimers_;
  timers.remove(keyed_->currentKey(), at, window_);
}

void TriggerScope::resetAlarm() {
  alarm_ = processingTimers_->earliest();
  if (alarm_ != Timestamp::max()) context_->setAlarm(alarm_ + Duration::millis(1));
}

}  // namespace flott
