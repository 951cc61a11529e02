// The engine's side of the cases: a source that makes the generated input, a sink that folds, and a job
// around them.
//
// The source gives subtask s of n the indices s, s + n, s + 2n, …; the sink adds fold() over what it gets.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "bench/harness.h"
#include "flott/flott.h"

namespace flott::bench {

/// fill(Rows<T>&, index, stride, count) appends the records of the indices index, index + stride, ….
template <typename T, typename Fill>
class GeneratedReader final : public SourceReader {
 public:
  GeneratedReader(Fill fill, uint64_t end) : fill_(std::move(fill)), end_(end) {}

  void open(SourceReaderContext& context) override {
    pool_ = &rowsPool<T>(context.pools());
    next_ = static_cast<uint64_t>(context.info().subtask.value);
    stride_ = static_cast<uint64_t>(context.info().parallelism);
  }
  Poll poll(Output& output) override {
    if (next_ >= end_) return Poll::kEnd;
    Batch batch = pool_->acquire();
    const uint64_t left = (end_ - next_ + stride_ - 1) / stride_;
    const uint64_t count = std::min<uint64_t>(Rows<T>::kRows, left);
    fill_(batch.rows<T>(), next_, stride_, count);
    next_ += count * stride_;
    output.emit(std::move(batch));
    return Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  Fill fill_;
  const uint64_t end_;
  uint64_t next_ = 0;
  uint64_t stride_ = 1;
  BatchPool* pool_ = nullptr;
};

/// Readers share the input out among themselves; there is nothing to assign.
class NoSplits final : public SplitEnumerator {
  void start(SplitEnumeratorContext&) override {}
  void addReader(SubtaskIndex) override {}
  void handleSplitRequest(SubtaskIndex) override {}
  void addSplitsBack(std::vector<SourceSplit>, SubtaskIndex) override {}
  std::string snapshot() const override { return {}; }
};

template <typename T, typename Fill>
class GeneratedSource final : public SourceFactory {
 public:
  GeneratedSource(Fill fill, uint64_t end) : fill_(std::move(fill)), end_(end) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<GeneratedReader<T, Fill>>(fill_, end_);
  }

 private:
  Fill fill_;
  uint64_t end_;
};

template <typename T, typename Fill>
SingleOutputStreamOperator<T> generated(StreamExecutionEnvironment& env, uint64_t end, Fill fill) {
  return env.fromSource(
      SourceOf<T>{std::make_shared<GeneratedSource<T, Fill>>(std::move(fill), end), "generated"});
}

/// What all subtasks of a sink folded, added up as they close.
struct Folded {
  std::atomic<uint64_t> results{0};
  std::atomic<uint64_t> checksum{0};

  Outcome outcome(uint64_t records) const {
    return {.records = records, .results = results, .checksum = checksum, .latency = {}};
  }
};

/// foldRow(const Rows<T>&, i) -> uint64_t.
template <typename T, typename FoldRow>
class FoldSink final : public Operator {
 public:
  FoldSink(FoldRow foldRow, std::shared_ptr<Folded> total)
      : foldRow_(std::move(foldRow)), total_(std::move(total)) {}
  Step onBatch(int, Batch batch, Output&) override {
    const Rows<T>& rows = batch.rows<T>();
    uint64_t sum = 0;
    for (size_t i = 0; i < rows.size(); ++i) sum += foldRow_(rows, i);
    checksum_ += sum;
    results_ += rows.size();
    return Step::kDone;
  }
  void close() noexcept override {
    total_->results += results_;
    total_->checksum += checksum_;
  }

 private:
  FoldRow foldRow_;
  std::shared_ptr<Folded> total_;
  uint64_t results_ = 0;
  uint64_t checksum_ = 0;
};

template <typename T>
DataStreamSink foldInto(const DataStream<T>& stream, std::shared_ptr<Folded> total) {
  const auto foldRow = [](const Rows<T>& rows, size_t i) { return fold(rows[i]); };
  return stream.transformToSink("fold",
                                operatorFactory<FoldSink<T, decltype(foldRow)>>(foldRow, std::move(total)));
}

inline StreamExecutionEnvironment benchEnvironment(const Load& load, Configuration configuration = {}) {
  configuration.set(kDefaultParallelism, load.lanes);
  configuration.set(kLanes, load.lanes);
  configuration.set(kLogLevel, "WARN");
  return StreamExecutionEnvironment::getExecutionEnvironment(configuration);
}

}  // namespace flott::bench
