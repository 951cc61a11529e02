#include "flott/runtime/barrier_alignment.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace flott {

BarrierAlignment::Pending* BarrierAlignment::find(const Barrier& barrier) {
  const CheckpointId id = barrier.checkpoint;
  if (id <= done_ || abandoned_.contains(id)) return nullptr;
  auto at = std::lower_bound(
      pending_.begin(), pending_.end(), id,
      [](const Pending& pending, CheckpointId to) { return pending.barrier.checkpoint < to; });
  if (at == pending_.end() || at->barrier.checkpoint != id) at = pending_.insert(at, {.barrier = barrier});
  return &*at;
}

void BarrierAlignment::arrive(size_t channel, const Barrier& barrier, int64_t nowNanos) {
  channels_[channel].last = std::max(channels_[channel].last, barrier.checkpoint);
  begin(barrier, nowNanos);
}

void BarrierAlignment::announce(const Barrier& barrier, int64_t nowNanos) { begin(barrier, nowNanos); }

// Whoever lets it overtake says so to those behind, whose clocks may be late.
void BarrierAlignment::begin(const Barrier& barrier, int64_t nowNanos) {
  Pending* pending = find(barrier);
  if (pending == nullptr) return;
  if (!std::exchange(pending->begun, true)) pending->sinceNanos = nowNanos;
  pending->barrier.overtakesFrom = std::min(pending->barrier.overtakesFrom, barrier.overtakesFrom);
}

void BarrierAlignment::abandon(CheckpointId checkpoint) {
  std::erase_if(pending_, [checkpoint](const Pending& p) { return p.barrier.checkpoint == checkpoint; });
  const CheckpointId past = std::max(done_, reached());
  std::erase_if(abandoned_, [past](CheckpointId id) { return id <= past; });
  if (checkpoint > past) abandoned_.insert(checkpoint);
}

std::optional<BarrierAlignment::Aligned> BarrierAlignment::takeAligned(StepTime now) {
  size_t due = pending_.size();
  for (size_t i = pending_.size(); i-- > 0 && due == pending_.size();) {
    if (overtakes(pending_[i], now.wall)) due = i;
  }
  const bool overtook = due < pending_.size();
  if (!overtook && !pending_.empty() && pending_.front().barrier.checkpoint <= reached()) due = 0;
  if (due == pending_.size()) return std::nullopt;
  const Pending cut = pending_[due];
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(due) + 1);
  done_ = cut.barrier.checkpoint;
  return Aligned{cut.barrier, cut.begun ? now.nanos - cut.sinceNanos : 0, overtook};
}

bool BarrierAlignment::overtakes(const Pending& pending, Timestamp now) const {
  return pending.begun && pending.barrier.overtakes(now) && pending.barrier.checkpoint <= reached(false);
}

bool BarrierAlignment::aligning() const {
  return std::any_of(pending_.begin(), pending_.end(), [](const Pending& pending) { return pending.begun; });
}

Timestamp BarrierAlignment::overtakesFrom() const {
  Timestamp first = Timestamp::max();
  for (const Pending& pending : pending_) {
    if (pending.begun && pending.barrier.checkpoint <= reached(false))
      first = std::min(first, pending.barrier.overtakesFrom);
  }
  return first;
}

bool BarrierAlignment::blocks(size_t channel) const {
  const Channel& at = channels_[channel];
  return blocking_ && !at.ended &&
         std::any_of(pending_.begin(), pending_.end(),
                     [&at](const Pending& pending) { return pending.barrier.checkpoint == at.last; });
}

CheckpointId BarrierAlignment::reached(bool alsoOvertakable) const {
  CheckpointId least(std::numeric_limits<uint64_t>::max());
  for (const Channel& channel : channels_) {
    if (channel.ended || (channel.overtakable && !alsoOvertakable)) continue;
    least = std::min(least, channel.last);
  }
  return least;
}

}  // namespace flott
