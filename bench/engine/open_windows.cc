#include "bench/loops/open_windows.h"

#include <chrono>

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {
namespace {

int64_t nowNanos() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// Of the job's one lane.
struct Watch {
  int64_t firedAt = 0;  // when the last record had left its source; the watermark follows
  int64_t lastResultAt = 0;
  int64_t lastTurn = 0;  // of the other work
  int64_t longestPause = 0;
  int64_t bytes = 0;
  bool over = false;
};

/// The other work: polled whenever it is its turn, it notes how long it had waited.
class WaitingReader final : public SourceReader {
 public:
  explicit WaitingReader(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  void open(SourceReaderContext&) override {}
  Poll poll(Output&) override {
    const int64_t now = nowNanos();
    if (watch_->firedAt != 0)
      watch_->longestPause =
          std::max(watch_->longestPause, now - std::max(watch_->lastTurn, watch_->firedAt));
    watch_->lastTurn = now;
    return watch_->over ? Poll::kEnd : Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  std::shared_ptr<Watch> watch_;
};

class WaitingSource final : public SourceFactory {
 public:
  explicit WaitingSource(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<WaitingReader>(watch_);
  }

 private:
  std::shared_ptr<Watch> watch_;
};

/// Folds the results, and notes when the last of them has come.
class Results final : public Operator {
 public:
  Results(std::shared_ptr<Watch> watch, std::shared_ptr<Folded> total)
      : watch_(std::move(watch)), total_(std::move(total)) {}
  Step onBatch(int, Batch batch, Output&) override {
    for (const KeyValue& sum : batch.rows<KeyValue>()) total_->checksum += fold(sum);
    total_->results += batch.size();
    watch_->lastResultAt = nowNanos();
    return Step::kDone;
  }
  void close() noexcept override { watch_->over = true; }

 private:
  std::shared_ptr<Watch> watch_;
  std::shared_ptr<Folded> total_;
};

}  // namespace

Outcome openWindowsJob(const Load& load) {
  static const int64_t kBefore = residentBytes();
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto watch = std::make_shared<Watch>();
  auto total = std::make_shared<Folded>();
  auto input = generated<KeyValue>(
      env, load.size, [=](Rows<KeyValue>& rows, uint64_t index, uint64_t stride, uint64_t count) {
        KeyValue* at = rows.extend(count);
        int64_t* timestamps = rows.enableTimestamps();
        for (uint64_t i = 0; i < count; ++i) {
          const uint64_t n = index + i * stride;
          at[i] = openWindowsInput(n, load.size);
          timestamps[i] = static_cast<int64_t>(n * (kOpenWindowMs - 1) / load.size);
        }
        if (index + (count - 1) * stride + 1 < load.size) return;
        watch->bytes = residentBytes() - kBefore;
        watch->firedAt = nowNanos();
      });
  input.assignTimestampsAndWatermarks(WatermarkStrategy<KeyValue>::forMonotonousTimestamps())
      .keyBy(&KeyValue::key)
      .window(TumblingEventTimeWindows::of(Duration::millis(kOpenWindowMs)))
      .sum(&KeyValue::value)
      .transformToSink("results", operatorFactory<Results>(watch, total));
  auto other = env.fromSource(SourceOf<KeyValue>{std::make_shared<WaitingSource>(watch), "other work"});
  foldInto(other, std::make_shared<Folded>());
  env.execute("open-windows");
  Outcome outcome = total->outcome(load.size);
  outcome.firing = {.firedMs = static_cast<double>(watch->lastResultAt - watch->firedAt) / 1e6,
                    .longestPauseMs = static_cast<double>(watch->longestPause) / 1e6,
                    .bytesPerPair = static_cast<double>(watch->bytes) / static_cast<double>(load.size)};
  return outcome;
}

}  // namespace flott::bench
