// What operators keep goes through a crash: jobs that crashed and were started from their last checkpoint at
// another parallelism put out what jobs without a crash do.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>

#include "flott/api/async_data_stream.h"
#include "flott/api/broadcast_stream.h"
#include "flott/api/interval_join.h"
#include "flott/api/pre_aggregated_stream.h"
#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/api/window_join.h"
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

/// Keeps the last result of each sensor and puts it out at the end, where those before it depend on batches
/// or on the clock.
class LastOfAll : public KeyedProcessFunction<int64_t, Reading, Reading> {
 public:
  void open(RuntimeContext& ctx) override { last_ = ctx.state(ValueStateDescriptor<int64_t>("last")); }
  void processElement(const Reading& reading, Context& ctx, Collector<Reading>&) override {
    last_.set(std::max(last_.get(), reading.value));
    ctx.timerService().registerEventTimeTimer(Timestamp::max());
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<Reading>& out) override {
    out.collect({ctx.getCurrentKey(), last_.get()});
  }

 private:
  ValueState<int64_t> last_;
};

const MapStateDescriptor<int64_t, int64_t> kRules("rules");

/// At the end, for each sensor: the sum of all rules that came by.
class SumOfRules : public KeyedBroadcastProcessFunction<int64_t, Reading, Reading, Reading> {
 public:
  void processElement(const Reading&, ReadOnlyContext& ctx, Collector<Reading>&) override {
    ctx.timerService().registerEventTimeTimer(Timestamp::max());
  }
  void processBroadcastElement(const Reading& rule, Context& ctx, Collector<Reading>&) override {
    ctx.getBroadcastState(kRules).put(rule.value, rule.value);
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<Reading>& out) override {
    int64_t sum = 0;
    for (const auto& [rule, value] : ctx.getBroadcastState(kRules).entries()) sum += value;
    out.collect({ctx.getCurrentKey(), sum});
  }
};

/// A pair of readings as one.
Reading both(const Reading& a, const Reading& b) { return {a.sensor, a.value * 10'000 + b.value}; }

struct Case {
  const char* name;
  Transformation transformation;
};

class RecoveryJobs : public testing::TestWithParam<Case> {};

/// Asks for checkpoints at moments that the seed chooses, until `job` is null. The clock moves a little.
void triggerSome(TestWorld& world, const std::shared_ptr<JobMaster*>& job, int count) {
  ASSERT_TRUE(world.sim().offload().submit("trigger", [&world, job, count] {
    if (*job == nullptr) return;
    world.sim().clock().advanceTo(world.sim().clock().monotonicNanos() + 1'000'000);
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
  configuration.set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
  return configuration;
}

/// On disk hardly anything stays in memory from one batch to the next. "… shared": checkpoints share files.
Configuration keptOn(const std::string& backend, int parallelism) {
  Configuration configuration = kept(parallelism);
  const bool shared = backend.ends_with(" shared");
  configuration.set("execution.checkpointing.incremental", shared ? "true" : "false");
  if (shared) configuration.set("execution.checkpointing.data-inline-threshold", "0");
  configuration.set("state.backend.type", backend.substr(0, backend.find(' ')));
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-recovery-jobs");
  configuration.set("flott.state.rocksdb.cache-size", "1");
  return configuration;
}

/// How barriers find their way: "" in their place; "0 ms": they overtake; else they do after a while.
void align(Configuration& configuration, const std::string& alignedFor) {
  if (alignedFor.empty()) return;
  configuration.set("execution.checkpointing.unaligned.enabled", "true");
  configuration.set("execution.checkpointing.aligned-checkpoint-timeout", alignedFor);
}

void recover(const Transformation& transformation, const std::string& before, const std::string& after,
             uint64_t seeds, const std::string& alignedFor = {}) {
  const auto calm = std::make_shared<Outside>();
  {
    TestWorld world;
    auto env = world.environment();
    build(env, transformation, calm);
    env.execute();
  }
  ASSERT_FALSE(calm->results.empty());
  int went = 0;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = kRecords / 2 + static_cast<int64_t>(random.below(kRecords / 2));
    {
      Configuration configuration = keptOn(before, static_cast<int>(1 + random.below(3)));
      align(configuration, alignedFor);
      auto env = world.environment(configuration);
      build(env, transformation, outside);
      JobClient client = env.executeAsync();
      const auto job = std::make_shared<JobMaster*>(&client.master());
      triggerSome(world, job, 5000);
      EXPECT_THROW(client.result(), Error);
      *job = nullptr;
    }
    if (!world.sim().files().stat("/checkpoints")) continue;
    std::vector<FileInfo> folders = world.sim().files().listFolder("/checkpoints");
    std::erase_if(folders, [](const FileInfo& folder) { return folder.path.ends_with("/shared"); });
    if (folders.empty()) continue;
    ++went;
    Configuration configuration = keptOn(after, static_cast<int>(1 + random.below(4)));
    align(configuration, alignedFor);
    configuration.set("execution.state-recovery.path", folders.back().path);
    auto env = world.environment(configuration);
    build(env, transformation, outside);
    EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(outside->results, calm->results) << "seed " << seed;
  }
  EXPECT_GE(went, static_cast<int>(seeds / 4)) << "hardly a job had a checkpoint";
}

TEST_P(RecoveryJobs, PutOutWhatJobsWithoutACrashDo) {
  recover(GetParam().transformation, "hashmap", "hashmap", 20);
}
TEST_P(RecoveryJobs, PutOutTheSameWhenBarriersOvertake) {
  recover(GetParam().transformation, "hashmap", "hashmap", 20, "0 ms");
}
TEST_P(RecoveryJobs, PutOutTheSameWhenBarriersOvertakeAfterAWhile) {
  recover(GetParam().transformation, "hashmap", "hashmap", 10, "2 ms");
}
TEST_P(RecoveryJobs, PutOutTheSameOnDisk) { recover(GetParam().transformation, "rocksdb", "rocksdb", 5); }
TEST_P(RecoveryJobs, PutOutTheSameWhenTheyMoveToAnotherBackend) {
  recover(GetParam().transformation, "hashmap", "rocksdb", 3);
  recover(GetParam().transformation, "rocksdb", "hashmap", 3);
}

TEST_P(RecoveryJobs, PutOutTheSameFromFilesThatCheckpointsShare) {
  recover(GetParam().transformation, "rocksdb shared", "rocksdb shared", 4);
  recover(GetParam().transformation, "rocksdb shared", "hashmap", 2);
  recover(GetParam().transformation, "hashmap shared", "hashmap shared", 4);
  recover(GetParam().transformation, "hashmap shared", "rocksdb shared", 1);
}

using Readings = DataStream<Reading>;

Readings unkeyed(const Keyed& readings) { return Readings(readings.handle()); }

const Case kCases[] = {
    {"Tumbling",
     [](const Keyed& readings) -> Readings {
       return readings.window(TumblingEventTimeWindows::of(1s)).sum(&Reading::value);
     }},
    {"Sliding",
     [](const Keyed& readings) -> Readings {
       return readings.window(SlidingEventTimeWindows::of(2s, 500ms)).sum(&Reading::value);
     }},
    {"Session",
     [](const Keyed& readings) -> Readings {
       return readings.window(EventTimeSessionWindows::withGap(1s)).sum(&Reading::value);
     }},
    {"Triggered",
     [](const Keyed& readings) -> Readings {
       return readings.window(TumblingEventTimeWindows::of(1s))
           .trigger(EventTimeTrigger::create())
           .sum(&Reading::value);
     }},
    {"OnProcessingTime",
     [](const Keyed& readings) -> Readings {
       return readings.window(TumblingProcessingTimeWindows::of(1h)).sum(&Reading::value);  // one window
     }},
    {"Count",
     [](const Keyed& readings) -> Readings { return readings.countWindow(11).sum(&Reading::value); }},
    {"SlidingCount",
     [](const Keyed& readings) -> Readings { return readings.countWindow(11, 3).sum(&Reading::value); }},
    {"WindowJoin",
     [](const Keyed& readings) -> Readings {
       return unkeyed(readings)
           .join(unkeyed(readings))
           .where(&Reading::sensor)
           .equalTo(&Reading::sensor)
           .window(TumblingEventTimeWindows::of(200ms))
           .apply(both);
     }},
    {"CoGroup",
     [](const Keyed& readings) -> Readings {
       return unkeyed(readings)
           .coGroup(readings.filter([](const Reading& reading) { return reading.value % 3 == 0; }))
           .where(&Reading::sensor)
           .equalTo(&Reading::sensor)
           .window(TumblingEventTimeWindows::of(1s))
           .apply([](const CoGroupRecords<Reading>& all, const CoGroupRecords<Reading>& some,
                     Collector<Reading>& out) {
             Reading sums;
             for (const Reading& reading : all) sums = {reading.sensor, sums.value + reading.value};
             for (const Reading& reading : some) sums.value += 100'000'000 + reading.value;
             out.collect(sums);
           });
     }},
    {"IntervalJoin",
     [](const Keyed& readings) -> Readings {
       return readings.intervalJoin(readings)
           .between(-100ms, 100ms)
           .process(
               [](const Reading& a, const Reading& b, Collector<Reading>& out) { out.collect(both(a, b)); });
     }},
    {"RollingSum", [](const Keyed& readings) -> Readings { return readings.sum(&Reading::value); }},
    {"PreAggregated",
     [](const Keyed& readings) -> Readings {
       return readings.preAggregate({.maxKeys = 4})
           .sum(&Reading::value)
           .keyBy(&Reading::sensor)
           .process(LastOfAll());
     }},
    {"Salted",
     [](const Keyed& readings) -> Readings {
       return readings.salted(3, {.maxKeys = 4})
           .sum(&Reading::value)
           .keyBy(&Reading::sensor)
           .process(LastOfAll());
     }},
    {"Broadcast",
     [](const Keyed& readings) -> Readings {
       return readings
           .connect(readings.filter([](const Reading& reading) { return reading.value % 100 == 0; })
                        .broadcast(kRules))
           .process(SumOfRules());
     }},
    {"Async",
     [](const Keyed& readings) -> Readings {
       return AsyncDataStream::unorderedWait(readings, blocking([](const Reading& reading) {
                                               return Reading{reading.sensor, -reading.value};
                                             }),
                                             60s);
     }},
    {"Timers", [](const Keyed& readings) -> Readings { return readings.process(SumAfterSilence()); }},
    {"TimeToLive",
     [](const Keyed& readings) -> Readings {
       return readings.process(SumAfterSilence(StateTtl::after(24h)));
     }},
};

INSTANTIATE_TEST_SUITE_P(Streams, RecoveryJobs, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& info) {
                           return std::string(info.param.name);
                         });

/// A reminder 10 s after each record, on processing time.
struct Remind : KeyedProcessFunction<int64_t, int64_t, int64_t> {
  void processElement(const int64_t&, Context& ctx, Collector<int64_t>&) override {
    ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime() + 10s);
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<int64_t>& out) override {
    out.collect(ctx.getCurrentKey());
    EXPECT_GE(ctx.timerService().currentProcessingTime(), at);
  }
};

TEST(RecoveredTimers, ThatWereDueWhileTheJobWasDownFireAtOnce) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    TestWorld world(seed);
    const auto start = [&](Configuration configuration, int64_t records, CollectBuffer<int64_t>& results) {
      auto env = world.environment(std::move(configuration));
      env.fromFunction<int64_t>([sent = int64_t{0}, records](SourceOutput<int64_t>& out) mutable {
           if (sent < records) out.collect(sent++);
           return true;
         })
          .keyBy([](int64_t number) { return number; })
          .process(Remind())
          .transformToSink("Results", results.sink());
      return env.executeAsync();
    };
    std::string checkpoint;
    {
      CollectBuffer<int64_t> results;
      JobClient job = start(kept(2), 20, results);
      EXPECT_FALSE(world.advance(3s));
      checkpoint = job.triggerCheckpoint().folder;
      EXPECT_EQ(results.takeAll(), std::vector<int64_t>());
    }
    world.sim().clock().advanceTo(world.sim().clock().monotonicNanos() + 60'000'000'000);
    Configuration configuration = kept(static_cast<int>(1 + seed % 3));
    configuration.set("execution.state-recovery.path", checkpoint);
    CollectBuffer<int64_t> results;
    JobClient job = start(configuration, 0, results);
    EXPECT_FALSE(world.advance(1ms));
    std::vector<int64_t> reminded = results.takeAll();
    std::sort(reminded.begin(), reminded.end());
    std::vector<int64_t> all;
    for (int64_t number = 0; number < 20; ++number) all.push_back(number);
    EXPECT_EQ(reminded, all) << "seed " << seed;
  }
}

}  // namespace
}  // namespace flott
