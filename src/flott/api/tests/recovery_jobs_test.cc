// Windows, timers, rolling sums and joins of jobs that crashed and were started from their last checkpoint at
// another parallelism put out what jobs without a crash do.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/api/windowed_stream.h"
#include "flott/master/embedded_job.h"
#include "flott/operators/static_enumerator.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kRecords = 6000;

struct Reading {
  int64_t sensor = 0;
  int64_t value = 0;
};

struct Numbers {
  int64_t next = 0;
  std::string splitId() const { return "numbers"; }
};

class NumbersReader final : public SequentialReader<int64_t, Numbers> {
  Poll read(Numbers& numbers, SourceOutput<int64_t>& out) override {
    for (int i = 0; i < 3 && numbers.next < kRecords; ++i) out.collect(numbers.next++);
    return numbers.next < kRecords ? Poll::kMore : Poll::kEnd;
  }
};

/// From 0 on, in order and in small batches, so that a checkpoint falls anywhere among them.
class SlowNumbers final : public Source<int64_t, Numbers> {
 public:
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<Numbers>>(Handout::kOnRequest, restored.value_or(State(1)));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<NumbersReader>(); }
};

/// Outside of the jobs.
struct Outside {
  std::set<std::string> results;
  int64_t untilCrash = 0;  // records; 0: never
};

using Keyed = decltype(std::declval<const DataStream<Reading>&>().keyBy(&Reading::sensor));
using Transformation = std::function<DataStream<Reading>(const Keyed&)>;

/// The numbers as readings of 7 sensors, one every 10 ms of event time but for pauses now and then.
void build(StreamExecutionEnvironment& env, const Transformation& transformation,
           const std::shared_ptr<Outside>& outside) {
  const auto times = WatermarkStrategy<Reading>::forBoundedOutOfOrderness(1s).withTimestampAssigner(
      [](const Reading& reading) { return reading.value * 10 + reading.value / 500 * 4000; });
  const DataStream<Reading> readings = env.fromSource(sourceOf(SlowNumbers(), "numbers"))
                                           .map([outside](int64_t n) {
                                             if (outside->untilCrash > 0 && --outside->untilCrash == 0)
                                               throw std::runtime_error("crash");
                                             return Reading{n % 7, n};
                                           })
                                           .assignTimestampsAndWatermarks(times);
  transformation(readings.keyBy(&Reading::sensor))
      .map([outside](const Reading& result) {
        outside->results.insert(toText(result));
        return result.value;
      })
      .print();
}

// Puts a sensor's sum out a while after its last record, by a timer, and at the end.
class SumAfterSilence : public KeyedProcessFunction<int64_t, Reading, Reading> {
 public:
  explicit SumAfterSilence(StateTtl ttl = StateTtl::disabled()) : ttl_(ttl) {}
  void open(RuntimeContext& context) override {
    sum_ = context.state(ValueStateDescriptor<int64_t>("sum").ttl(ttl_));
    last_ = context.state(ValueStateDescriptor<int64_t>("last").ttl(ttl_));
  }
  void processElement(const Reading& reading, Context& ctx, Collector<Reading>&) override {
    sum_.set(sum_.get() + reading.value);
    if (last_.get() > 0) ctx.timerService().deleteEventTimeTimer(Timestamp(last_.get()));
    last_.set(std::max(last_.get(), ctx.timestamp().ms + 2000));
    ctx.timerService().registerEventTimeTimer(Timestamp(last_.get()));
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<Reading>& out) override {
    out.collect({ctx.getCurrentKey(), sum_.get()});
  }

 private:
  StateTtl ttl_;
  ValueState<int64_t> sum_;
  ValueState<int64_t> last_;
};

struct Case {
  const char* name;
  Transformation transformation;
};

class RecoveryJobs : public testing::TestWithParam<Case> {};

/// Asks for checkpoints at moments that the seed chooses, until `job` is null.
void triggerSome(TestWorld& world, const std::shared_ptr<EmbeddedJob*>& job, int count) {
  ASSERT_TRUE(world.sim().offload().submit("trigger", [&world, job, count] {
    if (*job == nullptr) return;
    (*job)->triggerCheckpoint([](CheckpointOutcome) {});
    if (count > 1) triggerSome(world, job, count - 1);
  }));
}

Configuration kept(int parallelism) {
  Configuration configuration;
  configuration.set("parallelism.default", std::to_string(parallelism));
  configuration.set("taskmanager.network.memory.buffers-per-channel", "1");
  configuration.set("execution.checkpointing.dir", "/checkpoints");
  configuration.set("execution.checkpointing.create-subdir", "false");
  configuration.set("execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION");
  return configuration;
}

/// On disk hardly anything stays in memory from one batch to the next.
Configuration keptOn(const std::string& backend, int parallelism) {
  Configuration configuration = kept(parallelism);
  configuration.set("state.backend.type", backend);
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-recovery-jobs");
  configuration.set("flott.state.rocksdb.cache-size", "1");
  return configuration;
}

void recover(const Transformation& transformation, const std::string& before, const std::string& after) {
  const auto calm = std::make_shared<Outside>();
  {
    TestWorld world;
    auto env = world.environment();
    build(env, transformation, calm);
    env.execute();
  }
  ASSERT_FALSE(calm->results.empty());
  int went = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = kRecords / 2 + static_cast<int64_t>(random.below(kRecords / 2));
    {
      auto env = world.environment(keptOn(before, static_cast<int>(1 + random.below(3))));
      build(env, transformation, outside);
      JobClient client = env.executeAsync();
      const auto job = std::make_shared<EmbeddedJob*>(&client.job());
      triggerSome(world, job, 5000);
      EXPECT_THROW(client.result(), Error);
      *job = nullptr;
    }
    if (!world.sim().files().stat("/checkpoints")) continue;
    const std::vector<FileInfo> folders = world.sim().files().listFolder("/checkpoints");
    if (folders.empty()) continue;
    ++went;
    Configuration configuration = keptOn(after, static_cast<int>(1 + random.below(4)));
    configuration.set("execution.state-recovery.path", folders.back().path);
    auto env = world.environment(configuration);
    build(env, transformation, outside);
    EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(outside->results, calm->results) << "seed " << seed;
  }
  EXPECT_GT(went, 10) << "hardly a job had a checkpoint";
}

TEST_P(RecoveryJobs, PutOutWhatJobsWithoutACrashDo) {
  recover(GetParam().transformation, "hashmap", "hashmap");
}
TEST_P(RecoveryJobs, PutOutTheSameOnDisk) { recover(GetParam().transformation, "rocksdb", "rocksdb"); }
TEST_P(RecoveryJobs, PutOutTheSameWhenTheyMoveToAnotherBackend) {
  recover(GetParam().transformation, "hashmap", "rocksdb");
  recover(GetParam().transformation, "rocksdb", "hashmap");
}

INSTANTIATE_TEST_SUITE_P(
    Streams, RecoveryJobs,
    testing::Values(Case{"Tumbling",
                         [](const Keyed& readings) -> DataStream<Reading> {
                           return readings.window(TumblingEventTimeWindows::of(1s)).sum(&Reading::value);
                         }},
                    Case{
                        "Sliding",
                        [](const Keyed& readings) -> DataStream<Reading> {
                          return readings.window(SlidingEventTimeWindows::of(2s, 500ms)).sum(&Reading::value);
                        }},
                    Case{"Session",
                         [](const Keyed& readings) -> DataStream<Reading> {
                           return readings.window(EventTimeSessionWindows::withGap(1s)).sum(&Reading::value);
                         }},
                    Case{"Triggered",
                         [](const Keyed& readings) -> DataStream<Reading> {
                           return readings.window(TumblingEventTimeWindows::of(1s))
                               .trigger(EventTimeTrigger::create())
                               .sum(&Reading::value);
                         }},
                    Case{"Timers",
                         [](const Keyed& readings) -> DataStream<Reading> {
                           return readings.process(SumAfterSilence());
                         }},
                    Case{"TimeToLive",
                         [](const Keyed& readings) -> DataStream<Reading> {
                           return readings.process(SumAfterSilence(StateTtl::after(24h)));
                         }}),
    [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace flott
