// What a committing sink publishes is its input, once, wherever the job fails and at whatever parallelism it
// goes on; and nothing that it began stays open outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "flott/master/tests/recovery_world.h"
#include "flott/operators/committing_sink.h"

namespace flott {
namespace {

enum class Deal : uint8_t { kOpen, kPrepared, kCommitted, kAborted };

struct Transaction {
  Deal deal = Deal::kOpen;
  std::string lineage;
  int owner = 0;
  uint64_t epoch = 0;
  std::vector<int64_t> records;
};

/// A system outside with transactions, which survives all attempts, and what goes wrong.
struct Ledger {
  std::map<std::string, Transaction> transactions;
  Random random{0};
  int crashes = 0;          // that are still to come
  uint64_t crashEvery = 0;  // about so many calls
  int retries = 0;
  int unsureCommits = 0;
  int commitsAgain = 0;
  int aborted = 0;
  std::string wrong;

  void mayCrash(const char* where) {
    if (crashes == 0 || random.below(crashEvery) != 0) return;
    --crashes;
    throw std::runtime_error(std::string("crash in ") + where);
  }
  void note(const std::string& what) {
    if (wrong.empty()) wrong = what;
  }
  std::vector<int64_t> published() const {
    std::vector<int64_t> all;
    for (const auto& [name, transaction] : transactions) {
      if (transaction.deal != Deal::kCommitted) continue;
      all.insert(all.end(), transaction.records.begin(), transaction.records.end());
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string leftOpen() const {
    for (const auto& [name, transaction] : transactions) {
      if (transaction.deal == Deal::kOpen || transaction.deal == Deal::kPrepared) return name;
    }
    return {};
  }
};

struct Prepared {
  std::string transaction;
};

class LedgerWriter final : public CommittingWriter<int64_t, Prepared> {
 public:
  explicit LedgerWriter(std::shared_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    ledger_->mayCrash("open");
    count_ = &context.operatorState().list<int64_t>("written");
    for (const int64_t part : count_->get()) written_ += part;
  }
  void begin(const SinkAttempt& attempt) override {
    attempt_ = attempt;
    epoch_ = attempt.restored.value;
    for (auto& [name, transaction] : ledger_->transactions) {
      if (transaction.lineage != attempt.lineage || transaction.deal == Deal::kAborted) continue;
      if (!attempt.aborts(transaction.owner, CheckpointId(transaction.epoch))) continue;
      if (transaction.deal == Deal::kCommitted) {
        ledger_->note("aborts what is published: " + name);
        continue;
      }
      transaction.deal = Deal::kAborted;
      ++ledger_->aborted;
    }
    ledger_->mayCrash("begin");
  }
  void write(const int64_t& record, const SinkContext&) override {
    ledger_->mayCrash("write");
    ++written_;
    if (open_.empty()) {
      open_ = attempt_.lineage + "-" + std::to_string(attempt_.subtask.value) + "-" + context_->info().jobId +
              "-" + std::to_string(context_->info().attempt) + "-" + std::to_string(number_++);
      ledger_->transactions[open_] = {
          .lineage = attempt_.lineage, .owner = attempt_.subtask.value, .epoch = epoch_, .records = {}};
    }
    ledger_->transactions[open_].records.push_back(record);
  }
  bool flush() override {
    ledger_->mayCrash("flush");
    if (open_.empty() || std::exchange(flushed_, !flushed_)) return true;
    context_->askToResume();
    return false;
  }
  std::vector<Prepared> prepareCommit() override {
    ledger_->mayCrash("prepareCommit");
    if (open_.empty()) return {};
    ledger_->transactions[open_].deal = Deal::kPrepared;
    return {{std::exchange(open_, {})}};
  }
  void snapshotState(CheckpointId checkpoint) override {
    ledger_->mayCrash("snapshotState");
    epoch_ = checkpoint.value;
    count_->set({written_});
  }

 private:
  std::shared_ptr<Ledger> ledger_;
  OperatorContext* context_ = nullptr;
  SinkAttempt attempt_;
  OperatorListState<int64_t>* count_ = nullptr;
  int64_t written_ = 0;
  uint64_t epoch_ = 0;
  std::string open_;
  int number_ = 0;
  bool flushed_ = false;
};

class LedgerCommitter final : public Committer<Prepared> {
 public:
  explicit LedgerCommitter(std::shared_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}
  std::vector<CommitOutcome> commit(std::span<const Prepared> prepared) override {
    std::vector<CommitOutcome> outcomes;
    for (const Prepared& one : prepared) {
      ledger_->mayCrash("commit");
      Transaction& transaction = ledger_->transactions[one.transaction];
      if (transaction.deal == Deal::kCommitted) {
        ++ledger_->commitsAgain;
        outcomes.push_back(CommitOutcome::alreadyCommitted());
        continue;
      }
      if (transaction.deal != Deal::kPrepared) {
        ledger_->note("commits what is not prepared: " + one.transaction);
        outcomes.push_back(CommitOutcome::rejected("it is not prepared"));
        continue;
      }
      if (ledger_->random.below(4) == 0) {
        ++ledger_->retries;
        outcomes.push_back(CommitOutcome::retryLater("busy"));
        continue;
      }
      transaction.deal = Deal::kCommitted;
      if (ledger_->crashes > 0 && ledger_->random.below(10) == 0) {
        --ledger_->crashes;
        ++ledger_->unsureCommits;
        outcomes.push_back(CommitOutcome::unknown("the answer got lost"));
        continue;
      }
      ledger_->mayCrash("commit, after it");
      outcomes.push_back(CommitOutcome::committed());
    }
    return outcomes;
  }

 private:
  std::shared_ptr<Ledger> ledger_;
};

struct LedgerSink {
  std::shared_ptr<Ledger> ledger;
  DeliveryGuarantee guarantee = DeliveryGuarantee::kExactlyOnce;

  std::unique_ptr<LedgerWriter> createWriter() const { return std::make_unique<LedgerWriter>(ledger); }
  std::unique_ptr<LedgerCommitter> createCommitter() const {
    return std::make_unique<LedgerCommitter>(ledger);
  }
  DeliveryGuarantee deliveryGuarantee() const { return guarantee; }
  CommitOptions commitOptions() const { return {.retries = 50}; }
};

JobGraph writing(int64_t count, int sources, int sinks, const LedgerSink& sink) {
  Pipeline pipeline(sourceOf(Ranges(count, Handout::kOnRequest), "numbers").factory, sources);
  pipeline.then("ledger", committingSinkOperator<int64_t>(sink), sinks, PartitionKind::kRebalance);
  return pipeline.job();
}

Configuration checkpointed(const std::string& interval = "500 ms") {
  Configuration configuration = kept();
  configuration.set("execution.checkpointing.interval", interval);
  return configuration;
}

std::vector<int64_t> numbersBelow(int64_t count) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(i);
  return all;
}

std::shared_ptr<Ledger> newLedger(uint64_t seed, int crashes) {
  auto ledger = std::make_shared<Ledger>();
  ledger->random = Random(seed);
  ledger->crashes = crashes;
  ledger->crashEvery = 50 + ledger->random.below(1500);
  return ledger;
}

TEST(ExactlyOnceSink, PublishesItsInputOnceWhereverItCrashes) {
  constexpr int64_t kCount = 1500;
  int restarts = 0;
  int retries = 0;
  int unsure = 0;
  int again = 0;
  int aborted = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto ledger = newLedger(seed, 4);
    RecoveryWorld world(seed);
    const JobResult result =
        world.run(writing(kCount, static_cast<int>(1 + seed % 3), static_cast<int>(1 + seed % 4), {ledger}),
                  checkpointed(), static_cast<int>(seed % 3) * 300, 4);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(ledger->wrong, "") << "seed " << seed;
    EXPECT_EQ(ledger->published(), numbersBelow(kCount)) << "seed " << seed;
    EXPECT_EQ(ledger->leftOpen(), "") << "seed " << seed;
    restarts += result.restarts;
    retries += ledger->retries;
    unsure += ledger->unsureCommits;
    again += ledger->commitsAgain;
    aborted += ledger->aborted;
  }
  EXPECT_GT(restarts, 400);
  EXPECT_GT(retries, 100);
  EXPECT_GT(unsure, 5);
  EXPECT_GT(again, 20) << "nothing was committed twice";
  EXPECT_GT(aborted, 200) << "nothing was left to abort";
}

TEST(ExactlyOnceSink, GoesOnAtAnotherParallelism) {
  constexpr int64_t kCount = 2000;
  int went = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    const auto ledger = newLedger(seed, 1);
    ledger->crashEvery = 200 + random.below(2500);
    RecoveryWorld world(seed);
    const auto parallelism = [&random] { return static_cast<int>(1 + random.below(5)); };
    const JobResult failed =
        world.run(writing(kCount, parallelism(), parallelism(), {ledger}), checkpointed(), 600, 0);
    if (failed.status == JobStatus::kFinished) continue;
    Configuration configuration = checkpointed();
    if (world.sim->files().stat("/checkpoints") && !world.sim->files().listFolder("/checkpoints").empty()) {
      configuration.set("execution.state-recovery.path",
                        world.sim->files().listFolder("/checkpoints").at(0).path);
    } else {
      continue;  // another start from nothing knows nothing of this one
    }
    ++went;
    world.sim->clock().advance(Duration::seconds(1));  // no two jobs of one name begin at one time
    ledger->crashes = 2;
    const JobResult result =
        world.run(writing(kCount, parallelism(), parallelism(), {ledger}), configuration, 600, 2);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(ledger->wrong, "") << "seed " << seed;
    EXPECT_EQ(ledger->published(), numbersBelow(kCount)) << "seed " << seed;
    EXPECT_EQ(ledger->leftOpen(), "") << "seed " << seed;
  }
  EXPECT_GT(went, 60);
}

// Stopped at any moment, and gone on with at another parallelism.
TEST(ExactlyOnceSink, PublishesWhatASavepointHasThatItIsStoppedWith) {
  constexpr int64_t kCount = 1500;
  int stopped = 0;
  int inTheMiddle = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const auto ledger = newLedger(seed, 0);
    RecoveryWorld world(seed);
    const auto parallelism = [&random] { return static_cast<int>(1 + random.below(5)); };
    int moments = 1 + static_cast<int>(random.below(60));
    std::optional<CheckpointOutcome> outcome;
    world.atEachMoment = [&](EmbeddedJob& job) {
      if (--moments > 0 && random.below(2) == 0) job.triggerCheckpoint([](CheckpointOutcome) {});
      if (moments != 0) return;
      job.stopWithSavepoint("/savepoints", random.below(2) == 0 ? StopMode::kSuspend : StopMode::kDrain,
                            [&](CheckpointOutcome done) { outcome = std::move(done); });
    };
    const JobResult first =
        world.run(writing(kCount, parallelism(), parallelism(), {ledger}), checkpointed(), 1000, 0);
    ASSERT_EQ(first.status, JobStatus::kFinished) << "seed " << seed << ": " << first.error->what();
    EXPECT_EQ(ledger->leftOpen(), "") << "seed " << seed;
    if (!outcome || outcome->error) continue;  // it had ended before
    ++stopped;
    const size_t before = ledger->published().size();
    inTheMiddle += before > 0 && before < kCount ? 1 : 0;
    world.sim->clock().advance(Duration::seconds(1));
    world.atEachMoment = nullptr;
    Configuration configuration = checkpointed();
    configuration.set("execution.state-recovery.path", outcome->folder);
    ledger->crashes = 2;
    const JobResult result =
        world.run(writing(kCount, parallelism(), parallelism(), {ledger}), configuration, 300, 2);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(ledger->wrong, "") << "seed " << seed;
    EXPECT_EQ(ledger->published(), numbersBelow(kCount)) << "seed " << seed;
    EXPECT_EQ(ledger->leftOpen(), "") << "seed " << seed;
  }
  EXPECT_GT(stopped, 100);
  EXPECT_GT(inTheMiddle, 50);
}

TEST(ExactlyOnceSink, WithoutIntervalsItCommitsAtTheEnd) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto ledger = newLedger(seed, 0);
    RecoveryWorld world(seed);
    const JobResult result = world.run(writing(300, 2, 3, {ledger}), {}, 0, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished);
    EXPECT_EQ(ledger->published(), numbersBelow(300));
    std::string logged;
    for (const std::string& line : world.sim->log().lines()) {
      if (line.find("nothing is published before") != std::string::npos) logged += line + "\n";
    }
    EXPECT_NE(logged.find("the job makes no checkpoints: set execution.checkpointing.interval"),
              std::string::npos);
    EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 1) << logged;
  }
}

TEST(ExactlyOnceSink, AtLeastOnceNothingIsMissing) {
  int repeated = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto ledger = newLedger(seed, 3);
    const JobResult result = RecoveryWorld(seed).run(
        writing(1000, 2, 2, {ledger, DeliveryGuarantee::kAtLeastOnce}), checkpointed(), 300, 3);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    std::vector<int64_t> published = ledger->published();
    repeated += published.size() > 1000 ? 1 : 0;
    published.erase(std::unique(published.begin(), published.end()), published.end());
    EXPECT_EQ(published, numbersBelow(1000)) << "seed " << seed;
  }
  EXPECT_GT(repeated, 10) << "they do not even need the checkpoint";
}

TEST(ExactlyOnceSink, WithNoGuaranteeItPublishesAsItGoes) {
  int retries = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto ledger = newLedger(seed, 0);
    const JobResult result = RecoveryWorld(seed).run(writing(1000, 2, 2, {ledger, DeliveryGuarantee::kNone}),
                                                     checkpointed("10 min"), 0, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished);
    EXPECT_EQ(result.checkpoints.completed, 0) << "it waited for one";
    EXPECT_EQ(ledger->published(), numbersBelow(1000));
    retries += ledger->retries;
  }
  EXPECT_GT(retries, 20) << "no pause was under way when the input ended";
}

}  // namespace
}  // namespace flott
