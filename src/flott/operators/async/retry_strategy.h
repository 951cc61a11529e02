// When a request is tried again, and after what pause.
//
// A strategy has a pause after the n-th try (n from 1), says how many tries may follow the first, and has
// predicates on the results and on the error of a try; without any predicate nothing is tried again. The
// user's own strategy is any class with the four methods of the concept. Each operator instance has a copy,
// used on the task's thread.
//
//   AsyncRetryStrategies::fixedDelay(3, 100ms).ifException(RetryPredicates::kAnyException)
//   AsyncRetryStrategies::exponentialBackoff(5, 10ms, 1s, 2.0).ifResult(RetryPredicates::kNoResult)
#pragma once

#include <cmath>
#include <concepts>
#include <span>
#include <utility>

#include "flott/base/error.h"
#include "flott/base/time.h"

namespace flott {

template <typename S, typename Out>
concept AsyncRetryStrategy = requires(S& s, int tries, std::span<const Out> results, const Error& error) {
  { s.canRetry(tries) } -> std::convertible_to<bool>;
  { s.backoff(tries) } -> std::convertible_to<Duration>;
  { s.retriesResult(results) } -> std::convertible_to<bool>;
  { s.retriesException(error) } -> std::convertible_to<bool>;
};

namespace RetryPredicates {

/// The request came to no result at all.
struct NoResult {
  template <typename Out>
  bool operator()(std::span<const Out> results) const {
    return results.empty();
  }
};
inline constexpr NoResult kNoResult;

struct AnyException {
  bool operator()(const Error&) const { return true; }
};
inline constexpr AnyException kAnyException;

struct Never {
  template <typename T>
  bool operator()(const T&) const {
    return false;
  }
};

}  // namespace RetryPredicates

/// A pause rule with predicates; made by AsyncRetryStrategies.
template <typename Pause, typename OnResult = RetryPredicates::Never,
          typename OnException = RetryPredicates::Never>
class RetryWithPause {
 public:
  RetryWithPause(int maxRetries, Pause pause, OnResult onResult = {}, OnException onException = {})
      : maxRetries_(maxRetries),
        pause_(std::move(pause)),
        onResult_(std::move(onResult)),
        onException_(std::move(onException)) {}

  /// f(std::span<const Out>) -> bool.
  template <typename F>
  auto ifResult(F predicate) const {
    return RetryWithPause<Pause, F, OnException>(maxRetries_, pause_, std::move(predicate), onException_);
  }
  /// f(const Error&) -> bool.
  template <typename F>
  auto ifException(F predicate) const {
    return RetryWithPause<Pause, OnResult, F>(maxRetries_, pause_, onResult_, std::move(predicate));
  }

  bool canRetry(int tries) const { return tries <= maxRetries_; }
  Duration backoff(int tries) const { return pause_(tries); }
  template <typename Out>
  bool retriesResult(std::span<const Out> results) {
    return onResult_(results);
  }
  bool retriesException(const Error& error) { return onException_(error); }

 private:
  int maxRetries_;
  Pause pause_;
  OnResult onResult_;
  OnException onException_;
};

struct FixedPause {
  Duration delay;
  Duration operator()(int) const { return delay; }
};

struct GrowingPause {
  Duration first;
  Duration most;
  double multiplier;
  Duration operator()(int tries) const {
    const double ms = static_cast<double>(first.ms) * std::pow(multiplier, tries - 1);
    return ms < static_cast<double>(most.ms) ? Duration(static_cast<int64_t>(ms)) : most;
  }
};

namespace AsyncRetryStrategies {

/// `maxRetries` tries after the first one, as what Flink calls max attempts does. Throws Error(kUser).
RetryWithPause<FixedPause> fixedDelay(int maxRetries, Duration delay);
/// The first pause, and each after it `multiplier` times the one before, up to `maxDelay`. Throws
/// Error(kUser).
RetryWithPause<GrowingPause> exponentialBackoff(int maxRetries, Duration initialDelay, Duration maxDelay,
                                                double multiplier);

}  // namespace AsyncRetryStrategies

/// Of operators without retries.
struct NoRetry {};

}  // namespace flott
