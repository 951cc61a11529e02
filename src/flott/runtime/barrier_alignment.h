// When the barrier of a checkpoint has come on all channels of a task.
//
// Exactly once: a channel that has delivered the barrier is not read on until the others have, so that the
// cut holds what came before the barrier and nothing else. At least once: it is read on, and what came early
// is counted again after a restore. A channel that has ended delivers no barrier and is waited for by nobody.
// Part of an input gate, on its task's thread.
//
//   alignment.arrive(channel, barrier, now);
//   if (auto aligned = alignment.takeAligned(now)) cut(aligned->barrier);
//   if (!alignment.blocks(channel)) readOn(channel);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "flott/data/element.h"

namespace flott {

class BarrierAlignment {
 public:
  struct Aligned {
    Barrier barrier;
    int64_t nanos = 0;  // since the first channel delivered it
  };

  /// Before the first barrier.
  void setBlocking(bool blocking) { blocking_ = blocking; }
  void addChannel() { channels_.emplace_back(); }

  /// The checkpoint has been triggered: it is due also where no channel is left that could bring its barrier.
  void expect(const Barrier& barrier) { find(barrier); }
  void arrive(size_t channel, const Barrier& barrier, int64_t nowNanos);
  void end(size_t channel) { channels_[channel].ended = true; }
  /// The checkpoint is void; its barriers are passed over from now on.
  void abandon(CheckpointId checkpoint);

  /// The oldest checkpoint that is aligned, once.
  std::optional<Aligned> takeAligned(int64_t nowNanos);
  /// The channel must not be read now.
  bool blocks(size_t channel) const;

 private:
  struct Channel {
    CheckpointId last;  // whose barrier it delivered
    bool ended = false;
  };
  struct Pending {
    Barrier barrier;
    int64_t sinceNanos = 0;  // when the first channel delivered it; 0: none has
  };

  Pending* find(const Barrier& barrier);
  /// All channels have delivered the barriers up to this one.
  CheckpointId reached() const;

  bool blocking_ = true;
  std::vector<Channel> channels_;
  std::vector<Pending> pending_;  // in the order of their ids
  CheckpointId done_;             // aligned; older ones are of no use any more
  std::set<CheckpointId> abandoned_;
};

}  // namespace flott
