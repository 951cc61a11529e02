#include "flott/operators/timer_service.h"

#include "flott/base/error.h"

namespace flott {

void TimerService::open(OperatorContext& context, KeyedStateBackend* keyed, bool hasOnTimer) {
  context_ = &context;
  keyed_ = keyed;
  if (keyed == nullptr || !hasOnTimer) return;
  eventTimers_ = &keyed->eventTimers();
  processingTimers_ = &keyed->processingTimers();
  fired_ = &context.metrics().counter("numFiredTimers");
  resetAlarm();  // restored timers
}

void TimerService::registerProcessingTimeTimer(Timestamp at) {
  queue(processingTimers_).add(key(), at);
  if (at >= alarm_) return;
  alarm_ = at;
  context_->setAlarm(at);
}

void TimerService::resetAlarm() {
  alarm_ = processingTimers_->earliest();
  if (alarm_ != Timestamp::max()) context_->setAlarm(alarm_);
}

void TimerService::failNoTimers() const {
  if (keyed_ == nullptr) {
    throw Error(ErrorKind::kUser,
                "timers can only be set on a keyed stream: call keyBy(…) before this operator");
  }
  throw Error(ErrorKind::kUser,
              "a timer was set by a function without onTimer(…): override onTimer in a class derived from "
              "KeyedProcessFunction, KeyedCoProcessFunction or KeyedBroadcastProcessFunction");
}

void throwAtTimer(TimeDomain domain, Timestamp at, const std::string& key) {
  Error error = currentError();
  if (!error.context().empty()) throw error;
  const std::string kind = domain == TimeDomain::kEventTime ? "event-time timer " : "processing-time timer ";
  throw std::move(error).at(kind + toString(at) + " of key " + key);
}

}  // namespace flott
