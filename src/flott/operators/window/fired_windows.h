// Which windows have fired: what a restored operator needs to know where the slices of a window that has
// fired are still there, for other windows or for late records.
//
// A time for each key group, as subtasks whose groups come together may have been at different times.
// Operator state, of the same content in every subtask after a restore. Owned by one operator, used on its
// task's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "flott/base/time.h"
#include "flott/state/key_groups.h"
#include "flott/state/operator_state.h"

namespace flott {

class KeyedStateBackend;

class FiredWindows {
 public:
  void open(OperatorStateBackend& operatorState, const KeyedStateBackend& keyed);
  /// All windows up to this last millisecond have fired.
  void set(Timestamp last);
  /// No window that ends before is yet to fire.
  Timestamp earliestEnd() const { return last_ < kNothingLater ? last_ + Duration::millis(2) : last_; }
  /// Nor has one fired for any key whose last millisecond is later.
  Timestamp latest() const;
  /// Whether the window with this last millisecond had fired, for the key of this hash, before the restore.
  bool has(uint64_t hash, Timestamp last) const {
    return !restored_.empty() &&
           last.ms <= restored_[keyGroupOf(hash, maxParallelism_).value - groups_.first];
  }

 private:
  /// As stored, for the groups from `first` up to but not including `end`.
  struct Share {
    uint32_t first = 0;
    uint32_t end = 0;
    int64_t last = 0;
  };
  static constexpr Timestamp kNothingLater = Timestamp::max() - Duration::millis(2);

  OperatorListState<Share>* shares_ = nullptr;
  KeyGroupRange groups_;
  uint32_t maxParallelism_ = kDefaultMaxParallelism;
  Timestamp last_ = Timestamp::min();
  std::vector<int64_t> restored_;  // by key group; empty once last_ has passed all of them
};

}  // namespace flott
