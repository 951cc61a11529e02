#include "flott/operators/source_watermarks.h"

#include <algorithm>

#include "flott/base/options.h"

namespace flott {

WatermarkedReader::WatermarkedReader(std::unique_ptr<SourceReader> inner, WatermarkSettings settings,
                                     Asking asking)
    : inner_(std::move(inner)),
      settings_(std::move(settings)),
      asking_(asking),
      withoutSplit_(settings_.idleness) {}

WatermarkedReader::~WatermarkedReader() = default;

void WatermarkedReader::open(SourceReaderContext& context) {
  context_ = &context;
  const Configuration& configuration = context.configuration();
  interval_ = configuration.get(kAutoWatermarkInterval);
  asksGenerators_ = asking_ != Asking::kNever && interval_ > Duration();
  if (interval_ == Duration()) {  // idleness and alignment need a clock all the same
    if (settings_.idleness) interval_ = *settings_.idleness;
    if (settings_.alignment) interval_ = settings_.alignment->updateInterval;
  }
  allowUnaligned_ = configuration.get(kAllowUnalignedSplits);
  idleTime_ = &context.metrics().gauge("sourceIdleTime");
  emitLag_ = &context.metrics().gauge("currentEmitEventTimeLag");
  watermarkLag_ = &context.metrics().gauge("watermarkLag");
  if (settings_.alignment) drift_ = &context.metrics().gauge("watermarkAlignmentDrift");
  withoutSplit_.start(context.availableNanos());
  lastRecordNanos_ = context.monotonicNanos();
  inner_->open(*this);
  nextReport_ = context.processingTime();
  report(nextReport_);
  if (asksGenerators_ || settings_.idleness || settings_.alignment) {
    nextTick_ = context.processingTime() + interval_;
  }
  context.setAlarm(std::min(nextTick_, innerAlarm_));
}

void WatermarkedReader::close() noexcept { inner_->close(); }

Poll WatermarkedReader::poll(Output& output) {
  output_ = &output;
  const Timestamp now = context_->processingTime();
  if (now >= nextTick_) tick(now);
  if (now >= innerAlarm_) innerAlarm_ = Timestamp::max();
  if (settings_.alignment) updatePauses();
  // What comes while it is paused is taken when it goes on: the source's reader is then asked at once.
  const Poll result = paused_ ? Poll::kIdle : inner_->poll(*this);
  if (result == Poll::kEnd) {
    if (settings_.alignment) context_->reportWatermark(Timestamp::max());
    return result;
  }
  dropFinished();
  context_->setAlarm(std::min(nextTick_, innerAlarm_));
  return result;
}

// --- splits ---

void WatermarkedReader::addSplits(std::vector<SourceSplit> splits) {
  for (const SourceSplit& split : splits) {
    if (tellsSplits_ && find(split.id) == nullptr) add(split.id);
  }
  inner_->addSplits(std::move(splits));
}

WatermarkedReader::SplitTime* WatermarkedReader::find(std::string_view id) const {
  for (const auto& split : splits_) {
    if (split->id == id) return split.get();
  }
  return nullptr;
}

WatermarkedReader::SplitTime& WatermarkedReader::add(std::string_view id) {
  SplitTime& split = *splits_.emplace_back(makeSplit());
  split.id = id;
  split.clock.start(context_->availableNanos());
  return split;
}

void WatermarkedReader::enterSplit(std::string_view id) {
  if (current_ != nullptr && current_->id == id) return;
  current_ = find(id);
  if (current_ == nullptr) current_ = &add(id);
}

void WatermarkedReader::finishSplit(std::string_view id) {
  if (SplitTime* split = find(id)) split->finished = true;
}

// Only now: its last records may have been in a batch that was still open.
void WatermarkedReader::dropFinished() {
  if (current_ != nullptr && current_->finished) current_ = nullptr;
  if (std::erase_if(splits_, [](const auto& split) { return split->finished; }) == 0) return;
  withoutSplit_.start(context_->availableNanos());
  combine();
  emitMoved();
}

WatermarkedReader::SplitTime& WatermarkedReader::splitOfBatch() {
  if (current_ == nullptr) [[unlikely]] {  // a reader that does not tell its splits
    tellsSplits_ = false;
    splits_.clear();
    current_ = &add({});
  }
  SplitTime& split = *current_;
  split.clock.onRecord();
  split.lastRecordNanos = lastRecordNanos_ = context_->monotonicNanos();
  if (!split.active || !watermarks_.active()) {
    split.output.markActive();
    take(split);
    combine();
    emitMoved();
  }
  return split;
}

// --- time ---

void WatermarkedReader::tick(Timestamp now) {
  const int64_t available = context_->availableNanos();
  const bool oneAtATime = inner_->oneSplitAtATime();
  for (const auto& split : splits_) {
    const bool waits = paused_ || split->paused || (oneAtATime && split.get() != current_);
    waits ? split->clock.start(available) : split->clock.onTick(available);
    if (split->clock.idle()) {
      split->output.markIdle();
    } else if (asksGenerators_) {
      onPeriodicEmit(*split);
    }
    take(*split);
  }
  if (splits_.empty()) withoutSplit_.onTick(available);
  combine();
  emitMoved();
  report(now);
  updateMetrics(now);
  nextTick_ = now + interval_;
}

void WatermarkedReader::take(SplitTime& split) {
  split.watermark = split.output.wanted();
  split.active = split.output.wantsActive();
}

bool WatermarkedReader::moves(SplitTime& split) {
  if (split.output.wanted() == split.watermark && split.output.wantsActive() == split.active) return false;
  take(split);
  combine();
  return watermarks_.changed();
}

// When all are idle time stands still, as in Flink: what comes next may be behind the furthest of them.
void WatermarkedReader::combine() {
  Watermark low{Timestamp::max()};
  bool anyActive = false;
  for (const auto& split : splits_) {
    if (!split->active) continue;
    anyActive = true;
    low = std::min(low, split->watermark);
  }
  if (anyActive) {
    watermarks_.markActive();
    watermarks_.emitWatermark(low);
  } else if (!splits_.empty() || withoutSplit_.idle()) {
    watermarks_.markIdle();
  }
}

// --- alignment ---

bool WatermarkedReader::isAhead(const SplitTime& split) const {
  return split.active && split.output.wanted().time > limit_;
}

// A fast split must not run on until the next tick.
void WatermarkedReader::updatePauses() {
  if (asking_ == Asking::kWhenever && current_ != nullptr && limit_ < Timestamp::max()) {
    onPeriodicEmit(*current_);
  }
  bool all = !splits_.empty();
  std::vector<std::string> ahead;
  for (const auto& split : splits_) {
    if (isAhead(*split)) {
      ahead.push_back(split->id);
    } else {
      all = false;
    }
  }
  paused_ = all;
  if (!tellsSplits_ || inner_->oneSplitAtATime() || ahead == pausedSplits_) return;
  const bool canPause = inner_->pauseSplits(ahead);
  if (!canPause && !allowUnaligned_ && splits_.size() > 1) {
    throw Error(ErrorKind::kUser,
                "the source cannot pause single splits, and this reader has " +
                    std::to_string(splits_.size()) + " of them in the alignment group '" +
                    settings_.alignment->group +
                    "': raise its parallelism to the number of splits, or let splits run ahead within a "
                    "reader with pipeline.watermark-alignment.allow-unaligned-source-splits: true");
  }
  for (const auto& split : splits_) split->paused = canPause && isAhead(*split);
  pausedSplits_ = std::move(ahead);
}

void WatermarkedReader::report(Timestamp now) {
  if (!settings_.alignment || now < nextReport_) return;
  nextReport_ = now + settings_.alignment->updateInterval;
  const Timestamp time = watermarks_.active() ? watermarks_.emitted().time : Timestamp::max();
  if (time == reported_) return;
  reported_ = time;
  context_->reportWatermark(time);
}

// --- what it tells ---

void WatermarkedReader::updateMetrics(Timestamp now) {
  const auto millisSince = [now](Timestamp time) { return static_cast<double>((now - time).ms); };
  const int64_t idleMillis = (context_->monotonicNanos() - lastRecordNanos_) / 1'000'000;
  idleTime_->set(static_cast<double>(idleMillis));
  if (latest_ > Timestamp::min()) emitLag_->set(millisSince(latest_));
  const Timestamp emitted = watermarks_.emitted().time;
  if (emitted == Timestamp::min()) return;
  watermarkLag_->set(millisSince(emitted));
  if (drift_ == nullptr || limit_ <= kEarliestEventTime || limit_ == Timestamp::max()) return;
  drift_->set(static_cast<double>((emitted - (limit_ - settings_.alignment->maxDrift)).ms));
}

void WatermarkedReader::watermarkOrigins(std::vector<WatermarkOrigin>& out) const {
  using State = WatermarkOrigin::State;
  for (const auto& split : splits_) {
    const bool queued = inner_->oneSplitAtATime() && split.get() != current_;
    out.push_back({.split = split->id,
                   .watermark = split->watermark.time,
                   .state = !split->active             ? State::kIdle
                            : paused_ || split->paused ? State::kPaused
                            : queued                   ? State::kQueued
                                                       : State::kActive,
                   .lastRecordNanos = split->lastRecordNanos});
  }
  if (splits_.empty()) {
    out.push_back({.split = {},
                   .watermark = watermarks_.emitted().time,
                   .state = watermarks_.active() ? State::kNoSplit : State::kIdle,
                   .lastRecordNanos = 0});
  }
}

}  // namespace flott
