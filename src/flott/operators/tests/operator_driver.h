// Drives one operator as a task does, for tests: feeds it, lets it go on after kMore, and keeps what it puts
// out.
//
// The same input can be given in other ways, which must not change the result: rows in one batch or each in
// its own, and an output that is full after every batch. Records of each output are kept as texts in order,
// with their timestamps and the watermarks between them: "7 @ 100", "W 200".
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/config.h"
#include "flott/data/rows.h"
#include "flott/operators/context.h"
#include "flott/operators/operator.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/operator_state.h"

namespace flott {

struct DriverOptions {
  bool rowsTogether = true;
  bool narrow = false;  // the output is full after each batch
};

inline std::string testName(const DriverOptions& options) {
  return std::string(options.rowsTogether ? "RowsTogether" : "RowsSingly") +
         (options.narrow ? "OutputNarrow" : "OutputWide");
}

class DriverContext final : public OperatorContext {
 public:
  const OperatorInfo& info() const override { return info_; }
  const Configuration& configuration() const override { return configuration_; }
  Env& env() override { return unused<Env>("env"); }
  BatchPools& pools() override { return pools_; }
  MetricGroup& metrics() override { return metrics_; }
  Accumulators& accumulators() override { return accumulators_; }
  KeyedStateBackend& keyedState(const TypeOps& key) override {
    if (keyed_ == nullptr) keyed_ = std::make_unique<KeyedStateBackend>(key, KeyedStateBackend::Options{});
    return *keyed_;
  }
  OperatorStateBackend& operatorState() override { return operatorState_; }
  Timestamp processingTime() const override { return now_; }
  void setAlarm(Timestamp at) override { alarm_ = at; }
  int64_t monotonicNanos() const override { return now_.ms * 1'000'000; }
  int64_t availableNanos() const override { return monotonicNanos() - heldUp_.ms * 1'000'000; }
  void askToResume() override { FAIL() << "no operator here asks to be resumed"; }
  void wakeAtNanos(int64_t) override { FAIL() << "no operator here asks to be resumed"; }
  MoveFunction<void()> resumeFromAnyThread() override {
    ADD_FAILURE() << "no operator here is resumed by others";
    return {};
  }
  void offload(std::string, MoveFunction<void()>, MoveFunction<void()>) override {
    FAIL() << "no operator here off-loads work";
  }
  void warn(const std::string& text) override { warnings_.push_back(text); }

 private:
  template <typename Op>
  friend class OperatorDriver;

  template <typename T>
  static T& unused(const char* what) {
    checkFailed(what, __FILE__, __LINE__, "not for operators under test");
  }

  OperatorInfo info_{
      .jobName = "job", .name = "tested", .uid = "", .id = OperatorId(1), .subtask = SubtaskIndex(0)};
  Configuration configuration_;
  BatchPools pools_;
  MetricGroup metrics_;
  Accumulators accumulators_;
  std::unique_ptr<KeyedStateBackend> keyed_;
  OperatorStateBackend operatorState_;
  Timestamp now_{0};
  Duration heldUp_;
  Timestamp alarm_ = Timestamp::max();
  std::vector<std::string> warnings_;
};

class DriverOutput final : public Output {
 public:
  void emit(Batch batch) override { keep(SideOutputIndex(-1), batch); }
  void emitSide(SideOutputIndex side, Batch batch) override {
    EXPECT_TRUE(reads(side));
    keep(side, batch);
  }
  bool reads(SideOutputIndex side) const override { return records_.contains(side); }
  void emitWatermark(Watermark watermark) override { control("W " + std::to_string(watermark.time.ms)); }
  void emitStatus(WatermarkStatus status) override { control(status.active ? "active" : "idle"); }
  bool full() const override { return full_; }

 private:
  template <typename Op>
  friend class OperatorDriver;

  void keep(SideOutputIndex side, const Batch& batch) {
    EXPECT_GT(batch.size(), 0u);
    EXPECT_FALSE(batch->hasHashes());
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string text = batch->print(i);
      if (batch->hasTimestamps()) text += " @ " + std::to_string(batch->timestamps()[i]);
      records_[side].push_back(std::move(text));
    }
    full_ = narrow_;
  }
  void control(const std::string& text) {
    for (auto& [side, records] : records_) records.push_back(text);
  }

  std::map<SideOutputIndex, std::vector<std::string>> records_{{SideOutputIndex(-1), {}}};
  bool narrow_ = false;
  bool full_ = false;
};

/// The error that `deed` throws, with the place where it happened; "nothing was thrown" otherwise.
template <typename F>
std::string failureOf(F&& deed) {
  try {
    deed();
  } catch (const Error& error) {
    EXPECT_EQ(toString(error.kind()), toString(ErrorKind::kUser)) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

template <typename Op>
class OperatorDriver {
 public:
  template <typename... A>
  explicit OperatorDriver(DriverOptions options, A... parts) : options_(options), op_(std::move(parts)...) {
    output_.narrow_ = options.narrow;
  }
  ~OperatorDriver() { op_.close(); }

  /// Before open(): somebody reads this side output.
  void read(SideOutputIndex side) { output_.records_[side]; }
  void open() { op_.open(context_); }

  /// `keyOf`, when it is given, fills in the key hashes of a keyed input.
  template <typename T, typename Selector>
  void push(int input, const std::vector<std::pair<T, int64_t>>& stamped, const Selector& keyOf) {
    pushRows<T>(
        input, stamped.size(),
        [&](Rows<T>& rows, size_t i) {
          rows.emplace(stamped[i].first);
          rows.timestamps()[rows.size() - 1] = stamped[i].second;
          if constexpr (!std::is_same_v<Selector, std::nullptr_t>)
            rows.hashes()[rows.size() - 1] = hashKey(keyOf(stamped[i].first));
        },
        true, !std::is_same_v<Selector, std::nullptr_t>);
  }
  template <typename T>
  void push(int input, const std::vector<std::pair<T, int64_t>>& stamped) {
    push(input, stamped, nullptr);
  }
  template <typename T>
  void pushUnstamped(int input, const std::vector<T>& records) {
    pushRows<T>(
        input, records.size(), [&](Rows<T>& rows, size_t i) { rows.emplace(records[i]); }, false, false);
  }

  void watermark(int input, int64_t ms) { settle(op_.onWatermark(input, {Timestamp(ms)}, output_)); }
  void status(int input, bool active) { settle(op_.onStatus(input, {active}, output_)); }
  void barrier() { settle(op_.beforeBarrier(CheckpointId(1), output_)); }
  void endOfInput(int input) { settle(op_.onEndOfInput(input, output_)); }
  /// Moves the clock, and has the alarm go off as often as it is due.
  void clock(int64_t now) {
    context_.now_ = Timestamp(now);
    while (context_.alarm_ <= context_.now_) {
      context_.alarm_ = Timestamp::max();
      settle(op_.onProcessingTime(context_.now_, output_));
    }
  }
  /// Moves the clock, and has the alarm go off at most once.
  void clockOnce(int64_t now) {
    context_.now_ = Timestamp(now);
    if (context_.alarm_ > context_.now_) return;
    context_.alarm_ = Timestamp::max();
    settle(op_.onProcessingTime(context_.now_, output_));
  }
  /// As clockOnce(), after back-pressure that began when the clock was last moved.
  void clockAfterBackPressure(int64_t now) {
    context_.heldUp_ = context_.heldUp_ + (Timestamp(now) - context_.now_);
    clockOnce(now);
  }
  Timestamp alarm() const { return context_.alarm_; }
  /// Before open().
  Configuration& configuration() { return context_.configuration_; }

  const std::vector<std::string>& records(SideOutputIndex side = SideOutputIndex(-1)) {
    return output_.records_.at(side);
  }
  std::vector<std::string> takeRecords() {
    return std::exchange(output_.records_.at(SideOutputIndex(-1)), {});
  }
  /// How often the operator had to stop because the output was full.
  int pauses() const { return pauses_; }
  /// How often it stopped although there was room, to let others have their turn.
  int yields() const { return yields_; }
  DriverContext& context() { return context_; }
  Op& op() { return op_; }
  size_t batchesInUse() const { return context_.pools_.inUse(); }

 private:
  template <typename T, typename Fill>
  void pushRows(int input, size_t count, const Fill& fill, bool stamped, bool hashed) {
    for (size_t i = 0; i < count;) {
      Batch batch = rowsPool<T>(context_.pools_).acquire();
      Rows<T>& rows = batch.rows<T>();
      rows.reserve(options_.rowsTogether ? count : 1);
      if (stamped) rows.enableTimestamps();
      if (hashed) rows.enableHashes();
      do fill(rows, i++);
      while (options_.rowsTogether && i < count);
      settle(op_.onBatch(input, std::move(batch), output_));
    }
  }

  void settle(Step step) {
    while (step == Step::kMore) {
      ++(output_.full_ ? pauses_ : yields_);
      output_.full_ = false;
      step = op_.resume(output_);
    }
    EXPECT_EQ(step, Step::kDone);
    op_.settled(output_);
    output_.full_ = false;
  }

  DriverOptions options_;
  DriverContext context_;
  DriverOutput output_;
  Op op_;
  int pauses_ = 0;
  int yields_ = 0;
};

}  // namespace flott
