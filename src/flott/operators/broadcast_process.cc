#include "flott/operators/broadcast_process.h"

#include "flott/base/error.h"
#include "flott/data/type_description.h"

namespace flott {

void BroadcastStates::failUnknown(const std::string& name, const TypeOps& type) const {
  std::string known;
  for (const Named& named : states_) {
    known += (known.empty() ? "" : ", ") + ("'" + named.name + "' of ") +
             named.state->type().description().toString();
  }
  throw Error(ErrorKind::kUser, "there is no broadcast state '" + name + "' of " +
                                    type.description().toString() + "; there is " + known +
                                    ": name every state in broadcast(…) of the stream that fills it");
}

}  // namespace flott
