#include "flott/runtime/barrier_alignment.h"

#include <algorithm>
#include <limits>

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
  Pending* pending = find(barrier);
  if (pending != nullptr && pending->sinceNanos == 0) pending->sinceNanos = nowNanos;
}

void BarrierAlignment::abandon(CheckpointId checkpoint) {
  std::erase_if(pending_, [checkpoint](const Pending& p) { return p.barrier.checkpoint == checkpoint; });
  const CheckpointId past = std::max(done_, reached());
  std::erase_if(abandoned_, [past](CheckpointId id) { return id <= past; });
  if (checkpoint > past) abandoned_.insert(checkpoint);
}

std::optional<BarrierAlignment::Aligned> BarrierAlignment::takeAligned(int64_t nowNanos) {
  if (pending_.empty() || pending_.front().barrier.checkpoint > reached()) return std::nullopt;
  const Pending first = pending_.front();
  pending_.erase(pending_.begin());
  done_ = first.barrier.checkpoint;
  return Aligned{first.barrier, first.sinceNanos == 0 ? 0 : nowNanos - first.sinceNanos};
}

bool BarrierAlignment::blocks(size_t channel) const {
  const Channel& at = channels_[channel];
  return blocking_ && !at.ended &&
         std::any_of(pending_.begin(), pending_.end(),
                     [&at](const Pending& pending) { return pending.barrier.checkpoint == at.last; });
}

CheckpointId BarrierAlignment::reached() const {
  CheckpointId least(std::numeric_limits<uint64_t>::max());
  for (const Channel& channel : channels_) {
    if (!channel.ended) least = std::min(least, channel.last);
  }
  return least;
}

}  // namespace flott
