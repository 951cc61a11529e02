#include "flott/operators/folds.h"

#include "flott/base/error.h"

namespace flott {

void throwSumOverflow(const std::string& sum, const std::string& added) {
  throw Error(ErrorKind::kUser,
              "sum overflows: " + sum + " + " + added +
                  " does not fit; use a wider type for the member, or reduce(…) with your own rule");
}

}  // namespace flott
