// The interval join: pairs of records of two keyed streams that have the same key and whose event times are
// close to each other.
//
// A left record at time t meets the right ones from t + lower to t + upper. Each side keeps its records until
// the watermark says that none they could meet will come any more. A key is one entry of a state table, with
// both sides' records in the order of time, so a record costs one look-up, whose memory accesses are
// overlapped over the batch. No timers: records that have expired go when their buffer would have to grow,
// and a sweep over the table, paid for by the records that come, drops the keys that have expired as a whole.
//
// Late records, those before the watermark, go to a side output or are counted. Every pair of records that
// were not late comes out, whatever the order of arrival. Owned by one task, called by its lane only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "flott/operators/event_time.h"
#include "flott/operators/join/join_function.h"
#include "flott/operators/key_selector.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// Right minus left, in milliseconds, both included.
struct JoinInterval {
  int64_t lower = 0;
  int64_t upper = 0;

  /// Throws Error(kUser) when nothing lies between the bounds, or they are too far away.
  static JoinInterval between(Duration lower, bool lowerExclusive, Duration upper, bool upperExclusive);
};

[[noreturn]] void throwJoinWithoutTimestamps();

// What is stored.

template <typename T>
struct JoinRecord {
  int64_t at = 0;
  T record{};
};

/// With a number as key a slot is one cache line.
template <typename Left, typename Right>
struct JoinBuffers {
  std::vector<JoinRecord<Left>> left;  // in the order of time, those of one time in that of arrival
  std::vector<JoinRecord<Right>> right;
  int64_t until = std::numeric_limits<int64_t>::min();  // once the watermark is later, nothing is needed
};

/// How a sweep goes around a state table in small portions, in step with the work that fills it.
class TableSweep {
 public:
  void onRecords(size_t records) { credit_ += records; }
  void onNewKeys(size_t keys) { credit_ += 2 * kRecordsPerVisit * keys; }
  /// f(entry) for some entries, those behind the ones of the last time; not more than once around.
  template <typename F>
  void visit(StateTable& table, F&& f) {
    size_t visits = std::min(table.size(), kVisitsAtLeast + credit_ / kRecordsPerVisit);
    credit_ = 0;
    StateTable::Entry entry;
    while (visits-- > 0) {
      if (!table.next(cursor_, entry)) {
        cursor_ = {};
        return;
      }
      f(entry);
    }
  }

 private:
  static constexpr size_t kRecordsPerVisit = 8;
  static constexpr size_t kVisitsAtLeast = 32;

  StateTable::Cursor cursor_;
  size_t credit_ = 0;
};

/// F is one of the shapes of join_function.h.
template <typename Left, typename LeftSelector, typename Right, typename RightSelector, typename Out,
          typename F>
class IntervalJoinOperator final : public Operator {
  using K = typename LeftSelector::Key;
  using Buffers = JoinBuffers<Left, Right>;
  using LateLeft = std::optional<OutputTag<Left>>;
  using LateRight = std::optional<OutputTag<Right>>;

  // Records that are looked up ahead of being worked on, so that their buffers are on the way.
  static constexpr size_t kAhead = 32;
  static constexpr bool kMayUseState = requires(F & f, RuntimeContext& context) { f.open(context); };
  // A buffer begins with room for a few: most keys that get one record get more.
  static constexpr size_t kFirstRoom = 4;
  // A buffer that is swept for its capacity, not only dropped.
  static constexpr size_t kLargeBuffer = 256;

 public:
  IntervalJoinOperator(LeftSelector left, RightSelector right, JoinInterval interval, LateLeft lateLeft,
                       LateRight lateRight, F function)
      : leftSelector_(std::move(left)),
        rightSelector_(std::move(right)),
        interval_(interval),
        lateLeft_(std::move(lateLeft)),
        lateRight_(std::move(lateRight)),
        function_(std::move(function)) {
    setInputs(2);
    // A key that comes and goes keeps its entry: four times the interval, but not more than a second.
    grace_ = 4 * std::min<int64_t>(interval_.upper - interval_.lower, 250);
  }

  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<K>());
    table_ = state_->template table<K, Buffers>("interval-join");
    lateRecords_ = &context.metrics().counter("numLateRecordsDropped");
    collector_.open(context.pools());
    scope_.sides.open(context.pools());
    scope_.keyed = state_;
    openFunction(function_, context, state_);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int input, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    input_ = input;
    next_ = matched_ = 0;
    if (!batch_->hasTimestamps()) throwJoinWithoutTimestamps();
    const TimeRange range = timeRangeOf({batch_->timestamps(), batch_.size()});
    if (range.min == Timestamp::min().ms) throwJoinWithoutTimestamps();
    checkEventTimes(*batch_, range);
    someLate_ = range.min < eventTime().time.ms;
    sweep_.onRecords(batch_.size());
    if (input == 0) {
      locate<Left>(leftSelector_);
    } else {
      locate<Right>(rightSelector_);
    }
    return resume(output);
  }

  Step resume(Output& output) override {
    if (!batch_) return Step::kDone;
    collector_.start(output, true);
    collector_.clearFull();
    scope_.sides.start(output, true);
    const bool done = input_ == 0 ? joinBatch<0, Left>(leftSelector_, lateLeft_, output)
                                  : joinBatch<1, Right>(rightSelector_, lateRight_, output);
    state_->clearCurrentKey();
    if (!done) return Step::kMore;
    collector_.flush();
    scope_.sides.flush();
    batch_.reset();
    return Step::kDone;
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    if (watermark.time == Timestamp::max()) {
      table_.clear();
    } else {
      sweep_.visit(table_.untyped(), [&](const StateTable::Entry& entry) { expire(entry, watermark); });
    }
    output.emitWatermark(watermark);
    return Step::kDone;
  }

 private:
  /// How much later than a record of that side the other's may be.
  template <int side>
  int64_t reach() const {
    return side == 0 ? interval_.upper : -interval_.lower;
  }
  template <int side, typename B>
  static auto& bufferOf(B& buffers) {
    if constexpr (side == 0) {
      return buffers.left;
    } else {
      return buffers.right;
    }
  }

  template <typename T, typename Selector>
  void locate(const Selector& selector) {
    const Rows<T>& rows = batch_.rows<T>();
    FLOTT_CHECK(rows.hasHashes(), "an interval join without an exchange by key");
    table_.locate(
        {rows.hashes(), rows.size()}, [&](size_t i) -> decltype(auto) { return selector(rows[i]); },
        located_);
  }

  /// From row next_ on, whose first matched_ matches were put out already. False when it stopped because the
  /// output is full.
  template <int side, typename T, typename Selector, typename Tag>
  bool joinBatch(const Selector& selector, const Tag& lateTag, Output& output) {
    Rows<T>& rows = batch_.rows<T>();
    try {
      while (next_ < rows.size()) {
        const size_t end = std::min(next_ + kAhead, rows.size());
        Buffers* ahead[kAhead];
        const bool found = lookAhead<side, T>(rows, selector, end, ahead);
        for (const size_t first = next_; next_ < end; ++next_, matched_ = 0) {
          if (someLate_ && rows.timestamps()[next_] < eventTime().time.ms) {
            dropLate(rows, lateTag, output);
            continue;
          }
          Buffers& buffers = found ? *ahead[next_ - first] : find(rows, selector, next_);
          if constexpr (kMayUseState) setCurrentKey(rows.hashes()[next_], selector(rows[next_]));
          if (!join<side>(rows[next_], rows.timestamps()[next_], buffers)) return false;
          keep<side>(rows[next_], rows.timestamps()[next_], buffers);
        }
      }
    } catch (...) {
      throwAtRecord(rows, next_);
    }
    return true;
  }

  /// Of a reference, or of a key that the selector made.
  void setCurrentKey(uint64_t hash, const K& key) { state_->setCurrentKey(hash, key); }
  void setCurrentKey(uint64_t hash, K&& key) {
    state_->setCurrentKey(hash, madeKey_.emplace(std::move(key)));
  }

  template <typename T, typename Selector>
  Buffers& find(const Rows<T>& rows, const Selector& selector, size_t i, size_t* added = nullptr) {
    return table_.findOrInsert(rows.hashes()[i], selector(rows[i]), located_, i, [&](Buffers&) {
      if (added != nullptr) ++*added;
    });
  }

  /// The entries of the rows up to `end`, on the way to the cache with what a row looks at. False when they
  /// may have moved since, because there are new ones, or a store that takes some to make room for others.
  template <int side, typename T, typename Selector>
  bool lookAhead(const Rows<T>& rows, const Selector& selector, size_t end, Buffers** ahead) {
    size_t added = 0;
    for (size_t i = next_; i < end; ++i) {
      if (someLate_ && rows.timestamps()[i] < eventTime().time.ms) continue;
      Buffers& buffers = find(rows, selector, i, &added);
      ahead[i - next_] = &buffers;
      const auto& own = bufferOf<side>(buffers);
      const auto& other = bufferOf<1 - side>(buffers);
      __builtin_prefetch(other.data());
      __builtin_prefetch(other.data() + other.size());
      __builtin_prefetch(own.data() + own.size(), 1);
    }
    sweep_.onNewKeys(added);
    return added == 0 && !table_.untyped().hasCold();
  }

  template <int side, typename T>
  bool join(const T& record, int64_t at, Buffers& buffers) {
    const auto& other = bufferOf<1 - side>(buffers);
    const int64_t first = side == 0 ? at + interval_.lower : at - interval_.upper;
    const int64_t last = at + reach<side>();
    size_t i = firstFrom(other, first) + matched_;
    for (; i < other.size() && other[i].at <= last; ++i) {
      if (collector_.full() || scope_.sides.full()) return false;
      ++matched_;
      if constexpr (side == 0) {
        callJoin(function_, record, at, other[i].record, other[i].at, scope_, collector_);
      } else {
        callJoin(function_, other[i].record, other[i].at, record, at, scope_, collector_);
      }
    }
    return true;
  }

  /// Position of the first record not before `at`.
  template <typename Buffer>
  static size_t firstFrom(const Buffer& buffer, int64_t at) {
    size_t from = 0;
    size_t count = buffer.size();
    while (count > 0) {
      const size_t half = count / 2;
      const bool before = buffer[from + half].at < at;
      from = before ? from + half + 1 : from;
      count = before ? count - half - 1 : half;
    }
    return from;
  }

  template <int side, typename T>
  void keep(T& record, int64_t at, Buffers& buffers) {
    auto& own = bufferOf<side>(buffers);
    if (own.size() == own.capacity()) [[unlikely]]
      makeRoom<side>(own);
    buffers.until = std::max(buffers.until, at + reach<side>());
    own.push_back({at, std::move(record)});
    for (size_t i = own.size() - 1; i > 0 && own[i - 1].at > at; --i) std::swap(own[i - 1], own[i]);
    if constexpr (!std::is_trivially_copyable_v<T>) table_.untyped().noteHeapChange();
  }

  /// Drops what has expired if that is at least half; otherwise the buffer grows with the next record.
  template <int side, typename Buffer>
  void makeRoom(Buffer& buffer) {
    const size_t expired =
        firstFrom(buffer, eventTime().time.ms == Timestamp::min().ms ? Timestamp::min().ms
                                                                     : eventTime().time.ms - reach<side>());
    if (2 * expired >= buffer.size()) {
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(expired));
    }
    if (buffer.capacity() == 0) buffer.reserve(kFirstRoom);
    table_.untyped().noteHeapChange();
  }

  /// Drops a key that has been all expired for a while, and gives back what a large buffer does not need any
  /// more.
  void expire(const StateTable::Entry& entry, Watermark watermark) {
    const auto& buffers = *reinterpret_cast<const Buffers*>(entry.value);
    if (buffers.until + grace_ >= watermark.time.ms) {
      if (buffers.left.capacity() > kLargeBuffer || buffers.right.capacity() > kLargeBuffer)
        shrink(entry.hash, *static_cast<const K*>(entry.key), watermark.time.ms);
      return;
    }
    const K key = *static_cast<const K*>(entry.key);  // the entry's own ends with it
    table_.erase(entry.hash, key);
  }

  void shrink(uint64_t hash, const K& key, int64_t watermark) {
    Buffers& buffers = *table_.findForUpdate(hash, key);
    const auto shrinkOne = [&](auto& buffer, int64_t from) {
      const size_t expired = firstFrom(buffer, from);
      if (buffer.capacity() <= kLargeBuffer || 4 * (buffer.size() - expired) > buffer.capacity()) return;
      std::remove_cvref_t<decltype(buffer)> kept(
          std::make_move_iterator(buffer.begin() + static_cast<ptrdiff_t>(expired)),
          std::make_move_iterator(buffer.end()));
      buffer = std::move(kept);
      table_.untyped().noteHeapChange();
    };
    shrinkOne(buffers.left, watermark - reach<0>());
    shrinkOne(buffers.right, watermark - reach<1>());
  }

  template <typename T, typename Tag>
  void dropLate(Rows<T>& rows, const Tag& lateTag, Output& output) {
    if (!lateTag || !output.reads(lateTag->index())) return lateRecords_->add();
    scope_.sides.setTimestamp(rows.timestamps()[next_]);
    scope_.sides.emit(*lateTag, std::move(rows[next_]));
  }

  LeftSelector leftSelector_;
  RightSelector rightSelector_;
  const JoinInterval interval_;
  int64_t grace_;
  LateLeft lateLeft_;
  LateRight lateRight_;
  F function_;
  KeyedStateBackend* state_ = nullptr;
  TypedTable<K, Buffers> table_;
  Counter* lateRecords_ = nullptr;
  TableSweep sweep_;
  Collector<Out> collector_;
  ProcessScope scope_;
  // The batch that is being worked on.
  Batch batch_;
  int input_ = 0;
  size_t next_ = 0;
  size_t matched_ = 0;
  bool someLate_ = false;
  Located located_;
  std::optional<K> madeKey_;
};

}  // namespace flott
