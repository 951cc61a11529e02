// Operators inside one task: back-pressure between them, resuming, side outputs, ends, and who is to blame.
#include "flott/runtime/chain.h"

#include <gtest/gtest.h>

#include <deque>

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

// A chain without a task around it: what a test gives it goes to the head, and a recorder ends it.
class BareChain final : public ChainHost {
 public:
  explicit BareChain(std::vector<std::shared_ptr<const OperatorFactory>> factories)
      : env_(sim_.env()), log(newLog()) {
    factories.push_back(make<Recorder>(log));
    for (const auto& factory : factories) {
      ChainedOperator& op = vertex_.chain.emplace_back();
      op.op = factory;
      const auto next = static_cast<int>(vertex_.chain.size());
      if (vertex_.chain.size() < factories.size()) op.outputs.push_back({.to = next});
    }
    ChainOptions options{.jobName = "job", .vertex = &vertex_, .configuration = &configuration_};
    chain_.emplace(options, env_, pools_, *this, std::vector<std::unique_ptr<Exchange>>());
    chain_->open();
  }
  ~BareChain() override { chain_->close(); }

  void deliver(Element element) { chain_->deliver(0, std::move(element)); }
  /// A step of a task without input.
  void step() {
    chain_->beginStep();
    while (!mails_.empty()) {
      MoveFunction<void()> mail = std::move(mails_.front());
      mails_.pop_front();
      mail();
    }
    chain_->drain();
    chain_->runDue();
    chain_->drain();
  }
  void run() {
    do step();
    while (!mails_.empty() || chain_->canGoOn());
  }
  bool blocked() const { return chain_->blocked(); }
  Batch batch(int64_t value) {
    Batch one = rowsPool<int64_t>(pools_).acquire();
    one.rows<int64_t>().emplace(value);
    return one;
  }

 private:
  class Recorder final : public Operator {
   public:
    explicit Recorder(Log log) : log_(std::move(log)) {}
    Step onBatch(int, Batch batch, Output&) override {
      return note(std::to_string(batch.rows<int64_t>()[0]));
    }
    Step onWatermark(int, Watermark watermark, Output&) override {
      return note("W " + std::to_string(watermark.time.ms));
    }
    Step beforeBarrier(CheckpointId id, Output&) override {
      return note("barrier " + std::to_string(id.value));
    }
    Step onEndOfInput(int, Output&) override { return note("end"); }

   private:
    Step note(std::string what) {
      log_->push_back(std::move(what));
      return Step::kDone;
    }
    Log log_;
  };

  StepTime now() const override { return {env_.clock.monotonicNanos(), env_.clock.wallTime()}; }
  void offload(std::string, MoveFunction<void()> work,
               MoveFunction<void(std::optional<Error>)> done) override {
    work();
    mails_.push_back([done = std::move(done)]() mutable { done({}); });
  }
  int64_t availableNanos() const override { return env_.clock.monotonicNanos(); }
  void requestSplit() override {}
  void sendSourceEvent(std::string) override {}
  void reportWatermark(Timestamp) override {}
  void post(MoveFunction<void()> mail) override { mails_.push_back(std::move(mail)); }

  SimulatedEnv sim_{1};
  Env env_;
  BatchPools pools_;
  Configuration configuration_;
  JobVertex vertex_;
  std::deque<MoveFunction<void()>> mails_;
  std::optional<OperatorChain> chain_;

 public:
  const Log log;
};

// Keeps what it gets and puts it out before a barrier: one record a call, the last after off-loaded work.
class FlushesBeforeBarriers final : public Operator {
 public:
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    kept_.push_back(std::move(batch));
    return Step::kDone;
  }
  Step beforeBarrier(CheckpointId, Output& output) override { return resume(output); }
  Step resume(Output& output) override {
    if (kept_.empty()) return Step::kDone;
    if (kept_.size() == 1 && !std::exchange(asked_, true)) {
      context_->offload(
          "flush", [] {}, [this] { context_->askToResume(); });
      return Step::kWait;
    }
    output.emit(std::move(kept_.front()));
    kept_.erase(kept_.begin());
    return kept_.empty() ? Step::kDone : Step::kMore;
  }

 private:
  OperatorContext* context_ = nullptr;
  std::vector<Batch> kept_;
  bool asked_ = false;
};

TEST(OperatorChain, ABarrierWaitsForWhatBelongsBeforeIt) {
  BareChain chain({make<FlushesBeforeBarriers>(), passOn(), make<Yielding>()});
  for (int64_t i = 1; i <= 3; ++i) chain.deliver(chain.batch(i));
  chain.deliver(Barrier{.checkpoint = CheckpointId(7)});
  EXPECT_TRUE(chain.blocked());
  chain.run();
  EXPECT_FALSE(chain.blocked());
  chain.deliver(Barrier{.checkpoint = CheckpointId(8)});
  chain.deliver(EndOfInput{});
  chain.run();
  EXPECT_EQ(*chain.log, (std::vector<std::string>{"1", "2", "3", "barrier 7", "barrier 8", "end"}));
}

// Fires for as long as it is asked to, without an output that could be full.
class FiresLong final : public Operator {
 public:
  FiresLong(std::shared_ptr<int> calls, Log log) : calls_(std::move(calls)), log_(std::move(log)) {}
  Step onBatch(int, Batch, Output& output) override { return resume(output); }
  Step resume(Output&) override {
    log_->push_back("fires");
    return ++*calls_ < 1000 ? Step::kMore : Step::kDone;
  }

 private:
  std::shared_ptr<int> calls_;
  Log log_;
};

TEST(OperatorChain, AnOperatorThatYieldsGoesOnInTheNextStep) {
  const auto calls = std::make_shared<int>(0);
  BareChain chain({passOn(), make<FiresLong>(calls, newLog()), passOn()});
  chain.deliver(chain.batch(1));
  for (int step = 1; step < 1000; ++step) {
    EXPECT_EQ(*calls, step);
    chain.step();
  }
  EXPECT_FALSE(chain.blocked());
}

TEST(OperatorChain, ALongFiringLetsOtherTasksOfItsLaneRun) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Log log = newLog();
    Pipeline pipeline(numbers(1));
    pipeline.then("fires", make<FiresLong>(std::make_shared<int>(0), log));
    StreamGraph& graph = pipeline.graph;
    graph.nodes.back().kind = NodeKind::kSink;
    StreamNode source{.id = 3, .kind = NodeKind::kSource, .name = "other"};
    source.source = numbers(500);
    graph.nodes.push_back(std::move(source));
    pipeline.then("other sink", batchOperator([log](Batch, Output&) { log->push_back("other"); }));
    TestWorker test(pipeline.job(), seed);
    test.scheduler.join();
    const auto others = std::count(log->begin(), log->end(), "other");
    const auto last = std::find(log->rbegin(), log->rend(), "other") - log->rbegin();
    EXPECT_GT(others, 5);
    EXPECT_GT(last, 500) << "seed " << seed << ": the others are through long before the firing";
  }
}

TEST(OperatorChain, WhatWaitsInTheChainIsWorkedOffInPortions) {
  const auto calls = std::make_shared<int>(0);
  const auto many = batchOperator([](Batch batch, Output& output) {
    for (int i = 0; i < 1000; ++i) {
      auto rows = std::make_unique<Rows<int64_t>>();
      rows->emplace(batch.rows<int64_t>()[0] + i);
      output.emit(Batch(std::move(rows)));
    }
  });
  const auto count =
      batchOperator([calls](Batch, Output&) { return ++*calls == 1 ? Step::kMore : Step::kDone; });
  BareChain chain({many, count});
  chain.deliver(chain.batch(0));
  EXPECT_EQ(*calls, 1) << "the others wait until it goes on";
  int steps = 0;
  for (int before = 0; chain.blocked(); ++steps) {
    before = *calls;
    chain.step();
    EXPECT_LE(*calls - before, 2 * 16) << "in one step";
  }
  EXPECT_EQ(*calls, 1000);
  EXPECT_GT(steps, 30);
}

}  // namespace
}  // namespace flott
