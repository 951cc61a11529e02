// The handle on a running job, what it can be asked, and what settings of single operators make of the job.
#include "flott/api/job_client.h"

#include "flott/api/operator_harness.h"
#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"

namespace flott {
namespace {

/// The largest value added by any subtask.
class Largest final : public Accumulator {
 public:
  void add(int64_t value) { largest_ = std::max(largest_, value); }
  int64_t value() const { return largest_; }
  std::unique_ptr<Accumulator> clone() const override { return std::make_unique<Largest>(*this); }
  void merge(const Accumulator& other) override { add(dynamic_cast<const Largest&>(other).largest_); }
  std::string text() const override { return std::to_string(largest_); }

 private:
  int64_t largest_ = 0;
};

struct Count {
  IntCounter* records = nullptr;
  LongCounter* sum = nullptr;
  DoubleCounter* halves = nullptr;
  HistogramAccumulator* digits = nullptr;
  Largest* largest = nullptr;

  void open(RuntimeContext& ctx) {
    records = &ctx.accumulator<IntCounter>("records");
    sum = &ctx.accumulator<LongCounter>("sum");
    halves = &ctx.accumulator<DoubleCounter>("halves");
    digits = &ctx.accumulator<HistogramAccumulator>("digits");
    largest = &ctx.accumulator<Largest>("largest");
  }
  int64_t operator()(int64_t x) {
    records->add(1);
    sum->add(x);
    halves->add(static_cast<double>(x) / 2);
    digits->add(x % 10);
    largest->add(x);
    return x;
  }
};

TEST(JobClient, AccumulatorsOfAllKindsAreMergedOverSubtasks) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(3);
    env.fromSequence(1, 1000).rebalance().map(Count()).addSink([](int64_t) {});
    JobClient client = env.executeAsync("counting");
    EXPECT_FALSE(isFinal(client.status()));
    EXPECT_LE(client.accumulators().all().size(), 5u) << "live: what there is so far";
    const JobExecutionResult result = client.result();
    EXPECT_EQ(client.status(), JobStatus::kFinished);
    EXPECT_EQ(result.accumulator<IntCounter>("records").value(), 1000);
    EXPECT_EQ(result.accumulator<LongCounter>("sum").value(), 500'500);
    EXPECT_EQ(result.accumulator<DoubleCounter>("halves").value(), 250'250);
    EXPECT_EQ(result.accumulator<HistogramAccumulator>("digits").value().at(7), 100);
    EXPECT_EQ(result.accumulator<Largest>("largest").value(), 1000);
    EXPECT_EQ(failure([&] { result.accumulator<LongCounter>("records"); }),
              "accumulator 'records' is of another class: ask for it with the class it was made with");
    EXPECT_EQ(failure([&] { result.accumulator<LongCounter>("record"); }),
              "the job has no accumulator 'record'; it has: digits, halves, largest, records, sum");
  }
}

TEST(JobClient, CancelsAJobThatWouldNotEnd) {
  TestWorld world(2);
  auto env = world.environment();
  int64_t seen = 0;
  env.fromFunction<int64_t>([](SourceOutput<int64_t>& out) {
       out.collect(1);
       return true;
     })
      .addSink([&seen](int64_t) { ++seen; });
  JobClient client = env.executeAsync();
  client.cancel();
  EXPECT_EQ(client.result().status(), JobStatus::kCancelled);
}

TEST(JobClient, ReadsResultsWhileTheJobRunsAndLeavingCancels) {
  TestWorld world(3);
  auto env = world.environment();
  auto endless = env.fromFunction<int64_t>([next = int64_t{0}](SourceOutput<int64_t>& out) mutable {
    out.collect(next++);
    return true;
  });
  auto results = endless.collectAsync();
  for (int64_t expected = 0; expected < 100; ++expected) EXPECT_EQ(results.next(), expected);
}

TEST(OperatorSettings, TheBufferTimeoutIsTheOperatorsElseTheEnvironments) {
  TestWorld world;
  auto env = world.environment();
  env.setBufferTimeout(Duration::millis(7)).disableOperatorChaining();
  auto first = env.fromSequence(1, 2).map([](int64_t x) { return x; });
  auto second = first.map([](int64_t x) { return x; }).setBufferTimeout(Duration::millis(0));
  second.map([](int64_t x) { return x; }).setBufferTimeout(Duration::millis(-1)).print();
  const auto timeouts = [&] {
    std::vector<int64_t> millis;
    for (const JobEdge& edge : compile(env.program()->graphWithSettings()).edges)
      millis.push_back(edge.bufferTimeout.ms);
    return millis;
  };
  EXPECT_EQ(timeouts(), (std::vector<int64_t>{7, 7, 0, -1}));
  env.setBufferTimeout(Duration::millis(-1));
  EXPECT_EQ(timeouts(), (std::vector<int64_t>{-1, -1, 0, -1}));
}

TEST(OperatorSettings, FunctionsSeeWhoTheyAre) {
  TestWorld world;
  auto env = world.environment();
  env.setParallelism(2).setMaxParallelism(32);
  struct Tell {
    std::string who;
    void open(RuntimeContext& ctx) {
      who = ctx.jobName() + " " + ctx.operatorName() + " " + std::to_string(ctx.subtaskIndex()) + "/" +
            std::to_string(ctx.parallelism()) + " of " + std::to_string(ctx.maxParallelism()) + ", attempt " +
            std::to_string(ctx.attemptNumber());
    }
    std::string operator()(int64_t) { return who; }
  };
  auto told = env.fromSequence(1, 2).rebalance().map(Tell()).name("teller").setMaxParallelism(64);
  CollectBuffer<std::string> results(size_t{1} << 20);
  told.transformToSink("Collect", results.sink());
  env.execute("who");
  EXPECT_EQ(sorted(results.takeAll()),
            (std::vector<std::string>{"who teller 0/2 of 64, attempt 0", "who teller 1/2 of 64, attempt 0"}));
}

/// Timers at full seconds only, so that records of one second share one.
class Coalesced : public KeyedProcessFunction<int64_t, int64_t, int64_t> {
 public:
  void processElement(const int64_t&, Context& ctx, Collector<int64_t>&) override {
    const int64_t inOneSecond = ctx.timerService().currentProcessingTime().ms + 1000;
    ctx.timerService().registerProcessingTimeTimer(Timestamp(inOneSecond / 1000 * 1000));
  }
  void onTimer(Timestamp at, OnTimerContext&, Collector<int64_t>& out) override {
    out.collect(at.ms % 10'000);
  }
};

TEST(Timers, OfAKeyThatAreRoundedToOneTimeFireOnce) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, int64_t> harness(options, [](const DataStream<int64_t>& numbers) {
      return numbers.keyBy([](int64_t) { return int64_t{7}; }).process(Coalesced());
    });
    harness.advance(Duration::millis(100));
    const int64_t second = harness.processingTime().ms / 1000 * 1000 % 10'000;
    for (int i = 0; i < 5; ++i) {
      harness.pushBatch({1, 2, 3});
      harness.advance(Duration::millis(150));
    }
    harness.advance(Duration::seconds(5));
    EXPECT_EQ(harness.output(), std::vector<int64_t>{(second + 1000) % 10'000});
  });
}

}  // namespace
}  // namespace flott
