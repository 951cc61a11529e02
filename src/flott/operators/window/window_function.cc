#include "flott/operators/window/window_function.h"

#include "flott/base/error.h"

namespace flott {

void throwNoStateOfMergingWindows() {
  throw Error(ErrorKind::kUser,
              "windowState() was called for windows that merge, such as sessions: what would become of the "
              "states of two that become one is not known; use globalState(), or keep it in the accumulator");
}

}  // namespace flott
