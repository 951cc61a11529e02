// The receiving half of a task: its channels, read in turn, with their watermarks, idleness and ends merged.
//
// Channels are grouped by the operator input they feed. For each input the gate turns the watermarks of its
// channels into one: the minimum over the channels that are active and not ended. The barriers of a
// checkpoint become one once all channels have delivered it, or when one overtakes: then the gate keeps what
// the channels hold before it. What was so kept in the job before comes first of all. Owned by one task.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "flott/data/element.h"
#include "flott/runtime/barrier_alignment.h"
#include "flott/runtime/batch_counter.h"
#include "flott/runtime/channel.h"
#include "flott/runtime/input_capture.h"
#include "flott/runtime/restored_input.h"
#include "flott/runtime/task_times.h"

namespace flott {

class InputGate {
 public:
  /// What the head of the chain is to be told. Control elements are already merged over channels.
  struct Event {
    int input = 0;
    Element element;
  };

  /// Which channel it is.
  struct Place {
    int edge = 0;  // index
    int sender = 0;
    EdgeName name = {};
    int receiver = 0;
    bool overtakable = false;  // a barrier may come before what waits
    bool remote = false;       // the sender is in another worker
  };
  void addChannel(int input, Channel& channel, Place place);
  void addChannel(int input, Channel& channel) { addChannel(input, channel, Place()); }
  /// To be worked off before anything that the channels bring. Before the first next().
  void restore(RestoredInput restored) { restored_ = std::move(restored); }
  /// Whether a channel that delivered a barrier waits for the others (exactly once). Before the first next().
  void setBlocking(bool blocking) { alignment_.setBlocking(blocking); }

  /// Before the calls of a step of the task.
  void beginStep(StepTime now);
  /// The next event, or nothing when all channels are empty. Channels take turns.
  std::optional<Event> next();
  /// All channels of all inputs have ended.
  bool ended() const { return endedChannels_ == lines_.size(); }
  /// Roughly: elements that wait. Any thread.
  size_t backlog() const { return fill().waiting; }
  ChannelFill fill() const;
  /// What came by the channels, from senders in this worker and in others. Any thread.
  struct Received {
    BatchCounter local;
    BatchCounter remote;
  };
  const Received& received() const { return *received_; }
  /// A checkpoint was triggered: where all channels have ended its barrier is the next event.
  void expectBarrier(const Barrier& barrier);
  /// The checkpoint is void: nothing waits for its barriers any more.
  void abandonBarrier(CheckpointId checkpoint);
  /// The next barrier that next() gives has overtaken what the channels hold.
  bool overtakingDue() const { return overtakingDue_; }
  /// How long the channels took to deliver the barrier of the last such event, and bytes that were worked off
  /// meanwhile.
  int64_t alignmentNanos() const { return alignmentNanos_; }
  uint64_t alignmentBytes() const { return alignmentBytes_; }
  /// The barrier of this checkpoint has overtaken what the channels hold, and it was not taken yet.
  bool captures(CheckpointId checkpoint) const { return capture_.under(checkpoint); }
  /// It is still being gathered.
  bool capturing(CheckpointId checkpoint) const { return capture_.under(checkpoint) && !capture_.complete(); }
  struct Captured {
    std::vector<InFlightSequence> sequences;
    uint64_t processedBytes = 0;  // that were worked off since the cut
  };
  /// Once that is no longer so.
  Captured takeCaptured(CheckpointId checkpoint);
  /// When beginStep() must be called again because a barrier then overtakes.
  int64_t deadlineNanos(StepTime now) const;
  Timestamp watermark(int input) const { return inputs_[static_cast<size_t>(input)].watermark; }
  std::vector<TaskTimes::Input> times() const;

 private:
  struct Line {
    Channel* channel;
    int input;
    Place place;
    Timestamp watermark = Timestamp::min();
    bool active = true;
    bool ended = false;
    bool blocked = false;         // delivered a barrier that others have yet to deliver
    CheckpointId announced = {};  // the last one, and the place of its barrier
    size_t announcedAt = 0;
    /// Nothing but the end follows the last watermark.
    bool over() const { return ended || watermark == Timestamp::max(); }
  };
  struct Input {
    Timestamp watermark = Timestamp::min();
    bool active = true;
    size_t channels = 0;
    size_t ended = 0;
  };

  std::optional<Event> takeRestored();
  void endRestore();
  void merge(Line& line, Element element);
  void mergeTime(int input);
  void capture(const Barrier& barrier);
  void end(Line& line);
  void takeAligned();

  std::unique_ptr<Received> received_ = std::make_unique<Received>();
  std::vector<Line> lines_;
  std::vector<Input> inputs_;
  std::vector<Event> ready_;  // what the last control element caused, from nextReady_ on
  size_t nextReady_ = 0;
  BarrierAlignment alignment_;
  RestoredInput restored_;
  InputCapture capture_;
  bool overtakable_ = false;  // some channel is
  bool overtakingDue_ = false;
  StepTime now_;
  int64_t alignmentNanos_ = 0;
  uint64_t alignmentBytes_ = 0;
  uint64_t processedBytes_ = 0;  // since a barrier came, while it is aligned or captured
  size_t turn_ = 0;
  size_t endedChannels_ = 0;
};

}  // namespace flott
