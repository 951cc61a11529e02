#include "flott/operators/window/session_assigners.h"

#include "flott/base/error.h"

namespace flott {

Duration checkedGap(Duration gap) {
  if (gap > Duration() && gap <= kLongestGap) return gap;
  throw Error(ErrorKind::kUser, "session windows with a gap of " + toString(gap) +
                                    " cannot be: give a gap from 1 ms to " + std::to_string(kLongestGap.ms) +
                                    " ms");
}

void throwGapOfRecord(Duration gap) {
  throw Error(ErrorKind::kUser,
              "its session gap is " + toString(gap) +
                  ": withDynamicGap(…) must be given a function that returns from 1 ms to " +
                  std::to_string(kLongestGap.ms) + " ms for each record");
}

}  // namespace flott
