// State many times larger than the caches: memory does not grow with it while it is checkpointed, saved and
// restored, as it is or at another parallelism.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "flott/env/posix/real_env.h"
#include "flott/master/tests/simulated_job.h"
#include "flott/state/keyed_backend.h"

namespace flott::large_state_test {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kKeys = 3'000;  // memory is not measured
constexpr bool kMeasured = false;
#else
constexpr int64_t kKeys = 60'000;
constexpr bool kMeasured = true;
#endif
constexpr size_t kBlobBytes = 1'000;
constexpr uint64_t kStateBytes = uint64_t{kKeys} * kBlobBytes;
// Caches have 2 MB in all, what is written or read at a time a few more, and an allocator keeps some.
constexpr uint64_t kMostGrowth = 30 << 20;

/// What the job and the test tell each other.
struct Signals {
  std::atomic<int64_t> filled{0};   // records that have made state
  std::atomic<int64_t> checked{0};  // records that have found theirs
  std::atomic<bool> goOn{false};    // behind the first half
  std::atomic<bool> crash{false};   // once
  std::atomic<int64_t> wrong{0};
};

/// Each key twice; the second round waits for a sign.
class RoundsReader final : public ReaderWithoutSplits {
 public:
  explicit RoundsReader(std::shared_ptr<Signals> signals) : signals_(std::move(signals)) {}
  Poll poll(Output& output) override {
    if (next_ == 2 * kKeys) return Poll::kEnd;
    if (next_ >= kKeys && !signals_->goOn) {
      context_->setAlarm(context_->processingTime() + Duration::millis(1));
      return Poll::kIdle;
    }
    Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
    const int64_t end = next_ < kKeys ? kKeys : 2 * kKeys;
    for (int i = 0; i < 100 && next_ < end; ++i) batch.rows<int64_t>().emplace(next_++);
    output.emit(std::move(batch));
    return Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit> splits) override { next_ = std::stoll(splits.at(0).state); }
  std::vector<SourceSplit> snapshot() override { return {{.id = "rounds", .state = std::to_string(next_)}}; }

 private:
  std::shared_ptr<Signals> signals_;
  int64_t next_ = 0;
};

/// Hardly compressible, as state that is worth its memory.
std::string blobOf(int64_t key) {
  std::string blob(kBlobBytes, '\0');
  Random random(static_cast<uint64_t>(key));
  for (size_t i = 0; i + 8 <= blob.size(); i += 8) {
    const uint64_t word = random.next();
    std::memcpy(blob.data() + i, &word, sizeof word);
  }
  return blob;
}

class Blobs final : public Operator {
 public:
  explicit Blobs(std::shared_ptr<Signals> signals) : signals_(std::move(signals)) {}
  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<int64_t>());
    blob_ = state_->state(ValueStateDescriptor<std::string>("blob"));
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      const int64_t key = record % kKeys;
      state_->setCurrentKey(hashKey(key), key);
      if (record < kKeys) {
        blob_.set(blobOf(key));
        ++signals_->filled;
      } else {
        if (signals_->crash.exchange(false)) throw std::runtime_error("crash");
        signals_->wrong += blob_.get() == blobOf(key) ? 0 : 1;
        ++signals_->checked;
      }
      state_->keepToBudget();
    }
    return Step::kDone;
  }

 private:
  std::shared_ptr<Signals> signals_;
  KeyedStateBackend* state_ = nullptr;
  ValueState<std::string> blob_;
};

class ByKey final : public KeyHasher {
 public:
  void hash(Batch& batch) const override {
    Rows<int64_t>& rows = batch.rows<int64_t>();
    rows.enableHashes();
    for (size_t i = 0; i < rows.size(); ++i) rows.hashes()[i] = hashKey(rows[i] % kKeys);
  }
};

class LargeState : public testing::TestWithParam<bool> {
 protected:
  LargeState() { fs::remove_all(folder_); }
  ~LargeState() override { fs::remove_all(folder_); }

  Configuration configuration() const {
    Configuration configuration;
    configuration.set("state.backend.type", "rocksdb");
    configuration.set("state.backend.rocksdb.localdir", folder_ + "/local");
    configuration.set("flott.state.rocksdb.cache-size", "1 mb");
    configuration.set("state.backend.rocksdb.memory.managed", "false");
    configuration.set("state.backend.rocksdb.block.cache-size", "512 kb");
    configuration.set("state.backend.rocksdb.writebuffer.size", "1 mb");
    configuration.set("execution.checkpointing.dir", folder_ + "/checkpoints");
    configuration.set("execution.checkpointing.incremental", GetParam() ? "true" : "false");
    configuration.set("flott.lanes", "2");
    return configuration;
  }
  JobGraph graph(int parallelism) const {
    Pipeline pipeline(readBy(RoundsReader(signals_)));
    auto make = [signals = signals_] { return std::make_unique<Blobs>(signals); };
    pipeline.then("blobs", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), parallelism,
                  PartitionKind::kHash, {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByKey>()});
    return pipeline.job();
  }
  std::unique_ptr<EmbeddedJob> start(int parallelism, const Configuration& configuration) {
    EmbeddedJob::MakeScheduler make = [this](int lanes, const Configuration&) {
      return makeThreadedScheduler(env_, {.lanes = lanes});
    };
    auto job = std::make_unique<EmbeddedJob>(
        graph(parallelism), configuration, env_, real_, make,
        [](const Error&, int64_t) { return RestartDecision::in(Duration::millis(1)); });
    job->start();
    return job;
  }
  /// Notes how much memory is in use until `done`.
  template <typename F>
  void until(EmbeddedJob& job, F&& done) {
    while (!done() && !job.waitFor(Duration::millis(2)))
      most_ = std::max(most_, env_.system.anonymousBytes());
  }
  void begin() { before_ = most_ = env_.system.anonymousBytes(); }
  void expectLittleGrowth(const char* what) const {
    if (!kMeasured) return;
    EXPECT_LT(most_ - before_, kMostGrowth) << what << " of " << kStateBytes << " bytes";
    std::printf("%s of %llu MB took %llu MB\n", what, static_cast<unsigned long long>(kStateBytes >> 20),
                static_cast<unsigned long long>((most_ - before_) >> 20));
  }

  const std::string folder_ =
      testing::TempDir() + "/flott-large-state-" + (GetParam() ? "incremental" : "whole");
  const std::shared_ptr<RealEnv> real_ = makeRealEnv({.log = {.level = LogLevel::kOff}});
  Env env_ = real_->env();
  std::shared_ptr<Signals> signals_ = std::make_shared<Signals>();
  uint64_t before_ = 0;
  uint64_t most_ = 0;
};

TEST_P(LargeState, TakesLittleMemory) {
  const std::unique_ptr<EmbeddedJob> job = start(1, configuration());
  until(*job, [this] { return signals_->filled == kKeys; });
  std::atomic<int> made{0};
  std::string savepoint;
  const auto count = [&](const CheckpointOutcome& outcome) {
    EXPECT_FALSE(outcome.error) << outcome.error->what();
    savepoint = outcome.folder;
    ++made;
  };
  begin();
  job->triggerCheckpoint(count);
  until(*job, [&] { return made == 1; });
  expectLittleGrowth("a checkpoint");
  begin();
  job->triggerSavepoint(folder_ + "/savepoints", count);
  until(*job, [&] { return made == 2; });
  expectLittleGrowth("a savepoint");

  // It comes back at the same parallelism …
  begin();
  signals_->crash = true;
  signals_->goOn = true;
  until(*job, [] { return false; });
  expectLittleGrowth("the way back");
  EXPECT_EQ(job->result().status, JobStatus::kFinished) << job->result().error->what();
  EXPECT_EQ(job->result().restarts, 1);
  EXPECT_EQ(signals_->checked, kKeys);
  EXPECT_EQ(signals_->wrong, 0);

  // … and from the savepoint at another.
  begin();
  signals_->checked = 0;
  Configuration moved = configuration();
  moved.set("execution.state-recovery.path", savepoint);
  const std::unique_ptr<EmbeddedJob> other = start(3, moved);
  until(*other, [] { return false; });
  expectLittleGrowth("a start from the savepoint");
  EXPECT_EQ(other->result().status, JobStatus::kFinished);
  EXPECT_EQ(signals_->checked, kKeys);
  EXPECT_EQ(signals_->wrong, 0);
}

TEST_P(LargeState, ComesBackAtAnotherParallelism) {
  Configuration first = configuration();
  first.set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
  std::string from;
  {
    const std::unique_ptr<EmbeddedJob> job = start(2, first);
    until(*job, [this] { return signals_->filled == kKeys; });
    std::atomic<bool> made{false};
    job->triggerCheckpoint([&](const CheckpointOutcome& outcome) {
      from = outcome.folder;
      made = true;
    });
    until(*job, [&] { return made.load(); });
    job->cancel();
    job->wait();
  }
  begin();
  signals_->goOn = true;
  Configuration moved = configuration();
  moved.set("execution.state-recovery.path", from);
  moved.set("execution.state-recovery.claim-mode", "CLAIM");
  const std::unique_ptr<EmbeddedJob> job = start(3, moved);
  until(*job, [] { return false; });
  expectLittleGrowth("a start at another parallelism");
  EXPECT_EQ(job->result().status, JobStatus::kFinished);
  EXPECT_EQ(signals_->checked, kKeys);
  EXPECT_EQ(signals_->wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, LargeState, testing::Bool(),
                         [](const auto& incremental) { return incremental.param ? "Incremental" : "Whole"; });

}  // namespace
}  // namespace flott::large_state_test
