// Where an asynchronous function puts what a request came to, from whatever thread that becomes known on.
//
// A ResultFuture is a handle that is copied freely and may outlive the operator: what is completed after the
// operator was closed is dropped. The first completion wins, all others do nothing. A completion costs one
// lock, and the operator is woken once for all completions that come while it is busy or asleep.
//
//   void asyncInvoke(const Order& order, ResultFuture<Priced> future) override {
//     client_.get(order.item, [order, future](Reply reply) { future.complete(Priced{order, reply.price}); });
//   }
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/function.h"

namespace flott {

struct AsyncEntry;

/// One call of the user's function for a record. Whoever claims it writes its outcome and hands it over.
struct AsyncTry {
  explicit AsyncTry(AsyncEntry& of) : entry(&of) {}
  virtual ~AsyncTry() = default;
  AsyncTry(const AsyncTry&) = delete;
  AsyncTry& operator=(const AsyncTry&) = delete;

  bool claim() { return !claimed_.exchange(true, std::memory_order_relaxed); }

  AsyncEntry* const entry;  // the operator's own, not to be looked at by others
  std::optional<Error> error;

 private:
  std::atomic<bool> claimed_{false};
};

/// The results of a try, if it has no error.
template <typename Out>
struct AsyncTryOf final : AsyncTry {
  using AsyncTry::AsyncTry;
  std::vector<Out> results;
};

/// Tries on their way from any thread to that of the operator.
class AsyncCompletions {
 public:
  /// `wake` is called on any thread, not after close().
  explicit AsyncCompletions(MoveFunction<void()> wake);
  ~AsyncCompletions();

  /// Any thread.
  void push(std::shared_ptr<AsyncTry> done);
  /// Operator: swaps with `out`, which is empty. When there is nothing and `wakeMe`, the next push wakes.
  void take(std::vector<std::shared_ptr<AsyncTry>>& out, bool wakeMe);
  /// Operator: what is pushed from now on is dropped.
  void close() noexcept;

 private:
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

template <typename Out>
class ResultFuture {
 public:
  ResultFuture(std::shared_ptr<AsyncTryOf<Out>> request, std::shared_ptr<AsyncCompletions> completions)
      : try_(std::move(request)), completions_(std::move(completions)) {}

  /// With no result: the record is dropped.
  void complete() const { complete(std::vector<Out>()); }
  void complete(Out result) const {
    if (!try_->claim()) return;
    try_->results.push_back(std::move(result));
    completions_->push(try_);
  }
  void complete(std::vector<Out> results) const {
    if (!try_->claim()) return;
    try_->results = std::move(results);
    completions_->push(try_);
  }
  /// The request failed: it is tried again where a retry strategy says so, else the job fails with this
  /// error.
  void completeExceptionally(Error error) const {
    if (!try_->claim()) return;
    try_->error = std::move(error);
    completions_->push(try_);
  }
  void completeExceptionally(const std::exception_ptr& exception) const {
    try {
      std::rethrow_exception(exception);
    } catch (...) {
      completeExceptionally(currentError());
    }
  }

 private:
  std::shared_ptr<AsyncTryOf<Out>> try_;
  std::shared_ptr<AsyncCompletions> completions_;
};

}  // namespace flott
