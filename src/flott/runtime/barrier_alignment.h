// When a task is cut for a checkpoint: by the barriers that its channels have delivered.
//
// Exactly once: a channel that has delivered the barrier is not read on until the others have, so that the
// cut holds what came before the barrier and nothing else. At least once: it is read on, and what came early
// is counted again after a restore. A channel that has ended delivers no barrier and is waited for by nobody.
// A barrier that overtakes is waited for only on channels where it may not; for all others one is enough, or
// the news of one, and whoever cuts must keep what they hold before it. Part of an input gate, on its task's
// thread.
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
#include "flott/runtime/runnable.h"

namespace flott {

class BarrierAlignment {
 public:
  struct Aligned {
    Barrier barrier;
    int64_t nanos = 0;      // since the first channel delivered it
    bool overtook = false;  // channels may hold what belongs before it
  };

  /// Before the first barrier.
  void setBlocking(bool blocking) { blocking_ = blocking; }
  void addChannel(bool overtakable = false) { channels_.push_back({.overtakable = overtakable}); }

  /// The checkpoint has been triggered: it is due also where no channel is left that could bring its barrier.
  void expect(const Barrier& barrier) { find(barrier); }
  void arrive(size_t channel, const Barrier& barrier, int64_t nowNanos);
  /// The barrier is on its way in some channel.
  void announce(const Barrier& barrier, int64_t nowNanos);
  void end(size_t channel) { channels_[channel].ended = true; }
  /// The checkpoint is void; its barriers are passed over from now on.
  void abandon(CheckpointId checkpoint);

  /// The oldest checkpoint for which the cut is due, once. One that overtakes voids those before it.
  std::optional<Aligned> takeAligned(StepTime now);
  /// The channel must not be read now.
  bool blocks(size_t channel) const;
  /// The channel has delivered the barrier of this checkpoint, or a later one, or its end.
  bool delivered(size_t channel, CheckpointId checkpoint) const {
    return channels_[channel].ended || channels_[channel].last >= checkpoint;
  }
  /// Some barrier has come and the cut is not yet due.
  bool aligning() const;
  /// When a barrier that has come begins to overtake, by the wall clock; max(): none does.
  Timestamp overtakesFrom() const;

 private:
  struct Channel {
    bool overtakable = false;
    CheckpointId last = {};  // whose barrier it delivered
    bool ended = false;
  };
  struct Pending {
    Barrier barrier;
    bool begun = false;  // some channel has delivered it, or the news of it
    int64_t sinceNanos = 0;
  };

  Pending* find(const Barrier& barrier);
  void begin(const Barrier& barrier, int64_t nowNanos);
  /// All channels have delivered the barriers up to this one; or all where barriers keep their place.
  CheckpointId reached(bool alsoOvertakable = true) const;
  bool overtakes(const Pending& pending, Timestamp now) const;

  bool blocking_ = true;
  std::vector<Channel> channels_;
  std::vector<Pending> pending_;  // in the order of their ids
  CheckpointId done_;             // aligned; older ones are of no use any more
  std::set<CheckpointId> abandoned_;
};

}  // namespace flott
