#include "flott/runtime/input_gate.h"

#include <algorithm>
#include <utility>

namespace flott {

void InputGate::addChannel(int input, Channel& channel, Place place) {
  overtakable_ |= place.overtakable;
  alignment_.addChannel(place.overtakable);
  lines_.push_back({&channel, input, place});
  if (inputs_.size() <= static_cast<size_t>(input)) inputs_.resize(static_cast<size_t>(input) + 1);
  ++inputs_[static_cast<size_t>(input)].channels;
}

// News of barriers wait until what was restored is worked off: what is left of it is in no channel.
void InputGate::beginStep(StepTime now) {
  now_ = now;
  if (!overtakable_ || !restored_.empty()) return;
  for (size_t i = 0; i < lines_.size(); ++i) {
    while (const std::optional<Channel::Announcement> news = lines_[i].channel->takeAnnouncement()) {
      alignment_.announce(news->barrier, now_.nanos);
      capture_.announce(i, news->barrier.checkpoint, news->position);
      if (lines_[i].announced < news->barrier.checkpoint) {
        lines_[i].announced = news->barrier.checkpoint;
        lines_[i].announcedAt = news->position;
      }
    }
    if (capture_.active()) capture_.look(i);
  }
  if (alignment_.aligning()) takeAligned();
}

std::optional<InputGate::Event> InputGate::next() {
  while (nextReady_ == ready_.size() && !restored_.empty()) {
    if (std::optional<Event> event = takeRestored()) return event;
  }
  for (size_t looked = 0; nextReady_ == ready_.size() && looked < lines_.size(); ++looked) {
    ready_.clear();
    nextReady_ = 0;
    const size_t at = turn_;
    Line& line = lines_[at];
    turn_ = turn_ + 1 == lines_.size() ? 0 : turn_ + 1;
    while (Element* front = line.blocked ? nullptr : line.channel->front()) {
      if (capture_.active()) capture_.look(at);
      Element element = std::move(*front);
      line.channel->pop();
      if (const Batch* batch = std::get_if<Batch>(&element)) {
        BatchCounter& received = line.place.remote ? received_->remote : received_->local;
        received.add(received.weigh(*batch));
        if (overtakable_ && (capture_.active() || alignment_.aligning()))
          processedBytes_ += (*batch)->bytes();
        return Event{line.input, std::move(element)};
      }
      merge(line, std::move(element));
      if (!ready_.empty()) break;
    }
  }
  if (nextReady_ == ready_.size()) return std::nullopt;
  Event event = std::move(ready_[nextReady_++]);
  if (std::holds_alternative<Barrier>(event.element)) overtakingDue_ = false;
  return event;
}

std::optional<InputGate::Event> InputGate::takeRestored() {
  ready_.clear();
  nextReady_ = 0;
  std::optional<RestoredInput::Taken> taken = restored_.next();
  if (!taken) {
    endRestore();
    return std::nullopt;
  }
  const int input = restored_.lines()[taken->line].input;
  if (std::holds_alternative<Batch>(taken->element)) return Event{input, std::move(taken->element)};
  mergeTime(input);
  return std::nullopt;
}

// Senders begin as active ones, and say so to nobody.
void InputGate::endRestore() {
  for (Line& line : lines_) {
    if (restored_.has(line.place.edge))
      line.watermark = restored_.watermarkOf(line.place.edge, line.place.sender);
  }
  restored_.clear();
  for (size_t input = 0; input < inputs_.size(); ++input) mergeTime(static_cast<int>(input));
}

void InputGate::merge(Line& line, Element element) {
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    line.watermark = std::max(line.watermark, watermark->time);
    mergeTime(line.input);
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    line.active = status->active;
    mergeTime(line.input);
  } else if (std::holds_alternative<EndOfInput>(element)) {
    end(line);
  } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
    if (line.ended) return;
    alignment_.arrive(static_cast<size_t>(&line - lines_.data()), *barrier, now_.nanos);
    takeAligned();
  } else {
    ready_.push_back({line.input, std::move(element)});  // markers pass as they are
  }
}

void InputGate::takeAligned() {
  while (const std::optional<BarrierAlignment::Aligned> aligned = alignment_.takeAligned(now_)) {
    alignmentNanos_ = aligned->nanos;
    alignmentBytes_ = std::exchange(processedBytes_, 0);
    if (aligned->overtook) capture(aligned->barrier);
    ready_.push_back({0, Element(aligned->barrier)});
  }
  for (size_t i = 0; i < lines_.size(); ++i) lines_[i].blocked = alignment_.blocks(i);
}

// Also the times of channels that hold nothing: with those that do they make the time of the input.
void InputGate::capture(const Barrier& barrier) {
  overtakingDue_ = true;
  capture_.begin(barrier.checkpoint, lines_.size());
  for (size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    InFlightSequence sequence{.edge = line.place.name,
                              .sender = line.place.sender,
                              .receiver = line.place.receiver,
                              .unsent = false,
                              .elements = {}};
    if (line.watermark > Timestamp::min())
      appendElement(Element(Watermark{line.watermark}), sequence.elements);
    if (!line.active) appendElement(Element(WatermarkStatus{false}), sequence.elements);
    if (alignment_.delivered(i, barrier.checkpoint)) {
      capture_.add(i, std::move(sequence));
      continue;
    }
    const auto place = line.announced == barrier.checkpoint ? std::optional(line.announcedAt) : std::nullopt;
    capture_.open(i, *line.channel, place, std::move(sequence));
  }
}

InputGate::Captured InputGate::takeCaptured(CheckpointId checkpoint) {
  if (!capture_.under(checkpoint)) return {};
  return {.sequences = capture_.take(), .processedBytes = std::exchange(processedBytes_, 0)};
}

int64_t InputGate::deadlineNanos(StepTime now) const {
  if (!overtakable_) return kNoDeadline;
  const Timestamp from = alignment_.overtakesFrom();
  if (from == Timestamp::max()) return kNoDeadline;
  if (from <= now.wall) return now.nanos;
  const int64_t wait = (from - now.wall).ms;
  return wait < (kNoDeadline - now.nanos) / 1'000'000 ? now.nanos + wait * 1'000'000 : kNoDeadline;
}

void InputGate::expectBarrier(const Barrier& barrier) {
  alignment_.expect(barrier);
  takeAligned();
}

void InputGate::abandonBarrier(CheckpointId checkpoint) {
  alignment_.abandon(checkpoint);
  if (capture_.under(checkpoint)) capture_.drop();
  takeAligned();
}

// The input's watermark is the minimum over channels that are active and not over. When none is left, the
// furthest of the idle ones counts, and only when all are over the end itself: an idle channel may yet bring
// records. Restored channels stand for those of their edge.
void InputGate::mergeTime(int input) {
  Input& merged = inputs_[static_cast<size_t>(input)];
  Timestamp low = Timestamp::max();
  Timestamp high = Timestamp::min();
  bool anyActive = false;
  bool anyOpen = false;
  const auto add = [&](const auto& line) {
    if (line.input != input || line.over()) return;
    anyOpen = true;
    high = std::max(high, line.watermark);
    if (!line.active) return;
    anyActive = true;
    low = std::min(low, line.watermark);
  };
  for (const RestoredInput::Line& line : restored_.lines()) add(line);
  for (const Line& line : lines_) {
    if (restored_.empty() || !restored_.has(line.place.edge)) add(line);
  }
  const Timestamp now = !anyOpen ? Timestamp::max() : anyActive ? low : high;
  const bool active = anyActive || !anyOpen;
  if (now > merged.watermark) {
    merged.watermark = now;
    ready_.push_back({input, Watermark{now}});
  }
  if (active != merged.active) {
    merged.active = active;
    ready_.push_back({input, WatermarkStatus{active}});
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
  mergeTime(line.input);
  if (input.ended == input.channels) ready_.push_back({line.input, EndOfInput{}});
}

std::vector<TaskTimes::Input> InputGate::times() const {
  std::vector<TaskTimes::Input> all;
  for (const Line& line : lines_) {
    all.push_back({.edge = line.place.edge,
                   .sender = line.place.sender,
                   .watermark = line.watermark,
                   .active = line.active,
                   .over = line.over(),
                   .waiting = line.channel->backlog() > 0});
  }
  return all;
}

ChannelFill InputGate::fill() const {
  ChannelFill fill;
  for (const Line& line : lines_)
    fill += {.waiting = line.channel->backlog(), .capacity = line.channel->capacity()};
  return fill;
}

}  // namespace flott
