// The receiving half of a task: its channels, read in turn, with their watermarks, idleness and ends merged.
//
// Channels are grouped by the operator input they feed. For each input the gate turns the watermarks of its
// channels into one: the minimum over the channels that are active and not ended. The barriers of a
// checkpoint become one once all channels have delivered it. Owned by one task.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "flott/data/element.h"
#include "flott/runtime/barrier_alignment.h"
#include "flott/runtime/channel.h"
#include "flott/runtime/task_times.h"

namespace flott {

class InputGate {
 public:
  /// What the head of the chain is to be told. Control elements are already merged over channels.
  struct Event {
    int input = 0;
    Element element;
  };

  /// `edge` and the sending subtask are for explanations.
  void addChannel(int input, Channel& channel, int edge = 0, int sender = 0);
  /// Whether a channel that delivered a barrier waits for the others (exactly once). Before the first next().
  void setBlocking(bool blocking) { alignment_.setBlocking(blocking); }

  /// Before the calls of a step of the task.
  void beginStep(int64_t nowNanos) { nowNanos_ = nowNanos; }
  /// The next event, or nothing when all channels are empty. Channels take turns.
  std::optional<Event> next();
  /// All channels of all inputs have ended.
  bool ended() const { return endedChannels_ == lines_.size(); }
  /// Roughly: elements that wait. Any thread.
  size_t backlog() const;
  /// A checkpoint was triggered: where all channels have ended its barrier is the next event.
  void expectBarrier(const Barrier& barrier);
  /// The checkpoint is void: nothing waits for its barriers any more.
  void abandonBarrier(CheckpointId checkpoint);
  /// How long the channels took to deliver the barrier of the last such event.
  int64_t alignmentNanos() const { return alignmentNanos_; }
  Timestamp watermark(int input) const { return inputs_[static_cast<size_t>(input)].watermark; }
  std::vector<TaskTimes::Input> times() const;

 private:
  struct Line {
    Channel* channel;
    int input;
    int edge;
    int sender;
    Timestamp watermark = Timestamp::min();
    bool active = true;
    bool ended = false;
    bool blocked = false;  // delivered a barrier that others have yet to deliver
    /// Nothing but the end follows the last watermark.
    bool over() const { return ended || watermark == Timestamp::max(); }
  };
  struct Input {
    Timestamp watermark = Timestamp::min();
    bool active = true;
    size_t channels = 0;
    size_t ended = 0;
  };

  void merge(Line& line, Element element);
  void mergeTime(Line& line);
  void end(Line& line);
  void takeAligned();

  std::vector<Line> lines_;
  std::vector<Input> inputs_;
  std::vector<Event> ready_;  // what the last control element caused, from nextReady_ on
  size_t nextReady_ = 0;
  BarrierAlignment alignment_;
  int64_t nowNanos_ = 0;
  int64_t alignmentNanos_ = 0;
  size_t turn_ = 0;
  size_t endedChannels_ = 0;
};

}  // namespace flott
