// The operators of the case `tumbling`, without a runtime around them, against the hand-written loop.
//
// Each batch of 1024 records is generated, gets its timestamps and, every few batches, a watermark, has its
// keys hashed and goes to the window operator, whose results are folded into a checksum. Steps are added one
// by one, so that the difference between two lines is what a step costs. Results that differ from the loop's
// fail the run. Medians of nanoseconds a record.
//
//   flott_micro_tumbling_operators [millions of records]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/loops/tumbling.h"
#include "flott/operators/timestamps_and_watermarks.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/slice_window_operator.h"

using namespace flott;
using bench::KeyValue;
using bench::Outcome;

namespace {

constexpr size_t kBatch = Rows<KeyValue>::kRows;
constexpr int kBatchesPerTick = 64;

/// A task that lets its operators be called.
class BareContext final : public OperatorContext {
 public:
  const OperatorInfo& info() const override { return info_; }
  const Configuration& configuration() const override { return configuration_; }
  Env& env() override { checkFailed("no environment here", __FILE__, __LINE__); }
  BatchPools& pools() override { return pools_; }
  MetricGroup& metrics() override { return metrics_; }
  Accumulators& accumulators() override { return accumulators_; }
  KeyedStateBackend& keyedState(const TypeOps& key) override {
    if (keyed_ == nullptr) keyed_ = std::make_unique<KeyedStateBackend>(key, KeyedStateBackend::Options{});
    return *keyed_;
  }
  OperatorStateBackend& operatorState() override { checkFailed("no state here", __FILE__, __LINE__); }
  Timestamp processingTime() const override { return Timestamp(0); }
  void setAlarm(Timestamp) override {}
  int64_t monotonicNanos() const override { return 0; }
  int64_t availableNanos() const override { return 0; }
  void wakeAtNanos(int64_t) override {}
  void askToResume() override {}
  MoveFunction<void()> resumeFromAnyThread() override {
    return [] {};
  }
  void offload(std::string, MoveFunction<void()>, MoveFunction<void()>) override {}
  void warn(const std::string&) override {}

 private:
  OperatorInfo info_;
  Configuration configuration_;
  BatchPools pools_;
  MetricGroup metrics_;
  Accumulators accumulators_;
  std::unique_ptr<KeyedStateBackend> keyed_;
};

/// The end of the chain: folds what comes, be it windows or records on their way to them.
class FoldingOutput final : public Output {
 public:
  void emit(Batch batch) override {
    const Rows<KeyValue>& rows = batch.rows<KeyValue>();
    for (size_t i = 0; i < rows.size(); ++i) {
      const int64_t timestamp = rows.hasTimestamps() ? rows.timestamps()[i] : 0;
      checksum += fold(bench::WindowSum{rows[i], timestamp});
    }
    results += rows.size();
  }
  void emitSide(SideOutputIndex, Batch) override {}
  bool reads(SideOutputIndex) const override { return false; }
  void emitWatermark(Watermark) override {}
  void emitStatus(WatermarkStatus) override {}
  bool full() const override { return false; }

  uint64_t results = 0;
  uint64_t checksum = 0;
};

/// Hands on to the next operator, as the chain does, by way of the exchange's key hasher.
class ToWindows final : public Output {
 public:
  ToWindows(Operator& windows, const KeyHasher& hasher, Output& end)
      : windows_(windows), hasher_(hasher), end_(end) {}
  void emit(Batch batch) override {
    hasher_.hash(batch);
    windows_.onBatch(0, std::move(batch), end_);
  }
  void emitSide(SideOutputIndex, Batch) override {}
  bool reads(SideOutputIndex) const override { return false; }
  void emitWatermark(Watermark watermark) override {
    for (Step step = windows_.onWatermark(0, watermark, end_); step == Step::kMore;) {
      step = windows_.resume(end_);
    }
  }
  void emitStatus(WatermarkStatus) override {}
  bool full() const override { return false; }

 private:
  Operator& windows_;
  const KeyHasher& hasher_;
  Output& end_;
};

struct EventTime {
  uint64_t* next;
  int64_t operator()(const KeyValue&) const { return bench::tumblingTimestamp((*next)++); }
};

using Selector = MemberSelector<KeyValue, int64_t>;
using Windows = SliceWindowOperator<KeyValue, Selector, TumblingEventTimeWindows,
                                    NumberAccumulation<KeyValue, int64_t, int64_t, SumOf<KeyValue, int64_t>>,
                                    EmitResult<KeyValue>>;

enum class Steps { kGenerate, kTimestamps, kHashes, kAll };

/// Swallows what it gets, after hashing it if asked to.
class Nowhere final : public Output {
 public:
  explicit Nowhere(const KeyHasher* hasher) : hasher_(hasher) {}
  void emit(Batch batch) override {
    if (hasher_ != nullptr) hasher_->hash(batch);
  }
  void emitSide(SideOutputIndex, Batch) override {}
  bool reads(SideOutputIndex) const override { return false; }
  void emitWatermark(Watermark) override {}
  void emitStatus(WatermarkStatus) override {}
  bool full() const override { return false; }

 private:
  const KeyHasher* hasher_;
};

Outcome operators(uint64_t records, Steps steps) {
  BareContext stampContext, windowContext;
  FoldingOutput end;
  const Selector selector{&KeyValue::key};
  const SelectorHasher<KeyValue, Selector> hasher(selector);
  Windows windows(selector, TumblingEventTimeWindows::of(Duration::millis(bench::kTumblingWindowMs)),
                  {&KeyValue::key, {&KeyValue::value}}, {});
  ToWindows toWindows(windows, hasher, end);
  Nowhere nowhere(steps == Steps::kHashes ? &hasher : nullptr);
  Output& behindStamps = steps == Steps::kAll ? static_cast<Output&>(toWindows) : nowhere;
  uint64_t next = 0;
  const auto strategy =
      WatermarkStrategy<KeyValue>::forMonotonousTimestamps().withTimestampAssigner(EventTime{&next});
  TimestampsAndWatermarksOperator stamps(strategy);
  windows.open(windowContext);
  stamps.open(stampContext);

  BatchPool& pool = rowsPool<KeyValue>(stampContext.pools());
  int untilTick = kBatchesPerTick;
  for (uint64_t i = 0; i < records;) {
    Batch batch = pool.acquire();
    Rows<KeyValue>& rows = batch.rows<KeyValue>();
    const size_t count = std::min<uint64_t>(kBatch, records - i);
    KeyValue* row = rows.extend(count);
    for (size_t n = 0; n < count; ++n, ++i) row[n] = bench::tumblingInput(i);
    if (steps == Steps::kGenerate) {
      asm volatile("" ::"r"(row) : "memory");
      continue;
    }
    stamps.onBatch(0, std::move(batch), behindStamps);
    if (--untilTick == 0) {
      untilTick = kBatchesPerTick;
      stamps.onProcessingTime(Timestamp(0), behindStamps);
    }
  }
  stamps.onWatermark(0, {Timestamp::max()}, behindStamps);
  return {.records = records, .results = end.results, .checksum = end.checksum, .latency = {}};
}

struct Line {
  const char* name;
  bool checked;
  Outcome (*run)(uint64_t records);
  std::vector<double> nanos;
};

}  // namespace

int main(int argc, char** argv) {
  constexpr int kRounds = 6;
  const uint64_t records = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 60) * 1'000'000;
  std::vector<Line> lines = {
      {"loop", true, [](uint64_t n) { return bench::tumblingLoop({.size = n}); }, {}},
      {"generate", false, [](uint64_t n) { return operators(n, Steps::kGenerate); }, {}},
      {"  + timestamps", false, [](uint64_t n) { return operators(n, Steps::kTimestamps); }, {}},
      {"  + key hashes", false, [](uint64_t n) { return operators(n, Steps::kHashes); }, {}},
      {"  + windows", true, [](uint64_t n) { return operators(n, Steps::kAll); }, {}},
  };
  for (int round = 0; round < kRounds; ++round) {
    Outcome expected;
    for (Line& line : lines) {
      const auto begin = std::chrono::steady_clock::now();
      const Outcome outcome = line.run(records);
      const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
      if (round > 0) line.nanos.push_back(time.count() / static_cast<double>(records));
      if (!line.checked) continue;
      if (&line == lines.data()) expected = outcome;
      if (outcome.results != expected.results || outcome.checksum != expected.checksum) {
        std::fprintf(stderr, "%s: wrong results\n", line.name);
        return 1;
      }
    }
  }
  double loop = 0;
  for (Line& line : lines) {
    std::sort(line.nanos.begin(), line.nanos.end());
    const double median = line.nanos[line.nanos.size() / 2];
    if (loop == 0) loop = median;
    std::printf("%-16s %5.2f ns a record   loop / this %.2f\n", line.name, median, loop / median);
  }
}
