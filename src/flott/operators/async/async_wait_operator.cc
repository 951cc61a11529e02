#include "flott/operators/async/async_wait_operator.h"

namespace flott {

Error asyncTimeoutError(Duration timeout, int tries) {
  return Error(ErrorKind::kTransient,
               "the request got no result within " + toString(timeout) + ", in " + std::to_string(tries) +
                   (tries == 1 ? " try" : " tries") +
                   ": raise the time-out, or say in timeout(…) of the function what the result is then");
}

}  // namespace flott
