// What a user's function takes and returns, found from its type, so that users need not write it twice.
#pragma once

#include <tuple>
#include <type_traits>

#include "flott/operators/collector.h"
#include "flott/operators/function.h"

namespace flott::internal {

struct NoMembers {};
/// T in the type of a pointer to its members: numbers have none.
template <typename T>
using MembersOf = std::conditional_t<std::is_class_v<T>, T, NoMembers>;

/// The record type behind a Collector<Out>& parameter: void when there is none.
template <typename A>
struct CollectorRecord {
  using Type = void;
};
template <typename Out>
struct CollectorRecord<Collector<Out>&> {
  using Type = Out;
};

template <typename... A>
struct FirstCollector {
  using Type = void;
};
template <typename A, typename... Rest>
struct FirstCollector<A, Rest...> {
  using Own = typename CollectorRecord<A>::Type;
  using Type = std::conditional_t<std::is_void_v<Own>, typename FirstCollector<Rest...>::Type, Own>;
};

template <typename F>
struct CallSignature {
  using Collected = void;
};
template <typename R, typename... A>
struct CallSignature<R (*)(A...)> {
  using Collected = typename FirstCollector<A...>::Type;
};
template <typename C, typename R, typename... A>
struct CallSignature<R (C::*)(A...)> {
  using Collected = typename FirstCollector<A...>::Type;
};
template <typename C, typename R, typename... A>
struct CallSignature<R (C::*)(A...) const> {
  using Collected = typename FirstCollector<A...>::Type;
};

template <typename F>
consteval auto callSignature() {
  if constexpr (requires { &F::operator(); }) {
    return CallSignature<decltype(&F::operator())>{};
  } else {
    return CallSignature<F>{};
  }
}

/// The record type that a function with a Collector<Out>& parameter puts out; void for generic lambdas.
template <typename F>
using CollectedBy = typename decltype(callSignature<std::decay_t<F>>())::Collected;

/// Do not compile unless F is what the method of that name takes; false then, so that nothing more is said.
template <typename T, typename F>
consteval bool requireMap() {
  static_assert(
      MapFunction<F, T>,
      "map: the function cannot be called with a record; it must be callable as f(const T&) and return the "
      "new record");
  if constexpr (MapFunction<F, T>) {
    constexpr bool kReturns = !std::is_void_v<std::invoke_result_t<F&, const T&>>;
    static_assert(kReturns, "map: the function returns nothing; use flatMap, or a sink for side effects");
    return kReturns;
  }
  return false;
}

template <typename T, typename F>
consteval bool requireFilter() {
  static_assert(FilterFunction<F, T>, "filter: the function must be callable as f(const T&) and return bool");
  return FilterFunction<F, T>;
}

template <typename T, typename Out, typename F>
consteval bool requireFlatMap() {
  static_assert(!std::is_void_v<Out>,
                "flatMap: the record type it puts out cannot be seen; declare the second parameter as "
                "Collector<YourRecord>&, or write flatMap<YourRecord>(…)");
  if constexpr (!std::is_void_v<Out>) {
    static_assert(FlatMapFunction<F, T, Out>,
                  "flatMap: the function must be callable as f(const T&, Collector<Out>&)");
    return FlatMapFunction<F, T, Out>;
  }
  return false;
}

/// Does not compile unless T is a tuple, pair or array with elements of these indices.
template <typename T, size_t... indices>
consteval bool requireTuple() {
  constexpr bool kTuple = requires { std::tuple_size<T>::value; };
  static_assert(kTuple, "the records are no tuples: name members, such as &Click::user, instead of numbers");
  if constexpr (kTuple) {
    constexpr bool kThere = ((indices < std::tuple_size_v<T>)&&...);
    static_assert(kThere, "the records have no element of this number: the first one is 0");
    return kThere;
  }
  return false;
}

/// What F puts out: Named unless that is void, else what its Collector says.
template <typename Named, typename F>
using PutOut = std::conditional_t<std::is_void_v<Named>, CollectedBy<F>, Named>;

}  // namespace flott::internal
