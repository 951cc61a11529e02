#include "flott/operators/window/assigners.h"

#include <numeric>

#include "flott/base/error.h"
#include "flott/operators/event_time.h"

namespace flott {
namespace {

// Half of what timestamps leave free, so that the end of a window, moved by its offset, is a number.
constexpr Duration kLongestSlice{kLatestEventTime.ms / 2};

void checkLength(const std::string& what, const char* name, Duration length) {
  if (length > Duration() && length <= kLongestSlice) return;
  throw Error(ErrorKind::kUser, what + " cannot be: give " + name + " from 1 ms to " +
                                    std::to_string(kLongestSlice.ms) + " ms");
}

void checkOffset(const std::string& what, const char* name, Duration length, Duration offset) {
  if (offset < length && offset > length * -1) return;
  throw Error(ErrorKind::kUser, what + " cannot have an offset of " + toString(offset) +
                                    ": give one smaller than the " + name + ", positive or negative");
}

void checkSlices(const std::string& what, Duration size, int64_t length) {
  if (size.ms / length <= SliceGrid::kMostSlices) return;
  throw Error(ErrorKind::kUser, what + " would consist of " + std::to_string(size.ms / length) +
                                    " slices of " + toString(Duration(length)) + ", at most " +
                                    std::to_string(SliceGrid::kMostSlices) +
                                    " can be: give lengths with a larger common divisor");
}

}  // namespace

SliceGrid SliceGrid::tumbling(Duration size, Duration offset) {
  const std::string what = "tumbling windows of " + toString(size);
  checkLength(what, "a size", size);
  checkOffset(what, "size", size, offset);
  return {size.ms, size.ms, size.ms, offset.ms, false};
}

SliceGrid SliceGrid::sliding(Duration size, Duration slide, Duration offset) {
  const std::string what = "sliding windows of " + toString(size) + " by " + toString(slide);
  checkLength(what, "a size", size);
  checkLength(what, "a slide", slide);
  checkOffset(what, "slide", slide, offset);
  const int64_t length = std::gcd(size.ms, slide.ms);
  checkSlices(what, size, length);
  return {length, size.ms, slide.ms, offset.ms, false};
}

SliceGrid SliceGrid::cumulating(Duration size, Duration step, Duration offset) {
  const std::string what = "cumulating windows of " + toString(size) + " by " + toString(step);
  checkLength(what, "a size", size);
  checkLength(what, "a step", step);
  checkOffset(what, "size", size, offset);
  if (size.ms % step.ms != 0) {
    throw Error(ErrorKind::kUser, what + " cannot be: give a size that is a multiple of the step");
  }
  checkSlices(what, size, step.ms);
  return {step.ms, size.ms, step.ms, offset.ms, step < size};
}

std::string slicingText(const char* name, const SliceGrid& slices) {
  std::string text = std::string(name) + "(" + toString(slices.size());
  if (slices.step() != slices.size()) text += " by " + toString(slices.step());
  if (slices.offset() != Duration()) text += ", offset " + toString(slices.offset());
  return text + ")";
}

}  // namespace flott
