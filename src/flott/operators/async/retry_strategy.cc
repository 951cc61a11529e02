#include "flott/operators/async/retry_strategy.h"

#include <string>

namespace flott::AsyncRetryStrategies {
namespace {

void checkRetries(int maxRetries, Duration delay) {
  if (maxRetries < 1) {
    throw Error(ErrorKind::kUser, "a retry strategy with " + std::to_string(maxRetries) +
                                      " retries: give at least 1, or use orderedWait or unorderedWait, which "
                                      "do not retry");
  }
  if (delay.ms < 0) {
    throw Error(ErrorKind::kUser,
                "a retry strategy with a delay of " + toString(delay) + ": give one that is not negative");
  }
}

}  // namespace

RetryWithPause<FixedPause> fixedDelay(int maxRetries, Duration delay) {
  checkRetries(maxRetries, delay);
  return {maxRetries, FixedPause{delay}};
}

RetryWithPause<GrowingPause> exponentialBackoff(int maxRetries, Duration initialDelay, Duration maxDelay,
                                                double multiplier) {
  checkRetries(maxRetries, initialDelay);
  if (maxDelay < initialDelay) {
    throw Error(ErrorKind::kUser, "a retry strategy whose greatest delay, " + toString(maxDelay) +
                                      ", is less than its first, " + toString(initialDelay) +
                                      ": swap them, or raise the greatest");
  }
  if (!(multiplier >= 1)) {
    throw Error(ErrorKind::kUser, "a retry strategy with a multiplier of " + std::to_string(multiplier) +
                                      ": give at least 1, so that delays do not shrink");
  }
  return {maxRetries, GrowingPause{initialDelay, maxDelay, multiplier}};
}

}  // namespace flott::AsyncRetryStrategies
