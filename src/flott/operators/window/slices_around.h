// What several slices of time hold for one key, put together for windows that have a slice in common.
//
// What lies up to that slice is merged backwards from it and what lies behind it forwards, so that each
// window is a merge of two, however many slices it has; always in the order of time. Owned by a window
// operator, used on its task's thread.
//
//   around.clear();
//   around.add(end, acc);                       // in the order of time; the slice in common is one of them
//   around.foldUpTo(common, accumulation);
//   around.of(window, accumulation);            // windows that have it, in the order of their ends
#pragma once

#include <algorithm>
#include <vector>

#include "flott/operators/window/time_window.h"

namespace flott {

template <typename Acc>
class SlicesAround {
 public:
  void clear() {
    ends_.clear();
    accs_.clear();
  }
  /// `acc` has to stay where it is until the last window was asked for.
  void add(Timestamp sliceEnd, const Acc& acc) {
    ends_.push_back(sliceEnd);
    accs_.push_back(&acc);
  }

  template <typename Accumulation>
  void foldUpTo(Timestamp common, Accumulation& accumulation) {
    size_t at = firstEndFrom(common);
    next_ = at + 1;
    behind_ = false;
    upTo_.resize(std::max(upTo_.size(), next_));
    upTo_[at] = *accs_[at];
    while (at-- > 0) {
      upTo_[at] = *accs_[at];
      accumulation.merge(upTo_[at], upTo_[at + 1]);
    }
  }

  template <typename Accumulation>
  const Acc& of(const TimeWindow& window, Accumulation& accumulation) {
    for (; next_ < ends_.size() && ends_[next_] <= window.end; ++next_) {
      if (behind_) {
        accumulation.merge(fromBehind_, *accs_[next_]);
      } else {
        fromBehind_ = *accs_[next_];
        behind_ = true;
      }
    }
    const Acc& upTo = upTo_[firstEndFrom(window.start + Duration::millis(1))];
    if (!behind_) return upTo;
    whole_ = upTo;
    accumulation.merge(whole_, fromBehind_);
    return whole_;
  }

 private:
  size_t firstEndFrom(Timestamp end) const {
    return static_cast<size_t>(std::lower_bound(ends_.begin(), ends_.end(), end) - ends_.begin());
  }

  std::vector<Timestamp> ends_;
  std::vector<const Acc*> accs_;
  std::vector<Acc> upTo_;  // from each slice to the one in common
  size_t next_ = 0;        // the first slice that is not in fromBehind_
  bool behind_ = false;    // some slice is
  Acc fromBehind_{};
  Acc whole_{};
};

}  // namespace flott
