#include "flott/operators/window/window_operator.h"

#include "flott/base/error.h"

namespace flott {

void throwMergedIntoThePast(const std::string& window) {
  throw Error(ErrorKind::kUser, "mergeWindows(…) made a " + window +
                                    ", which has ended already: windows may only grow by merging");
}

}  // namespace flott
