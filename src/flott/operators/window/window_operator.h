// Windows of any kind: the operator behind window(…) for assigners, triggers and evictors that none of the
// special ones (slices of time, sessions, counts) are made for.
//
// A record is added to each of its windows, whose trigger is then asked; timers of the trigger and the end of
// the window (its last millisecond, plus the allowed lateness on event time) are timers of the state backend.
// Windows of a merging assigner that a record makes one are merged before the record is added: contents,
// trigger state, and the timers of the windows that are gone are removed. All is keyed state; the operator
// keeps nothing beside.
//
// At the end of the input windows on event time are fired by the last watermark; those on processing time
// that have contents fire, too; what is in global windows is dropped, as in Flink. Results carry the window's
// last millisecond; those of a global window the timestamp of the record or event-time timer that made it
// fire.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/event_time.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/evictors.h"
#include "flott/operators/window/late_records.h"
#include "flott/operators/window/pane.h"
#include "flott/operators/window/trigger_context.h"
#include "flott/operators/window/window_assigner.h"
#include "flott/operators/window/window_contents.h"
#include "flott/operators/window/window_function.h"
#include "flott/operators/window/window_stagger.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// Throws Error(kUser): a merging assigner gave a window that has ended already.
[[noreturn]] void throwMergedIntoThePast(const std::string& window);

/// Parts is WindowParts (below).
template <typename Parts>
class WindowOperator final : public Operator {
  using T = typename Parts::Record;
  using Assigner = typename Parts::Assigner;
  using Trigger = typename Parts::Trigger;
  using K = typename Parts::Selector::Key;
  using W = WindowOf<Assigner>;
  using Contents = WindowContents<T, typename Parts::Evictor, typename Parts::Accumulation>;
  using TriggerState = TriggerStateOf<Trigger>;
  using OnePane = Pane<W, typename Contents::Stored, TriggerState>;
  using Panes = std::vector<OnePane>;
  using Out = typename Parts::Emission::Out;

  static constexpr TimeDomain kDomain = Assigner::kDomain;
  static constexpr bool kEventTime = kDomain == TimeDomain::kEventTime;
  static constexpr bool kKeyed = !std::is_same_v<K, NoKey>;
  static constexpr bool kGlobal = std::is_same_v<W, GlobalWindow>;
  static constexpr bool kMerging = MergingAssigner<Assigner>;
  // Timers after which a firing lets other work in.
  static constexpr size_t kTimersAtOnce = 8 * 1024;

 public:
  explicit WindowOperator(Parts parts)
      : selector_(std::move(parts.selector)),
        assigner_(std::move(parts.assigner)),
        trigger_(std::move(parts.trigger)),
        contents_(std::move(parts.evictor), std::move(parts.accumulation)),
        emission_(std::move(parts.emission)),
        lateness_(parts.late.allowedLateness),
        late_(std::move(parts.late)) {}

  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<K>());
    table_ = state_->template table<K, Panes>("window-contents");
    triggers_.open(context, *state_);
    sides_.open(context.pools());
    late_.open(context, sides_);
    collector_.open(context.pools());
    windowContext_.open(*state_, sides_, kMerging);
    if constexpr (StaggeringAssigner<Assigner>) stagger_.open(assigner_.stagger(), context);
    openFunction(trigger_, context, state_);
    contents_.open(context);
    openFunction(emission_, context, state_);
  }
  void close() noexcept override {
    closeFunction(trigger_);
    contents_.close();
    closeFunction(emission_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    FLOTT_CHECK(!kKeyed || rows.hasHashes());
    if constexpr (kEventTime) requireEventTimes(rows, "windows on event time");
    if constexpr (StaggeringAssigner<Assigner>) stagger_.decide(assigner_.slices());
    if constexpr (kKeyed) {
      table_.locate(
          {rows.hashes(), rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); },
          located_);
    }
    work_ = Work::kBatch;
    return addBatch(output);
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    triggers_.setWatermark(watermark.time);
    work_ = Work::kEventTimers;
    upTo_ = watermark.time;
    return fire<TimeDomain::kEventTime>(output);
  }
  Step onProcessingTime(Timestamp now, Output& output) override {
    work_ = Work::kProcessingTimers;
    upTo_ = now - Duration::millis(1);
    return fire<TimeDomain::kProcessingTime>(output);
  }
  Step onEndOfInput(int, Output& output) override {
    if constexpr (kEventTime || kGlobal) return Step::kDone;
    work_ = Work::kLeftAtTheEnd;
    cursor_ = {};
    return fireAllThatIsLeft(output);
  }

  Step resume(Output& output) override {
    switch (work_) {
      case Work::kNone:
        return Step::kDone;
      case Work::kBatch:
        return addBatch(output);
      case Work::kEventTimers:
        return fire<TimeDomain::kEventTime>(output);
      case Work::kProcessingTimers:
        return fire<TimeDomain::kProcessingTime>(output);
      case Work::kLeftAtTheEnd:
        return fireAllThatIsLeft(output);
    }
    return Step::kDone;
  }

 private:
  enum class Work : uint8_t {
    kNone,
    kBatch,        // batch_ from next_ on
    kEventTimers,  // up to upTo_, then the watermark
    kProcessingTimers,
    kLeftAtTheEnd,  // windows on processing time, from cursor_ on
  };

  void begin(Output& output, bool stamped) {
    sides_.start(output, stamped);
    collector_.start(output, stamped);
    collector_.clearFull();
    triggers_.begin();
    windowContext_.setTimes(triggers_.watermark(), triggers_.processingTime());
  }
  void finish() {
    collector_.flush();
    sides_.flush();
    state_->clearCurrentKey();
    work_ = Work::kNone;
  }
  bool full() const { return collector_.full() || sides_.full(); }

  // Records.

  Step addBatch(Output& output) {
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    const bool stamped = rows.hasTimestamps();
    begin(output, !kGlobal || stamped);
    if (full()) return Step::kMore;
    next_ = forEachRow(rows, next_, [&](size_t i) {
      add(rows, i, stamped ? Timestamp(rows.timestamps()[i]) : Timestamp::min());
      return !full();
    });
    if (next_ < rows.size() || full()) return Step::kMore;
    finish();
    batch_.reset();
    return Step::kDone;
  }

  void add(const Rows<T>& rows, size_t i, Timestamp timestamp) {
    if constexpr (kKeyed) {
      decltype(auto) key = selector_(rows[i]);
      const uint64_t hash = rows.hashes()[i];
      add(rows[i], timestamp, hash, key, table_.findOrInsert(hash, key, located_, i));
    } else {
      const NoKey key;
      const uint64_t hash = hashKey(key);
      add(rows[i], timestamp, hash, key, table_.findOrInsert(hash, key));
    }
  }

  void add(const T& record, Timestamp timestamp, uint64_t hash, const K& key, Panes& panes) {
    table_.untyped().noteHeapChange();
    state_->setCurrentKey(hash, key);
    AssignerContext assignerContext(triggers_.processingTime());
    const Timestamp assignedBy = kEventTime || kGlobal ? timestamp : triggers_.processingTime();
    bool taken = false;
    forEachWindow(assigner_, record, assignedBy, assignerContext, [&](const W& window) {
      OnePane* pane = paneFor(panes, window);
      if (pane == nullptr) return;
      taken = true;
      contents_.add(record, timestamp, pane->contents, pane->filled);
      pane->filled = true;
      auto triggerContext = enter(*pane);
      const TriggerResult result = trigger_.onElement(record, timestamp, pane->window, triggerContext);
      apply(result, key, *pane, timestamp);
      if (isIdle(*pane)) panes.erase(panes.begin() + (pane - panes.data()));
    });
    if (panes.empty()) table_.erase(hash, key);
    if (kEventTime && !taken && timestamp + lateness_ <= triggers_.watermark())
      late_.drop(record, timestamp.ms);
  }

  /// Null when the window has ended for good.
  OnePane* paneFor(Panes& panes, const W& window) {
    if constexpr (kMerging) {
      const W merged = merge(panes, window);
      if (OnePane* pane = findPane(panes, merged)) return pane;
      return isOver(merged) ? nullptr : &newPane(panes, merged);
    } else {
      if (isOver(window)) return nullptr;
      OnePane* pane = findPane(panes, window);
      return pane != nullptr ? pane : &newPane(panes, window);
    }
  }
  OnePane& newPane(Panes& panes, const W& window) {
    OnePane& pane = addPane(panes, window);
    setCleanup(window);
    return pane;
  }

  bool isOver(const W& window) const { return kEventTime && cleanupOf(window) <= triggers_.watermark(); }
  Timestamp cleanupOf(const W& window) const {
    const Timestamp last = window.maxTimestamp();
    return kEventTime && last <= Timestamp::max() - lateness_ ? last + lateness_ : last;
  }
  /// The window that never ends is never cleaned up.
  void setCleanup(const W& window) {
    const Timestamp cleanup = cleanupOf(window);
    if (cleanup == Timestamp::max()) return;
    triggers_.enter(windowNumber(window), kDomain, cleanup);
    triggers_.addTimer(kDomain, cleanup);
  }
  /// Without contents, and its trigger waits for nothing: as if it had never been.
  bool isIdle(const OnePane& pane) const {
    if constexpr (kGlobal && std::equality_comparable<TriggerState>) {
      return !pane.filled && pane.trigger == TriggerState{};
    } else {
      return false;
    }
  }

  /// Makes the timers and state of this window's trigger those that it is called with.
  TriggerContext<TriggerState> enter(OnePane& pane) { return enter(pane.window, pane.trigger); }
  TriggerContext<TriggerState> enter(const W& window, TriggerState& state) {
    const Timestamp cleanup = cleanupOf(window);
    triggers_.enter(windowNumber(window), kDomain, cleanup == Timestamp::max() ? Timestamp::min() : cleanup);
    return {triggers_, state};
  }

  // Merging.

  /// Merges the key's windows that this one joins; returns the window that it has become a part of.
  W merge(Panes& panes, const W& window) requires kMerging {
    if (findPane(panes, window) != nullptr) return window;
    windows_.clear();
    for (const OnePane& pane : panes) windows_.push_back(pane.window);
    windows_.push_back(window);
    merges_.clear();
    assigner_.mergeWindows(std::span<const W>(windows_), merges_);
    W result = window;
    for (const auto& merge : merges_.merges()) {
      if (std::find(merge.windows.begin(), merge.windows.end(), window) != merge.windows.end())
        result = merge.result;
      mergePanes(panes, merge);
    }
    return result;
  }

  void mergePanes(Panes& panes, const typename MergeCallback<W>::Merge& merge) {
    Panes old;
    const auto isPart = [&](const OnePane& pane) {
      return std::find(merge.windows.begin(), merge.windows.end(), pane.window) != merge.windows.end();
    };
    size_t parts = 0;
    for (const OnePane& pane : panes) parts += isPart(pane) ? 1 : 0;
    if (parts == 0) return;                                              // the new window alone
    if (parts == 1 && findPane(panes, merge.result) != nullptr) return;  // it lies within one
    if (isOver(merge.result)) throwMergedIntoThePast(windowText(merge.result));
    Panes others;
    for (OnePane& pane : panes) (isPart(pane) ? old : others).push_back(std::move(pane));
    panes = std::move(others);
    OnePane& merged = newPane(panes, merge.result);
    for (OnePane& pane : old) {
      if (pane.filled) contents_.merge(std::move(pane.contents), merged.contents, merged.filled);
      merged.filled |= pane.filled;
      if constexpr (!std::is_same_v<TriggerState, NoTriggerState>)
        trigger_.mergeState(merged.trigger, std::as_const(pane.trigger));
    }
    auto context = enter(merged);
    trigger_.onMerge(merged.window, context);
    for (OnePane& pane : old) {
      if (pane.window == merged.window) continue;
      auto gone = enter(pane);
      trigger_.clear(pane.window, gone);
      triggers_.removeTimer(kDomain, cleanupOf(pane.window));
    }
  }

  // Firing.

  void apply(TriggerResult result, const K& key, OnePane& pane, Timestamp at) {
    if (isFire(result) && pane.filled) emit(key, pane, at);
    if (isPurge(result)) {
      pane.filled = false;
      pane.contents = {};
    }
  }

  void emit(const K& key, OnePane& pane, Timestamp at) {
    const int64_t timestamp = kGlobal ? at.ms : pane.window.maxTimestamp().ms;
    collector_.setTimestamp(timestamp);
    sides_.setTimestamp(timestamp);
    windowContext_.setWindow(pane.window);
    EvictorContext evictorContext(windowContext_.currentWatermark(), windowContext_.currentProcessingTime());
    try {
      contents_.fire(key, pane.contents, pane.window, evictorContext, [&](auto&& result) {
        emission_(key, windowContext_, std::forward<decltype(result)>(result), collector_);
      });
    } catch (...) {
      throwWhileFiring(windowText(pane.window), kKeyed ? toText(key) : std::string());
    }
  }

  template <TimeDomain domain>
  Step fire(Output& output) {
    begin(output, !kGlobal || domain == TimeDomain::kEventTime);
    if (full()) return Step::kMore;
    Timer timer;
    for (size_t timers = 0; triggers_.popDue(domain, upTo_, timer);) {
      onTimer<domain>(timer);
      if (full() || ++timers == kTimersAtOnce) return Step::kMore;
    }
    finish();
    if constexpr (domain == TimeDomain::kEventTime) {
      output.emitWatermark({upTo_});
    } else {
      triggers_.resetAlarm();
    }
    return Step::kDone;
  }

  template <TimeDomain domain>
  void onTimer(const Timer& timer) {
    const K& key = *static_cast<const K*>(timer.key.object);
    state_->setCurrentKey(timer.key);
    Panes* panes = table_.findForUpdate(timer.key.hash, key);
    OnePane* pane = panes != nullptr ? findPaneByNumber(*panes, timer.nameSpace) : nullptr;
    if (pane == nullptr) return;  // it has ended, or become a part of another
    auto context = enter(*pane);
    TriggerResult result;
    if constexpr (domain == TimeDomain::kEventTime) {
      result = trigger_.onEventTime(timer.at, pane->window, context);
    } else {
      result = trigger_.onProcessingTime(timer.at, pane->window, context);
    }
    apply(result, key, *pane, timer.at);
    const Timestamp cleanup = cleanupOf(pane->window);
    const bool ends = domain == kDomain && timer.at == cleanup && cleanup != Timestamp::max();
    if (ends) {
      end(*pane);
    } else if (!isIdle(*pane)) {
      return;
    }
    panes->erase(panes->begin() + (pane - panes->data()));
    if (panes->empty()) table_.erase(timer.key.hash, key);
  }

  /// Forgets what belongs to a window that has ended.
  void end(OnePane& pane) {
    auto context = enter(pane);
    trigger_.clear(pane.window, context);
    windowContext_.setWindow(pane.window);
    if constexpr (requires { emission_.clear(windowContext_); }) emission_.clear(windowContext_);
    if constexpr (!kMerging) state_->clearNamespace(windowNumber(pane.window));
  }

  Step fireAllThatIsLeft(Output& output) {
    begin(output, true);
    if (full()) return Step::kMore;
    StateTable::Entry entry;
    for (size_t keys = 0; table_.untyped().next(cursor_, entry);) {
      const K key = *static_cast<const K*>(entry.key);
      state_->setCurrentKey(entry.hash, key);
      for (OnePane& pane : *table_.findForUpdate(entry.hash, key)) {
        if (pane.filled) emit(key, pane, Timestamp::max());
        pane.filled = false;
      }
      if (full() || ++keys == kTimersAtOnce) return Step::kMore;
    }
    finish();
    return Step::kDone;
  }

  typename Parts::Selector selector_;
  Assigner assigner_;
  Trigger trigger_;
  Contents contents_;
  typename Parts::Emission emission_;
  Duration lateness_;
  LateRecords<T> late_;
  StaggerDecision stagger_;  // of assigners that stagger
  KeyedStateBackend* state_ = nullptr;
  TypedTable<K, Panes> table_;
  Located located_;
  TriggerScope triggers_;
  // What is being done, and how far it is.
  Work work_ = Work::kNone;
  Batch batch_;
  size_t next_ = 0;
  Timestamp upTo_;
  StateTable::Cursor cursor_;
  // Room to work in.
  std::vector<W> windows_;
  MergeCallback<W> merges_;
  BasicWindowContext<W> windowContext_;
  Collector<Out> collector_;
  SideOutputs sides_;
};

/// What a WindowOperator is made of.
template <typename T, typename SelectorType, typename AssignerType, typename TriggerType,
          typename EvictorType, typename AccumulationType, typename EmissionType>
struct WindowParts {
  using Record = T;
  using Selector = SelectorType;
  using Assigner = AssignerType;
  using Trigger = TriggerType;
  using Evictor = EvictorType;
  using Accumulation = AccumulationType;
  using Emission = EmissionType;

  Selector selector;
  Assigner assigner;
  Trigger trigger;
  Evictor evictor;
  Accumulation accumulation;
  Emission emission;
  LatePolicy<T> late;
};

}  // namespace flott
