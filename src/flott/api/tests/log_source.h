// A log for tests: partitions whose records are there at times that the test says. The reader reads all its
// partitions at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "flott/operators/static_enumerator.h"
#include "flott/operators/typed_source.h"

namespace flott {

struct LogRecord {
  int64_t readyMillis = 0;  // since the world began
  int64_t at = 0;           // event time
};
struct LogSplit {
  std::string name;
  std::vector<LogRecord> records;
  bool endless = false;  // no end behind its records
  uint64_t next = 0;
  std::string splitId() const { return name; }
};
struct Logged {
  std::string split;
  int64_t at = 0;
  auto operator<=>(const Logged&) const = default;
};

struct LogSourceOptions {
  bool canPause = true;
};

class LogReader final : public TypedReader<Logged, LogSplit> {
 public:
  explicit LogReader(LogSourceOptions options) : options_(options) {}
  void open(SourceReaderContext& context) override { context_ = &context; }
  void addSplits(std::vector<LogSplit> splits) override {
    splits_.insert(splits_.end(), splits.begin(), splits.end());
  }
  void onNoMoreSplits() override { noMore_ = true; }
  bool pauseSplits(const std::vector<std::string>& splits) override {
    if (options_.canPause) paused_ = splits;
    return options_.canPause;
  }
  std::vector<LogSplit> snapshot() override { return splits_; }

  Poll poll(SourceOutput<Logged>& output) override {
    if (splits_.empty()) return noMore_ ? Poll::kEnd : Poll::kIdle;
    int64_t next = std::numeric_limits<int64_t>::max();
    for (size_t looked = 0; looked < splits_.size(); ++looked) {
      std::rotate(splits_.begin(), splits_.begin() + 1, splits_.end());
      LogSplit& split = splits_.front();
      if (std::find(paused_.begin(), paused_.end(), split.name) != paused_.end()) continue;
      if (split.next == split.records.size()) {
        if (split.endless) continue;
        context_->finishSplit(split.name);
        splits_.erase(splits_.begin());
        return Poll::kMore;
      }
      const LogRecord& record = split.records[split.next];
      const int64_t ready = kWorldBegins + record.readyMillis * 1'000'000;
      if (ready > context_->monotonicNanos()) {
        next = std::min(next, ready);
        continue;
      }
      context_->enterSplit(split.name);
      output.collect({split.name, record.at}, Timestamp(record.at));
      ++split.next;
      return Poll::kMore;
    }
    if (next < std::numeric_limits<int64_t>::max()) context_->wakeAtNanos(next);
    return Poll::kIdle;
  }

 private:
  static constexpr int64_t kWorldBegins = 1'000'000'000;  // as SimulatedClock

  const LogSourceOptions options_;
  SourceReaderContext* context_ = nullptr;
  std::vector<LogSplit> splits_;
  std::vector<std::string> paused_;
  bool noMore_ = false;
};

class Log final : public Source<Logged, LogSplit> {
 public:
  explicit Log(std::vector<LogSplit> splits, LogSourceOptions options = {})
      : splits_(std::move(splits)), options_(options) {}
  Boundedness boundedness() const override { return Boundedness::kContinuousUnbounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<LogSplit>>(Handout::kEvenly, restored.value_or(splits_));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<LogReader>(options_); }

 private:
  const std::vector<LogSplit> splits_;
  const LogSourceOptions options_;
};

/// A partition whose event time runs `speed` times as fast as the clock: `count` records, one every `every`
/// ms.
inline LogSplit steady(std::string name, int64_t count, int64_t every, int64_t speed, bool endless = false) {
  LogSplit split{.name = std::move(name), .records = {}, .endless = endless};
  for (int64_t i = 1; i <= count; ++i) split.records.push_back({every * i, every * i * speed});
  return split;
}

}  // namespace flott
