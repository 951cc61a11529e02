// Many open windows that end at once: how long they take to fire, and for how long at a time other work of the
// lane waits for them.
//
// One lane runs two pipelines. The first sums values by keys that are all different, all in one window; its
// end of input fires the window. The second is polled whenever it is its turn, and notes the longest time
// between two turns. Prints, for several sizes, the time from the watermark to the last result, that longest
// time, and resident memory for each open (key, window) pair, of which key and sum are 16 bytes.
//
//   open_windows [millions of pairs]
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/engine/generated_stream.h"

using namespace flott;
using namespace flott::bench;

namespace {

constexpr int64_t kWindowMs = 10'000;

int64_t nowNanos() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

int64_t residentBytes() {
  long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * sysconf(_SC_PAGESIZE);
}

/// Everything happens on one lane.
struct Watch {
  int64_t firedAt = 0;  // when the watermark left the source
  int64_t lastTurn = 0;
  int64_t longestWait = 0;
  int64_t bytesAtFiring = 0;
  bool over = false;
};

class WatchingReader final : public SourceReader {
 public:
  explicit WatchingReader(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  void open(SourceReaderContext&) override {}
  Poll poll(Output&) override {
    const int64_t now = nowNanos();
    if (watch_->firedAt != 0) watch_->longestWait = std::max(watch_->longestWait, now - watch_->lastTurn);
    watch_->lastTurn = now;
    return watch_->over ? Poll::kEnd : Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  std::shared_ptr<Watch> watch_;
};

class WatchingSource final : public SourceFactory {
 public:
  explicit WatchingSource(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<bench::NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<WatchingReader>(watch_);
  }

 private:
  std::shared_ptr<Watch> watch_;
};

/// Counts the results, and tells when the last of them has come.
class Results final : public Operator {
 public:
  Results(std::shared_ptr<Watch> watch, uint64_t expected, std::shared_ptr<Folded> total)
      : watch_(std::move(watch)), expected_(expected), total_(std::move(total)) {}
  Step onBatch(int, Batch batch, Output&) override {
    for (const KeyValue& sum : batch.rows<KeyValue>()) checksum_ += static_cast<uint64_t>(sum.value);
    count_ += batch.size();
    if (count_ == expected_) {
      lastAt_ = nowNanos();
      watch_->over = true;
    }
    return Step::kDone;
  }
  void close() noexcept override {
    watch_->over = true;
    total_->results += count_;
    total_->checksum += checksum_;
    if (lastAt_ != 0) std::printf("%6.2f s to fire,", static_cast<double>(lastAt_ - watch_->firedAt) / 1e9);
  }

 private:
  std::shared_ptr<Watch> watch_;
  const uint64_t expected_;
  std::shared_ptr<Folded> total_;
  uint64_t count_ = 0;
  uint64_t checksum_ = 0;
  int64_t lastAt_ = 0;
};

bool measure(uint64_t pairs) {
  StreamExecutionEnvironment env = benchEnvironment({.size = pairs, .lanes = 1});
  auto watch = std::make_shared<Watch>();
  auto total = std::make_shared<Folded>();
  const int64_t before = residentBytes();
  auto input =
      generated<KeyValue>(env, pairs, [=](Rows<KeyValue>& rows, uint64_t index, uint64_t, uint64_t count) {
        KeyValue* at = rows.extend(count);
        int64_t* timestamps = rows.enableTimestamps();
        for (uint64_t i = 0; i < count; ++i) {
          const uint64_t n = index + i;
          at[i] = {static_cast<int64_t>(n), static_cast<int64_t>(n & 1023)};
          timestamps[i] = static_cast<int64_t>(n * (kWindowMs - 1) / pairs);
        }
        if (index + count == pairs) {  // the end of the input follows, and with it the watermark
          watch->bytesAtFiring = residentBytes();
          watch->firedAt = watch->lastTurn = nowNanos();
        }
      });
  input.assignTimestampsAndWatermarks(WatermarkStrategy<KeyValue>::forMonotonousTimestamps())
      .keyBy(&KeyValue::key)
      .window(TumblingEventTimeWindows::of(Duration::millis(kWindowMs)))
      .sum(&KeyValue::value)
      .transformToSink("results", operatorFactory<Results>(watch, pairs, total));
  auto other = env.fromSource(SourceOf<KeyValue>{std::make_shared<WatchingSource>(watch), "other work"});
  foldInto(other, std::make_shared<Folded>());
  std::printf("%8.2f M pairs:", static_cast<double>(pairs) / 1e6);
  env.execute("open-windows");
  std::printf(" other work waited %.1f ms at most, %.1f bytes a pair\n",
              static_cast<double>(watch->longestWait) / 1e6,
              static_cast<double>(watch->bytesAtFiring - before) / static_cast<double>(pairs));
  uint64_t expected = 0;
  for (uint64_t n = 0; n < pairs; ++n) expected += n & 1023;
  if (total->results == pairs && total->checksum == expected) return true;
  std::fprintf(stderr, "open_windows: wrong results\n");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const double most = argc > 1 ? std::atof(argv[1]) : 10;
  bool right = true;
  for (const double millions : {most / 100, most / 10, most}) {
    right &= measure(static_cast<uint64_t>(millions * 1e6));
  }
  return right ? 0 : 1;
}
