#include "flott/operators/skew/local_combine.h"

#include <string>

namespace flott {

void checkPreAggregateOptions(const PreAggregateOptions& options) {
  constexpr size_t kMostKeys = size_t{1} << 24;
  if (options.maxKeys < 1 || options.maxKeys > kMostKeys) {
    throw Error(ErrorKind::kUser, "pre-aggregation over " + std::to_string(options.maxKeys) +
                                      " keys: give a number from 1 to " + std::to_string(kMostKeys));
  }
  if (options.maxDelay.ms < 1) {
    throw Error(ErrorKind::kUser, "pre-aggregation with a delay of " + toString(options.maxDelay) +
                                      ": give at least 1 ms, which is how long results may be held back");
  }
}

}  // namespace flott
