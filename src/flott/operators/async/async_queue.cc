#include "flott/operators/async/async_queue.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott {
namespace {

int64_t nanosOf(Duration timeout) {
  if (timeout.ms <= 0 || timeout.ms >= AsyncQueue::kNever / kNanosPerMilli) return AsyncQueue::kNever;
  return timeout.ms * kNanosPerMilli;
}

}  // namespace

AsyncQueue::AsyncQueue(AsyncOrder order, size_t capacity, Duration timeout)
    : order_(order), capacity_(capacity), timeoutNanos_(nanosOf(timeout)) {}

AsyncQueue::Segment& AsyncQueue::ofRecord() {
  if (segments_.empty() || segments_.back().closed) segments_.emplace_back();
  Segment& segment = segments_.back();
  segment.closed = order_ == AsyncOrder::kOrdered;
  return segment;
}

AsyncQueue::Segment& AsyncQueue::closedLast() {
  if (segments_.empty()) segments_.emplace_back();
  segments_.back().closed = true;
  return segments_.back();
}

void AsyncQueue::add(AsyncEntry& entry, int64_t nowNanos) {
  ++ofRecord().unfinished;
  ++entries_;
  entry.state = AsyncEntry::State::kRunning;
  entry.timedOut = false;
  entry.tries = 0;
  entry.arrival = arrivals_++;
  entry.segment = firstSegment_ + segments_.size() - 1;
  entry.nextDone = entry.later = entry.earlier = nullptr;
  entry.deadline = kNever;
  if (timeoutNanos_ == kNever) return;
  entry.deadline = nowNanos + std::min(timeoutNanos_, kNever - 1 - nowNanos);
  entry.earlier = latest_;
  (latest_ != nullptr ? latest_->later : earliest_) = &entry;
  latest_ = &entry;
}

void AsyncQueue::add(Watermark watermark) { closedLast().watermark = watermark; }
void AsyncQueue::add(WatermarkStatus status) { closedLast().status = status; }

void AsyncQueue::backOff(AsyncEntry& entry, int64_t untilNanos) {
  entry.state = AsyncEntry::State::kBackingOff;
  entry.retryAt = untilNanos;
  retries_.emplace(std::pair(untilNanos, entry.arrival), &entry);
}

void AsyncQueue::leaveRetries(AsyncEntry& entry) {
  if (entry.state != AsyncEntry::State::kBackingOff) return;
  retries_.erase({entry.retryAt, entry.arrival});
  entry.state = AsyncEntry::State::kRunning;
}

void AsyncQueue::leaveDeadlines(AsyncEntry& entry) {
  if (entry.deadline == kNever) return;
  (entry.earlier != nullptr ? entry.earlier->later : earliest_) = entry.later;
  (entry.later != nullptr ? entry.later->earlier : latest_) = entry.earlier;
  entry.deadline = kNever;
}

void AsyncQueue::finish(AsyncEntry& entry) {
  FLOTT_CHECK(entry.state == AsyncEntry::State::kRunning);
  leaveDeadlines(entry);
  entry.state = AsyncEntry::State::kDone;
  Segment& segment = segments_[entry.segment - firstSegment_];
  --segment.unfinished;
  (segment.lastDone != nullptr ? segment.lastDone->nextDone : segment.firstDone) = &entry;
  segment.lastDone = &entry;
}

AsyncQueue::Ready AsyncQueue::takeReady() {
  while (!segments_.empty()) {
    Segment& segment = segments_.front();
    if (AsyncEntry* entry = segment.firstDone) {
      segment.firstDone = entry->nextDone;
      if (segment.firstDone == nullptr) segment.lastDone = nullptr;
      entry->state = AsyncEntry::State::kFree;
      --entries_;
      return entry;
    }
    if (segment.unfinished > 0) return {};
    if (segment.watermark) return *std::exchange(segment.watermark, std::nullopt);
    if (segment.status) return *std::exchange(segment.status, std::nullopt);
    segments_.pop_front();
    ++firstSegment_;
  }
  return {};
}

AsyncEntry* AsyncQueue::takeTimedOut(int64_t nowNanos) {
  if (earliest_ == nullptr || earliest_->deadline > nowNanos) return nullptr;
  AsyncEntry& entry = *earliest_;
  leaveDeadlines(entry);
  leaveRetries(entry);
  entry.timedOut = true;
  return &entry;
}

AsyncEntry* AsyncQueue::takeRetry(int64_t nowNanos) {
  if (retries_.empty() || retries_.begin()->first.first > nowNanos) return nullptr;
  AsyncEntry& entry = *retries_.begin()->second;
  leaveRetries(entry);
  return &entry;
}

int64_t AsyncQueue::nextDueNanos() const {
  const int64_t timeout = earliest_ != nullptr ? earliest_->deadline : kNever;
  return retries_.empty() ? timeout : std::min(timeout, retries_.begin()->first.first);
}

}  // namespace flott
