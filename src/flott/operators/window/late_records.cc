#include "flott/operators/window/late_records.h"

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr Duration kLongestLateness{int64_t{1} << 60};  // so that the end of a window plus it is a number

}  // namespace

Duration checkedLateness(Duration lateness) {
  if (lateness >= Duration() && lateness <= kLongestLateness) return lateness;
  throw Error(ErrorKind::kUser, "an allowed lateness of " + toString(lateness) +
                                    " cannot be: give one from 0 ms to " +
                                    std::to_string(kLongestLateness.ms) + " ms");
}

}  // namespace flott
