// What a task's channels held before a barrier that overtook it: gathered while the task works on.
//
// Begun at the cut. Of a channel it has first where its time stood, then what lies in it, element by element
// up to the barrier, or to its end where its sender has ended before: looked at in the channel, before it is
// taken out. One at a time, part of an input gate, on its task's thread.
//
//   capture.begin(checkpoint, line.size());
//   capture.open(i, channel, position, sequence);
//   capture.look(i);                       // before each element is taken, and now and then
//   if (capture.complete()) keep(capture.take());
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "flott/runtime/channel.h"
#include "flott/runtime/in_flight.h"

namespace flott {

class InputCapture {
 public:
  bool under(CheckpointId checkpoint) const { return active_ && checkpoint_ == checkpoint; }
  bool active() const { return active_; }
  /// Drops one that is under way.
  void begin(CheckpointId checkpoint, size_t channels);
  void drop();

  /// Adds channel i as it is, behind what the sequence has already. The barrier comes at that position, where
  /// it is known.
  void open(size_t i, const Channel& channel, std::optional<size_t> barrier, InFlightSequence sequence);
  /// One that holds nothing more: its barrier, or its end, was taken out before.
  void add(size_t i, InFlightSequence sequence) { lines_[i].sequence = std::move(sequence); }
  /// The barrier comes at this position of channel i.
  void announce(size_t i, CheckpointId checkpoint, size_t position);
  /// Keeps what has come into the channel meanwhile.
  void look(size_t i);
  bool complete() const { return active_ && open_ == 0; }
  std::vector<InFlightSequence> take();

 private:
  struct Line {
    const Channel* channel = nullptr;  // null: nothing more is to be kept
    size_t next = 0;                   // position of what was not looked at yet
    std::optional<size_t> barrier;     // its position, as far as it is known
    InFlightSequence sequence;
  };

  void close(Line& line);

  bool active_ = false;
  CheckpointId checkpoint_;
  std::vector<Line> lines_;
  size_t open_ = 0;
};

}  // namespace flott
