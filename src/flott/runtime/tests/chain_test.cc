// Operators inside one task: back-pressure between them, resuming, side outputs, ends, and who is to blame.
#include "flott/runtime/chain.h"

#include <gtest/gtest.h>

#include "flott/runtime/tests/test_job.h"

namespace flott {
namespace {

using Log = std::shared_ptr<std::vector<std::string>>;

Log newLog() { return std::make_shared<std::vector<std::string>>(); }

// Writes down its calls.
class Logging : public Operator {
 public:
  Logging(std::string name, Log log) : name_(std::move(name)), log_(std::move(log)) {}
  void open(OperatorContext& context) override {
    context_ = &context;
    note("open");
  }
  Step onBatch(int, Batch batch, Output& output) override {
    output.emit(std::move(batch));
    return Step::kDone;
  }
  Step onEndOfInput(int, Output&) override {
    note("end");
    return Step::kDone;
  }
  void close() noexcept override { note("close"); }

 protected:
  void note(const std::string& what) { log_->push_back(name_ + " " + what); }

  std::string name_;
  Log log_;
  OperatorContext* context_ = nullptr;
};

template <typename Op, typename... A>
std::shared_ptr<const OperatorFactory> make(A... parts) {
  auto create = [parts...] { return std::make_unique<Op>(parts...); };
  return std::make_shared<MadeBy<decltype(create)>>(std::move(create));
}

std::vector<int64_t> upTo(int64_t count, int64_t times = 1) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < count; ++i) all.insert(all.end(), static_cast<size_t>(times), i);
  return all;
}

TEST(OperatorChain, OpensFromTheEndAndClosesAndEndsFromTheHead) {
  const Log log = newLog();
  Pipeline pipeline(numbers(10));
  pipeline.then("a", make<Logging>("a", log))
      .then("b", make<Logging>("b", log))
      .then("c", make<Logging>("c", log));
  TestWorker test(pipeline.job());
  test.scheduler.join();
  EXPECT_EQ(*log, (std::vector<std::string>{"c open", "b open", "a open", "a end", "b end", "c end",
                                            "a close", "b close", "c close"}));
}

// Puts every record out `times` times, each in a batch of its own, and stops at once where the output is
// full.
class Repeat final : public Operator {
 public:
  explicit Repeat(int times) : times_(times) {}
  void open(OperatorContext& context) override { pool_ = &rowsPool<int64_t>(context.pools()); }
  Step onBatch(int, Batch batch, Output& output) override {
    EXPECT_FALSE(open_) << "new input before the old was worked off";
    batch_ = std::move(batch);
    next_ = 0;
    open_ = true;
    return resume(output);
  }
  Step resume(Output& output) override {
    while (next_ < batch_.size() * static_cast<size_t>(times_)) {
      if (output.full()) return Step::kMore;
      Batch one = pool_->acquire();
      one.rows<int64_t>().emplace(batch_.rows<int64_t>()[next_++ / static_cast<size_t>(times_)]);
      output.emit(std::move(one));
    }
    open_ = false;
    batch_.reset();
    return Step::kDone;
  }
  Step onWatermark(int, Watermark watermark, Output& output) override {
    EXPECT_FALSE(open_) << "a watermark overtook a record";
    output.emitWatermark(watermark);
    return Step::kDone;
  }
  Step onEndOfInput(int, Output&) override {
    EXPECT_FALSE(open_);
    return Step::kDone;
  }

 private:
  int times_;
  bool open_ = false;
  size_t next_ = 0;
  Batch batch_;
  BatchPool* pool_ = nullptr;
};

TEST(OperatorChain, OperatorsThatStopWhenFullLoseNothing) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(50));
    pipeline.then("a", make<Repeat>(3))
        .then("b", make<Repeat>(2))
        .then("c", make<Repeat>(2))
        .then("sink", keepIn(kept), 2, PartitionKind::kBroadcast);
    TestWorker test(pipeline.job(), seed, {.channelCapacity = 1});
    test.scheduler.join();
    for (int subtask = 0; subtask < 2; ++subtask) {
      EXPECT_EQ(kept->bySubtask[static_cast<size_t>(subtask)], upTo(50, 12)) << "seed " << seed;
    }
    EXPECT_EQ(test.worker->batchesAlive(), 0u);
  }
}

// Returns kMore after each record although its output has room: only to let others have their turn.
class Yielding final : public Operator {
 public:
  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    times_ = 0;
    return resume(output);
  }
  Step resume(Output& output) override {
    if (++times_ < 5) return Step::kMore;
    output.emit(std::move(batch_));
    return Step::kDone;
  }

 private:
  Batch batch_;
  int times_ = 0;
};

TEST(OperatorChain, AnOperatorMayYieldWithoutBeingStuck) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(500));
    pipeline.then("a", passOn())
        .then("b", make<Yielding>())
        .then("c", make<Yielding>())
        .then("sink", keepIn(kept));
    TestWorker test(pipeline.job(), seed);
    test.scheduler.join();
    EXPECT_EQ(kept->all(), upTo(500));
  }
}

// Gives each batch to off-loaded work and waits for it.
class Offloading final : public Operator {
 public:
  explicit Offloading(bool fails) : fails_(fails) {}
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    batch_ = std::move(batch);
    done_ = false;
    context_->offload(
        "look up",
        [fails = fails_] {
          if (fails) throw std::runtime_error("connection refused");
        },
        [this] {
          done_ = true;
          context_->askToResume();
        });
    return Step::kWait;
  }
  Step resume(Output& output) override {
    EXPECT_TRUE(done_) << "resumed before it asked for it";
    output.emit(std::move(batch_));
    return Step::kDone;
  }

 private:
  bool fails_;
  bool done_ = false;
  Batch batch_;
  OperatorContext* context_ = nullptr;
};

TEST(OperatorChain, AWaitingOperatorHoldsBackTheOnesBeforeIt) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(300));
    pipeline.then("a", make<Repeat>(2)).then("b", make<Offloading>(false)).then("sink", keepIn(kept));
    TestWorker test(pipeline.job(), seed);
    if (seed % 2 == 1) test.sim.offload().setCapacity(0);  // the pool is full for a while
    test.scheduler.runUntilIdle();
    test.sim.offload().setCapacity(1);
    test.scheduler.join();
    EXPECT_EQ(kept->all(), upTo(300, 2)) << "seed " << seed;
  }
}

TEST(OperatorChain, FailingOffloadedWorkIsThatOfItsOperator) {
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(numbers(300));
  pipeline.then("enrich", make<Offloading>(true)).then("after", passOn()).then("sink", keepIn(kept));
  TestWorker test(pipeline.job());
  test.scheduler.join();
  EXPECT_EQ(test.ends,
            (std::vector<std::string>{"Source: source -> enrich -> after -> Sink: sink 1 FAILED: operator "
                                      "'enrich', subtask 1/1: connection refused"}));
}

// Sets an alarm for every millisecond and puts out a watermark each time.
class Ticking final : public Operator {
 public:
  explicit Ticking(std::shared_ptr<int> ticks) : ticks_(std::move(ticks)) {}
  void open(OperatorContext& context) override {
    context_ = &context;
    context.setAlarm(context.processingTime() + Duration::millis(1));
  }
  Step onBatch(int, Batch batch, Output& output) override {
    output.emit(std::move(batch));
    return Step::kDone;
  }
  Step onProcessingTime(Timestamp now, Output& output) override {
    EXPECT_FALSE(output.full()) << "called although there is no room";
    ++*ticks_;
    output.emitWatermark({now});
    context_->setAlarm(now + Duration::millis(1));
    return Step::kDone;
  }

 private:
  std::shared_ptr<int> ticks_;
  OperatorContext* context_ = nullptr;
};

TEST(OperatorChain, AlarmsWaitForRoomInTheOutput) {
  const auto ticks = std::make_shared<int>(0);
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(numbers(100'000));
  pipeline.then("ticking", make<Ticking>(ticks))
      .then("slow", make<Offloading>(false))  // nobody runs its work for the time being
      .then("sink", keepIn(kept));
  pipeline.graph.nodes[2].chaining = ChainingStrategy::kHead;
  TestWorker test(pipeline.job());
  // Off-loaded work stays where it is: the pool of the simulation takes nothing.
  test.sim.offload().setCapacity(0);
  for (int i = 0; i < 1000; ++i) {
    test.scheduler.runUntilIdle();
    test.sim.clock().advance(Duration::millis(1));
  }
  EXPECT_LE(*ticks, 3);
  test.worker->cancel();
  test.scheduler.join();
}

// Even numbers go to the side.
std::shared_ptr<const OperatorFactory> evenToTheSide() {
  return batchOperator([](Batch batch, Output& output) {
    Rows<int64_t>& rows = batch.rows<int64_t>();
    auto side = std::make_unique<Rows<int64_t>>();
    auto main = std::make_unique<Rows<int64_t>>();
    for (const int64_t x : rows) (x % 2 == 0 ? *side : *main).emplace(x);
    EXPECT_TRUE(output.reads(SideOutputIndex(5)));
    EXPECT_FALSE(output.reads(SideOutputIndex(6)));
    output.emitSide(SideOutputIndex(5), Batch(std::move(side)));
    output.emitSide(SideOutputIndex(6), Batch(std::make_unique<Rows<int64_t>>()));
    output.emit(Batch(std::move(main)));
  });
}

TEST(OperatorChain, SideOutputsGoTheirOwnWaysInATree) {
  for (const bool chained : {true, false}) {
    const auto even = std::make_shared<Kept>();
    const auto odd = std::make_shared<Kept>();
    const auto oddAgain = std::make_shared<Kept>();
    Pipeline pipeline(numbers(100));
    pipeline.then("split", evenToTheSide())
        .then("odd", keepIn(odd))
        .then("again", keepIn(oddAgain))
        .then("even", keepIn(even));
    auto& nodes = pipeline.graph.nodes;
    nodes[3].inputs[0].from = 2;
    nodes[4].inputs[0].from = 2;
    nodes[4].inputs[0].side = SideOutputIndex(5);
    nodes[1].sideOutputs.push_back({.index = SideOutputIndex(5), .name = "even", .type = "int64"});
    for (size_t sink = 2; sink < 5; ++sink) nodes[sink].kind = NodeKind::kSink;
    pipeline.graph.chaining = chained;
    TestWorker test(pipeline.job());
    test.scheduler.join();
    EXPECT_EQ(even->all().size(), 50u);
    EXPECT_EQ(even->all().back(), 98);
    EXPECT_EQ(odd->all().back(), 99);
    EXPECT_EQ(odd->all(), oddAgain->all());
  }
}

TEST(OperatorChain, CountsRecordsAndShowsTheWatermark) {
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(numbers(100));
  pipeline.then("twice", make<Repeat>(2)).then("sink", keepIn(kept));
  TestWorker test(pipeline.job());
  test.scheduler.join();
  std::vector<std::string> counts;
  for (const OperatorChain::NodeMetrics& node : test.worker->task(0, SubtaskIndex(0)).metrics()) {
    counts.push_back(node.info.name + " " + std::to_string(node.metrics.count("numRecordsIn")) + " " +
                     std::to_string(node.metrics.count("numRecordsOut")));
  }
  EXPECT_EQ(counts, (std::vector<std::string>{"source 0 100", "twice 100 200", "sink 200 0"}));
}

TEST(OperatorChain, TheCapInsideAChainBlamesTheOneThatPutsOut) {
  Pipeline pipeline(numbers(2000));
  pipeline
      .then("exploding", batchOperator([](Batch, Output& output) {
              for (int i = 0; i < 10'000; ++i) {
                auto rows = std::make_unique<Rows<int64_t>>();
                for (int64_t k = 0; k < 1024; ++k) rows->emplace(k);
                output.emit(Batch(std::move(rows)));
              }
            }))
      .then("waiting", make<Offloading>(false))
      .then("sink", passOn());
  TestWorker test(pipeline.job(), 1, {.overrunCapBytes = 1 << 20});
  test.scheduler.join();
  ASSERT_EQ(test.ends.size(), 1u);
  EXPECT_EQ(
      test.ends[0].substr(test.ends[0].find("FAILED")),
      "FAILED: operator 'exploding', subtask 1/1: a single call put out more than 1048576 bytes beyond what "
      "operator 'waiting' could take: emit less per record, or raise flott.output.overrun-cap");
}

}  // namespace
}  // namespace flott
