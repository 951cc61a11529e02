// The order of asynchronous requests: what is under way, what goes out next, what is due.
//
// Records are kept in segments, each of which ends with the watermark or status that came behind its records.
// The first segment alone puts out: its records as they complete, its watermark when all are out. Unordered,
// a segment holds all records up to a watermark; ordered, it holds one record. Watermarks that have nothing
// between them become one, so the segments are not more than the records plus one. Owned by one operator,
// used on its thread; entries are the operator's, linked in here until they are put out.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "flott/base/time.h"
#include "flott/data/element.h"

namespace flott {

enum class AsyncOrder : uint8_t {
  kOrdered,    // results in the order of the records
  kUnordered,  // as they come, but none crosses a watermark
};

/// One record and its request. The operator adds the record itself.
struct AsyncEntry {
  enum class State : uint8_t {
    kFree,
    kRunning,     // a try is under way
    kBackingOff,  // waits for its next try
    kDone,        // has its results
  };

  std::optional<int64_t> timestamp;
  State state = State::kFree;
  bool timedOut = false;  // no further tries
  int tries = 0;

  // The queue's own.
  uint64_t arrival = 0;
  uint64_t segment = 0;
  int64_t deadline = 0;  // monotonic nanoseconds
  int64_t retryAt = 0;
  AsyncEntry* nextDone = nullptr;
  AsyncEntry* earlier = nullptr;  // neighbours among those that can time out
  AsyncEntry* later = nullptr;
};

class AsyncQueue {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  /// Without a positive timeout requests may take as long as they like.
  AsyncQueue(AsyncOrder order, size_t capacity, Duration timeout);

  bool hasRoom() const { return entries_ < capacity_; }
  /// No record is under way and no watermark waits.
  bool empty() const { return entries_ == 0 && segments_.empty(); }
  size_t entries() const { return entries_; }

  /// A record whose first try begins.
  void add(AsyncEntry& entry, int64_t nowNanos);
  void add(Watermark watermark);
  void add(WatermarkStatus status);
  /// The entry waits for its next try.
  void backOff(AsyncEntry& entry, int64_t untilNanos);
  void finish(AsyncEntry& entry);

  /// What may go out now: nothing, an entry, which is then the caller's again, a watermark, a status.
  using Ready = std::variant<std::monostate, AsyncEntry*, Watermark, WatermarkStatus>;
  Ready takeReady();

  /// An entry whose time is over, once each; null when there is none.
  AsyncEntry* takeTimedOut(int64_t nowNanos);
  /// An entry whose next try is due, in the order of their times; null when there is none.
  AsyncEntry* takeRetry(int64_t nowNanos);
  /// When one of the two will have something.
  int64_t nextDueNanos() const;

 private:
  struct Segment {
    size_t unfinished = 0;
    AsyncEntry* firstDone = nullptr;
    AsyncEntry* lastDone = nullptr;
    bool closed = false;  // takes no more records
    std::optional<Watermark> watermark;
    std::optional<WatermarkStatus> status;
  };

  Segment& ofRecord();
  Segment& closedLast();
  void leaveRetries(AsyncEntry& entry);
  void leaveDeadlines(AsyncEntry& entry);

  const AsyncOrder order_;
  const size_t capacity_;
  const int64_t timeoutNanos_;
  size_t entries_ = 0;
  uint64_t arrivals_ = 0;
  uint64_t firstSegment_ = 0;  // number of segments_.front()
  std::deque<Segment> segments_;
  AsyncEntry* earliest_ = nullptr;  // all have the same timeout: the order of arrival is that of deadlines
  AsyncEntry* latest_ = nullptr;
  std::map<std::pair<int64_t, uint64_t>, AsyncEntry*> retries_;  // by time and arrival
};

}  // namespace flott
