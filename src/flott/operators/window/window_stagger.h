// When the windows of a subtask begin, where they need not begin at the same time in all of them.
//
// Windows on processing time that end in all subtasks, and all jobs, on the full hour load what is behind
// them all at once. Staggered ones are moved by an offset that a subtask decides on when its first record
// comes, and keeps from then on, also across a restore.
#pragma once

#include <cstdint>

#include "flott/base/time.h"

namespace flott {

class OperatorContext;
class SliceGrid;
template <typename T>
class OperatorListState;

enum class WindowStagger : uint8_t {
  kAligned,  // windows begin at multiples of their size, plus the offset
  kRandom,   // moved by chance, by less than their size: another time in each subtask
  kNatural,  // moved so that one begins when the first record comes
};

/// For the plan: ", RANDOM"; nothing for kAligned.
const char* staggerText(WindowStagger stagger);

/// The decision of one operator. Owned by it, used on its task's thread.
class StaggerDecision {
 public:
  /// In the operator's open().
  void open(WindowStagger stagger, OperatorContext& context);
  /// A record is at hand: moves the grid, the first time. Cheap afterwards.
  void decide(SliceGrid& grid) {
    if (pending_) decideNow(grid);
  }

 private:
  void decideNow(SliceGrid& grid);

  WindowStagger stagger_ = WindowStagger::kAligned;
  bool pending_ = false;
  OperatorContext* context_ = nullptr;
  OperatorListState<int64_t>* kept_ = nullptr;  // the offset in ms, once there is one
};

}  // namespace flott
