// The operator behind process(…), connect(…) and all functions that use keyed state: one or two inputs, each
// with keys or without, a user's function for the records, timers, side outputs.
//
// A batch's state slots are prefetched before its records are gone through one by one. When the output is
// full after a call of the user's function, the operator keeps its place (in the batch or in the round of
// timers) and goes on from there; new input waits until that is done. A watermark is forwarded after the last
// timer it made due. Owned by one task, called by its lane only.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "flott/data/print.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/process_calls.h"

namespace flott {

/// An input without keys. Keyed state cannot be used for its records.
template <typename T>
class UnkeyedInput {
 public:
  using Record = T;
  using Key = void;

  void begin(const BatchBody&, KeyedStateBackend* keyed) {
    if (keyed != nullptr) keyed->clearCurrentKey();
  }
  void enter(const Rows<T>&, size_t, KeyedStateBackend*) {}
};

/// An input whose exchange went by this selector: batches carry the hashes of their keys.
template <typename T, typename Selector>
class KeyedInput {
 public:
  using Record = T;
  using Key = typename Selector::Key;

  explicit KeyedInput(Selector selector) : selector_(std::move(selector)) {}
  void begin(const BatchBody& batch, KeyedStateBackend* keyed) {
    FLOTT_CHECK(batch.hasHashes(), "a keyed input without an exchange by key");
    const std::span<const uint64_t> hashes(batch.hashes(), batch.size());
    keyed->prefetch(hashes);
    const auto& rows = static_cast<const Rows<T>&>(batch);
    keyed->fetch(hashes, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); });
  }
  /// Makes the key of record i the current one.
  void enter(const Rows<T>& rows, size_t i, KeyedStateBackend* keyed) {
    if constexpr (std::is_lvalue_reference_v<decltype(selector_(rows[i]))>) {
      keyed->setCurrentKey(rows.hashes()[i], selector_(rows[i]));
    } else {
      keyed->setCurrentKey(rows.hashes()[i], key_.emplace(selector_(rows[i])));
    }
  }

 private:
  Selector selector_;
  std::optional<Key> key_;  // where the selector makes one
};

/// Calls is one of process_calls.h, Inputs are one or two of the above; an input may have an open(context,
/// scope).
template <typename Out, typename Calls, typename F, typename... Inputs>
class ProcessOperator final : public Operator {
  using Key =
      std::conditional_t<std::is_void_v<typename std::tuple_element_t<0, std::tuple<Inputs...>>::Key>,
                         typename std::tuple_element_t<sizeof...(Inputs) - 1, std::tuple<Inputs...>>::Key,
                         typename std::tuple_element_t<0, std::tuple<Inputs...>>::Key>;
  static constexpr bool kTimers = Calls::template kTimers<F>;

 public:
  explicit ProcessOperator(F function, Inputs... inputs)
      : function_(std::move(function)), inputs_(std::move(inputs)...) {
    setInputs(sizeof...(Inputs));
  }

  void open(OperatorContext& context) override {
    collector_.open(context.pools());
    scope_.sides.open(context.pools());
    if constexpr (!std::is_void_v<Key>) scope_.keyed = &context.keyedState(typeOps<Key>());
    scope_.timers.open(context, scope_.keyed, kTimers);
    std::apply([&](Inputs&... input) { (openInput(input, context), ...); }, inputs_);
    openFunction(function_, context, scope_.keyed);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int input, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    if (input == 0) return beginBatch<0>(output);
    if constexpr (sizeof...(Inputs) > 1) return beginBatch<1>(output);
    return Step::kDone;
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    scope_.timers.setWatermark(watermark);
    if constexpr (kTimers) {
      work_ = Work::kEventTimers;
      upTo_ = watermark.time;
      fired_ = 0;
      return fire<TimeDomain::kEventTime>(output);
    } else {
      return Operator::onEventTime(watermark, output);
    }
  }

  Step onProcessingTime(Timestamp now, Output& output) override {
    if constexpr (kTimers) {
      work_ = Work::kProcessingTimers;
      upTo_ = now;
      fired_ = 0;
      return fire<TimeDomain::kProcessingTime>(output);
    } else {
      return Operator::onProcessingTime(now, output);
    }
  }

  Step resume(Output& output) override {
    switch (work_) {
      case Work::kNone:
        return Step::kDone;
      case Work::kFirstInput:
        return processBatch<0>(output);
      case Work::kSecondInput:
        if constexpr (sizeof...(Inputs) > 1) return processBatch<1>(output);
        return Step::kDone;
      case Work::kEventTimers:
        if constexpr (kTimers) return fire<TimeDomain::kEventTime>(output);
        return Step::kDone;
      case Work::kProcessingTimers:
        if constexpr (kTimers) return fire<TimeDomain::kProcessingTime>(output);
        return Step::kDone;
    }
    return Step::kDone;
  }

 private:
  enum class Work : uint8_t {
    kNone,
    kFirstInput,  // batch_ from next_ on
    kSecondInput,
    kEventTimers,  // up to upTo_, then the watermark
    kProcessingTimers,
  };
  // The rest of a long round follows after other tasks have had their turn. A function may also set a timer
  // for now in each onTimer, and now stays what it is for a step: the alarm then goes off again.
  static constexpr int kTimersAtOnce = 1024;

  template <typename Input>
  void openInput(Input& input, OperatorContext& context) {
    if constexpr (requires { input.open(context, scope_); }) input.open(context, scope_);
  }

  template <int input>
  Step beginBatch(Output& output) {
    work_ = input == 0 ? Work::kFirstInput : Work::kSecondInput;
    std::get<input>(inputs_).begin(*batch_, scope_.keyed);
    return processBatch<input>(output);
  }

  template <int input>
  Step processBatch(Output& output) {
    auto& from = std::get<input>(inputs_);
    using Record = typename std::remove_reference_t<decltype(from)>::Record;
    const Rows<Record>& rows = std::as_const(batch_).template rows<Record>();
    const bool stamped = rows.hasTimestamps();
    begin(output, stamped, stamped);
    if (!stamped) scope_.timestamp = Timestamp::min();
    next_ = forEachRow(rows, next_, [&](size_t i) {
      if (stamped) setTimestamp(rows.timestamps()[i]);
      from.enter(rows, i, scope_.keyed);
      Calls::template element<input>(function_, rows[i], scope_, collector_);
      return !full();
    });
    if (next_ < rows.size()) return Step::kMore;
    finish();
    batch_.reset();
    return Step::kDone;
  }

  template <TimeDomain domain>
  Step fire(Output& output) {
    // As in Flink, what goes to a side output has the time of the timer in both cases.
    begin(output, domain == TimeDomain::kEventTime, true);
    scope_.timeDomain = domain;
    if (fireDue(domain)) return Step::kMore;
    finish();
    if constexpr (domain == TimeDomain::kEventTime) {
      output.emitWatermark({upTo_});
    } else {
      scope_.timers.resetAlarm();
    }
    return Step::kDone;
  }

  /// True when it stopped before all were through.
  bool fireDue(TimeDomain domain) {
    Timer timer;
    while (scope_.timers.popDue(domain, upTo_, timer)) {
      scope_.keyed->setCurrentKey(timer.key);
      setTimestamp(timer.at.ms);
      try {
        Calls::onTimer(function_, timer.at, scope_, collector_);
      } catch (...) {
        throwAtTimer(domain, timer.at, toText(*static_cast<const Key*>(timer.key.object)));
      }
      if (full()) return true;
      if (++fired_ % kTimersAtOnce == 0) return domain == TimeDomain::kEventTime;
    }
    return false;
  }

  void begin(Output& output, bool stamped, bool sidesStamped) {
    collector_.start(output, stamped);
    collector_.clearFull();
    scope_.sides.start(output, sidesStamped);
  }
  void setTimestamp(int64_t timestamp) {
    scope_.timestamp = Timestamp(timestamp);
    scope_.sides.setTimestamp(timestamp);
    collector_.setTimestamp(timestamp);
  }
  bool full() const { return collector_.full() || scope_.sides.full(); }
  void finish() {
    collector_.flush();
    scope_.sides.flush();
    if (scope_.keyed != nullptr) scope_.keyed->clearCurrentKey();
    work_ = Work::kNone;
  }

  F function_;
  std::tuple<Inputs...> inputs_;
  ProcessScope scope_;
  Collector<Out> collector_;
  Work work_ = Work::kNone;
  Batch batch_;
  size_t next_ = 0;
  Timestamp upTo_;
  int fired_ = 0;
};

}  // namespace flott
