// A task for tests of single operators and readers: keeps what they put out and lets the test decide what
// time it is and when off-loaded work runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "flott/base/config.h"
#include "flott/data/rows.h"
#include "flott/operators/source.h"
#include "flott/state/operator_state.h"

namespace flott {

class TestTask final : public SourceReaderContext, public Output {
  BatchPools pools_;  // outlive what was emitted

 public:
  /// The clock stands at one second. `env` may be null for operators that do not ask for it.
  explicit TestTask(Env* env = nullptr) : env_(env) {}

  OperatorInfo operatorInfo{.jobName = "job", .name = "tested", .uid = {}, .id = {}, .subtask = {}};
  bool outputFull = false;
  int splitRequests = 0;
  std::vector<std::string> sentEvents;
  std::vector<std::string> splitEvents;
  std::vector<Timestamp> reported;
  std::vector<std::string> warnings;
  std::optional<Timestamp> alarm;
  std::vector<Element> emitted;
  /// Replace it before open() by one that was restored.
  std::unique_ptr<OperatorStateBackend> operatorStates = std::make_unique<OperatorStateBackend>();

  // Time.
  void advanceNanos(int64_t nanos) { nanos_ += nanos; }
  /// As advanceNanos(), while back-pressure keeps the task from taking input.
  void advanceHeldUp(int64_t nanos) {
    nanos_ += nanos;
    heldUpNanos_ += nanos;
  }
  /// Before what reads it is opened.
  Configuration& settings() { return configuration_; }
  /// When wakeAtNanos() is due, from now; nothing when it is unset.
  std::optional<int64_t> wakesIn() const { return wakeAt_ ? std::optional(*wakeAt_ - nanos_) : std::nullopt; }

  /// Whether the runtime would call now: clears what was asked for.
  bool takeCall() {
    const bool due = wakeAt_ && *wakeAt_ <= nanos_;
    if (due) wakeAt_.reset();
    return std::exchange(resumeAsked_, false) || due;
  }
  /// What work is off-loaded, oldest first.
  std::vector<std::string> offloaded() const {
    std::vector<std::string> names;
    for (const Offloaded& one : offloaded_) names.push_back(one.what);
    return names;
  }
  /// Runs an off-loaded work, the oldest, and its reply; false when there was none.
  bool runOffloaded(size_t which = 0) {
    if (which >= offloaded_.size()) return false;
    Offloaded one = std::move(offloaded_[which]);
    offloaded_.erase(offloaded_.begin() + static_cast<std::ptrdiff_t>(which));
    one.work();
    one.done();
    return true;
  }

  /// All records put out so far, and forgets them.
  template <typename T>
  std::vector<T> takeRecords() {
    std::vector<T> all;
    for (Element& element : std::exchange(emitted, {})) {
      if (Batch* batch = std::get_if<Batch>(&element)) {
        for (T& row : batch->rows<T>()) all.push_back(std::move(row));
      }
    }
    return all;
  }
  template <typename T>
  Batch batchOf(std::vector<T> rows) {
    Batch batch = rowsPool<T>(pools_).acquire();
    for (T& row : rows) batch.rows<T>().emplace(std::move(row));
    return batch;
  }

  // SourceReaderContext
  const OperatorInfo& info() const override { return operatorInfo; }
  const Configuration& configuration() const override { return configuration_; }
  Env& env() override {
    FLOTT_CHECK(env_ != nullptr, "this test has no environment");
    return *env_;
  }
  BatchPools& pools() override { return pools_; }
  MetricGroup& metrics() override { return metrics_; }
  Accumulators& accumulators() override { return accumulators_; }
  KeyedStateBackend& keyedState(const TypeOps&) override { checkFailed("no state here", __FILE__, __LINE__); }
  OperatorStateBackend& operatorState() override { return *operatorStates; }
  Timestamp processingTime() const override { return Timestamp(nanos_ / 1'000'000); }
  void setAlarm(Timestamp at) override { alarm = at; }
  int64_t monotonicNanos() const override { return nanos_; }
  int64_t availableNanos() const override { return nanos_ - heldUpNanos_; }
  void askToResume() override { resumeAsked_ = true; }
  void wakeAtNanos(int64_t nanos) override { wakeAt_ = nanos; }
  MoveFunction<void()> resumeFromAnyThread() override {
    return [this] { resumeAsked_ = true; };
  }
  void offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) override {
    offloaded_.push_back({std::move(what), std::move(work), std::move(done)});
  }
  void warn(const std::string& text) override { warnings.push_back(text); }
  void requestSplit() override { ++splitRequests; }
  void sendEvent(std::string event) override { sentEvents.push_back(std::move(event)); }
  void enterSplit(std::string_view split) override { splitEvents.push_back("enter " + std::string(split)); }
  void finishSplit(std::string_view split) override { splitEvents.push_back("finish " + std::string(split)); }
  void reportWatermark(Timestamp time) override { reported.push_back(time); }

  // Output
  void emit(Batch batch) override { emitted.emplace_back(std::move(batch)); }
  void emitSide(SideOutputIndex, Batch batch) override { emitted.emplace_back(std::move(batch)); }
  void emitWatermark(Watermark watermark) override { emitted.emplace_back(watermark); }
  void emitStatus(WatermarkStatus status) override { emitted.emplace_back(status); }
  bool full() const override { return outputFull; }

 private:
  struct Offloaded {
    std::string what;
    MoveFunction<void()> work;
    MoveFunction<void()> done;
  };

  Env* env_;
  Configuration configuration_;
  MetricGroup metrics_;
  Accumulators accumulators_;
  int64_t nanos_ = 1'000'000'000;
  int64_t heldUpNanos_ = 0;
  std::optional<int64_t> wakeAt_;
  bool resumeAsked_ = false;
  std::vector<Offloaded> offloaded_;
};

/// A master for tests of enumerators, with readers of one source that ask it for splits.
class TestMaster final : public SplitEnumeratorContext {
 public:
  explicit TestMaster(int parallelism)
      : assigned(static_cast<size_t>(parallelism)), noMore(assigned.size()) {}

  std::vector<std::vector<SourceSplit>> assigned;  // by reader
  std::vector<bool> noMore;
  std::vector<std::string> sentEvents;

  Env& env() override { checkFailed("no environment here", __FILE__, __LINE__); }
  int parallelism() const override { return static_cast<int>(assigned.size()); }
  void assign(SubtaskIndex reader, SourceSplit split) override {
    assigned[static_cast<size_t>(reader.value)].push_back(std::move(split));
  }
  void signalNoMoreSplits(SubtaskIndex reader) override { noMore[static_cast<size_t>(reader.value)] = true; }
  void sendEvent(SubtaskIndex, std::string event) override { sentEvents.push_back(std::move(event)); }
  void callAsync(std::string, MoveFunction<void()> work, MoveFunction<void()> done) override {
    work();
    done();
  }
  void callAfter(Duration, MoveFunction<void()> then) override { then(); }
};

}  // namespace flott
