// How a process operator calls each shape of user function.
//
// One stateless class for each shape, all with the same members, so that ProcessOperator is written once:
//   kTimers<F>                                   whether the function handles timers
//   element<input>(function, record, scope, out) for a record of an input
//   onTimer(function, at, scope, out)            where kTimers
// Calls to classes name the class they go to, so the compiler sees through them.
#pragma once

#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/process_context.h"

namespace flott {

struct NoTimerCalls {
  template <typename F>
  static constexpr bool kTimers = false;
};

/// Base is the class that F derives from. Without an onTimer of its own a function cannot set timers.
template <typename Base>
struct TimerCalls {
  template <typename F>
  static consteval bool overridesOnTimer() {
    if constexpr (!requires { typename Base::OnTimerContext; }) {
      return false;
    } else if constexpr (requires { &F::onTimer; }) {
      return !std::is_same_v<decltype(&F::onTimer), decltype(&Base::onTimer)>;
    } else {
      return true;  // it has several
    }
  }
  template <typename F>
  static constexpr bool kTimers = overridesOnTimer<F>();

  template <typename F, typename Out>
  static void onTimer(F& function, Timestamp at, ProcessScope& scope, Collector<Out>& out) {
    typename Base::OnTimerContext context(scope);
    function.F::onTimer(at, context, out);
  }
};

/// ProcessFunction, KeyedProcessFunction.
template <typename Base>
struct ProcessCalls : TimerCalls<Base> {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope& scope, Collector<Out>& out) {
    typename Base::Context context(scope);
    function.F::processElement(record, context, out);
  }
};

/// CoProcessFunction, KeyedCoProcessFunction.
template <typename Base>
struct CoProcessCalls : TimerCalls<Base> {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope& scope, Collector<Out>& out) {
    typename Base::Context context(scope);
    if constexpr (input == 0) {
      function.F::processElement1(record, context, out);
    } else {
      function.F::processElement2(record, context, out);
    }
  }
};

/// f(record, Context&, Collector&).
template <typename Context>
struct LambdaCalls : NoTimerCalls {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope& scope, Collector<Out>& out) {
    Context context(scope);
    function(record, context, out);
  }
};

// Plain functions that may use the state of the key.

struct MapCalls : NoTimerCalls {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope&, Collector<Out>& out) {
    out.collect(function(record));
  }
};

struct FlatMapCalls : NoTimerCalls {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope&, Collector<Out>& out) {
    function(record, out);
  }
};

struct FilterCalls : NoTimerCalls {
  template <int input, typename F, typename In>
  static void element(F& function, const In& record, ProcessScope&, Collector<In>& out) {
    if (function(record)) out.collect(record);
  }
};

struct CoMapCalls : NoTimerCalls {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope&, Collector<Out>& out) {
    if constexpr (input == 0) {
      out.collect(function.map1(record));
    } else {
      out.collect(function.map2(record));
    }
  }
};

struct CoFlatMapCalls : NoTimerCalls {
  template <int input, typename F, typename In, typename Out>
  static void element(F& function, const In& record, ProcessScope&, Collector<Out>& out) {
    if constexpr (input == 0) {
      function.flatMap1(record, out);
    } else {
      function.flatMap2(record, out);
    }
  }
};

/// One function for each input, as the class with map1/map2 or flatMap1/flatMap2 that they stand for.
template <typename F1, typename F2>
struct FunctionPair {
  F1 first;
  F2 second;

  void open(RuntimeContext& context) {
    if constexpr (requires { first.open(context); }) first.open(context);
    if constexpr (requires { second.open(context); }) second.open(context);
  }
  void close() {
    closeFunction(first);
    closeFunction(second);
  }
  template <typename In>
  decltype(auto) map1(const In& record) {
    return first(record);
  }
  template <typename In>
  decltype(auto) map2(const In& record) {
    return second(record);
  }
  template <typename In, typename Out>
  void flatMap1(const In& record, Collector<Out>& out) {
    first(record, out);
  }
  template <typename In, typename Out>
  void flatMap2(const In& record, Collector<Out>& out) {
    second(record, out);
  }
};

}  // namespace flott
