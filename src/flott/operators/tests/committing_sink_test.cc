#include "flott/operators/committing_sink.h"

#include <gtest/gtest.h>

#include <set>

#include "flott/base/tests/error_text.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

// What the parts of a sink have done, and what the committer is to answer.
struct Seen {
  std::vector<std::string> calls;
  std::vector<CommitOutcome> answers;  // of the next commits, in turn; committed when there are none
  SinkAttempt attempt;
  OperatorContext* context = nullptr;
};

class Writer final : public CommittingWriter<int64_t, std::string> {
 public:
  explicit Writer(Seen& seen) : seen_(seen) {}
  void open(OperatorContext& context) override { seen_.context = &context; }
  void begin(const SinkAttempt& attempt) override { seen_.attempt = attempt; }
  void write(const int64_t& value, const SinkContext&) override { open_ += std::to_string(value); }
  void resume() override { seen_.calls.push_back("resume"); }
  std::vector<std::string> prepareCommit() override {
    if (open_.empty()) return {};
    return {std::exchange(open_, {})};
  }
  void snapshotState(CheckpointId checkpoint) override {
    seen_.calls.push_back("cut " + std::to_string(checkpoint.value));
  }

 private:
  Seen& seen_;
  std::string open_;
};

class TestCommitter final : public Committer<std::string> {
 public:
  explicit TestCommitter(Seen& seen) : seen_(seen) {}
  std::vector<CommitOutcome> commit(std::span<const std::string> committables) override {
    std::string call = "commit";
    std::vector<CommitOutcome> outcomes;
    for (const std::string& one : committables) {
      call += " " + one;
      if (seen_.answers.empty()) {
        outcomes.push_back(CommitOutcome::committed());
      } else {
        outcomes.push_back(seen_.answers.front());
        seen_.answers.erase(seen_.answers.begin());
      }
    }
    seen_.calls.push_back(call);
    if (call == "commit 666") outcomes.clear();
    return outcomes;
  }

 private:
  Seen& seen_;
};

struct TestSink {
  Seen* seen;
  DeliveryGuarantee guarantee = DeliveryGuarantee::kExactlyOnce;
  CommitOptions options = {};
  std::unique_ptr<Writer> createWriter() const { return std::make_unique<Writer>(*seen); }
  std::unique_ptr<TestCommitter> createCommitter() const { return std::make_unique<TestCommitter>(*seen); }
  DeliveryGuarantee deliveryGuarantee() const { return guarantee; }
  CommitOptions commitOptions() const { return options; }
};
static_assert(CommittingSink<TestSink, int64_t>);
static_assert(!CommittingSink<TestSink, std::string>);

/// One attempt of the sink.
class Attempt {
 public:
  explicit Attempt(Seen& seen, DeliveryGuarantee guarantee = DeliveryGuarantee::kExactlyOnce,
                   CommitOptions options = {}, std::string state = {})
      : sink(committingSinkOperator<int64_t>(TestSink{&seen, guarantee, options})->create()) {
    task.settings().set("execution.checkpointing.interval", "1 s");
    task.operatorInfo.parallelism = 3;
    if (!state.empty()) {
      ByteReader in(state);
      task.operatorStates = std::make_unique<OperatorStateBackend>(OperatorStateImage::decode(in));
    }
    sink->open(task);
  }
  void write(int64_t value) {
    EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({value}), task), Step::kDone);
  }
  void checkpoint(uint64_t id) {
    EXPECT_EQ(sink->beforeBarrier(CheckpointId(id), task), Step::kDone);
    sink->snapshotState(CheckpointId(id));
  }
  void complete(uint64_t id) { sink->onCheckpointEnded(CheckpointId(id), true); }
  void run() {
    while (task.runOffloaded()) {
    }
  }
  /// As the runtime does when it was asked to.
  void resume() {
    if (task.takeCall()) sink->resume(task);
  }
  std::string state() {
    std::string bytes;
    ByteWriter out(bytes);
    task.operatorStates->snapshot().encode(out);
    return bytes;
  }

  TestTask task;
  std::unique_ptr<Operator> sink;
};

class CommittingSinkTest : public testing::Test {
 protected:
  using Calls = std::vector<std::string>;
  Calls take() {
    Calls calls = std::exchange(seen.calls, {});
    std::erase(calls, "resume");
    return calls;
  }
  Seen seen;
};

TEST_F(CommittingSinkTest, CommitsWhenTheCheckpointIsComplete) {
  Attempt attempt(seen);
  attempt.write(1);
  attempt.checkpoint(1);
  attempt.write(2);
  attempt.checkpoint(2);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"cut 1", "cut 2"}));
  attempt.sink->onCheckpointEnded(CheckpointId(1), false);
  attempt.run();
  EXPECT_EQ(take(), Calls{}) << "it is void";
  EXPECT_EQ(attempt.task.metrics().read(1).size(), 6u);
  EXPECT_FALSE(attempt.sink->lingers());
  attempt.complete(2);
  EXPECT_TRUE(attempt.sink->lingers());
  EXPECT_EQ(attempt.task.offloaded(), (Calls{"commit 2 of 'tested'"}));
  attempt.run();
  EXPECT_EQ(take(), (Calls{"commit 1 2"}));
  EXPECT_FALSE(attempt.sink->lingers());
  EXPECT_EQ(attempt.task.metrics().count("successfulCommittables"), 2);
  EXPECT_EQ(attempt.task.metrics().count("totalCommittables"), 2);
}

TEST_F(CommittingSinkTest, WhatIsPreparedAfterTheCutWaitsForTheNext) {
  Attempt attempt(seen);
  attempt.write(1);
  attempt.checkpoint(1);
  attempt.write(2);
  attempt.checkpoint(2);
  attempt.complete(1);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"cut 1", "cut 2", "commit 1"}));
  attempt.complete(2);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"commit 2"}));
}

TEST_F(CommittingSinkTest, WhatIsNotCommittedIsInTheStateAndCommittedAfterARestore) {
  std::string state;
  SinkAttempt first;
  {
    Attempt attempt(seen);
    first = seen.attempt;
    attempt.write(1);
    attempt.checkpoint(1);
    attempt.complete(1);  // under way, no answer
    attempt.write(2);
    attempt.checkpoint(2);
    state = attempt.state();
  }
  take();
  Attempt attempt(seen, DeliveryGuarantee::kExactlyOnce, {}, state);
  EXPECT_EQ(seen.attempt.lineage, first.lineage);
  EXPECT_EQ(seen.attempt.lineage.size(), 12u);
  EXPECT_EQ(first.restored, CheckpointId(0));
  EXPECT_EQ(seen.attempt.restored, CheckpointId(2));
  EXPECT_EQ(seen.attempt.restoredParallelism, 3);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"commit 1 2"})) << "with no checkpoint of its own";
  attempt.checkpoint(3);
  Attempt after(seen, DeliveryGuarantee::kExactlyOnce, {}, attempt.state());
  after.run();
  EXPECT_EQ(take(), (Calls{"cut 3"})) << "committed once";
}

TEST(SinkAttempt, EachLeftOverHasOneThatAbortsIt) {
  SinkAttempt attempt{
      .lineage = {}, .subtask = SubtaskIndex(1), .parallelism = 2, .restored = CheckpointId(7)};
  EXPECT_TRUE(attempt.aborts(1, CheckpointId(7)));
  EXPECT_TRUE(attempt.aborts(5, CheckpointId(9))) << "there were more subtasks";
  EXPECT_FALSE(attempt.aborts(4, CheckpointId(9))) << "the other subtask's";
  EXPECT_FALSE(attempt.aborts(1, CheckpointId(6))) << "it is in the checkpoint";
}

TEST_F(CommittingSinkTest, LineagesDifferBySinkAndStart) {
  std::set<std::string> lineages;
  for (const std::string job : {"1", "2"}) {
    for (const uint64_t id : {1, 2}) {
      TestTask task;
      task.operatorInfo.jobId = job;
      task.operatorInfo.id = OperatorId(id);
      const auto sink = committingSinkOperator<int64_t>(TestSink{&seen})->create();
      sink->open(task);
      lineages.insert(seen.attempt.lineage);
    }
  }
  EXPECT_EQ(lineages.size(), 4u);
}

TEST_F(CommittingSinkTest, TriesAgainInOrderAfterPausesThatDouble) {
  Attempt attempt(seen, DeliveryGuarantee::kExactlyOnce,
                  {.retries = 5, .longestPause = Duration::millis(300)});
  seen.answers = {CommitOutcome::retryLater("busy"), CommitOutcome::alreadyCommitted()};
  attempt.write(1);
  attempt.checkpoint(1);
  attempt.write(2);
  attempt.checkpoint(2);
  attempt.complete(2);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"cut 1", "cut 2", "commit 1 2"}));
  attempt.write(3);
  attempt.checkpoint(3);
  attempt.complete(3);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"cut 3"})) << "those behind wait, too";
  seen.context->wakeAtNanos(attempt.task.monotonicNanos() + 50'000'000);  // the writer's own
  EXPECT_EQ(attempt.task.wakesIn(), 50'000'000);
  attempt.task.advanceNanos(50'000'000);
  attempt.resume();
  EXPECT_EQ(attempt.task.wakesIn(), 50'000'000) << "that of the commits is still to come";
  attempt.task.advanceNanos(50'000'000);
  seen.answers = {CommitOutcome::retryLater("busy")};
  attempt.resume();
  attempt.run();
  EXPECT_EQ(take(), (Calls{"commit 1 3"}));
  EXPECT_EQ(attempt.task.metrics().count("alreadyCommittedCommittables"), 1);
  EXPECT_EQ(attempt.task.metrics().count("retriedCommittables"), 2);
  for (const int64_t pause : {200, 300, 300}) {
    EXPECT_EQ(attempt.task.wakesIn(), pause * 1'000'000);
    attempt.task.advanceNanos(pause * 1'000'000);
    seen.answers = {CommitOutcome::retryLater("busy")};
    attempt.resume();
    attempt.run();
    EXPECT_EQ(take(), (Calls{"commit 1"}));
  }
  attempt.task.advanceNanos(300'000'000);
  seen.answers = {CommitOutcome::retryLater("busy")};
  attempt.resume();
  EXPECT_EQ(
      errorText([&] { attempt.run(); }, ErrorKind::kTransient),
      "what was prepared for a checkpoint could not be committed in 6 tries: busy. It is in the "
      "checkpoint, and tried again when the job begins anew; CommitOptions::retries says how often it is "
      "tried before that");
}

TEST_F(CommittingSinkTest, WhatIsRefusedFailsTheJobOrIsCounted) {
  {
    Attempt attempt(seen);
    seen.answers = {CommitOutcome::rejected("the table is gone")};
    attempt.write(1);
    attempt.checkpoint(1);
    attempt.complete(1);
    EXPECT_EQ(
        errorText([&] { attempt.run(); }),
        "what was prepared for a checkpoint is refused for good: the table is gone. Its records would be "
        "missing; CommitOptions::rejected = RejectedCommits::kCount goes on without them");
  }
  Attempt attempt(seen, DeliveryGuarantee::kExactlyOnce, {.rejected = RejectedCommits::kCount});
  seen.answers = {CommitOutcome::rejected("the table is gone")};
  attempt.write(1);
  attempt.checkpoint(1);
  attempt.complete(1);
  attempt.run();
  EXPECT_EQ(attempt.task.metrics().count("failedCommittables"), 1);
  EXPECT_EQ(attempt.task.warnings,
            (Calls{"records are missing, since what was prepared for a checkpoint is refused for good: the "
                   "table is gone"}));
  EXPECT_FALSE(attempt.sink->lingers());
}

TEST_F(CommittingSinkTest, WhatIsNotKnownIsCommittedAgainByTheNextAttempt) {
  Attempt attempt(seen);
  seen.answers = {CommitOutcome::unknown("connection reset")};
  attempt.write(1);
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_EQ(
      errorText([&] { attempt.run(); }, ErrorKind::kTransient),
      "whether what was prepared for a checkpoint is committed is not known: connection reset. It is in "
      "the checkpoint, and committed again when the job begins anew");
}

TEST_F(CommittingSinkTest, ACommitterThatLeavesOneOutIsABug) {
  Attempt attempt(seen);
  attempt.write(666);
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_EQ(errorText([&] { attempt.run(); }, ErrorKind::kBug),
            "the committer gave 0 outcomes for 1 committables");
}

TEST_F(CommittingSinkTest, AtLeastOnceABarrierWaitsForTheCommits) {
  Attempt attempt(seen, DeliveryGuarantee::kAtLeastOnce);
  attempt.write(1);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"commit 1"})) << "what is ready is committed";
  attempt.resume();
  attempt.write(2);
  EXPECT_EQ(attempt.sink->beforeBarrier(CheckpointId(1), attempt.task), Step::kWait);
  attempt.run();
  EXPECT_TRUE(attempt.task.takeCall());
  EXPECT_EQ(attempt.sink->resume(attempt.task), Step::kDone);
  EXPECT_EQ(take(), (Calls{"commit 2"}));
  EXPECT_FALSE(attempt.sink->awaitsFinalCheckpoint());
}

TEST_F(CommittingSinkTest, AtTheEndItWaitsForACheckpoint) {
  Attempt attempt(seen);
  attempt.write(1);
  EXPECT_EQ(attempt.sink->onEndOfInput(0, attempt.task), Step::kDone);
  EXPECT_TRUE(attempt.sink->awaitsFinalCheckpoint());
  EXPECT_FALSE(attempt.sink->lingers());
  attempt.run();
  EXPECT_EQ(take(), Calls{});
  attempt.sink->snapshotState(CheckpointId(1));
  seen.answers = {CommitOutcome::retryLater("busy")};
  attempt.complete(1);
  attempt.run();
  EXPECT_TRUE(attempt.sink->lingers());
  attempt.task.advanceNanos(100'000'000);
  EXPECT_TRUE(attempt.task.takeCall());
  EXPECT_EQ(attempt.sink->resume(attempt.task), Step::kDone);
  attempt.run();
  EXPECT_EQ(take(), (Calls{"cut 1", "commit 1", "commit 1"})) << "no call of a writer that has ended";
  EXPECT_FALSE(attempt.sink->lingers());
}

}  // namespace
}  // namespace flott
