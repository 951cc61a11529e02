// Two streams of different types that go into one operator, so that records of one meet what the other left
// behind.
//
// Keyed by one type of key, both share state and timers of a key. Without keys each subtask sees its share of
// both.
//
//   orders.keyBy(&Order::id).connect(payments.keyBy(&Payment::order)).process(MatchPayments());
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "flott/api/process.h"

namespace flott {

/// First and Second are UnkeyedInput or KeyedInput.
template <typename First, typename Second>
class ConnectedStreams {
  using T1 = typename First::Record;
  using T2 = typename Second::Record;
  using K1 = typename First::Key;
  using K2 = typename Second::Key;
  static constexpr bool kKeyed = !std::is_void_v<K1> && !std::is_void_v<K2>;

 public:
  ConnectedStreams(StreamHandle first, First firstInput, StreamHandle second, Second secondInput)
      : first_(std::move(first)),
        second_(std::move(second)),
        firstInput_(std::move(firstInput)),
        secondInput_(std::move(secondInput)) {
    static_assert(!kKeyed || std::same_as<K1, K2>,
                  "connect: the two streams have keys of different types; let both selectors return the same "
                  "type");
  }

  /// Each by a member or function, as in keyBy of a single stream.
  template <typename S1, typename S2>
  auto keyBy(S1 first, S2 second) const {
    return DataStream<T1>(first_)
        .keyBy(std::move(first))
        .connect(DataStream<T2>(second_).keyBy(std::move(second)));
  }

  /// f1(const T1&) -> Out, f2(const T2&) -> Out.
  template <typename F1, typename F2>
  auto map(F1 first, F2 second) const {
    if constexpr (internal::requireMap<T1, F1>() && internal::requireMap<T2, F2>()) {
      return map(FunctionPair<F1, F2>{std::move(first), std::move(second)});
    }
  }
  /// A class with map1(const T1&) and map2(const T2&), which return one type.
  template <typename F>
  auto map(F function) const {
    constexpr bool kCallable = requires(const T1& a, const T2& b) {
      function.map1(a);
      function.map2(b);
    };
    static_assert(kCallable, "map: the class needs map1(const T1&) and map2(const T2&)");
    if constexpr (kCallable) {
      using Out = std::remove_cvref_t<decltype(function.map1(std::declval<const T1&>()))>;
      static_assert(
          std::same_as<Out, std::remove_cvref_t<decltype(function.map2(std::declval<const T2&>()))>>,
          "map: both functions must return the same type");
      return apply<Out, CoMapCalls>("Co-Map", std::move(function));
    }
  }

  /// f1(const T1&, Collector<Out>&), f2(const T2&, Collector<Out>&).
  template <typename Out = void, typename F1, typename F2>
  auto flatMap(F1 first, F2 second) const {
    using Found = internal::PutOut<Out, F1>;
    if constexpr (internal::requireFlatMap<T1, Found, F1>() && internal::requireFlatMap<T2, Found, F2>()) {
      return flatMap<Found>(FunctionPair<F1, F2>{std::move(first), std::move(second)});
    }
  }
  /// A class with flatMap1(const T1&, Collector<Out>&) and flatMap2(const T2&, Collector<Out>&).
  template <typename Out = void, typename F>
  auto flatMap(F function) const {
    using Found = typename FlatMapOut<Out, F>::Type;
    constexpr bool kCallable = requires(const T1& a, const T2& b, Collector<Found>& out) {
      function.flatMap1(a, out);
      function.flatMap2(b, out);
    };
    static_assert(kCallable,
                  "flatMap: the class needs flatMap1(const T1&, Collector<Out>&) and flatMap2(const T2&, "
                  "Collector<Out>&)");
    if constexpr (kCallable) return apply<Found, CoFlatMapCalls>("Co-Flat Map", std::move(function));
  }

  /// A class derived from CoProcessFunction<T1, T2, Out> or, where both streams have keys,
  /// KeyedCoProcessFunction<K, T1, T2, Out>.
  template <typename F>
  auto process(F function) const {
    if constexpr (internal::DerivedFromSome<F, CoProcessFunction>) {
      using Out = internal::OutOfBase<F, CoProcessFunction>;
      return applyProcess<Out, CoProcessFunction<T1, T2, Out>>("Co-Process", std::move(function));
    } else if constexpr (internal::DerivedFromSome<F, KeyedCoProcessFunction>) {
      static_assert(kKeyed,
                    "process: a KeyedCoProcessFunction needs keys on both streams; call keyBy(…, …) before");
      using Out = internal::OutOfBase<F, KeyedCoProcessFunction>;
      if constexpr (kKeyed) {
        return applyProcess<Out, KeyedCoProcessFunction<K1, T1, T2, Out>>("Co-Keyed-Process",
                                                                          std::move(function));
      }
    } else {
      static_assert(internal::DerivedFromSome<F, CoProcessFunction>,
                    "process: connected streams take a class derived from CoProcessFunction or "
                    "KeyedCoProcessFunction");
    }
  }

  /// An operator with two inputs of your own.
  template <typename Out>
  SingleOutputStreamOperator<Out> transform(std::string name,
                                            std::shared_ptr<const OperatorFactory> factory) const {
    return SingleOutputStreamOperator<Out>(
        first_.apply(operatorNode(std::move(name), std::move(factory), recordType<Out>()), {second_}));
  }

 private:
  template <typename Named, typename F>
  struct FlatMapOut {
    using Type = Named;
  };
  template <typename F>
  struct FlatMapOut<void, F> {
    using Type = typename internal::CallSignature<decltype(&F::flatMap1)>::Collected;
  };

  template <typename Out, typename Base, typename F>
  auto applyProcess(const char* name, F function) const {
    static_assert(std::derived_from<F, Base>,
                  "process: the first arguments of the base class must be the streams' key type (where they "
                  "have keys) and their record types, in this order");
    if constexpr (std::derived_from<F, Base>)
      return apply<Out, CoProcessCalls<Base>>(name, std::move(function));
  }
  template <typename Out, typename Calls, typename F>
  SingleOutputStreamOperator<Out> apply(const char* name, F function) const {
    return transform<Out>(name, operatorFactory<ProcessOperator<Out, Calls, F, First, Second>>(
                                    std::move(function), firstInput_, secondInput_));
  }

  StreamHandle first_;
  StreamHandle second_;
  First firstInput_;
  Second secondInput_;
};

/// What a stream is to the operator it goes into.
template <typename T>
UnkeyedInput<T> inputOf(const DataStream<T>&) {
  return {};
}
template <typename T, typename Selector>
KeyedInput<T, Selector> inputOf(const KeyedStream<T, Selector>& stream) {
  return KeyedInput<T, Selector>(stream.selector());
}

namespace internal {

template <typename S1, typename S2>
auto connectStreams(const S1& first, const S2& second) {
  using Connected = ConnectedStreams<decltype(inputOf(first)), decltype(inputOf(second))>;
  return Connected(first.handle(), inputOf(first), second.handle(), inputOf(second));
}

}  // namespace internal

template <typename T>
template <typename Other>
auto DataStream<T>::connect(const Other& other) const {
  return internal::connectStreams(*this, other);
}

template <typename T, typename Selector>
template <typename Other>
auto KeyedStream<T, Selector>::connect(const Other& other) const {
  return internal::connectStreams(*this, other);
}

}  // namespace flott
