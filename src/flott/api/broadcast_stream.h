// A stream whose records go to every subtask of the operator it is connected with, and fill broadcast state
// there.
//
//   const MapStateDescriptor<std::string, Rule> kRules("rules");
//   clicks.keyBy(&Click::user).connect(rules.broadcast(kRules)).process(Match());
#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include "flott/api/connected_streams.h"
#include "flott/operators/broadcast_process.h"

namespace flott {

/// Each State is a MapStateDescriptor.
template <typename T, typename... State>
class BroadcastStream {
 public:
  BroadcastStream(StreamHandle stream, std::tuple<State...> states)
      : handle_(std::move(stream)), states_(std::move(states)) {}
  const StreamHandle& handle() const { return handle_; }
  const std::tuple<State...>& states() const { return states_; }

 private:
  StreamHandle handle_;
  std::tuple<State...> states_;
};

template <typename T, typename... State>
BroadcastInput<T, State...> inputOf(const BroadcastStream<T, State...>& stream) {
  return BroadcastInput<T, State...>(stream.states());
}

/// A stream, keyed or not, connected with a broadcast one.
template <typename First, typename T, typename... State>
class ConnectedStreams<First, BroadcastInput<T, State...>> {
  using In = typename First::Record;
  using K = typename First::Key;
  static constexpr bool kKeyed = !std::is_void_v<K>;

 public:
  ConnectedStreams(StreamHandle first, First firstInput, StreamHandle second,
                   BroadcastInput<T, State...> secondInput)
      : first_(std::move(first)),
        second_(std::move(second)),
        firstInput_(std::move(firstInput)),
        secondInput_(std::move(secondInput)) {}

  /// A class derived from BroadcastProcessFunction<In, T, Out> or, where the first stream has keys,
  /// KeyedBroadcastProcessFunction<K, In, T, Out>.
  template <typename F>
  auto process(F function) const {
    if constexpr (kKeyed) {
      constexpr bool kRightBase = internal::DerivedFromSome<F, KeyedBroadcastProcessFunction>;
      static_assert(kRightBase,
                    "process: a keyed stream connected with a broadcast one takes a class derived from "
                    "KeyedBroadcastProcessFunction<Key, In, Broadcast, Out>");
      if constexpr (kRightBase) {
        using Out = internal::OutOfBase<F, KeyedBroadcastProcessFunction>;
        return apply<Out, KeyedBroadcastProcessFunction<K, In, T, Out>>("Co-Process-Broadcast-Keyed",
                                                                        std::move(function));
      }
    } else {
      constexpr bool kRightBase = internal::DerivedFromSome<F, BroadcastProcessFunction>;
      static_assert(kRightBase,
                    "process: a stream without keys connected with a broadcast one takes a class derived "
                    "from BroadcastProcessFunction<In, Broadcast, Out>");
      if constexpr (kRightBase) {
        using Out = internal::OutOfBase<F, BroadcastProcessFunction>;
        return apply<Out, BroadcastProcessFunction<In, T, Out>>("Co-Process-Broadcast", std::move(function));
      }
    }
  }

 private:
  template <typename Out, typename Base, typename F>
  auto apply(const char* name, F function) const {
    static_assert(std::derived_from<F, Base>,
                  "process: the first arguments of the base class must be the stream's key type (where it "
                  "has keys), its record type and that of the broadcast stream");
    if constexpr (std::derived_from<F, Base>) {
      using Op = ProcessOperator<Out, BroadcastCalls<Base>, F, First, BroadcastInput<T, State...>>;
      return SingleOutputStreamOperator<Out>(
          first_.apply(operatorNode(name, operatorFactory<Op>(std::move(function), firstInput_, secondInput_),
                                    recordType<Out>()),
                       {second_}));
    }
  }

  StreamHandle first_;
  StreamHandle second_;
  First firstInput_;
  BroadcastInput<T, State...> secondInput_;
};

template <typename T>
template <typename... Ks, typename... Vs>
requires(sizeof...(Ks) > 0) auto DataStream<T>::broadcast(const MapStateDescriptor<Ks, Vs>&... states) const {
  return BroadcastStream<T, MapStateDescriptor<Ks, Vs>...>(handle_.with(PartitionKind::kBroadcast),
                                                           {states...});
}

}  // namespace flott
