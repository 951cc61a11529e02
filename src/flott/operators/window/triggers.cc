#include "flott/operators/window/triggers.h"

#include "flott/base/error.h"

namespace flott {

Duration checkedInterval(const char* trigger, Duration interval) {
  if (interval > Duration()) return interval;
  throw Error(ErrorKind::kUser, std::string(trigger) + " cannot have an interval of " + toString(interval) +
                                    ": give one of at least 1 ms");
}

int64_t checkedCount(const char* what, int64_t count) {
  if (count > 0) return count;
  throw Error(ErrorKind::kUser,
              std::string(what) + " cannot have a count of " + std::to_string(count) + ": give at least 1");
}

void throwTriggerNeedsTimestamps(const char* trigger) {
  throw Error(ErrorKind::kUser,
              std::string("records have no timestamp, which ") + trigger +
                  " needs: assign one with assignTimestampsAndWatermarks(…) before the window");
}

}  // namespace flott
