#include "flott/state/timer_queue.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace flott {

namespace {
constexpr int kBucketShift = 10;  // 1024 ms
constexpr size_t kStaleAllowed = 1024;
constexpr size_t kUndivided = 1 << 14;  // entries of a bucket
constexpr int kDigits = 256;
constexpr uint8_t kLevels = 4;

TimerStamps& stampsIn(std::byte* value) { return *reinterpret_cast<TimerStamps*>(value); }
const TimerStamps& stampsIn(const std::byte* value) { return *reinterpret_cast<const TimerStamps*>(value); }
}  // namespace

TimerQueue::TimerQueue(StateTable& table) : table_(table), firedKey_(table.key().ops()) { reindex(); }

void TimerQueue::add(const KeyRef& key, Timestamp at, int64_t nameSpace) {
  const TimerStamp stamp{at.ms, nameSpace};
  TimerStamps& stamps = stampsIn(table_.findOrInsert(key).value);
  const auto place = std::lower_bound(stamps.begin(), stamps.end(), stamp);
  if (place != stamps.end() && *place == stamp) return;
  stamps.insert(place, stamp);
  table_.noteHeapChange();
  ++live_;
  addToIndex({at.ms, key.hash, nameSpace});
}

void TimerQueue::remove(const KeyRef& key, Timestamp at, int64_t nameSpace) {
  const TimerStamp stamp{at.ms, nameSpace};
  const std::byte* value = table_.find(key);
  if (value == nullptr || !std::binary_search(stampsIn(value).begin(), stampsIn(value).end(), stamp)) return;
  erase(key, stamp);
  if (indexed_ > 2 * live_ + kStaleAllowed) reindex();
}

/// Of a timer that is there.
void TimerQueue::erase(const KeyRef& key, const TimerStamp& stamp) {
  TimerStamps& stamps = stampsIn(table_.findForUpdate(key));
  stamps.erase(std::lower_bound(stamps.begin(), stamps.end(), stamp));
  if (stamps.empty()) table_.erase(key);
  --live_;
}

/// Eight bits of the order of firing: the ten bits of the time within the bucket, then those of the hash.
size_t TimerQueue::Bucket::digit(const IndexEntry& entry) const {
  const uint64_t time = static_cast<uint64_t>(entry.at) & ((1 << kBucketShift) - 1);
  switch (level_) {
    case 0:
      return time >> 2;
    case 1:
      return (time & 3) << 6 | entry.hash >> 58;
    case 2:
      return entry.hash >> 50 & 255;
    default:
      return entry.hash >> 42 & 255;
  }
}

bool TimerQueue::Bucket::add(const IndexEntry& entry) {
  if (!parts_.empty()) {
    const size_t part = digit(entry);
    return part >= next_ && parts_[part].add(entry);
  }
  if (taken_) return false;
  entries_.push_back(entry);
  if (entries_.size() >= kUndivided && level_ < kLevels) divide();
  return true;
}

void TimerQueue::Bucket::divide() {
  parts_.assign(kDigits, Bucket(static_cast<uint8_t>(level_ + 1)));
  for (const IndexEntry& entry : entries_) parts_[digit(entry)].entries_.push_back(entry);
  entries_ = {};
}

bool TimerQueue::Bucket::take(std::vector<IndexEntry>& out) {
  if (parts_.empty()) {
    taken_ = true;
    out.swap(entries_);
    return !out.empty();
  }
  for (; next_ < parts_.size(); ++next_) {
    if (parts_[next_].take(out)) return true;
  }
  return false;
}

void TimerQueue::addToIndex(const IndexEntry& entry) {
  ++indexed_;
  const int64_t bucket = entry.at >> kBucketShift;
  if (bucket > headBucket_) {
    buckets_[bucket].add(entry);
    return;
  }
  if (bucket == headBucket_) {
    const auto rest = buckets_.find(bucket);
    if (rest != buckets_.end() && rest->second.add(entry)) return;
  }
  head_.push_back(entry);
  std::push_heap(head_.begin(), head_.end(), std::greater<>());
}

void TimerQueue::reindex() {
  buckets_.clear();
  head_.clear();
  headBucket_ = std::numeric_limits<int64_t>::min();
  live_ = indexed_ = 0;
  StateTable::Cursor cursor;
  StateTable::Entry entry;
  while (table_.next(cursor, entry)) {
    for (const TimerStamp& stamp : stampsIn(entry.value)) {
      addToIndex({stamp.at, entry.hash, stamp.nameSpace});
      ++live_;
    }
  }
}

/// False when no index entry is due.
bool TimerQueue::loadHead(int64_t upTo) {
  while (head_.empty()) {
    const auto first = buckets_.begin();
    if (first == buckets_.end() || first->first > upTo >> kBucketShift) return false;
    headBucket_ = first->first;
    if (first->second.take(head_)) {
      std::make_heap(head_.begin(), head_.end(), std::greater<>());
    } else {
      buckets_.erase(first);
    }
  }
  return head_.front().at <= upTo;
}

/// Finds the key that has this timer, and takes the timer off it. False when no key has: it was removed.
bool TimerQueue::takeKey(const IndexEntry& entry, KeyRef& key, bool remove) {
  const TimerStamp stamp{entry.at, entry.nameSpace};
  StateTable::Cursor cursor = StateTable::cursorAt(entry.hash);
  StateTable::Entry found;
  while (table_.next(cursor, found) && found.hash == entry.hash) {
    const TimerStamps& stamps = stampsIn(found.value);
    if (!std::binary_search(stamps.begin(), stamps.end(), stamp)) continue;
    if (remove) {
      firedKey_.assign(found.key);
      key = {entry.hash, table_.key().word(entry.hash, firedKey_.get()), firedKey_.get()};
      erase(key, stamp);
    }
    return true;
  }
  return false;
}

bool TimerQueue::popDue(Timestamp upTo, Timer& out) {
  while (loadHead(upTo.ms)) {
    const IndexEntry entry = head_.front();
    std::pop_heap(head_.begin(), head_.end(), std::greater<>());
    head_.pop_back();
    --indexed_;
    if (takeKey(entry, out.key, true)) {
      out.at = Timestamp(entry.at);
      out.nameSpace = entry.nameSpace;
      return true;
    }
  }
  return false;
}

Timestamp TimerQueue::earliest() {
  KeyRef unused;
  while (loadHead(std::numeric_limits<int64_t>::max())) {
    if (takeKey(head_.front(), unused, false)) return Timestamp(head_.front().at);
    std::pop_heap(head_.begin(), head_.end(), std::greater<>());
    head_.pop_back();
    --indexed_;
  }
  return Timestamp::max();
}

}  // namespace flott
