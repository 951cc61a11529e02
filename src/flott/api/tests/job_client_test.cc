// The handle on a running job, what it can be asked, and what settings of single operators make of the job.
#include "flott/api/job_client.h"

#include <atomic>

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
  void encode(ByteWriter& out) const override { out.zigzag(largest_); }
  void decode(ByteReader& in) override { largest_ = in.zigzag(); }

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

TEST(JobClient, AccumulatorsAreMergedWhileTheJobRuns) {
  TestWorld world(4);
  auto env = world.environment();
  env.setParallelism(3);
  env.fromGenerator<int64_t>([](int64_t i) { return i; }, {.count = 1000, .recordsPerSecond = 100})
      .rebalance()
      .map(Count())
      .addSink([](int64_t) {});
  JobClient client = env.executeAsync();
  int64_t before = 0;
  for (int second = 1; second < 10; ++second) {
    ASSERT_FALSE(world.advance(Duration::seconds(1)));
    const Accumulators live = client.accumulators();
    const auto* records = dynamic_cast<const IntCounter*>(live.find("records"));
    ASSERT_NE(records, nullptr);
    EXPECT_NEAR(records->value(), 100 * second, 30);
    EXPECT_GT(records->value(), before);
    before = records->value();
  }
  const JobExecutionResult result = client.result();
  EXPECT_EQ(result.accumulator<IntCounter>("records").value(), 1000);
  EXPECT_NEAR(static_cast<double>(result.runTime().ms), 10'000, 500);
}

/// Counts from 0 for ever, by the clock: calls that wait for so long return.
DataStream<int64_t> endless(StreamExecutionEnvironment& env) {
  return env.fromGenerator<int64_t>([](int64_t i) { return i; }, {.recordsPerSecond = 1000});
}

TEST(JobClient, CancelsAJobThatWouldNotEnd) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    int64_t seen = 0;
    endless(env).addSink([&seen](int64_t) { ++seen; });
    JobClient client = env.executeAsync();
    while (seen < 1000) ASSERT_FALSE(client.waitFor(Duration::millis(1)));
    EXPECT_EQ(client.status(), JobStatus::kRunning);
    client.cancel();
    EXPECT_EQ(client.result().status(), JobStatus::kCancelled);
    const int64_t then = seen;
    EXPECT_TRUE(world.runUntilIdle());
    EXPECT_EQ(seen, then);
  }
}

/// All that the world's log says about metrics.
int listings(TestWorld& world, const std::string& job) {
  int count = 0;
  for (const std::string& line : world.sim().log().lines()) {
    if (!line.starts_with("INFO [metrics] of job '" + job + "':\n")) continue;
    EXPECT_NE(line.find("numRecordsOut = "), std::string::npos) << line;
    ++count;
  }
  return count;
}

TEST(JobSignals, CancelWhatExecuteRuns) {
  TestWorld world(5);
  auto env = world.environment();
  endless(env)
      .map([&world](int64_t x) {
        if (x == 100) world.sim().signals().raise(2);
        return x;
      })
      .addSink([](int64_t) {});
  EXPECT_EQ(env.execute("endless").status(), JobStatus::kCancelled);
  EXPECT_EQ(world.sim().console().errText(),
            "\nInterrupted: cancelling job 'endless'; once more ends the program at once.\n");
  EXPECT_EQ(listings(world, "endless"), 1);
}

TEST(JobSignals, CancelWhatWasStartedAndIsWaitedFor) {
  for (const bool byResult : {false, true}) {
    TestWorld world(6);
    auto env = world.environment();
    endless(env).addSink([](int64_t) {});
    JobClient started = env.executeAsync("endless");
    ASSERT_FALSE(started.waitFor(Duration::millis(1)));
    JobClient client = std::move(started);
    world.sim().signals().raise(15);
    if (!byResult) {
      while (!client.waitFor(Duration::seconds(1))) {
      }
      EXPECT_EQ(listings(world, "endless"), 1);
    }
    EXPECT_EQ(client.result().status(), JobStatus::kCancelled);
    EXPECT_EQ(listings(world, "endless"), 1) << "once";
    EXPECT_EQ(world.sim().console().errText(),
              "\nTerminated: cancelling job 'endless'; once more ends the program at once.\n");
    world.sim().signals().raise(2);
    EXPECT_EQ(world.sim().console().errText().find("Interrupted"), std::string::npos)
        << "the job has ended: signals are the program's again";
  }
}

TEST(JobSignals, EndTheResultsThatAreRead) {
  TestWorld world(7);
  auto env = world.environment();
  auto results = endless(env).collectAsync("endless");
  for (int64_t number = 0; number < 100; ++number) EXPECT_EQ(results.next(), number);
  world.sim().signals().raise(2);
  int more = 0;
  while (results.next()) ASSERT_LT(++more, 1000);
  EXPECT_EQ(results.client().status(), JobStatus::kCancelled);
  EXPECT_EQ(world.sim().console().errText(),
            "\nInterrupted: cancelling job 'endless'; once more ends the program at once.\n");
}

TEST(JobSignals, OfAJobWhoseEndNobodyHasSeenSayThat) {
  TestWorld world(8);
  auto env = world.environment();
  env.fromSequence(1, 10).addSink([](int64_t) {});
  JobClient client = env.executeAsync("short");
  ASSERT_TRUE(world.runUntilIdle());
  world.sim().signals().raise(2);
  EXPECT_EQ(world.sim().console().errText(),
            "\nInterrupted: job 'short' has ended already; once more ends the program at once.\n");
  EXPECT_EQ(client.result().status(), JobStatus::kFinished);
}

TEST(JobClient, TwoJobsRunAtOnce) {
  TestWorld world(9);
  auto env = world.environment();
  std::vector<int64_t> ones, twos;
  env.fromSequence(1, 100).map([](int64_t x) { return 2 * x; }).addSink([&](int64_t x) {
    ones.push_back(x);
  });
  JobClient first = env.executeAsync("first");
  endless(env).addSink([&](int64_t x) { twos.push_back(x); });
  JobClient second = env.executeAsync("second");
  ASSERT_FALSE(second.waitFor(Duration::millis(1)));
  EXPECT_FALSE(isFinal(first.status()));
  EXPECT_EQ(first.result().jobName(), "first");
  EXPECT_EQ(ones.size(), 100u);
  EXPECT_EQ(second.status(), JobStatus::kRunning);
  world.sim().signals().raise(2);
  EXPECT_EQ(second.result().status(), JobStatus::kCancelled);
  EXPECT_EQ(first.status(), JobStatus::kFinished);
}

// On real threads: each goes on until it has heard of the other.
TEST(JobClient, TwoJobsMeetOnRealThreads) {
  auto env = StreamExecutionEnvironment::createLocalEnvironment(2);
  EXPECT_EQ(env.parallelism(), 2);
  std::atomic<bool> here[2] = {false, false};
  std::vector<JobClient> clients;
  for (int me = 0; me < 2; ++me) {
    env.fromFunction<int64_t>([mine = &here[me], other = &here[1 - me]](SourceOutput<int64_t>& out) {
         out.collect(1);
         mine->store(true);
         return !other->load();
       })
        .addSink([](int64_t) {});
    clients.push_back(env.executeAsync("job " + std::to_string(me)));
  }
  for (JobClient& client : clients) EXPECT_EQ(client.result().status(), JobStatus::kFinished);
}

TEST(JobClient, ReadsResultsWhileTheJobRunsAndLeavingCancels) {
  TestWorld world(3);
  auto env = world.environment();
  auto results = endless(env).collectAsync();
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
