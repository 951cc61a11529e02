// The receiving half of a task: its channels, read in turn, with their watermarks, idleness and ends merged.
//
// Channels are grouped by the operator input they feed. For each input the gate turns the watermarks of its
// channels into one: the minimum over the channels that are active and not ended. Owned by one task.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "flott/data/element.h"
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

  /// The next event, or nothing when all channels are empty. Channels take turns.
  std::optional<Event> next();
  /// All channels of all inputs have ended.
  bool ended() const { return endedChannels_ == lines_.size(); }
  /// Roughly: elements that wait. Any thread.
  size_t backlog() const;
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
    /// Nothing but the end follows the last watermark.
    bool over() const { return ended || watermark == Timestamp::max(); }
  };
  struct Input {
    Timestamp watermark = Timestamp::min();
    bool active = true;
    size_t channels = 0;
    size_t ended = 0;
  };

  std::optional<Element> merge(Line& line, Element element);
  std::optional<Element> mergeTime(Line& line);
  std::optional<Element> end(Line& line);

  std::vector<Line> lines_;
  std::vector<Input> inputs_;
  std::vector<Event> ready_;  // a second event that the same element caused
  size_t turn_ = 0;
  size_t endedChannels_ = 0;
};

}  // namespace flott
