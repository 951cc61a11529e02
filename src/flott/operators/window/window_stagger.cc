#include "flott/operators/window/window_stagger.h"

#include "flott/base/hash.h"
#include "flott/operators/context.h"
#include "flott/operators/window/time_window.h"
#include "flott/state/operator_state.h"

namespace flott {

const char* staggerText(WindowStagger stagger) {
  switch (stagger) {
    case WindowStagger::kAligned:
      return "";
    case WindowStagger::kRandom:
      return ", RANDOM";
    case WindowStagger::kNatural:
      return ", NATURAL";
  }
  return "";
}

void StaggerDecision::open(WindowStagger stagger, OperatorContext& context) {
  stagger_ = stagger;
  context_ = &context;
  if (stagger == WindowStagger::kAligned) return;
  pending_ = true;
  kept_ = &context.operatorState().list<int64_t>("window-stagger");
}

// After a restore with fewer subtasks there may be several offsets: one of them is as good as another, since
// windows that are open keep theirs.
void StaggerDecision::decideNow(SliceGrid& grid) {
  pending_ = false;
  int64_t by = 0;
  if (!kept_->get().empty()) {
    by = kept_->get().front();
  } else if (stagger_ == WindowStagger::kRandom) {
    const OperatorInfo& info = context_->info();
    const uint64_t when = static_cast<uint64_t>(context_->processingTime().ms);
    const uint64_t where = combineHashes(hashBytes(info.name), static_cast<uint64_t>(info.subtask.value));
    by = static_cast<int64_t>(combineHashes(where, when) % static_cast<uint64_t>(grid.size().ms));
  } else {
    const Timestamp now = context_->processingTime();
    by = (now - grid.sliceOf(now.ms).start).ms;
  }
  kept_->set({by});
  grid = grid.movedBy(Duration(by));
}

}  // namespace flott
