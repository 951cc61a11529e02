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
// A window fires once: on event time when the watermark reaches its last millisecond, on processing time when
// its end has come; at the end of the input all that are left fire. Records for which all windows have fired
// are late: they are counted in numLateRecordsDropped and dropped. Results come in the order of windows,
// within one in the order of the key hash, with the window's last millisecond as timestamp.
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
#include "flott/operators/window/slice_merge.h"
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
  // Results after which a firing lets other work in.
  static constexpr size_t kResultsAtOnce = 16 * 1024;

 public:
  SliceWindowOperator(Selector selector, Assigner assigner, Accumulation accumulation, Emission emission)
      : selector_(std::move(selector)),
        assigner_(std::move(assigner)),
        grid_(std::as_const(assigner_).slices()),
        accumulation_(std::move(accumulation)),
        emission_(std::move(emission)) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    state_ = &context.keyedState(typeOps<K>());
    slices_ = state_->template slices<K, Acc>("window-contents");
    lateRecords_ = &context.metrics().counter("numLateRecordsDropped");
    collector_.open(context.pools());
    sides_.open(context.pools());
    windowContext_.open(*state_, sides_, false);
    if constexpr (kShared) fired_.open(context.operatorState(), *state_);
    if constexpr (kStaggers) stagger_.open(assigner_.stagger(), context);
    openFunction(accumulation_, context);
    openFunction(emission_, context, state_);
  }
  void close() noexcept override {
    closeFunction(accumulation_);
    closeFunction(emission_);
  }

  Step onBatch(int, Batch batch, Output&) override {
    const Rows<T>& rows = batch.rows<T>();
    FLOTT_CHECK(!kKeyed || rows.hasHashes());
    if constexpr (kEventTime) {
      addByTimestamps(rows);
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
    collector_.start(output, true);
    collector_.clearFull();
    sides_.start(output, true);
    windowContext_.setTimes(eventTime().time, context_->processingTime());
    const bool fired = fireSome();
    state_->clearCurrentKey();
    if (!fired) return Step::kMore;
    collector_.flush();
    sides_.flush();
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

  OpenSlice openSlice(const TimeWindow& slice) {
    return {slice.start.ms, slice.end.ms, slices_.at(slice.end)};
  }
  bool isLate(const TimeWindow& slice) const {
    return grid_.lastEndOf(slice) - Duration::millis(1) <= eventTime().time;
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
      if (isInNone(slice)) return;
      if (isLate(slice)) return dropLate(rows.size());
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
      if (isInNone(slice)) continue;
      if (isLate(slice)) {
        dropLate(taken);
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
        table.upsert(
            {hashes, count}, n, [&](size_t i) -> decltype(auto) { return selector_(rows[rowOf(i)]); },
            [&](Acc& fresh) { accumulation_.start(rows[rowOf(n)], fresh); },
            [&](Acc& acc) { accumulation_.add(rows[rowOf(n)], acc); });
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

  void dropLate(size_t count) { lateRecords_->add(static_cast<int64_t>(count)); }

  /// Fires the windows whose last millisecond is not after `last`.
  Step fireUpTo(Timestamp last, Output& output) {
    lastToFire_ = last;
    return resume(output);
  }

  /// The end of the first window that is yet to fire.
  std::optional<Timestamp> nextEnd() const {
    const std::optional<Timestamp> slice = slices_.first();
    if constexpr (kShared) {
      if (slice) return grid_.firstEndFrom(std::max(*slice, fired_.earliestEnd()));
    }
    return slice;
  }

  /// False when it stopped before all were through.
  bool fireSome() {
    for (results_ = 0;;) {
      const std::optional<Timestamp> end = nextEnd();
      if (!end || *end - Duration::millis(1) > lastToFire_) break;
      const TimeWindow window = grid_.windowEndingAt(*end);
      windowContext_.setWindow(window);
      collector_.setTimestamp(window.maxTimestamp().ms);
      sides_.setTimestamp(window.maxTimestamp().ms);
      if constexpr (kShared) {
        if (!fireShared(window)) return false;
        fired_.set(window.maxTimestamp());
      } else {
        if (!fireSlice(window)) return false;
      }
      current_ = {};
      for (auto slice = slices_.first(); slice && lastEndOf(*slice) <= *end; slice = slices_.first()) {
        slices_.drop(*slice);
      }
      state_->dropNamespace(windowNumber(window));
    }
    if constexpr (kShared) fired_.set(lastToFire_);
    return true;
  }
  /// A slice that is a window may be of an earlier grid: one that was staggered otherwise.
  Timestamp lastEndOf(Timestamp sliceEnd) const {
    return kShared ? grid_.lastEndOf(grid_.sliceOf(sliceEnd.ms - 1)) : sliceEnd;
  }

  bool fireSlice(const TimeWindow& window) {
    StateTable::Entry entry;
    const StateTable& table = slices_.at(window.end).untyped();
    while (table.next(cursor_, entry)) {
      emit(window, entry.hash, *static_cast<const K*>(entry.key), *reinterpret_cast<const Acc*>(entry.value));
      if (stopsAfterResult()) return false;
    }
    cursor_ = {};
    return true;
  }

  bool fireShared(const TimeWindow& window) {
    if (!merge_.begun()) {
      for (auto slice = slices_.after(window.start); slice && *slice <= window.end;
           slice = slices_.after(*slice))
        merge_.add(slices_.at(*slice));
    }
    while (merge_.next()) {
      if (!fired_.has(merge_.hash(), window.maxTimestamp())) {
        const std::span<const Acc* const> parts = merge_.parts();
        if (parts.size() == 1) {
          emit(window, merge_.hash(), merge_.key(), *parts[0]);
        } else {
          merged_ = *parts[0];
          for (const Acc* part : parts.subspan(1)) accumulation_.merge(merged_, *part);
          emit(window, merge_.hash(), merge_.key(), merged_);
        }
      }
      merge_.pass();
      if (stopsAfterResult()) return false;
    }
    merge_.clear();
    return true;
  }
  bool stopsAfterResult() { return collector_.full() || sides_.full() || ++results_ == kResultsAtOnce; }

  void emit(const TimeWindow& window, uint64_t hash, const K& key, const Acc& acc) {
    try {
      state_->setCurrentKey(hash, key);
      emission_(key, windowContext_, accumulation_.result(key, acc), collector_);
      if constexpr (requires { emission_.clear(windowContext_); }) emission_.clear(windowContext_);
    } catch (...) {
      throwAtWindow(window, kKeyed ? toText(key) : std::string());
    }
  }

  Selector selector_;
  Assigner assigner_;
  SliceGrid grid_;
  Accumulation accumulation_;
  Emission emission_;
  OperatorContext* context_ = nullptr;
  KeyedStateBackend* state_ = nullptr;
  Counter* lateRecords_ = nullptr;
  SliceStore<K, Acc> slices_;
  OpenSlice current_;
  // A batch that is taken apart: rows yet to be added, rows of the slice at hand with their hashes.
  std::vector<uint32_t> left_;
  std::vector<uint32_t> taken_;
  std::vector<uint64_t> takenHashes_;
  // A firing.
  Timestamp lastToFire_;
  size_t results_ = 0;  // of this step
  StateTable::Cursor cursor_;
  [[no_unique_address]] std::conditional_t<kShared, SliceMerge<K, Acc>, Nothing> merge_;
  [[no_unique_address]] std::conditional_t<kShared, Acc, Nothing> merged_{};
  [[no_unique_address]] std::conditional_t<kShared, FiredWindows, Nothing> fired_;
  [[no_unique_address]] std::conditional_t<kStaggers, StaggerDecision, Nothing> stagger_;
  WindowContext windowContext_;
  Collector<Out> collector_;
  SideOutputs sides_;
};

}  // namespace flott
