// Tasks and whole workers under the deterministic scheduler.
#include "flott/runtime/worker.h"

#include <gtest/gtest.h>

#include <numeric>

#include "flott/base/tests/error_text.h"
#include "flott/operators/key_selector.h"
#include "flott/runtime/tests/test_job.h"
#include "flott/state/key_groups.h"

namespace flott {
namespace {

struct Identity {
  using Key = int64_t;
  const int64_t& operator()(const int64_t& record) const { return record; }
};
class ModuloRouter final : public RowRouter {
 public:
  void route(const Batch& batch, uint32_t channels, uint32_t* targets) const override {
    const Rows<int64_t>& rows = batch.rows<int64_t>();
    for (size_t i = 0; i < rows.size(); ++i)
      targets[i] = static_cast<uint32_t>(rows[i] % static_cast<int64_t>(channels));
  }
};

std::vector<int64_t> upTo(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Worker, PointwiseReceiversCoverEachSideEvenly) {
  for (int senders = 1; senders <= 9; ++senders) {
    for (int receivers = 1; receivers <= 9; ++receivers) {
      std::vector<int> reached(static_cast<size_t>(receivers));
      size_t most = 0, fewest = SIZE_MAX;
      for (int sender = 0; sender < senders; ++sender) {
        const std::vector<int> mine = pointwiseReceivers(sender, senders, receivers);
        most = std::max(most, mine.size());
        fewest = std::min(fewest, mine.size());
        for (size_t i = 0; i < mine.size(); ++i) {
          ++reached[static_cast<size_t>(mine[i])];
          EXPECT_EQ(mine[i], mine[0] + static_cast<int>(i));
        }
      }
      EXPECT_GE(fewest, 1u);
      EXPECT_LE(most - fewest, 1u);
      const auto [low, high] = std::minmax_element(reached.begin(), reached.end());
      EXPECT_GE(*low, 1);
      EXPECT_LE(*high - *low, 1);
    }
  }
}

class Exchanges : public testing::TestWithParam<PartitionKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Exchanges,
                         testing::Values(PartitionKind::kRebalance, PartitionKind::kRescale,
                                         PartitionKind::kShuffle, PartitionKind::kBroadcast,
                                         PartitionKind::kGlobal, PartitionKind::kHash,
                                         PartitionKind::kCustom),
                         [](const auto& info) { return std::string(toString(info.param)); });

TEST_P(Exchanges, KeepAllRecordsBetweenAnyParallelisms) {
  constexpr int64_t kEach = 120;
  for (int senders = 1; senders <= 5; ++senders) {
    for (int receivers = 1; receivers <= 5; ++receivers) {
      for (uint64_t seed = 0; seed < 20; ++seed) {
        Partitioning partitioning{.kind = GetParam()};
        partitioning.hasher = std::make_shared<SelectorHasher<int64_t, Identity>>(Identity());
        partitioning.router = std::make_shared<ModuloRouter>();
        const auto kept = std::make_shared<Kept>();
        Pipeline pipeline(numbers(kEach), senders);
        pipeline.then("sink", keepIn(kept), receivers, GetParam(), std::move(partitioning));
        TestWorker test(pipeline.job(), seed, {.channelCapacity = size_t{1} << seed % 4});
        test.scheduler.join();
        const std::vector<int64_t> expected = upTo(kEach * senders);
        if (GetParam() == PartitionKind::kBroadcast) {
          for (int r = 0; r < receivers; ++r) {
            std::vector<int64_t> part = kept->bySubtask[static_cast<size_t>(r)];
            std::sort(part.begin(), part.end());
            ASSERT_EQ(part, expected) << senders << " to " << receivers << ", seed " << seed;
          }
        } else {
          ASSERT_EQ(kept->all(), expected) << senders << " to " << receivers << ", seed " << seed;
        }
        ASSERT_EQ(test.ends.size(), static_cast<size_t>(senders + receivers));
        ASSERT_EQ(test.worker->batchesAlive(), 0u);
      }
    }
  }
}

TEST(Worker, ForwardKeepsTheSubtask) {
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(numbers(100), 3);
  pipeline.then("sink", keepIn(kept), 3, PartitionKind::kForward);
  pipeline.graph.chaining = false;
  TestWorker test(pipeline.job());
  test.scheduler.join();
  for (int64_t subtask = 0; subtask < 3; ++subtask) {
    std::vector<int64_t> expected = upTo(100);
    for (int64_t& x : expected) x += 100 * subtask;
    EXPECT_EQ(kept->bySubtask[static_cast<size_t>(subtask)], expected);
  }
}

TEST(Worker, TheSameSeedGivesTheSameRun) {
  const auto run = [](uint64_t seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(500), 3);
    pipeline.then("pass", passOn(), 3, PartitionKind::kShuffle)
        .then("sink", keepIn(kept), 2, PartitionKind::kRebalance);
    TestWorker test(pipeline.job(), seed, {.channelCapacity = 1});
    test.scheduler.join();
    return kept->bySubtask;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(Task, AFailureNamesOperatorAndSubtaskAndLeavesTheOthersToTheMaster) {
  Pipeline pipeline(numbers(100), 2);
  pipeline.then("picky", batchOperator([](Batch batch, Output& output) {
                  if (batch.rows<int64_t>()[0] >= 100) throw std::runtime_error("too large");
                  output.emit(std::move(batch));
                }),
                2, PartitionKind::kForward);
  pipeline.then("sink", passOn(), 2);
  TestWorker test(pipeline.job());
  test.scheduler.join();
  std::sort(test.ends.begin(), test.ends.end());
  EXPECT_EQ(test.ends,
            (std::vector<std::string>{
                "Source: source -> picky -> Sink: sink 1 FINISHED",
                "Source: source -> picky -> Sink: sink 2 FAILED: operator 'picky', subtask 2/2: too large"}));
}

TEST(Task, CancelEndsItInEveryState) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(1'000'000'000), 2);
    pipeline.then("pass", passOn(), 2, PartitionKind::kRebalance).then("sink", keepIn(kept), 1);
    TestWorker test(pipeline.job(), seed);
    for (const auto& task : test.worker->tasks()) EXPECT_EQ(task->state(), TaskState::kCreated);
    for (uint64_t step = 0; step < seed; ++step) {  // by hand, so that some have not begun and some are full
      Task& task = *test.worker->tasks()[step * 7 % test.worker->tasks().size()];
      task.step({static_cast<int64_t>(step), Timestamp(0)});
    }
    test.worker->cancel();
    test.scheduler.join();
    for (const auto& task : test.worker->tasks()) EXPECT_EQ(task->state(), TaskState::kCancelled);
    EXPECT_EQ(test.ends.size(), test.worker->tasks().size());
  }
}

// Ends when it has read all splits; the number of a split is its state's size.
class SplitReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output& output) override {
    if (pending_ > 0) {
      Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
      batch.rows<int64_t>().emplace(--pending_);
      output.emit(std::move(batch));
      return Poll::kMore;
    }
    if (last_) return Poll::kEnd;
    context_->requestSplit();
    return Poll::kIdle;
  }
  void addSplits(std::vector<SourceSplit> splits) override {
    for (const SourceSplit& split : splits) {
      if (split.id == "broken") throw std::runtime_error("split 'broken' cannot be read");
      pending_ += static_cast<int64_t>(split.state.size());
    }
  }
  void onNoMoreSplits() override { last_ = true; }

 private:
  int64_t pending_ = 0;
  bool last_ = false;
};

TEST(Task, WhatTheMasterSendsBeforeTheFirstStepIsNotLost) {
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(readBy(SplitReader()));
  pipeline.then("sink", keepIn(kept));
  TestWorker test(pipeline.job());
  test.worker->task(0, SubtaskIndex(0)).assignSplits({{.id = "a", .state = "xxx"}});
  test.worker->task(0, SubtaskIndex(0)).signalNoMoreSplits();
  test.scheduler.join();
  EXPECT_EQ(kept->bySubtask[0], (std::vector<int64_t>{2, 1, 0}));
}

TEST(Task, AReaderThatFailsOverASplitIsNamed) {
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(readBy(SplitReader()));
  pipeline.then("sink", keepIn(kept));
  TestWorker test(pipeline.job());
  test.worker->task(0, SubtaskIndex(0)).assignSplits({{.id = "a", .state = "xxx"}});
  test.scheduler.runUntilIdle();
  EXPECT_EQ(test.splitRequests, 1);
  test.worker->task(0, SubtaskIndex(0)).assignSplits({{.id = "broken", .state = ""}});
  test.scheduler.join();
  EXPECT_EQ(test.ends,
            (std::vector<std::string>{"Source: source -> Sink: sink 1 FAILED: operator 'source', subtask "
                                      "1/1: split 'broken' cannot be read"}));
}

// Gives work to the pool and is idle for ever.
class OffloadingReader final : public ReaderWithoutSplits {
 public:
  explicit OffloadingReader(std::shared_ptr<std::vector<std::string>> log) : log_(std::move(log)) {}
  Poll poll(Output&) override {
    if (!asked_) {
      asked_ = true;
      context_->offload(
          "list", [log = log_] { log->push_back("work"); }, [log = log_] { log->push_back("done"); });
    }
    return Poll::kIdle;
  }
  void close() noexcept override { log_->push_back("close"); }

 private:
  bool asked_ = false;
  std::shared_ptr<std::vector<std::string>> log_;
};

TEST(Task, EndsOnlyWhenItsOffloadedWorkIsBack) {
  const auto log = std::make_shared<std::vector<std::string>>();
  Pipeline pipeline(readBy(OffloadingReader(log)));
  pipeline.then("sink", passOn());
  TestWorker test(pipeline.job());
  Task& task = *test.worker->tasks()[0];
  task.step({});
  task.cancel();
  task.step({});
  EXPECT_EQ(task.state(), TaskState::kClosing);
  EXPECT_EQ(test.ends.size(), 0u);
  test.scheduler.join();
  EXPECT_EQ(*log, (std::vector<std::string>{"close", "work"})) << "a reply to a closed operator is dropped";
  EXPECT_EQ(task.state(), TaskState::kCancelled);
}

// The first reply fails, the others come with it.
class FailingCalls final : public Operator {
 public:
  void open(OperatorContext& context) override {
    for (int i = 0; i < 3; ++i) {
      context.offload(
          "call", [] {}, [] { throw std::runtime_error("no answer"); });
    }
  }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
};

TEST(Task, AReplyThatFailsDoesNotHoldUpThoseBehindIt) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Pipeline pipeline(readBy(SplitReader()));
    auto make = [] { return std::make_unique<FailingCalls>(); };
    pipeline.then("calls", std::make_shared<MadeBy<decltype(make)>>(std::move(make)));
    TestWorker test(pipeline.job(), seed);
    EXPECT_TRUE(test.scheduler.runUntilIdle()) << "seed " << seed << ": it waits for what is there";
    ASSERT_EQ(test.ends.size(), 1u) << "seed " << seed;
    EXPECT_NE(test.ends[0].find("FAILED: operator 'calls', subtask 1/1: no answer"), std::string::npos)
        << test.ends[0];
  }
}

TEST(Task, AFullOffloadPoolIsTriedAgain) {
  const auto log = std::make_shared<std::vector<std::string>>();
  Pipeline pipeline(readBy(OffloadingReader(log)));
  pipeline.then("sink", passOn());
  TestWorker test(pipeline.job());
  test.sim.offload().setCapacity(0);
  test.scheduler.runUntilIdle();
  EXPECT_LE(test.scheduler.nextDeadline(), test.sim.clock().monotonicNanos() + 1'000'000);
  test.sim.offload().setCapacity(1);
  test.sim.clock().advance(Duration::millis(1));
  test.scheduler.runUntilIdle();
  EXPECT_EQ(*log, (std::vector<std::string>{"work", "done"}));
  test.worker->cancel();
  test.scheduler.join();
}

TEST(DeterministicScheduler, NamesWhoIsStuck) {
  Pipeline pipeline(readBy(SplitReader()));
  pipeline.then("sink", passOn());
  TestWorker test(pipeline.job());
  const std::string stuck = "nothing can go on: operator 'source', subtask 1/1";
  EXPECT_EQ(errorText([&] { test.scheduler.join(); }, ErrorKind::kBug), stuck);
  EXPECT_EQ(errorText([&] { test.scheduler.joinFor(Duration::seconds(1)); }, ErrorKind::kBug), stuck);
  test.worker->cancel();
  test.scheduler.join();
}

TEST(DeterministicScheduler, JoinForEndsAtItsTime) {
  Pipeline pipeline(readBy(SplitReader()));
  pipeline.then("sink", passOn());
  TestWorker test(pipeline.job());
  const int64_t before = test.sim.clock().monotonicNanos();
  EXPECT_FALSE(test.scheduler.joinFor(Duration::millis(5)));
  EXPECT_EQ(test.sim.clock().monotonicNanos(), before + 5'000'000);
  test.worker->cancel();
  EXPECT_TRUE(test.scheduler.joinFor(Duration::millis(5)));
  EXPECT_EQ(test.sim.clock().monotonicNanos(), before + 5'000'000);
}

class EndlessReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output&) override { return Poll::kMore; }
};

TEST(DeterministicScheduler, GivesUpAfterTooManySteps) {
  Pipeline pipeline(readBy(EndlessReader()));
  pipeline.then("sink", passOn());
  TestWorker test(pipeline.job());
  EXPECT_EQ(errorText([&] { test.scheduler.join(); }, ErrorKind::kBug),
            "too many steps without an end: operator 'source', subtask 1/1");
  test.worker->cancel();
  test.scheduler.join();
}

}  // namespace
}  // namespace flott
