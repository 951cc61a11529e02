#include "flott/runtime/input_gate.h"

#include <algorithm>

namespace flott {

void InputGate::addChannel(int input, Channel& channel, int edge, int sender) {
  lines_.push_back({&channel, input, edge, sender});
  alignment_.addChannel();
  if (inputs_.size() <= static_cast<size_t>(input)) inputs_.resize(static_cast<size_t>(input) + 1);
  ++inputs_[static_cast<size_t>(input)].channels;
}

std::optional<InputGate::Event> InputGate::next() {
  for (size_t looked = 0; nextReady_ == ready_.size() && looked < lines_.size(); ++looked) {
    ready_.clear();
    nextReady_ = 0;
    Line& line = lines_[turn_];
    turn_ = turn_ + 1 == lines_.size() ? 0 : turn_ + 1;
    while (Element* front = line.blocked ? nullptr : line.channel->front()) {
      Element element = std::move(*front);
      line.channel->pop();
      if (std::holds_alternative<Batch>(element)) return Event{line.input, std::move(element)};
      merge(line, std::move(element));
      if (!ready_.empty()) break;
    }
  }
  if (nextReady_ == ready_.size()) return std::nullopt;
  return std::move(ready_[nextReady_++]);
}

void InputGate::merge(Line& line, Element element) {
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    line.watermark = std::max(line.watermark, watermark->time);
    mergeTime(line);
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    line.active = status->active;
    mergeTime(line);
  } else if (std::holds_alternative<EndOfInput>(element)) {
    end(line);
  } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
    if (line.ended) return;
    alignment_.arrive(static_cast<size_t>(&line - lines_.data()), *barrier, nowNanos_);
    takeAligned();
  } else {
    ready_.push_back({line.input, std::move(element)});  // markers pass as they are
  }
}

void InputGate::takeAligned() {
  while (const std::optional<BarrierAlignment::Aligned> aligned = alignment_.takeAligned(nowNanos_)) {
    alignmentNanos_ = aligned->nanos;
    ready_.push_back({0, Element(aligned->barrier)});
  }
  for (size_t i = 0; i < lines_.size(); ++i) lines_[i].blocked = alignment_.blocks(i);
}

void InputGate::expectBarrier(const Barrier& barrier) {
  alignment_.expect(barrier);
  takeAligned();
}

void InputGate::abandonBarrier(CheckpointId checkpoint) {
  alignment_.abandon(checkpoint);
  takeAligned();
}

// The input's watermark is the minimum over channels that are active and not over. When none is left, the
// furthest of the idle ones counts, and only when all are over the end itself: an idle channel may yet bring
// records.
void InputGate::mergeTime(Line& line) {
  Input& input = inputs_[static_cast<size_t>(line.input)];
  Timestamp low = Timestamp::max();
  Timestamp high = Timestamp::min();
  bool anyActive = false;
  bool anyOpen = false;
  for (const Line& other : lines_) {
    if (other.input != line.input || other.over()) continue;
    anyOpen = true;
    high = std::max(high, other.watermark);
    if (!other.active) continue;
    anyActive = true;
    low = std::min(low, other.watermark);
  }
  const Timestamp now = !anyOpen ? Timestamp::max() : anyActive ? low : high;
  const bool active = anyActive || !anyOpen;
  if (now > input.watermark) {
    input.watermark = now;
    ready_.push_back({line.input, Watermark{now}});
  }
  if (active != input.active) {
    input.active = active;
    ready_.push_back({line.input, WatermarkStatus{active}});
  }
}

// A checkpoint that waited for this channel only has its cut before what the end leads to.
void InputGate::end(Line& line) {
  if (line.ended) return;
  line.ended = true;
  ++endedChannels_;
  alignment_.end(static_cast<size_t>(&line - lines_.data()));
  takeAligned();
  Input& input = inputs_[static_cast<size_t>(line.input)];
  ++input.ended;
  mergeTime(line);
  if (input.ended == input.channels) ready_.push_back({line.input, EndOfInput{}});
}

std::vector<TaskTimes::Input> InputGate::times() const {
  std::vector<TaskTimes::Input> all;
  for (const Line& line : lines_) {
    all.push_back({.edge = line.edge,
                   .sender = line.sender,
                   .watermark = line.watermark,
                   .active = line.active,
                   .over = line.over(),
                   .waiting = line.channel->backlog() > 0});
  }
  return all;
}

size_t InputGate::backlog() const {
  size_t sum = 0;
  for (const Line& line : lines_) sum += line.channel->backlog();
  return sum;
}

}  // namespace flott
