#include "flott/state/memory_budget.h"

#include <string>

#include "flott/base/error.h"

namespace flott {

void MemoryBudget::refuse(uint64_t bytes, std::string_view state, uint64_t stateBytes) const {
  const auto kb = [](uint64_t n) { return std::to_string((n + 1023) / 1024) + " KB"; };
  throw Error(ErrorKind::kUser, "state '" + std::string(state) + "' holds " + kb(stateBytes) +
                                    " and asks for " + kb(bytes) + " more, but " + kb(used_) + " of the " +
                                    kb(limit_) +
                                    " for state are in use and 10 % stay free: keep state on disk with "
                                    "state.backend.type: rocksdb, or give the task more memory");
}

}  // namespace flott
