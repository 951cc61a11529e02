// The broadcast pattern: a stream of rules that every subtask sees whole, beside a stream of events of which
// each sees its share.
//
// The rules' side fills broadcast state; the events' side only reads it, because otherwise the states of the
// subtasks would drift apart. Every subtask must do the same with the same rule; rules of different producers
// may come in different orders. Without a key while a rule is worked on: applyToKeyedState() goes over all.
//
//   class Match : public KeyedBroadcastProcessFunction<UserId, Click, Rule, Alert> {
//     void processElement(const Click& click, ReadOnlyContext& ctx, Collector<Alert>& out) override {
//       for (const auto& [name, rule] : ctx.getBroadcastState(kRules).entries()) …
//     }
//     void processBroadcastElement(const Rule& rule, Context& ctx, Collector<Alert>&) override {
//       ctx.getBroadcastState(kRules).put(rule.name, rule);
//     }
//   };
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/process.h"
#include "flott/operators/process_functions.h"
#include "flott/state/operator_state.h"

namespace flott {

/// The broadcast states of one operator instance, by name.
class BroadcastStates {
 public:
  void add(std::string name, OperatorState& state) { states_.push_back({std::move(name), &state}); }

  /// Throws Error(kUser) when the state was not named in broadcast(…).
  template <typename K, typename V>
  BroadcastState<K, V>& get(const MapStateDescriptor<K, V>& descriptor) const {
    const TypeOps& type = typeOps<OrderedMap<K, V>>();
    for (const Named& named : states_) {
      if (named.name == descriptor.name() && &named.state->type() == &type) {
        return static_cast<BroadcastState<K, V>&>(*named.state);
      }
    }
    failUnknown(descriptor.name(), type);
  }

 private:
  struct Named {
    std::string name;
    OperatorState* state;
  };
  [[noreturn]] void failUnknown(const std::string& name, const TypeOps& type) const;

  std::vector<Named> states_;
};

/// The input with the rules. Each State is a MapStateDescriptor.
template <typename T, typename... State>
class BroadcastInput : public UnkeyedInput<T> {
 public:
  explicit BroadcastInput(std::tuple<State...> descriptors) : descriptors_(std::move(descriptors)) {}

  void open(OperatorContext& context, ProcessScope& scope) {
    std::apply(
        [&](const State&... state) {
          (states_.add(state.name(), context.operatorState().broadcast(state)), ...);
        },
        descriptors_);
    scope.broadcast = &states_;
  }

 private:
  std::tuple<State...> descriptors_;
  BroadcastStates states_;
};

template <bool kWritable>
class BroadcastContext : public BaseContext {
 public:
  using BaseContext::BaseContext;
  Timestamp currentProcessingTime() const { return scope_.timers.currentProcessingTime(); }
  Timestamp currentWatermark() const { return scope_.timers.currentWatermark(); }
  /// A state that was named in broadcast(…).
  template <typename K, typename V>
  auto getBroadcastState(const MapStateDescriptor<K, V>& descriptor) const
      -> std::conditional_t<kWritable, BroadcastState<K, V>&, const BroadcastState<K, V>&> {
    return scope_.broadcast->get(descriptor);
  }
};

/// Of a rule in an operator whose other input has keys.
template <typename K>
class KeyedBroadcastContext : public BroadcastContext<true> {
 public:
  using BroadcastContext<true>::BroadcastContext;
  /// visit(const K& key, handle) for each key that has something in this state, as the current key.
  template <typename Descriptor, typename F>
  void applyToKeyedState(const Descriptor& descriptor, F&& visit) {
    scope_.keyed->template applyToAllKeys<K>(descriptor, std::forward<F>(visit));
  }
};

/// Of an event that has a key.
class ReadOnlyTimerContext : public BroadcastContext<false> {
 public:
  using BroadcastContext<false>::BroadcastContext;
  TimerService& timerService() { return scope_.timers; }
};

template <typename In, typename Broadcast, typename Out>
class BroadcastProcessFunction : public RichFunction {
 public:
  using ReadOnlyContext = BroadcastContext<false>;
  using Context = BroadcastContext<true>;

  virtual void processElement(const In& record, ReadOnlyContext& ctx, Collector<Out>& out) = 0;
  virtual void processBroadcastElement(const Broadcast& record, Context& ctx, Collector<Out>& out) = 0;
};

template <typename K, typename In, typename Broadcast, typename Out>
class KeyedBroadcastProcessFunction : public RichFunction {
 public:
  using ReadOnlyContext = WithKey<ReadOnlyTimerContext, K>;
  using Context = KeyedBroadcastContext<K>;
  using OnTimerContext = WithTimer<ReadOnlyContext>;

  virtual void processElement(const In& record, ReadOnlyContext& ctx, Collector<Out>& out) = 0;
  virtual void processBroadcastElement(const Broadcast& record, Context& ctx, Collector<Out>& out) = 0;
  /// As KeyedProcessFunction's.
  virtual void onTimer(Timestamp, OnTimerContext&, Collector<Out>&) {}
};

/// Of both.
template <typename Base>
struct BroadcastCalls : TimerCalls<Base> {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope& scope, Collector<Out>& out) {
    if constexpr (input == 0) {
      typename Base::ReadOnlyContext context(scope);
      function.F::processElement(record, context, out);
    } else {
      typename Base::Context context(scope);
      function.F::processBroadcastElement(record, context, out);
    }
  }
};

}  // namespace flott
