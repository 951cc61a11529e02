#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"
#include "bench/engine/temporary_folder.h"
#include "bench/loops/generated.h"

namespace flott::bench {
namespace {

constexpr int64_t kAfterwards = 7;  // the key of the one record behind the failure

int64_t nowNanos() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// What the job and the thread that drives it tell each other.
struct Stages {
  std::atomic<bool> fail{false};        // the next record is to
  std::atomic<int64_t> failedAt{0};     // 0: it has not yet
  std::atomic<uint64_t> added{0};       // records behind the state
  std::atomic<int64_t> returnedAt{0};   // the record behind the failure is behind the state
  std::atomic<int64_t> returnedSum{0};  // with this sum of its key
};

/// All keys once; then nothing until it is time to fail; after the failure one record more.
class StagedReader final : public SourceReader {
 public:
  StagedReader(std::shared_ptr<Stages> stages, uint64_t keys) : stages_(std::move(stages)), keys_(keys) {}

  void open(SourceReaderContext& context) override {
    context_ = &context;
    pool_ = &rowsPool<KeyValue>(context.pools());
  }
  Poll poll(Output& output) override {
    if (stages_->failedAt != 0) return putOne(output, kAfterwards), Poll::kEnd;
    if (next_ < keys_) {
      Batch batch = pool_->acquire();
      Rows<KeyValue>& rows = batch.rows<KeyValue>();
      const uint64_t count = std::min<uint64_t>(Rows<KeyValue>::kRows, keys_ - next_);
      KeyValue* at = rows.extend(count);
      for (uint64_t i = 0; i < count; ++i)
        at[i] = {static_cast<int64_t>(next_ + i), static_cast<int64_t>(next_ + i)};
      next_ += count;
      output.emit(std::move(batch));
      return Poll::kMore;
    }
    if (stages_->fail.exchange(false)) putOne(output, -1);
    context_->setAlarm(context_->processingTime() + Duration::millis(2));
    return Poll::kIdle;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  void putOne(Output& output, int64_t key) {
    Batch batch = pool_->acquire();
    *batch.rows<KeyValue>().extend(1) = {key, 1};
    output.emit(std::move(batch));
  }

  std::shared_ptr<Stages> stages_;
  const uint64_t keys_;
  uint64_t next_ = 0;
  SourceReaderContext* context_ = nullptr;
  BatchPool* pool_ = nullptr;
};

class StagedSource final : public SourceFactory {
 public:
  StagedSource(std::shared_ptr<Stages> stages, uint64_t keys) : stages_(std::move(stages)), keys_(keys) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<StagedReader>(stages_, keys_);
  }

 private:
  std::shared_ptr<Stages> stages_;
  uint64_t keys_;
};

class StagedSink final : public Operator {
 public:
  explicit StagedSink(std::shared_ptr<Stages> stages) : stages_(std::move(stages)) {}
  Step onBatch(int, Batch batch, Output&) override {
    const Rows<KeyValue>& rows = batch.rows<KeyValue>();
    if (stages_->failedAt != 0) {
      stages_->returnedAt = nowNanos();
      stages_->returnedSum = rows[0].value;
    }
    stages_->added += rows.size();
    return Step::kDone;
  }

 private:
  std::shared_ptr<Stages> stages_;
};

double diskMbPerS(const std::string& folder, uint64_t bytes) {
  const std::string path = folder + "/disk";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot make the file " + path);
  std::string block(size_t{1} << 20, '\0');
  for (size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>(i * 2654435761U >> 13);
  const int64_t begin = nowNanos();
  bool written = true;
  for (uint64_t done = 0; done < bytes; done += block.size())
    written &= ::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size());
  written &= ::fsync(file) == 0;
  const double seconds = static_cast<double>(nowNanos() - begin) / 1e9;
  ::close(file);
  if (!written) throw std::runtime_error("cannot write to " + path);
  return static_cast<double>(bytes) / 1e6 / seconds;
}

}  // namespace

Outcome recoveryJob(const Load& load) {
  const TemporaryFolder folder;
  Configuration configuration;
  configuration.set(kCheckpointDir, folder.path());
  configuration.set(kRestartStrategy, "fixed-delay");
  configuration.set(kFixedDelayAttempts, int64_t{1});
  configuration.set(kFixedDelay, Duration::millis(0));
  configuration.set(kLogLevel, "ERROR");
  StreamExecutionEnvironment env = benchEnvironment(load, configuration);
  auto stages = std::make_shared<Stages>();
  env.fromSource(SourceOf<KeyValue>{std::make_shared<StagedSource>(stages, load.size), "staged"})
      .map([stages](const KeyValue& record) {
        if (record.key < 0) {
          stages->failedAt = nowNanos();
          throw Error(ErrorKind::kTransient, "as planned");
        }
        return record;
      })
      .keyBy(&KeyValue::key)
      .sum(&KeyValue::value)
      .transformToSink("staged", operatorFactory<StagedSink>(stages));
  JobClient client = env.executeAsync("recovery");
  while (stages->added < load.size && !client.waitFor(Duration::millis(5))) {
  }
  const int64_t begin = nowNanos();
  client.triggerCheckpoint();
  const double snapshotMs = static_cast<double>(nowNanos() - begin) / 1e6;
  const CheckpointStatistics statistics = client.checkpoints();
  const CheckpointRecord* made = statistics.latest(CheckpointStatus::kCompleted);
  if (made == nullptr) throw std::runtime_error("no checkpoint was made");
  Recovery recovery{.megabytes = static_cast<double>(made->stateBytes) / 1e6, .snapshotMs = snapshotMs};
  for (const CheckpointRecord::Task& task : made->tasks)
    recovery.syncMs = std::max(recovery.syncMs, static_cast<double>(task.durations.syncNanos) / 1e6);
  stages->fail = true;
  client.result();
  recovery.recoveryMs = static_cast<double>(stages->returnedAt - stages->failedAt) / 1e6;
  recovery.diskMbPerS = diskMbPerS(folder.path(), made->stateBytes);
  if (stages->returnedSum != kAfterwards + 1) throw std::runtime_error("the state did not come back");
  Outcome outcome{.records = load.size, .results = stages->added, .checksum = 0};
  outcome.recovery = recovery;
  return outcome;
}

}  // namespace flott::bench
