#include "flott/state/state_times.h"

#include <utility>

#include "flott/env/clock.h"

namespace flott {

std::string_view latencyName(StateAccess access) {
  switch (access) {
    case StateAccess::kClear:
      return "stateClearLatency";
    case StateAccess::kValueGet:
      return "valueStateGetLatency";
    case StateAccess::kValueUpdate:
      return "valueStateUpdateLatency";
    case StateAccess::kListGet:
      return "listStateGetLatency";
    case StateAccess::kListAdd:
      return "listStateAddLatency";
    case StateAccess::kListAddAll:
      return "listStateAddAllLatency";
    case StateAccess::kListUpdate:
      return "listStateUpdateLatency";
    case StateAccess::kMapGet:
      return "mapStateGetLatency";
    case StateAccess::kMapPut:
      return "mapStatePutLatency";
    case StateAccess::kMapRemove:
      return "mapStateRemoveLatency";
    case StateAccess::kMapContains:
      return "mapStateContainsLatency";
    case StateAccess::kMapIsEmpty:
      return "mapStateIsEmptyLatency";
    case StateAccess::kMapEntries:
      return "mapStateEntriesInitLatency";
    case StateAccess::kReducingGet:
      return "reducingStateGetLatency";
    case StateAccess::kReducingAdd:
      return "reducingStateAddLatency";
    case StateAccess::kAggregatingGet:
      return "aggregatingStateGetLatency";
    case StateAccess::kAggregatingAdd:
      return "aggregatingStateAddLatency";
  }
  return "stateLatency";
}

StateTimes::StateTimes(uint32_t every, const Clock& clock, Take take)
    : every_(every), clock_(clock), take_(std::move(take)) {
  left_.fill(every);
}

int64_t StateTimes::begin() const { return clock_.monotonicNanos(); }

void StateTimes::end(StateAccess access, int64_t begun) { take_(access, clock_.monotonicNanos() - begun); }

}  // namespace flott
