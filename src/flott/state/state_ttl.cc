#include "flott/state/state_ttl.h"

#include "flott/base/error.h"

namespace flott {

StateTtl StateTtl::after(Duration timeToLive) {
  if (timeToLive.ms <= 0) {
    throw Error(ErrorKind::kUser, "a time to live of " + toString(timeToLive) +
                                      ": give StateTtl::after(…) 1 ms or more, or use StateTtl::disabled()");
  }
  StateTtl ttl;
  ttl.timeToLive_ = timeToLive;
  ttl.update_ = UpdateType::kOnCreateAndWrite;
  return ttl;
}

StateTtl StateTtl::cleanupIncrementally(uint32_t entries, bool everyRecord) const {
  if (entries == 0) {
    throw Error(ErrorKind::kUser,
                "cleanupIncrementally(0, …) would clean up nothing: give it 1 entry or more, or call "
                "disableCleanupInBackground()");
  }
  return with(&StateTtl::entries_, entries).with(&StateTtl::everyRecord_, everyRecord);
}

}  // namespace flott
