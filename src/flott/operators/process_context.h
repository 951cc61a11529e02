// What a process function sees beside the record: its timestamp, timers, the key, side outputs.
//
// Contexts are light views on a ProcessScope, of which there is one for each operator instance; each kind of
// function gets one that offers what makes sense there and no more. Good during the call they are passed to,
// on the task's thread.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "flott/operators/side_output.h"
#include "flott/operators/timer_service.h"
#include "flott/state/keyed_backend.h"

namespace flott {

class BroadcastStates;

/// What an operator tells the contexts of its functions.
struct ProcessScope {
  SideOutputs sides;
  TimerService timers;
  KeyedStateBackend* keyed = nullptr;    // null on a stream without keys
  BroadcastStates* broadcast = nullptr;  // null without a broadcast input
  Timestamp timestamp;
  TimeDomain timeDomain = TimeDomain::kEventTime;
};

/// What all contexts have.
class BaseContext {
 public:
  explicit BaseContext(ProcessScope& scope) : scope_(scope) {}

  /// Of the record or timer at hand; Timestamp::min() for a record that has none.
  Timestamp timestamp() const { return scope_.timestamp; }
  /// To a side output, with the timestamp of the record or timer at hand.
  template <typename T>
  void output(const OutputTag<T>& tag, const std::type_identity_t<T>& value) {
    scope_.sides.emit(tag, value);
  }
  template <typename T>
  void output(const OutputTag<T>& tag, std::type_identity_t<T>&& value) {
    scope_.sides.emit(tag, std::move(value));
  }

 protected:
  ProcessScope& scope_;
};

/// Of functions without broadcast state.
class ProcessContext : public BaseContext {
 public:
  using BaseContext::BaseContext;
  /// On a stream without keys for reading the time only.
  TimerService& timerService() { return scope_.timers; }
};

/// Adds the key to a context, for records and timers that have one.
template <typename Context, typename K>
class WithKey : public Context {
 public:
  using Context::Context;
  const K& getCurrentKey() const { return *static_cast<const K*>(this->scope_.keyed->currentKey().object); }
};

/// Adds to the context of a keyed record what is known of a timer.
template <typename Context>
class WithTimer : public Context {
 public:
  using Context::Context;
  TimeDomain timeDomain() const { return this->scope_.timeDomain; }
};

template <typename K>
using KeyedProcessContext = WithKey<ProcessContext, K>;
template <typename K>
using TimerContext = WithTimer<KeyedProcessContext<K>>;

}  // namespace flott
