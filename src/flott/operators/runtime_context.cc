#include "flott/operators/runtime_context.h"

#include "flott/base/error.h"

namespace flott {

void RuntimeContext::failNotKeyed(const std::string& state) {
  throw Error(ErrorKind::kUser,
              "keyed state '" + state +
                  "' was asked for on a stream without keys: call keyBy(…) before this operator");
}

}  // namespace flott
