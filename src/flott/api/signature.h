// What a user's function takes and returns, found from its type, so that users need not write it twice.
#pragma once

#include <type_traits>

#include "flott/operators/collector.h"

namespace flott::internal {

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

}  // namespace flott::internal
