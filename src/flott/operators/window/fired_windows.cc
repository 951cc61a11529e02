#include "flott/operators/window/fired_windows.h"

#include <algorithm>

#include "flott/state/keyed_backend.h"

namespace flott {

void FiredWindows::open(OperatorStateBackend& operatorState, const KeyedStateBackend& keyed) {
  shares_ = &operatorState.unionList<Share>("fired-windows");
  groups_ = keyed.keyGroups();
  maxParallelism_ = keyed.maxParallelism();
  if (shares_->get().empty()) return;
  restored_.assign(groups_.size(), Timestamp::min().ms);
  for (const Share& share : shares_->get()) {
    for (uint32_t group = std::max(share.first, groups_.first); group < std::min(share.end, groups_.end);
         ++group)
      restored_[group - groups_.first] = std::max(restored_[group - groups_.first], share.last);
  }
  if (!restored_.empty()) last_ = Timestamp(*std::min_element(restored_.begin(), restored_.end()));
}

Timestamp FiredWindows::latest() const {
  if (restored_.empty()) return last_;
  return std::max(last_, Timestamp(*std::max_element(restored_.begin(), restored_.end())));
}

void FiredWindows::set(Timestamp last) {
  last_ = std::max(last_, last);
  std::vector<Share> shares;
  if (!restored_.empty() && *std::max_element(restored_.begin(), restored_.end()) <= last_.ms)
    restored_.clear();
  for (uint32_t n = 0; n < restored_.size(); ++n) {
    shares.push_back({groups_.first + n, groups_.first + n + 1, std::max(restored_[n], last_.ms)});
  }
  if (restored_.empty()) shares.push_back({groups_.first, groups_.end, last_.ms});
  shares_->set(std::move(shares));
}

}  // namespace flott
