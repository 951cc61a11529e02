// What a user writes for asynchronous requests: a class, a lambda, or a function that blocks.
//
// Each parallel instance has a copy of the object. All its calls come from the task's thread, one at a time,
// and must not block; only the ResultFuture is for other threads.
//
//   struct LookUp : AsyncFunction<Order, Priced> {
//     Client client;
//     void open(RuntimeContext&) override { client.connect(); }
//     void asyncInvoke(const Order& order, ResultFuture<Priced> future) override {
//       client.get(order.item, [order, future](double price) { future.complete(Priced{order, price}); });
//     }
//     void timeout(const Order& order, ResultFuture<Priced> future) override {
//     future.complete(Priced{order}); }
//   };
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "flott/operators/async/result_future.h"
#include "flott/operators/function.h"
#include "flott/operators/process_functions.h"

namespace flott {

template <typename In, typename Out>
class AsyncFunction : public RichFunction {
 public:
  using Record = In;
  using Result = Out;

  /// Starts a request. The record is good during the call: copy what the request needs.
  virtual void asyncInvoke(const In& record, ResultFuture<Out> future) = 0;
  /// The request, all tries of it, took too long; there are no further ones. Complete the future, or wait for
  /// whoever completes it. Without an override the job fails.
  virtual void timeout(const In&, ResultFuture<Out>) {}
};

/// Whether F does something about requests that take too long.
template <typename F>
consteval bool overridesTimeout() {
  if constexpr (requires { &F::timeout; }) {
    using Base = AsyncFunction<typename F::Record, typename F::Result>;
    return !std::is_same_v<decltype(&F::timeout), decltype(&Base::timeout)>;
  } else {
    return true;  // it has several
  }
}

/// f(const In&, ResultFuture<Out>).
template <typename In, typename Out, typename F>
class AsyncLambda final : public AsyncFunction<In, Out> {
 public:
  explicit AsyncLambda(F function) : function_(std::move(function)) {}
  void asyncInvoke(const In& record, ResultFuture<Out> future) override {
    function_(record, std::move(future));
  }

 private:
  F function_;
};

/// A function that may block, f(const In&) -> Out: called on the off-load threads, many at a time.
template <typename F>
struct BlockingFunction {
  F function;
};
template <typename F>
BlockingFunction<F> blocking(F function) {
  return {std::move(function)};
}

template <typename In, typename Out, typename F>
class AsyncBlocking final : public AsyncFunction<In, Out> {
 public:
  explicit AsyncBlocking(BlockingFunction<F> blocking)
      : function_(std::make_shared<const F>(std::move(blocking.function))) {}

  void open(RuntimeContext& context) override { context_ = &context.operatorContext(); }
  void asyncInvoke(const In& record, ResultFuture<Out> future) override {
    auto work = [function = function_, record, future = std::move(future)] {
      try {
        future.complete((*function)(record));
      } catch (...) {
        future.completeExceptionally(currentError());
      }
    };
    context_->offload("asynchronous request", std::move(work), [] {});
  }

 private:
  std::shared_ptr<const F> function_;
  OperatorContext* context_ = nullptr;
};

}  // namespace flott
