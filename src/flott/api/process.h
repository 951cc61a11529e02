// process(…) of streams and keyed streams, the functions of a keyed stream that may use its state, and side
// outputs.
//
//   auto counted = clicks.keyBy(&Click::user).process(CountPerSession());
//   DataStream<Click> late = counted.getSideOutput(kLate);
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/operators/process.h"
#include "flott/operators/process_functions.h"

namespace flott {

namespace internal {

template <typename... A>
struct ArgumentList {};
template <template <typename...> typename Base, typename... A>
ArgumentList<A...> argumentsOfBase(const Base<A...>*);
/// F derives from some instance of a class template.
template <typename F, template <typename...> typename Base>
concept DerivedFromSome = requires(F* f) {
  argumentsOfBase<Base>(f);
};

template <typename List>
struct LastArgument;
template <typename A, typename... Rest>
struct LastArgument<ArgumentList<A, Rest...>> : LastArgument<ArgumentList<Rest...>> {};
template <typename A>
struct LastArgument<ArgumentList<A>> {
  using Type = A;
};
/// The record type that a process function puts out: the last argument of its base.
template <typename F, template <typename...> typename Base>
using OutOfBase = typename LastArgument<decltype(argumentsOfBase<Base>(static_cast<F*>(nullptr)))>::Type;

}  // namespace internal

/// Notes that somebody reads this side output of the node. Throws Error(kUser) when the name is in use with
/// another type, or the number by another name.
void noteSideOutput(StreamNode& node, SideOutput side);

template <typename T>
template <typename U>
DataStream<U> SingleOutputStreamOperator<T>::getSideOutput(const OutputTag<U>& tag) const {
  const RecordType type = recordType<U>();
  noteSideOutput(this->handle_.only("getSideOutput"),
                 {.index = tag.index(), .name = tag.name(), .type = type.text, .pool = type.pool});
  return DataStream<U>(this->handle_.side(tag.index()));
}

namespace internal {

/// Adds the operator of a process function by apply<Out, Calls>(function). OwnBase is the class template that
/// the function may derive from, with Arguments before Out; otherwise it is called with a Context.
template <template <typename...> typename OwnBase, typename Context, typename Named, typename T,
          typename... Arguments, typename F, typename Apply>
auto applyProcess(F function, Apply&& apply) {
  if constexpr (DerivedFromSome<F, OwnBase>) {
    using Out = OutOfBase<F, OwnBase>;
    using Base = OwnBase<Arguments..., T, Out>;
    static_assert(std::derived_from<F, Base>,
                  "process: the first arguments of the base class, ProcessFunction<In, Out> or "
                  "KeyedProcessFunction<Key, In, Out>, must be the stream's key type and record type");
    if constexpr (std::derived_from<F, Base>) {
      return apply.template operator()<Out, ProcessCalls<Base>>(std::move(function));
    }
  } else {
    using Out = PutOut<Named, F>;
    static_assert(!std::is_void_v<Out>,
                  "process: the record type it puts out cannot be seen; declare the third parameter as "
                  "Collector<YourRecord>&, or write process<YourRecord>(…)");
    if constexpr (!std::is_void_v<Out>) {
      constexpr bool kCallable = std::invocable<F&, const T&, Context&, Collector<Out>&>;
      static_assert(kCallable,
                    "process: the function must be callable as f(const T&, ProcessContext&, "
                    "Collector<Out>&), on a keyed stream with KeyedProcessContext<Key>&; or derive from "
                    "ProcessFunction or KeyedProcessFunction");
      if constexpr (kCallable) {
        return apply.template operator()<Out, LambdaCalls<Context>>(std::move(function));
      }
    }
  }
}

}  // namespace internal

template <typename T>
template <typename Out, typename F>
auto DataStream<T>::process(F function) const {
  constexpr bool kKeyed = internal::DerivedFromSome<F, KeyedProcessFunction>;
  static_assert(!kKeyed,
                "process: a KeyedProcessFunction needs a stream with keys; call keyBy(…) before process(…)");
  if constexpr (!kKeyed) {
    return internal::applyProcess<ProcessFunction, ProcessContext, Out, T>(
        std::move(function), [&]<typename Found, typename Calls>(F f) {
          using Op = ProcessOperator<Found, Calls, F, UnkeyedInput<T>>;
          return transform<Found>("Process", operatorFactory<Op>(std::move(f), UnkeyedInput<T>()));
        });
  }
}

template <typename T, typename Selector>
template <typename Out, typename Calls, typename F>
SingleOutputStreamOperator<Out> KeyedStream<T, Selector>::applyCalls(const char* name, F function) const {
  using Input = KeyedInput<T, Selector>;
  return transform<Out>(
      name, operatorFactory<ProcessOperator<Out, Calls, F, Input>>(std::move(function), Input(selector_)));
}

template <typename T, typename Selector>
template <typename Out, typename F>
auto KeyedStream<T, Selector>::process(F function) const {
  constexpr bool kUnkeyed = internal::DerivedFromSome<F, ProcessFunction>;
  static_assert(!kUnkeyed, "process: the stream has keys; derive from KeyedProcessFunction<Key, In, Out>");
  if constexpr (!kUnkeyed) {
    return internal::applyProcess<KeyedProcessFunction, KeyedProcessContext<KeyType>, Out, T, KeyType>(
        std::move(function), [&]<typename Found, typename Calls>(F f) {
          return applyCalls<Found, Calls>("KeyedProcess", std::move(f));
        });
  }
}

template <typename T, typename Selector>
template <typename F>
auto KeyedStream<T, Selector>::map(F function) const {
  if constexpr (internal::requireMap<T, F>()) {
    using Out = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>;
    return applyCalls<Out, MapCalls>("Map", std::move(function));
  }
}

template <typename T, typename Selector>
template <typename F>
SingleOutputStreamOperator<T> KeyedStream<T, Selector>::filter(F predicate) const {
  static_assert(internal::requireFilter<T, F>());
  return applyCalls<T, FilterCalls>("Filter", std::move(predicate));
}

template <typename T, typename Selector>
template <typename Out, typename F>
auto KeyedStream<T, Selector>::flatMap(F function) const {
  using Found = internal::PutOut<Out, F>;
  if constexpr (internal::requireFlatMap<T, Found, F>()) {
    return applyCalls<Found, FlatMapCalls>("Flat Map", std::move(function));
  }
}

}  // namespace flott
