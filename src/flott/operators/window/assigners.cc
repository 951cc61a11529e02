#include "flott/operators/window/assigners.h"

#include "flott/base/error.h"
#include "flott/operators/event_time.h"

namespace flott {
namespace {

// Half of what timestamps leave free, so that the end of a window, moved by its offset, is a number.
constexpr Duration kLongestSlice{kLatestEventTime.ms / 2};

}  // namespace

SliceGrid SliceGrid::tumbling(Duration size, Duration offset) {
  const std::string what = "tumbling windows of " + toString(size);
  if (size <= Duration() || size > kLongestSlice) {
    throw Error(ErrorKind::kUser,
                what + " cannot be: give a size from 1 ms to " + std::to_string(kLongestSlice.ms) + " ms");
  }
  if (offset >= size || offset <= size * -1) {
    throw Error(ErrorKind::kUser, what + " cannot have an offset of " + toString(offset) +
                                      ": give one smaller than the size, positive or negative");
  }
  return {size.ms, offset.ms};
}

std::string tumblingText(const char* name, const SliceGrid& slices) {
  std::string text = std::string(name) + "(" + toString(slices.length());
  if (slices.offset() != Duration()) text += ", offset " + toString(slices.offset());
  return text + ")";
}

}  // namespace flott
