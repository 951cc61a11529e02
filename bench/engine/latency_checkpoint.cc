// Latency beside checkpoints of a large state. The keyed operator first gets all keys, as fast as they come;
// once it has them, records come at their pace, under keys from all over the state, and one checkpoint
// follows the other.
#include <atomic>

#include "bench/engine/checkpointing.h"
#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"
#include "bench/engine/temporary_folder.h"
#include "bench/loops/hand_off.h"
#include "flott/connectors/datagen/pacer.h"

namespace flott::bench {
namespace {

constexpr uint64_t kKeysPerRecord = 26;  // 24 bytes of a checkpoint each
constexpr int64_t kPacingNanos = 30'000;

struct Update {
  int64_t key;
  int64_t dueNanos;  // 0: fills the state
};

/// What the job and the thread that drives it tell each other.
struct Progress {
  std::atomic<uint64_t> filled{0};
  std::vector<int64_t> nanos;  // the sink's, until the job has ended
  uint64_t checksum = 0;
};

class FillThenPaced final : public SourceReader {
 public:
  FillThenPaced(std::shared_ptr<Progress> progress, uint64_t records)
      : progress_(std::move(progress)), keys_(records * kKeysPerRecord), records_(records) {}

  void open(SourceReaderContext& context) override {
    context_ = &context;
    pool_ = &rowsPool<Update>(context.pools());
  }
  Poll poll(Output& output) override {
    if (filled_ < keys_) return fill(output);
    const int64_t now = context_->monotonicNanos();
    if (progress_->filled < keys_) {
      context_->wakeAtNanos(now + 1'000'000);
      return Poll::kIdle;
    }
    if (!started_) pacer_.start(now);
    started_ = true;
    const uint64_t count = std::min<uint64_t>({pacer_.due(now), Rows<Update>::kRows, records_ - sent_});
    if (count > 0) {
      Batch batch = pool_->acquire();
      Update* at = batch.rows<Update>().extend(count);
      for (uint64_t i = 0; i < count; ++i)
        at[i] = {randomBelow(randomBits(sent_ + i), keys_), pacer_.dueNanos(i)};
      pacer_.release(count);
      sent_ += count;
      output.emit(std::move(batch));
    }
    if (sent_ == records_) return Poll::kEnd;
    context_->wakeAtNanos(pacer_.nextLook(now));
    return Poll::kIdle;
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  Poll fill(Output& output) {
    Batch batch = pool_->acquire();
    const uint64_t count = std::min<uint64_t>(Rows<Update>::kRows, keys_ - filled_);
    Update* at = batch.rows<Update>().extend(count);
    for (uint64_t i = 0; i < count; ++i) at[i] = {static_cast<int64_t>(filled_ + i), 0};
    filled_ += count;
    output.emit(std::move(batch));
    return Poll::kMore;
  }

  std::shared_ptr<Progress> progress_;
  const uint64_t keys_;
  const uint64_t records_;
  uint64_t filled_ = 0;
  uint64_t sent_ = 0;
  bool started_ = false;
  Pacer pacer_{1e9 / kLatencyPeriodNs, kPacingNanos};
  SourceReaderContext* context_ = nullptr;
  BatchPool* pool_ = nullptr;
};

class FillThenPacedSource final : public SourceFactory {
 public:
  FillThenPacedSource(std::shared_ptr<Progress> progress, uint64_t records)
      : progress_(std::move(progress)), records_(records) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<FillThenPaced>(progress_, records_);
  }

 private:
  std::shared_ptr<Progress> progress_;
  uint64_t records_;
};

class MeasuringSink final : public Operator {
 public:
  explicit MeasuringSink(std::shared_ptr<Progress> progress) : progress_(std::move(progress)) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    const int64_t now = context_->env().clock.monotonicNanos();
    uint64_t filled = 0;
    for (const Update& update : batch.rows<Update>()) {
      if (update.dueNanos == 0) {
        ++filled;
        continue;
      }
      progress_->nanos.push_back(now - update.dueNanos);
      progress_->checksum += static_cast<uint64_t>(update.key);
    }
    if (filled > 0) progress_->filled += filled;
    return Step::kDone;
  }

 private:
  std::shared_ptr<Progress> progress_;
  OperatorContext* context_ = nullptr;
};

Outcome latency(const Load& load, bool checkpoints) {
  const TemporaryFolder folder;
  Configuration configuration;
  configuration.set(kCheckpointDir, folder.path());
  Load lanes = load;
  lanes.lanes = 2;
  StreamExecutionEnvironment env = benchEnvironment(lanes, configuration);
  env.setBufferTimeout(Duration::millis(0));
  const auto progress = std::make_shared<Progress>();
  progress->nanos.reserve(load.size);
  env.fromSource(SourceOf<Update>{std::make_shared<FillThenPacedSource>(progress, load.size), "updates"})
      .setParallelism(1)
      .slotSharingGroup("source")
      .keyBy(&Update::key)
      .maxBy(&Update::dueNanos)
      .setParallelism(1)
      .slotSharingGroup("keyed")
      .transformToSink("measure", operatorFactory<MeasuringSink>(progress))
      .setParallelism(1);
  JobClient client = env.executeAsync("latency-checkpoint");
  while (progress->filled < load.size * kKeysPerRecord && !client.waitFor(Duration::millis(5))) {
  }
  while (checkpoints && !client.waitFor(Duration())) {
    try {
      client.triggerCheckpoint();
    } catch (const Error&) {  // the job's end came between
      if (!client.waitFor(Duration::seconds(10))) throw;
    }
  }
  const JobExecutionResult result = client.result();
  Outcome outcome{.records = load.size, .results = progress->nanos.size(), .checksum = progress->checksum};
  outcome.latency = percentilesOf(progress->nanos);
  outcome.checkpointing = checkpointingOf(result.details().checkpoints);
  return outcome;
}

}  // namespace

Outcome latencyWithStateJob(const Load& load) { return latency(load, false); }
Outcome latencyCheckpointJob(const Load& load) { return latency(load, true); }

}  // namespace flott::bench
