// Asynchronous requests for the records of a stream: look-ups in a database, calls of a service.
//
// Many requests are under way at a time, so that a record costs its share of the time and not all of it.
//
//   DataStream<Priced> priced = AsyncDataStream::unorderedWait(
//       orders, blocking([](const Order& order) { return priceOf(order); }), 5s);
//
// The function is a class derived from AsyncFunction<T, Out>, a lambda f(const T&, ResultFuture<Out>), or
// blocking(f) of a function that takes its time. A request that takes longer than `timeout`, all tries
// together, goes to the function's timeout(…); zero waits for ever. At most `capacity` records are under way
// in each subtask; then the operator takes no more.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/api/data_stream.h"
#include "flott/operators/async/async_wait_operator.h"

namespace flott {

namespace internal {

void checkAsyncOptions(const AsyncWaitOptions& options);

/// The record type behind a ResultFuture<Out> parameter: void when there is none.
template <typename F>
struct FutureRecord {
  using Type = void;
};
template <typename C, typename R, typename A, typename Out>
struct FutureRecord<R (C::*)(A, ResultFuture<Out>)> {
  using Type = Out;
};
template <typename C, typename R, typename A, typename Out>
struct FutureRecord<R (C::*)(A, ResultFuture<Out>) const> {
  using Type = Out;
};

template <typename Named, typename F>
consteval auto asyncResult() {
  if constexpr (!std::is_void_v<Named>) {
    return std::type_identity<Named>();
  } else if constexpr (requires { typename F::Result; }) {
    return std::type_identity<typename F::Result>();
  } else if constexpr (requires { &F::operator(); }) {
    return std::type_identity<typename FutureRecord<decltype(&F::operator())>::Type>();
  } else {
    return std::type_identity<void>();
  }
}

/// The object to run for what the user passed; nothing when that is wrong, which is then said.
template <typename Named, typename T, typename F>
auto asyncFunction(F function) {
  using Out = typename decltype(asyncResult<Named, F>())::type;
  static_assert(!std::is_void_v<Out>,
                "asynchronous requests: the record type of the results cannot be seen; declare the second "
                "parameter as ResultFuture<YourRecord>, or name it as in unorderedWait<YourRecord>(…)");
  if constexpr (std::is_void_v<Out>) {
    return;
  } else if constexpr (std::is_base_of_v<AsyncFunction<T, Out>, F>) {
    return function;
  } else {
    constexpr bool kCallable = std::invocable<F&, const T&, ResultFuture<Out>>;
    static_assert(kCallable,
                  "asynchronous requests: the function must be callable as f(const T&, ResultFuture<Out>), "
                  "be derived from AsyncFunction<T, Out>, or be blocking(f)");
    if constexpr (kCallable) return AsyncLambda<T, Out, F>(std::move(function));
  }
}
template <typename Named, typename T, typename F>
auto asyncFunction(BlockingFunction<F> function) {
  constexpr bool kCallable = std::invocable<const F&, const T&>;
  static_assert(kCallable,
                "blocking: the function must be callable as f(const T&) from several threads at a time");
  if constexpr (kCallable) {
    using Out = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
    return AsyncBlocking<T, Out, F>(std::move(function));
  }
}

template <typename Named, typename S, typename F, typename Retry>
auto asyncWait(const S& stream, F function, const AsyncWaitOptions& options, Retry retry) {
  using T = typename S::Record;
  checkAsyncOptions(options);
  using Object = decltype(asyncFunction<Named, T>(std::move(function)));
  if constexpr (!std::is_void_v<Object>) {
    using Out = typename Object::Result;
    static_assert(std::is_same_v<Retry, NoRetry> || AsyncRetryStrategy<Retry, Out>,
                  "retries: the strategy needs canRetry(int tries), backoff(int tries), "
                  "retriesResult(std::span<const Out>) and retriesException(const Error&)");
    using Op = AsyncWaitOperator<T, Out, Object, Retry>;
    return DataStream<T>(stream.handle())
        .template transform<Out>(
            "Async Wait",
            operatorFactory<Op>(options, asyncFunction<Named, T>(std::move(function)), std::move(retry)));
  }
}

}  // namespace internal

struct AsyncDataStream {
  static constexpr size_t kDefaultCapacity = 100;

  /// Results in the order of the records: one that is late holds up those behind it.
  template <typename Out = void, typename S, typename F>
  static auto orderedWait(const S& stream, F function, Duration timeout, size_t capacity = kDefaultCapacity) {
    return internal::asyncWait<Out>(stream, std::move(function), {AsyncOrder::kOrdered, timeout, capacity},
                                    NoRetry());
  }
  /// Results as they come; only watermarks keep their place.
  template <typename Out = void, typename S, typename F>
  static auto unorderedWait(const S& stream, F function, Duration timeout,
                            size_t capacity = kDefaultCapacity) {
    return internal::asyncWait<Out>(stream, std::move(function), {AsyncOrder::kUnordered, timeout, capacity},
                                    NoRetry());
  }

  // With a strategy of AsyncRetryStrategies or one's own (retry_strategy.h).

  template <typename Out = void, typename S, typename F, typename Retry>
  static auto orderedWaitWithRetry(const S& stream, F function, Duration timeout, Retry retry,
                                   size_t capacity = kDefaultCapacity) {
    return internal::asyncWait<Out>(stream, std::move(function), {AsyncOrder::kOrdered, timeout, capacity},
                                    std::move(retry));
  }
  template <typename Out = void, typename S, typename F, typename Retry>
  static auto unorderedWaitWithRetry(const S& stream, F function, Duration timeout, Retry retry,
                                     size_t capacity = kDefaultCapacity) {
    return internal::asyncWait<Out>(stream, std::move(function), {AsyncOrder::kUnordered, timeout, capacity},
                                    std::move(retry));
  }
};

}  // namespace flott
