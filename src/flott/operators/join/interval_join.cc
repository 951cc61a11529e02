#include "flott/operators/join/interval_join.h"

#include <string>

#include "flott/base/error.h"

namespace flott {
namespace {

// So that adding a bound to a time within the limits of event time never overflows.
constexpr int64_t kFarthest = int64_t{1} << 60;

}  // namespace

JoinInterval JoinInterval::between(Duration lower, bool lowerExclusive, Duration upper, bool upperExclusive) {
  const auto text = [](Duration bound, bool exclusive) {
    return toString(bound) + (exclusive ? " (exclusive)" : "");
  };
  const bool tooFar =
      lower.ms < -kFarthest || lower.ms > kFarthest || upper.ms < -kFarthest || upper.ms > kFarthest;
  const JoinInterval interval{lower.ms + (!tooFar && lowerExclusive ? 1 : 0),
                              upper.ms - (!tooFar && upperExclusive ? 1 : 0)};
  if (tooFar || interval.lower > interval.upper) {
    throw Error(ErrorKind::kUser,
                "an interval join between " + text(lower, lowerExclusive) + " and " +
                    text(upper, upperExclusive) +
                    (tooFar ? ": give bounds of less than " + std::to_string(kFarthest) + " ms"
                            : ": nothing lies between them; give a lower bound that is not above the upper"));
  }
  return interval;
}

void throwJoinWithoutTimestamps() {
  throw Error(ErrorKind::kUser,
              "records have no timestamp, which an interval join needs on both of its streams: assign one "
              "with assignTimestampsAndWatermarks(…) before keyBy(…)");
}

}  // namespace flott
