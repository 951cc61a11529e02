// Checkpoints after some tasks have finished, and the last one of a job whose sinks publish with it.
#include <gtest/gtest.h>

#include "flott/master/tests/recovery_world.h"
#include "flott/state/operator_state.h"

namespace flott::final_checkpoint_test {
namespace {

/// Outside of the job: survives its attempts.
struct Outside {
  int64_t shortRecords = 0;  // that came out of the short source, in all attempts
  int64_t sum = 0;           // as last told
  int64_t untilCrash = 0;    // records; 0: never
  std::vector<int64_t> published;
};

/// Adds everything up, and tells it at the end.
class Total final : public Operator {
 public:
  explicit Total(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  void open(OperatorContext& context) override {
    state_ = &context.operatorState().list<int64_t>("sum");
    for (const int64_t part : state_->get()) sum_ += part;
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      if (outside_->untilCrash > 0 && --outside_->untilCrash == 0) throw std::runtime_error("crash");
      sum_ += record;
    }
    return Step::kDone;
  }
  void snapshotState(CheckpointId) override { state_->set({sum_}); }
  Step onEndOfInput(int, Output&) override {
    outside_->sum = sum_;
    return Step::kDone;
  }

 private:
  std::shared_ptr<Outside> outside_;
  OperatorListState<int64_t>* state_ = nullptr;
  int64_t sum_ = 0;
};

template <typename Op>
std::shared_ptr<const OperatorFactory> with(const std::shared_ptr<Outside>& outside) {
  auto make = [outside] { return std::make_unique<Op>(outside); };
  return std::make_shared<MadeBy<decltype(make)>>(std::move(make));
}

/// short ─▶ counted ─┐
///         long ─────┴▶ total
JobGraph shortAndLong(int64_t shortCount, int64_t longCount, int parallelism,
                      const std::shared_ptr<Outside>& outside) {
  StreamGraph graph;
  graph.jobName = "short and long";
  const auto source = [&](int id, const std::string& name, int64_t count, int subtasks) {
    StreamNode node{.id = id, .kind = NodeKind::kSource, .name = name};
    node.source = sourceOf(Ranges(count, Handout::kOnRequest), name).factory;
    node.parallelism = subtasks;
    graph.nodes.push_back(std::move(node));
  };
  source(1, "short", shortCount, parallelism);
  source(2, "long", longCount, 2);
  StreamNode counted{.id = 3, .name = "counted"};
  counted.op = batchOperator([outside](Batch batch, Output& output) {
    outside->shortRecords += static_cast<int64_t>(batch.size());
    output.emit(std::move(batch));
  });
  counted.parallelism = parallelism;
  counted.inputs.push_back({.from = 1, .kind = {}, .partitioning = {}});
  graph.nodes.push_back(std::move(counted));
  StreamNode total{.id = 4, .kind = NodeKind::kSink, .name = "total"};
  total.op = with<Total>(outside);
  total.parallelism = 1;
  total.inputs.push_back({.from = 3, .kind = PartitionKind::kRebalance, .partitioning = {}});
  total.inputs.push_back({.from = 2, .kind = PartitionKind::kRebalance, .partitioning = {}});
  graph.nodes.push_back(std::move(total));
  return compile(graph);
}

TEST(FinishedTasks, AJobGoesOnMakingCheckpointsAndRunsOnlyWhatIsNotFinished) {
  constexpr int64_t kShort = 60;
  constexpr int64_t kLong = 4000;
  int notAgain = 0;
  int64_t completed = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 2000 + static_cast<int64_t>(random.below(kLong - 2000));
    RecoveryWorld world(seed);
    const JobResult result =
        world.run(shortAndLong(kShort, kLong, static_cast<int>(1 + random.below(3)), outside),
                  kept(seed % 2 == 0), 3000, 1);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(result.restarts, 1);
    EXPECT_EQ(outside->sum, kShort * (kShort - 1) / 2 + kLong * (kLong - 1) / 2) << "seed " << seed;
    notAgain += outside->shortRecords == kShort ? 1 : 0;
    completed += result.checkpoints.completed;
  }
  EXPECT_GT(notAgain, 80) << "finished sources read again";
  EXPECT_GT(completed, 500);
}

TEST(FinishedTasks, ARestoreAtAnotherParallelismRunsOnlyWhatIsNotFinished) {
  constexpr int64_t kShort = 60;
  constexpr int64_t kLong = 4000;
  int notAgain = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 3000 + static_cast<int64_t>(random.below(kLong - 3000));
    RecoveryWorld world(seed);
    const JobResult failed = world.run(
        shortAndLong(kShort, kLong, static_cast<int>(1 + random.below(4)), outside), kept(), 3000, 0);
    ASSERT_EQ(failed.status, JobStatus::kFailed);
    if (!world.sim->files().stat("/checkpoints")) continue;
    Configuration configuration = kept();
    configuration.set("execution.state-recovery.path",
                      world.sim->files().listFolder("/checkpoints").at(0).path);
    const JobResult result = world.run(
        shortAndLong(kShort, kLong, static_cast<int>(1 + random.below(4)), outside), configuration, 100, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->sum, kShort * (kShort - 1) / 2 + kLong * (kLong - 1) / 2) << "seed " << seed;
    notAgain += outside->shortRecords == kShort ? 1 : 0;
  }
  EXPECT_GT(notAgain, 40) << "finished sources read again";
}

// A reader that ends when its test says so; the first subtask's at once.
class OpenReader final : public ReaderWithoutSplits {
 public:
  explicit OpenReader(std::shared_ptr<bool> ends) : ends_(std::move(ends)) {}
  Poll poll(Output&) override {
    if (*ends_ || context_->info().subtask.value == 0) return Poll::kEnd;
    context_->setAlarm(context_->processingTime() + Duration::millis(5));
    return Poll::kIdle;
  }

 private:
  std::shared_ptr<bool> ends_;
};

class UnionState final : public Operator {
 public:
  explicit UnionState(std::shared_ptr<Outside>) {}
  void open(OperatorContext& context) override { context.operatorState().unionList<int64_t>("all"); }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
};

TEST(FinishedTasks, AUnionListIsNotStoredWithoutWhatTheFinishedHad) {
  const auto ends = std::make_shared<bool>(false);
  Pipeline pipeline(readBy(OpenReader(ends)), 3);
  pipeline.then("offsets", with<UnionState>(nullptr), 3);
  Simulated run(pipeline.job());
  const auto advance = [&](Duration by) {
    const int64_t end = deadlineAfter(run.sim->clock(), by);
    while (!run.scheduler->runUntilIdle() && run.sim->clock().monotonicNanos() < end) {
      run.sim->clock().advanceTo(std::min(end, run.scheduler->nextDeadline()));
    }
  };
  advance(Duration::millis(100));
  std::optional<CheckpointOutcome> outcome;
  run.job->triggerCheckpoint([&](CheckpointOutcome done) { outcome = std::move(done); });
  advance(Duration::millis(100));
  ASSERT_TRUE(outcome && outcome->error);
  EXPECT_EQ(
      outcome->error->message(),
      "1 of 3 subtasks of operator 'offsets' have finished, and what they had of its union list is in no "
      "checkpoint. There will be checkpoints again when all of them have finished. Use a list that is "
      "split");
  EXPECT_EQ(run.job->status(), JobStatus::kRunning) << "it does not count as a failure";
  *ends = true;
  EXPECT_EQ(run.end().status, JobStatus::kFinished);
}

// Publishes what it was given with the checkpoint that is complete.
class Publishing final : public Operator {
 public:
  explicit Publishing(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) prepared_.push_back(record);
    return Step::kDone;
  }
  void onCheckpointEnded(CheckpointId, bool completed) override {
    if (completed) outside_->published = prepared_;
  }
  bool awaitsFinalCheckpoint() const override { return true; }

 private:
  std::shared_ptr<Outside> outside_;
  std::vector<int64_t> prepared_;
};

Configuration every(const std::string& interval) {
  Configuration configuration = kept();
  configuration.set("execution.checkpointing.interval", interval);
  return configuration;
}

TEST(FinalCheckpoint, IsMadeAtOnceWhenAllWaitForIt) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto outside = std::make_shared<Outside>();
    Pipeline pipeline(sourceOf(Ranges(500, Handout::kOnRequest), "numbers").factory,
                      static_cast<int>(1 + seed % 3));
    pipeline.then("publish", with<Publishing>(outside), 1, PartitionKind::kRebalance);
    const JobResult result = RecoveryWorld(seed).run(pipeline.job(), every("10 min"), 0, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished) << result.error->what();
    EXPECT_EQ(outside->published.size(), 500u) << "seed " << seed;
    EXPECT_EQ(result.checkpoints.completed, 1);
    EXPECT_LT(result.runNanos, 60'000'000'000) << "it waited for the interval";
  }
}

TEST(FinalCheckpoint, AfterOneThatFailedTheNextComesAtItsInterval) {
  const auto outside = std::make_shared<Outside>();
  Pipeline pipeline(sourceOf(Ranges(50, Handout::kOnRequest), "numbers").factory);
  pipeline.then("publish", with<Publishing>(outside), 2, PartitionKind::kRebalance);
  Configuration configuration = every("10 s");
  configuration.set("execution.checkpointing.tolerable-failed-checkpoints", "3");
  RecoveryWorld world(1);
  world.sim->files().put("/checkpoints", "a file where the folder should be");
  const JobResult result = world.run(pipeline.job(), configuration, 0, 0);
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.checkpoints.failed, 4);
  EXPECT_GT(result.runNanos, 29'000'000'000) << "one after the other without a pause";
}

/// Ticks by the clock, and says how far it was when it was cut.
class Ticker final : public Operator {
 public:
  explicit Ticker(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  void open(OperatorContext& context) override {
    context_ = &context;
    context.setAlarm(context.processingTime() + Duration::millis(10));
  }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
  Step onProcessingTime(Timestamp now, Output&) override {
    outside_->published.push_back(now.ms);
    context_->setAlarm(now + Duration::millis(10));
    return Step::kDone;
  }
  void snapshotState(CheckpointId) override {
    outside_->sum = static_cast<int64_t>(outside_->published.size());
  }

 private:
  std::shared_ptr<Outside> outside_;
  OperatorContext* context_ = nullptr;
};

class SuspendedJob : public testing::Test {
 protected:
  SuspendedJob() : run_(graph(), 1) { advance(Duration::seconds(1)); }
  void advance(Duration by) {
    const int64_t end = deadlineAfter(run_.sim->clock(), by);
    while (!run_.scheduler->runUntilIdle() && run_.sim->clock().monotonicNanos() < end) {
      run_.sim->clock().advanceTo(std::min(end, run_.scheduler->nextDeadline()));
    }
  }
  void stop(const std::string& dir) {
    run_.job->stopWithSavepoint(dir, StopMode::kSuspend,
                                [this](CheckpointOutcome done) { outcome_ = std::move(done); });
  }
  int64_t ticks() const { return static_cast<int64_t>(outside_->published.size()); }

  const std::shared_ptr<Outside> outside_ = std::make_shared<Outside>();
  const std::shared_ptr<bool> ends_ = std::make_shared<bool>(false);
  std::optional<CheckpointOutcome> outcome_;

 private:
  JobGraph graph() {
    Pipeline pipeline(readBy(OpenReader(ends_)), 2);
    pipeline.then("ticker", with<Ticker>(outside_), 1, PartitionKind::kRebalance);
    return pipeline.job();
  }

 protected:
  Simulated run_;
};

TEST_F(SuspendedJob, FiresNothingThatItsSavepointDoesNotHave) {
  EXPECT_GT(ticks(), 90);
  run_.sim->offload().hold("write checkpoint");
  stop("/savepoints");
  advance(Duration::seconds(1));
  EXPECT_FALSE(outcome_) << "it is being written";
  EXPECT_EQ(ticks(), outside_->sum) << "more than the savepoint has";
  run_.sim->offload().hold("");
  EXPECT_EQ(run_.end().status, JobStatus::kFinished);
  ASSERT_TRUE(outcome_);
  EXPECT_FALSE(outcome_->error);
  EXPECT_EQ(ticks(), outside_->sum);
}

TEST_F(SuspendedJob, GoesOnWhereTheSavepointIsVoid) {
  run_.sim->files().put("/in-the-way", "a file");
  stop("/in-the-way");
  advance(Duration::seconds(1));
  ASSERT_TRUE(outcome_ && outcome_->error);
  EXPECT_EQ(run_.job->status(), JobStatus::kRunning);
  EXPECT_GT(ticks(), outside_->sum + 50) << "its alarms are lost";
  stop("/savepoints");
  EXPECT_EQ(run_.end().status, JobStatus::kFinished) << "it may be asked again";
  EXPECT_FALSE(outcome_->error);
  EXPECT_EQ(ticks(), outside_->sum);
}

}  // namespace
}  // namespace flott::final_checkpoint_test
