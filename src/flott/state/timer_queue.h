// The timers of one operator in one kind of time: (key, timestamp, namespace), each at most once.
//
// What is registered is kept in a state table, key → its timers in order, and so is cut, restored and
// redistributed as any state. Beside it lies an index by time, made from the table and never saved: buckets
// of about a second, and a heap of the earliest bucket. A bucket of many entries is divided further, in the
// order in which they fire, so that no call has to put more than some thousands in order. Removing a timer
// leaves its index entry behind; an entry that finds no timer is skipped, and when most entries are such the
// index is made anew. Due timers come in the order of (timestamp, key hash, namespace), whatever the order of
// registration and the parallelism. Owned by one task, used on its thread only.
//
//   Timer timer;
//   while (!output.full() && timers.popDue(watermark, timer)) {   // one at a time: onTimer may add and
//   remove timers
//     backend.setCurrentKey(timer.key);
//     function.onTimer(timer.at, ...);
//   }
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "flott/base/time.h"
#include "flott/state/scratch_value.h"
#include "flott/state/state_table.h"

namespace flott {

struct Timer {
  Timestamp at;
  int64_t nameSpace = kNoNamespace;
  KeyRef key;
};

/// The timers of a key, as stored.
struct TimerStamp {
  int64_t at = 0;
  int64_t nameSpace = 0;

  auto operator<=>(const TimerStamp&) const = default;
};
using TimerStamps = std::vector<TimerStamp>;

class TimerQueue {
 public:
  /// The table's values are TimerStamps; it must outlive the queue.
  explicit TimerQueue(StateTable& table);

  /// Does nothing when the key has this timer already.
  void add(const KeyRef& key, Timestamp at, int64_t nameSpace = kNoNamespace);
  /// Does nothing when the key does not have it.
  void remove(const KeyRef& key, Timestamp at, int64_t nameSpace = kNoNamespace);

  /// Takes the earliest timer out when it is due, that is at or before `upTo`. Its key is good until the next
  /// call of popDue().
  bool popDue(Timestamp upTo, Timer& out);
  /// When the earliest timer is due; Timestamp::max() when there is none.
  Timestamp earliest();

  size_t size() const { return live_; }
  /// Entries of the index, those without a timer included.
  size_t indexSize() const { return indexed_; }
  /// Makes the index from the table: after loading.
  void reindex();

 private:
  struct IndexEntry {
    int64_t at;
    uint64_t hash;
    int64_t nameSpace;

    auto operator<=>(const IndexEntry&) const = default;
  };

  /// A stretch of the order of firing.
  class Bucket {
   public:
    explicit Bucket(uint8_t level = 0) : level_(level) {}
    /// False when that part of the bucket was taken out already.
    bool add(const IndexEntry& entry);
    /// Takes out the earliest part that has entries, in no order; false when none is left.
    bool take(std::vector<IndexEntry>& out);

   private:
    size_t digit(const IndexEntry& entry) const;
    void divide();

    std::vector<IndexEntry> entries_;  // unless it is divided
    std::vector<Bucket> parts_;
    uint16_t next_ = 0;  // parts before this one were taken out
    uint8_t level_;
    bool taken_ = false;
  };

  void addToIndex(const IndexEntry& entry);
  bool loadHead(int64_t upTo);
  bool takeKey(const IndexEntry& entry, KeyRef& key, bool remove);
  void erase(const KeyRef& key, const TimerStamp& stamp);

  StateTable& table_;
  ScratchValue firedKey_;
  size_t live_ = 0;
  size_t indexed_ = 0;
  std::map<int64_t, Bucket> buckets_;  // by timestamp >> kBucketShift
  std::vector<IndexEntry> head_;       // heap, earliest first
  int64_t headBucket_;                 // what was taken out of buckets up to this one is in head_
};

}  // namespace flott
