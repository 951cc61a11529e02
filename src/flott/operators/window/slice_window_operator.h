// Windows made of slices of time: the operator behind window(…) and windowAll(…) for assigners that divide
// time evenly.
//
// A record is added to one accumulator, that of its key in its slice; a slice is a table of the state backend
// and is dropped as a whole when the last window that has it has fired. Most batches lie within one slice,
// which one pass over the timestamps tells; then the loop looks at keys only. A batch that spans several
// slices is taken apart slice by slice, in the order of arrival.
//
// Windows that overlap share their slices: when one fires, the accumulators of a key are merged slice by
// slice (slice_merge.h), so that a record costs the same however many windows it is in.
//
// A window fires when the watermark reaches its last millisecond, on processing time when its end has come;
// at the end of the input all that are left fire. With an allowed lateness its slices stay for that much
// longer, and each record that comes for it makes it fire again, for the record's key. Records that come too
// late for all of their windows go to the side output of late data, or are dropped and counted. Results come
// in the order of windows, within one in the order of the key hash, with the window's last millisecond as
// timestamp.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/event_time.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/window/assigners.h"
#include "flott/operators/window/fired_windows.h"
#include "flott/operators/window/late_records.h"
#include "flott/operators/window/slice_merge.h"
#include "flott/operators/window/slices_around.h"
#include "flott/operators/window/window_assigner.h"
#include "flott/operators/window/window_function.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// Inside a catch block: throws what is being handled on, with the window that was firing.
[[noreturn]] void throwAtWindow(const TimeWindow& window, const std::string& key);

template <typename T, typename Selector, typename Assigner, typename Accumulation, typename Emission>
class SliceWindowOperator final : public Operator {
  using K = typename Selector::Key;
  using Acc = typename Accumulation::Acc;
  using Out = typename Emission::Out;
  using Table = TypedTable<K, Acc>;

  static constexpr bool kEventTime = Assigner::kDomain == TimeDomain::kEventTime;
  static constexpr bool kKeyed = !std::is_same_v<K, NoKey>;
  static constexpr bool kShared = Assigner::kOverlap;
  static constexpr bool kStaggers = StaggeringAssigner<Assigner>;
  static constexpr bool kClears = requires(Emission & e, WindowContext& context) { e.clear(context); };
  // Results after which a firing lets other work in.
  static constexpr size_t kResultsAtOnce = 16 * 1024;

 public:
  SliceWindowOperator(Selector selector, Assigner assigner, Accumulation accumulation, Emission emission,
                      LatePolicy<T> late = {})
      : selector_(std::move(selector)),
        assigner_(std::move(assigner)),
        grid_(std::as_const(assigner_).slices()),
        accumulation_(std::move(accumulation)),
        emission_(std::move(emission)),
        lateness_(late.allowedLateness),
        late_(std::move(late)) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    state_ = &context.keyedState(typeOps<K>());
    slices_ = state_->template slices<K, Acc>("window-contents");
    collector_.open(context.pools());
    sides_.open(context.pools());
    late_.open(context, sides_);
    windowContext_.open(*state_, sides_, false);
    if (kShared || keepsFired()) fired_.open(context.operatorState(), *state_);
    firstKept_ =
        std::max(fired_.earliestEnd(), Timestamp::min() + lateness_ + Duration::millis(2)) - lateness_;
    if constexpr (kStaggers) stagger_.open(assigner_.stagger(), context);
    openFunction(accumulation_, context);
    openFunction(emission_, context, state_);
  }
  void close() noexcept override {
    closeFunction(accumulation_);
    closeFunction(emission_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    const Rows<T>& rows = std::as_const(batch).rows<T>();
    FLOTT_CHECK(!kKeyed || rows.hasHashes());
    if constexpr (kEventTime) {
      addByTimestamps(rows);
      if (!lateRows_.empty()) [[unlikely]] {
        std::sort(lateRows_.begin(), lateRows_.end());
        lateBatch_ = std::move(batch);
        return addLate(output);
      }
    } else {
      addToSliceOfNow(rows);
    }
    return Step::kDone;
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    if constexpr (!kEventTime) return Operator::onEventTime(watermark, output);
    return fireUpTo(watermark.time, output);
  }
  Step onProcessingTime(Timestamp now, Output& output) override {
    return fireUpTo(now - Duration::millis(1), output);
  }
  Step onEndOfInput(int, Output& output) override {
    if constexpr (kEventTime) return Step::kDone;  // the last watermark came before
    return fireUpTo(Timestamp::max(), output);
  }

  Step resume(Output& output) override {
    if (!lateRows_.empty()) return addLate(output);
    begin(output);
    if (full() || !fireSome() || !forgetSome()) return Step::kMore;
    finish();
    if constexpr (kEventTime) {
      output.emitWatermark(eventTime());
    } else if (const std::optional<Timestamp> end = nextEnd()) {
      context_->setAlarm(*end);
    }
    return Step::kDone;
  }

 private:
  struct Nothing {};
  /// A slice that records go to. The default-made one has room for no time at all.
  struct OpenSlice {
    int64_t start = 0;
    int64_t end = 0;
    Table table;

    bool holds(TimeRange range) const { return range.min >= start && range.max < end; }
  };

  void begin(Output& output) {
    collector_.start(output, true);
    collector_.clearFull();
    sides_.start(output, true);
    windowContext_.setTimes(eventTime().time, context_->processingTime());
  }
  void finish() {
    collector_.flush();
    sides_.flush();
    state_->clearCurrentKey();
  }
  void enter(const TimeWindow& window) {
    windowContext_.setWindow(window);
    collector_.setTimestamp(window.maxTimestamp().ms);
    sides_.setTimestamp(window.maxTimestamp().ms);
  }

  OpenSlice openSlice(const TimeWindow& slice) {
    return {slice.start.ms, slice.end.ms, slices_.at(slice.end)};
  }
  /// Windows are kept after they have fired.
  bool keepsFired() const { return kEventTime && lateness_ > Duration(); }
  /// Whether a record of this moment that no window takes is to be told of.
  bool isLate(Timestamp at) const { return at + lateness_ <= eventTime().time; }
  /// A window with this end takes no record any more.
  bool isOver(Timestamp end) const { return end - Duration::millis(1) + lateness_ <= eventTime().time; }
  /// Some window that has the slice has fired, and takes records still.
  bool hasFired(const TimeWindow& slice) const {
    return keepsFired() &&
           grid_.firstEndFrom(slice.end) - Duration::millis(1) <= std::max(eventTime().time, fired_.latest());
  }
  /// Windows that slide by more than their size leave time out.
  bool isInNone(const TimeWindow& slice) const { return kShared && grid_.lastEndOf(slice) < slice.end; }

  void addByTimestamps(const Rows<T>& rows) {
    if (!rows.hasTimestamps()) throwNoTimestamps("windows on event time");
    const TimeRange range = timeRangeOf({rows.timestamps(), rows.size()});
    if (!current_.holds(range)) [[unlikely]] {
      if (range.min == Timestamp::min().ms) throwNoTimestamps("windows on event time");
      checkEventTimes(rows, range);
      if constexpr (kStaggers) stagger_.decide(grid_);
      const TimeWindow slice = grid_.sliceOf(range.min);
      if (range.max >= slice.end.ms) return addToSeveral(rows);
      if (isInNone(slice) && !isLate(slice.start)) return;
      if (isInNone(slice) || isOver(grid_.lastEndOf(slice)) || hasFired(slice)) {
        lateRows_.resize(rows.size());
        return std::iota(lateRows_.begin(), lateRows_.end(), 0);
      }
      current_ = openSlice(slice);
    }
    add(rows, rows.hashes(), rows.size(), current_.table, [](size_t n) { return n; });
  }

  void addToSliceOfNow(const Rows<T>& rows) {
    const int64_t now = context_->processingTime().ms;
    if (!current_.holds({now, now})) {
      if constexpr (kStaggers) stagger_.decide(grid_);
      const TimeWindow slice = grid_.sliceOf(now);
      if (isInNone(slice)) return;
      current_ = openSlice(slice);
      context_->setAlarm(*nextEnd());
    }
    add(rows, rows.hashes(), rows.size(), current_.table, [](size_t n) { return n; });
  }

  /// Each pass takes out the records of one slice: that of the first record left.
  void addToSeveral(const Rows<T>& rows) {
    const int64_t* timestamps = rows.timestamps();
    left_.resize(rows.size());
    taken_.resize(rows.size());
    if constexpr (kKeyed) takenHashes_.resize(rows.size());
    std::iota(left_.begin(), left_.end(), 0);
    for (size_t left = rows.size(); left > 0;) {
      const TimeWindow slice = grid_.sliceOf(timestamps[left_[0]]);
      size_t taken = 0;
      size_t stay = 0;
      for (size_t n = 0; n < left; ++n) {
        const uint32_t i = left_[n];
        const bool inside = timestamps[i] >= slice.start.ms && timestamps[i] < slice.end.ms;
        taken_[taken] = left_[stay] = i;
        if constexpr (kKeyed) takenHashes_[taken] = rows.hashes()[i];
        taken += inside ? 1 : 0;
        stay += inside ? 0 : 1;
      }
      left = stay;
      if (isInNone(slice) && !isLate(slice.start)) continue;
      if (isInNone(slice) || isOver(grid_.lastEndOf(slice)) || hasFired(slice)) {
        lateRows_.insert(lateRows_.end(), taken_.begin(), taken_.begin() + static_cast<ptrdiff_t>(taken));
      } else {
        current_ = openSlice(slice);
        add(rows, takenHashes_.data(), taken, current_.table,
            [of = taken_.data()](size_t n) { return of[n]; });
      }
    }
  }

  /// Adds `count` records, the n-th of which is row rowOf(n) and has hashes[n].
  template <typename RowOf>
  void add(const Rows<T>& rows, const uint64_t* hashes, size_t count, Table table, RowOf rowOf) {
    size_t n = 0;
    try {
      if constexpr (kKeyed) {
        const T* const records = rows.data();
        table.upsert(
            {hashes, count}, n, KeyOfRow<T, Selector, RowOf>{records, selector_, rowOf},
            [&](Acc& fresh, size_t i) { accumulation_.start(records[rowOf(i)], fresh); },
            [&](Acc& acc, size_t i) { accumulation_.add(records[rowOf(i)], acc); });
      } else {
        Acc& acc = table.findOrInsert(hashKey(NoKey()), NoKey(), [&](Acc& fresh) {
          accumulation_.start(rows[rowOf(0)], fresh);
          n = 1;
        });
        for (; n < count; ++n) accumulation_.add(rows[rowOf(n)], acc);
        if constexpr (!std::is_trivially_copyable_v<Acc>) table.untyped().noteHeapChange();
      }
    } catch (...) {
      throwAtRecord(rows, rowOf(n));
    }
  }

  /// Goes on with the late rows of a batch, those that come too late and those that make windows fire again.
  Step addLate(Output& output) {
    begin(output);
    const Rows<T>& rows = std::as_const(lateBatch_).template rows<T>();
    while (nextLate_ < lateRows_.size()) {
      if (full()) return Step::kMore;
      const uint32_t i = lateRows_[nextLate_++];
      const int64_t at = rows.timestamps()[i];
      const TimeWindow slice = grid_.sliceOf(at);
      if (isInNone(slice) || isOver(grid_.lastEndOf(slice))) {
        if (isLate(Timestamp(at))) late_.drop(rows[i], at);
        continue;
      }
      try {
        addToFired(rows[i], slice, kKeyed ? rows.hashes()[i] : hashKey(NoKey()));
      } catch (...) {
        throwAtRecord(rows, i);
      }
    }
    if (full()) return Step::kMore;
    finish();
    lateRows_.clear();
    nextLate_ = 0;
    lateBatch_.reset();
    return Step::kDone;
  }

  void addToFired(const T& record, const TimeWindow& slice, uint64_t hash) {
    decltype(auto) key = selector_(record);
    Table table = slices_.at(slice.end);
    bool fresh = false;
    Acc& acc = table.findOrInsert(hash, key, [&](Acc& made) {
      accumulation_.start(record, made);
      fresh = true;
    });
    if (!fresh) accumulation_.add(record, acc);
    if constexpr (!std::is_trivially_copyable_v<Acc>) table.untyped().noteHeapChange();
    if constexpr (kShared) gather(slice, hash, key);
    grid_.forEachWindowOf(slice.start.ms, [&](const TimeWindow& window) {
      const bool fired = window.maxTimestamp() <= eventTime().time || fired_.has(hash, window.maxTimestamp());
      if (!fired || isOver(window.end)) return;
      enter(window);
      if constexpr (kShared) {
        emit(window, hash, key, around_.of(window, accumulation_));
      } else {
        emit(window, hash, key, acc);
      }
    });
  }

  /// What the slices that have a window in common with this one hold for the key.
  void gather(const TimeWindow& slice, uint64_t hash, const K& key) {
    around_.clear();
    const Timestamp before = grid_.windowEndingAt(grid_.firstEndFrom(slice.end)).start;
    const Timestamp last = grid_.lastEndOf(slice);
    for (auto end = slices_.after(before); end && *end <= last; end = slices_.after(*end)) {
      if (const Acc* acc = slices_.find(*end)->find(hash, key)) around_.add(*end, *acc);
    }
    around_.foldUpTo(slice.end, accumulation_);
  }

  /// Fires the windows whose last millisecond is not after `last`.
  Step fireUpTo(Timestamp last, Output& output) {
    lastToFire_ = last;
    return resume(output);
  }

  /// The end of the first window that is yet to fire.
  std::optional<Timestamp> nextEnd() const { return nextEnd(fired_.earliestEnd()); }
  /// The end of the first window with contents that does not end before `earliest`.
  std::optional<Timestamp> nextEnd(Timestamp earliest) const {
    if constexpr (kShared) {
      std::optional<Timestamp> slice = slices_.first();
      if (!slice) return {};
      const Timestamp end = grid_.firstEndFrom(std::max(*slice, earliest));
      const Timestamp start = grid_.windowEndingAt(end).start;
      if (*slice > start) return end;
      slice = slices_.after(start);  // those before are kept for late records
      return slice ? std::optional(grid_.firstEndFrom(std::max(*slice, end))) : std::nullopt;
    } else {
      return slices_.after(earliest - Duration::millis(1));
    }
  }

  /// False when it stopped before all were through.
  bool fireSome() {
    results_ = 0;
    while (const std::optional<Timestamp> end = nextEnd()) {
      if (*end - Duration::millis(1) > lastToFire_) break;
      const TimeWindow window = grid_.windowEndingAt(*end);
      enter(window);
      const bool all = forEachKey(window, [&](uint64_t hash, const K& key, const auto& acc) {
        if (fired_.has(hash, window.maxTimestamp())) return;
        emit(window, hash, key, acc());
        if (!keepsFired()) clear(hash, key);
      });
      if (!all) return false;
      current_ = {};
      if (kShared || keepsFired()) fired_.set(window.maxTimestamp());
      if (!keepsFired()) forget(window);
    }
    if (kShared || keepsFired()) fired_.set(lastToFire_);
    return true;
  }

  /// Lets go of windows that late records were allowed for. False when it stopped before all were through.
  bool forgetSome() {
    if (!keepsFired()) return true;
    while (const std::optional<Timestamp> end = nextEnd(firstKept_)) {
      if (lastToFire_ != Timestamp::max() && *end - Duration::millis(1) + lateness_ > lastToFire_) break;
      const TimeWindow window = grid_.windowEndingAt(*end);
      enter(window);
      if constexpr (kClears) {
        if (!forEachKey(window, [&](uint64_t hash, const K& key, const auto&) { clear(hash, key); }))
          return false;
      }
      forget(window);
      firstKept_ = *end + Duration::millis(1);
    }
    return true;
  }

  void forget(const TimeWindow& window) {
    for (auto slice = slices_.first(); slice && lastEndOf(*slice) <= window.end; slice = slices_.first())
      slices_.drop(*slice);
    state_->dropNamespace(windowNumber(window));
  }
  /// A slice that is a window may be of an earlier grid: one that was staggered otherwise.
  Timestamp lastEndOf(Timestamp sliceEnd) const {
    return kShared ? grid_.lastEndOf(grid_.sliceOf(sliceEnd.ms - 1)) : sliceEnd;
  }

  /// visit(hash, key, acc) for the keys of a window; acc() is what it holds for the key. False when it
  /// stopped to let other work in; then the next call goes on.
  template <typename Visit>
  bool forEachKey(const TimeWindow& window, Visit visit) {
    if constexpr (kShared) {
      if (!merge_.begun()) {
        for (auto slice = slices_.after(window.start); slice && *slice <= window.end;
             slice = slices_.after(*slice))
          merge_.add(slices_.at(*slice));
      }
      while (merge_.next()) {
        visit(merge_.hash(), merge_.key(), [this]() -> const Acc& { return merged(merge_.parts()); });
        merge_.pass();
        if (stopsAfterResult()) return false;
      }
      merge_.clear();
    } else {
      StateTable::Entry entry;
      const StateTable& table = slices_.at(window.end).untyped();
      while (table.next(cursor_, entry)) {
        visit(entry.hash, *static_cast<const K*>(entry.key),
              [&entry]() -> const Acc& { return *reinterpret_cast<const Acc*>(entry.value); });
        if (stopsAfterResult()) return false;
      }
      cursor_ = {};
    }
    return true;
  }
  const Acc& merged(std::span<const Acc* const> parts) requires kShared {
    if (parts.size() == 1) return *parts[0];
    merged_ = *parts[0];
    for (const Acc* part : parts.subspan(1)) accumulation_.merge(merged_, *part);
    return merged_;
  }
  bool full() const { return collector_.full() || sides_.full(); }
  bool stopsAfterResult() { return full() || ++results_ == kResultsAtOnce; }

  void emit(const TimeWindow& window, uint64_t hash, const K& key, const Acc& acc) {
    try {
      state_->setCurrentKey(hash, key);
      emission_(key, windowContext_, accumulation_.result(key, acc), collector_);
    } catch (...) {
      throwAtWindow(window, kKeyed ? toText(key) : std::string());
    }
  }
  /// The window that was entered ends for the key.
  void clear(uint64_t hash, const K& key) {
    if constexpr (kClears) {
      try {
        state_->setCurrentKey(hash, key);
        emission_.clear(windowContext_);
      } catch (...) {
        throwAtWindow(windowContext_.window(), kKeyed ? toText(key) : std::string());
      }
    }
  }

  Selector selector_;
  Assigner assigner_;
  SliceGrid grid_;
  Accumulation accumulation_;
  Emission emission_;
  OperatorContext* context_ = nullptr;
  KeyedStateBackend* state_ = nullptr;
  Duration lateness_;
  LateRecords<T> late_;
  SliceStore<K, Acc> slices_;
  OpenSlice current_;
  // A batch that is taken apart: rows yet to be added, rows of the slice at hand with their hashes.
  std::vector<uint32_t> left_;
  std::vector<uint32_t> taken_;
  std::vector<uint64_t> takenHashes_;
  // What is late of a batch: those that come too late, and those for windows that have fired.
  Batch lateBatch_;
  std::vector<uint32_t> lateRows_;
  size_t nextLate_ = 0;
  // A firing.
  Timestamp lastToFire_;
  Timestamp firstKept_;  // windows that end before are forgotten
  size_t results_ = 0;   // of this step
  StateTable::Cursor cursor_;
  [[no_unique_address]] std::conditional_t<kShared, SliceMerge<K, Acc>, Nothing> merge_;
  [[no_unique_address]] std::conditional_t<kShared, Acc, Nothing> merged_{};
  [[no_unique_address]] std::conditional_t<kShared, SlicesAround<Acc>, Nothing> around_;
  FiredWindows fired_;
  [[no_unique_address]] std::conditional_t<kStaggers, StaggerDecision, Nothing> stagger_;
  WindowContext windowContext_;
  Collector<Out> collector_;
  SideOutputs sides_;
};

}  // namespace flott
