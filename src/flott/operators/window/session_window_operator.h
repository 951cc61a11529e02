// Session windows with their usual trigger: the operator behind window(EventTimeSessionWindows…) and its
// relatives, unless a trigger or an evictor is given (window_operator.h).
//
// A key has one entry in the state backend with its open sessions in the order of time: nearly always one,
// which lies in the entry itself. A record that falls into it, most do, costs the look-up, an addition and a
// comparison. When a session ends is looked at lazily (coarse_timers.h).
//
// A session fires when the watermark reaches its last millisecond, or on processing time when its end has
// come; at the end of the input all that are left fire. With an allowed lateness it is kept that much longer:
// late records are added, join sessions that have fired with others, and each such record makes the session
// fire again at once, if its end has passed. A record that no session can take any more goes to the side
// output of late data, or is dropped and counted. Results carry the session's last millisecond.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "flott/operators/event_time.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/coarse_timers.h"
#include "flott/operators/window/late_records.h"
#include "flott/operators/window/session_assigners.h"
#include "flott/operators/window/window_function.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// The default-made one is none: it holds no time.
template <typename Acc>
struct Session {
  int64_t start = Timestamp::max().ms;
  int64_t end = Timestamp::min().ms;
  Acc acc{};
};

/// The open sessions of a key, in the order of time; never none but while the entry is made.
template <typename Acc>
struct SessionsOfKey {
  Session<Acc> first;
  std::vector<Session<Acc>> more;
  int64_t firedUpTo = Timestamp::min().ms;  // sessions that ended up to this moment have fired

  bool empty() const { return first.start > first.end; }
  size_t size() const { return empty() ? 0 : 1 + more.size(); }
  Session<Acc>& at(size_t i) { return i == 0 ? first : more[i - 1]; }
  const Session<Acc>& at(size_t i) const { return i == 0 ? first : more[i - 1]; }
  void insert(size_t i, Session<Acc> session) {
    if (i > 0) {
      more.insert(more.begin() + static_cast<ptrdiff_t>(i - 1), std::move(session));
    } else {
      if (!empty()) more.insert(more.begin(), std::move(first));
      first = std::move(session);
    }
  }
  void erase(size_t i) {
    if (i > 0) {
      more.erase(more.begin() + static_cast<ptrdiff_t>(i - 1));
    } else if (more.empty()) {
      first = {};
    } else {
      first = std::move(more.front());
      more.erase(more.begin());
    }
  }
};

template <typename T, typename Selector, typename Assigner, typename Accumulation, typename Emission>
class SessionWindowOperator final : public Operator {
  using K = typename Selector::Key;
  using Acc = typename Accumulation::Acc;
  using Sessions = SessionsOfKey<Acc>;
  using Out = typename Emission::Out;

  static constexpr bool kEventTime = Assigner::kDomain == TimeDomain::kEventTime;
  static constexpr bool kKeyed = !std::is_same_v<K, NoKey>;
  // Keys looked at after which a firing lets other work in.
  static constexpr size_t kKeysAtOnce = 8 * 1024;

 public:
  SessionWindowOperator(Selector selector, Assigner assigner, Accumulation accumulation, Emission emission,
                        LatePolicy<T> late)
      : selector_(std::move(selector)),
        gap_(assigner.gap()),
        accumulation_(std::move(accumulation)),
        emission_(std::move(emission)),
        lateness_(late.allowedLateness.ms),
        late_(std::move(late)) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    state_ = &context.keyedState(typeOps<K>());
    table_ = state_->template table<K, Sessions>("sessions");
    sides_.open(context.pools());
    late_.open(context, sides_);
    collector_.open(context.pools());
    windowContext_.open(*state_, sides_, true);
    openFunction(accumulation_, context);
    openFunction(emission_, context, state_);
  }
  void close() noexcept override {
    closeFunction(accumulation_);
    closeFunction(emission_);
  }

  Step onBatch(int, Batch batch, Output& output) override {
    indexRestored();
    batch_ = std::move(batch);
    next_ = 0;
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    FLOTT_CHECK(!kKeyed || rows.hasHashes());
    if constexpr (kEventTime) requireEventTimes(rows, "windows on event time");
    if constexpr (kKeyed) {
      table_.locate(
          {rows.hashes(), rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); },
          located_);
    }
    return addBatch(output);
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    if constexpr (!kEventTime) return Operator::onEventTime(watermark, output);
    return fireUpTo(watermark.time.ms, output);
  }
  Step onProcessingTime(Timestamp now, Output& output) override { return fireUpTo(now.ms - 1, output); }
  Step onEndOfInput(int, Output& output) override {
    if constexpr (kEventTime) return Step::kDone;  // the last watermark came before
    return fireUpTo(Timestamp::max().ms, output);
  }
  Step resume(Output& output) override { return batch_ ? addBatch(output) : fireSome(output); }

 private:
  int64_t now() const { return kEventTime ? eventTime().time.ms : context_->processingTime().ms - 1; }
  /// When something is due for a session again.
  int64_t nextMoment(const Sessions& sessions, const Session<Acc>& session) const {
    const int64_t last = session.end - 1;
    return last > sessions.firedUpTo ? last : last + lateness_;
  }
  int64_t nextMoment(const Sessions& sessions) const {
    int64_t at = Timestamp::max().ms;
    for (size_t i = 0; i < sessions.size(); ++i) at = std::min(at, nextMoment(sessions, sessions.at(i)));
    return at;
  }
  void schedule(uint64_t hash, int64_t at) {
    timers_.add(hash, at);
    if constexpr (!kEventTime) {
      if (at + 1 < alarm_) context_->setAlarm(Timestamp(alarm_ = at + 1));
    }
  }
  /// Entries that were there before the operator have no timers yet.
  void indexRestored() {
    if (std::exchange(indexed_, true)) return;
    table_.forEach(
        [&](uint64_t hash, const K&, const Sessions& sessions) { schedule(hash, nextMoment(sessions)); });
  }

  void begin(Output& output) {
    sides_.start(output, true);
    collector_.start(output, true);
    collector_.clearFull();
    now_ = now();
    windowContext_.setTimes(eventTime().time, context_->processingTime());
  }
  void finish() {
    collector_.flush();
    sides_.flush();
    state_->clearCurrentKey();
  }
  bool full() const { return collector_.full() || sides_.full(); }

  Step addBatch(Output& output) {
    begin(output);
    if (full()) return Step::kMore;
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    [[maybe_unused]] const int64_t clock = context_->processingTime().ms;
    next_ = forEachRow(rows, next_, [&](size_t i) {
      const T& record = rows[i];
      const int64_t at = kEventTime ? rows.timestamps()[i] : clock;
      if constexpr (kKeyed) {
        const uint64_t hash = rows.hashes()[i];
        decltype(auto) key = selector_(record);
        add(record, at, hash, key, table_.findOrInsert(hash, key, located_, i));
      } else {
        const NoKey key;
        const uint64_t hash = hashKey(key);
        add(record, at, hash, key, table_.findOrInsert(hash, key));
      }
      return !full();
    });
    if (next_ < rows.size() || full()) return Step::kMore;
    finish();
    batch_.reset();
    return Step::kDone;
  }

  void add(const T& record, int64_t at, uint64_t hash, const K& key, Sessions& sessions) {
    const int64_t end = at + gap_.of(record);
    Session<Acc>& open = sessions.first;
    if (at >= open.start && at <= open.end && open.end - 1 > now_ && sessions.more.empty()) [[likely]] {
      if (end > open.end) open.end = end;
      accumulation_.add(record, open.acc);
      if constexpr (!std::is_trivially_copyable_v<Acc>) table_.untyped().noteHeapChange();
    } else {
      addAmongSeveral(record, at, end, hash, key, sessions);
    }
  }

  void addAmongSeveral(const T& record, int64_t at, int64_t end, uint64_t hash, const K& key,
                       Sessions& sessions) {
    table_.untyped().noteHeapChange();
    const size_t count = sessions.size();
    size_t i = 0;
    while (i < count && sessions.at(i).end < at) ++i;
    if (i == count || sessions.at(i).start > end) {
      if (kEventTime && end - 1 + lateness_ <= now_) {
        if (count == 0) table_.erase(hash, key);
        return late_.drop(record, at);
      }
      Session<Acc> fresh{at, end, {}};
      accumulation_.start(record, fresh.acc);
      sessions.insert(i, std::move(fresh));
    } else {
      Session<Acc>& session = sessions.at(i);
      session.start = std::min(session.start, at);
      while (i + 1 < sessions.size() && sessions.at(i + 1).start <= end) {
        Session<Acc>& next = sessions.at(i + 1);
        session.end = next.end;
        accumulation_.merge(session.acc, std::as_const(next.acc));
        sessions.erase(i + 1);
      }
      session.end = std::max(session.end, end);
      accumulation_.add(record, session.acc);
    }
    Session<Acc>& session = sessions.at(i);
    if (session.end - 1 <= now_) {
      sessions.firedUpTo = now_;
      emit(hash, key, session);
    }
    // The key has an entry for the earliest moment of its other sessions.
    const int64_t moment = nextMoment(sessions, session);
    for (size_t other = 0; other < sessions.size(); ++other) {
      if (other != i && nextMoment(sessions, sessions.at(other)) <= moment) return;
    }
    schedule(hash, moment);
  }

  /// Fires the sessions whose last millisecond is not after `last`.
  Step fireUpTo(int64_t last, Output& output) {
    indexRestored();
    lastToFire_ = last;
    alarm_ = Timestamp::max().ms;
    return fireSome(output);
  }

  Step fireSome(Output& output) {
    begin(output);
    if (full()) return Step::kMore;
    uint64_t hash = 0;
    for (size_t keys = 0; timers_.next(lastToFire_, hash);) {
      lookAtKeys(hash);
      if (full() || ++keys == kKeysAtOnce) return Step::kMore;
    }
    finish();
    if constexpr (kEventTime) {
      output.emitWatermark(eventTime());
    } else {
      setNextAlarm();
    }
    return Step::kDone;
  }

  void setNextAlarm() {
    const int64_t at = timers_.earliest();
    if (at == Timestamp::max().ms) return;
    alarm_ = at + 1;
    context_->setAlarm(Timestamp(alarm_));
  }

  /// Those with this hash: one, as good as always.
  void lookAtKeys(uint64_t hash) {
    StateTable::Cursor cursor = StateTable::cursorAt(hash);
    StateTable::Entry entry;
    while (table_.untyped().next(cursor, entry) && entry.hash == hash) {
      const K key = *static_cast<const K*>(entry.key);
      fireDue(hash, key, *table_.findForUpdate(hash, key));
    }
  }

  void fireDue(uint64_t hash, const K& key, Sessions& sessions) {
    for (size_t i = 0; i < sessions.size();) {
      Session<Acc>& session = sessions.at(i);
      const int64_t last = session.end - 1;
      if (last > lastToFire_) break;
      if (last > sessions.firedUpTo) emit(hash, key, session);
      if (last + lateness_ <= lastToFire_) {
        end(hash, key, session);
        sessions.erase(i);
      } else {
        ++i;
      }
    }
    sessions.firedUpTo = lastToFire_;
    if (sessions.empty()) {
      table_.erase(hash, key);
    } else {
      schedule(hash, nextMoment(sessions));
    }
  }

  void emit(uint64_t hash, const K& key, const Session<Acc>& session) {
    const TimeWindow window{Timestamp(session.start), Timestamp(session.end)};
    enter(hash, key, window);
    try {
      emission_(key, windowContext_, accumulation_.result(key, session.acc), collector_);
    } catch (...) {
      throwWhileFiring(windowText(window), kKeyed ? toText(key) : std::string());
    }
  }
  void end(uint64_t hash, const K& key, const Session<Acc>& session) {
    if constexpr (requires { emission_.clear(windowContext_); }) {
      enter(hash, key, {Timestamp(session.start), Timestamp(session.end)});
      emission_.clear(windowContext_);
    }
  }
  void enter(uint64_t hash, const K& key, const TimeWindow& window) {
    windowContext_.setWindow(window);
    collector_.setTimestamp(window.maxTimestamp().ms);
    sides_.setTimestamp(window.maxTimestamp().ms);
    state_->setCurrentKey(hash, key);
  }

  Selector selector_;
  std::remove_cvref_t<decltype(std::declval<Assigner&>().gap())> gap_;
  Accumulation accumulation_;
  Emission emission_;
  int64_t lateness_;
  LateRecords<T> late_;
  OperatorContext* context_ = nullptr;
  KeyedStateBackend* state_ = nullptr;
  TypedTable<K, Sessions> table_;
  Located located_;
  CoarseTimers timers_;
  bool indexed_ = false;
  int64_t alarm_ = Timestamp::max().ms;
  // The batch at hand, from next_ on.
  Batch batch_;
  size_t next_ = 0;
  // A firing.
  int64_t now_ = 0;  // sessions whose last millisecond is not after it have ended
  int64_t lastToFire_ = 0;
  WindowContext windowContext_;
  Collector<Out> collector_;
  SideOutputs sides_;
};

}  // namespace flott
