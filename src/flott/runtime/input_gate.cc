#include "flott/runtime/input_gate.h"

#include <algorithm>

namespace flott {

void InputGate::addChannel(int input, Channel& channel, int edge, int sender) {
  lines_.push_back({&channel, input, edge, sender});
  if (inputs_.size() <= static_cast<size_t>(input)) inputs_.resize(static_cast<size_t>(input) + 1);
  ++inputs_[static_cast<size_t>(input)].channels;
}

std::optional<InputGate::Event> InputGate::next() {
  if (!ready_.empty()) {
    Event event = std::move(ready_.front());
    ready_.erase(ready_.begin());
    return event;
  }
  for (size_t looked = 0; looked < lines_.size(); ++looked) {
    Line& line = lines_[turn_];
    turn_ = turn_ + 1 == lines_.size() ? 0 : turn_ + 1;
    while (Element* front = line.channel->front()) {
      Element element = std::move(*front);
      line.channel->pop();
      if (std::holds_alternative<Batch>(element)) return Event{line.input, std::move(element)};
      if (std::optional<Element> merged = merge(line, std::move(element))) {
        return Event{line.input, std::move(*merged)};
      }
    }
  }
  return std::nullopt;
}

std::optional<Element> InputGate::merge(Line& line, Element element) {
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    line.watermark = std::max(line.watermark, watermark->time);
    return mergeTime(line);
  }
  if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    line.active = status->active;
    return mergeTime(line);
  }
  if (std::holds_alternative<EndOfInput>(element)) return end(line);
  return element;  // barriers and markers are for the task itself
}

// The input's watermark is the minimum over channels that are active and not over. When none is left, the
// furthest of the idle ones counts, and only when all are over the end itself: an idle channel may yet bring
// records.
std::optional<Element> InputGate::mergeTime(Line& line) {
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
  std::optional<Element> status;
  if (active != input.active) {
    input.active = active;
    status = WatermarkStatus{active};
  }
  if (now > input.watermark) {
    input.watermark = now;
    if (status) ready_.push_back({line.input, std::move(*status)});
    return Watermark{now};
  }
  return status;
}

std::optional<Element> InputGate::end(Line& line) {
  if (line.ended) return std::nullopt;
  line.ended = true;
  ++endedChannels_;
  Input& input = inputs_[static_cast<size_t>(line.input)];
  ++input.ended;
  std::optional<Element> time = mergeTime(line);
  if (input.ended < input.channels) return time;
  if (!time) return EndOfInput{};
  ready_.push_back({line.input, EndOfInput{}});
  return time;
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
