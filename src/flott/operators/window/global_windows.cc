#include "flott/operators/window/global_windows.h"

#include "flott/base/error.h"

namespace flott {

CountWindows CountWindows::of(int64_t size, int64_t slide) {
  if (size > 0 && slide > 0) return {size, slide};
  throw Error(ErrorKind::kUser, "count windows of size " + std::to_string(size) + " and slide " +
                                    std::to_string(slide) + " cannot be: give at least 1 for both");
}

std::string CountWindows::toString() const {
  std::string text = "CountWindows(" + std::to_string(size_);
  if (slide_ != size_) text += ", slide " + std::to_string(slide_);
  return text + ")";
}

}  // namespace flott
