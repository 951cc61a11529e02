// Event time of whole jobs: watermarks per split, alignment of sources, latency markers, and what is said of
// a watermark that does not rise.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "flott/api/operator_harness.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/tests/job_test.h"
#include "flott/api/tests/log_source.h"
#include "flott/api/watermarks.h"
#include "flott/api/windowed_stream.h"
#include "flott/base/options.h"
#include "flott/data/tests/random_value.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

auto monotonous() { return WatermarkStrategy<Logged>::forMonotonousTimestamps(); }

SourceOf<Logged> logOf(std::vector<LogSplit> splits, const std::string& name, LogSourceOptions options = {}) {
  return sourceOf(Log(std::move(splits), options), name);
}

// Counts records in windows of a second, and what came too late for them.
int64_t lateInWindows(uint64_t seed, bool perSplit) {
  TestWorld world(seed);
  auto env = world.environment();
  // One reader of two partitions, of which one is read far ahead of the other.
  std::vector<LogSplit> splits{steady("fast", 300, 10, 100), steady("slow", 300, 10, 1)};
  DataStream<Logged> stream =
      perSplit
          ? env.fromSource(logOf(std::move(splits), "log"), monotonous())
          : DataStream<Logged>(
                env.fromSource(logOf(std::move(splits), "log")).assignTimestampsAndWatermarks(monotonous()));
  stream.keyBy(&Logged::split)
      .window(TumblingEventTimeWindows::of(1s))
      .reduce([](const Logged& left, const Logged&) { return left; })
      .name("window")
      .addSink([](const Logged&) {});
  return env.execute("late").counter("window", "numLateRecordsDropped");
}

TEST(SplitWatermarks, ASplitThatRunsAheadMakesNoRecordOfTheOthersLate) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_EQ(lateInWindows(seed, true), 0);
    EXPECT_GT(lateInWindows(seed, false), 100) << "which is what the strategy in the source is for";
  }
}

// --- alignment ---

struct Drift {
  int64_t most = 0;  // of any record, ahead of what the slowest partition had read
  size_t records = 0;
};

// Runs two sources of one group; partitions have random speeds. Some end early, one says nothing for ever.
Drift drift(uint64_t seed, bool aligned, LogSourceOptions options) {
  test::RandomValues random(seed);
  std::vector<std::vector<LogSplit>> sources(2);
  std::map<std::string, int64_t> at;  // by partition that is not through
  size_t expected = 0;
  for (size_t source = 0; source < 2; ++source) {
    for (int i = 0; i < 3; ++i) {
      const std::string name = std::to_string(source) + "-" + std::to_string(i);
      const int64_t count = i == 0 ? 400 : static_cast<int64_t>(100 + random.below(400));
      int64_t speed = 1 + static_cast<int64_t>(random.below(20));
      if (i == 0) speed = source == 0 ? 1 : 20;
      sources[source].push_back(steady(name, count, 10, speed));
      at[name] = 0;
      expected += static_cast<size_t>(count);
    }
  }
  std::map<std::string, int64_t> last;
  for (const auto& source : sources) {
    for (const LogSplit& split : source) last[split.name] = split.records.back().at;
  }
  LogSplit silent{.name = "silent", .records = {}, .endless = true};
  sources[1].push_back(silent);

  TestWorld world(seed);
  Configuration configuration;
  configuration.set(kBufferTimeout, Duration());
  if (!options.canPause) configuration.set(kAllowUnalignedSplits, true);
  auto env = world.environment(std::move(configuration));
  const auto strategy = [&] {
    const auto idle = monotonous().withIdleness(500ms);
    return aligned ? idle.withWatermarkAlignment("group", 1s, 100ms) : idle;
  };
  const auto result = std::make_shared<Drift>();
  auto first = env.fromSource(logOf(sources[0], "first", options), strategy()).setParallelism(2);
  auto second = env.fromSource(logOf(sources[1], "second", options), strategy()).setParallelism(2);
  auto state = std::make_shared<std::pair<decltype(at), decltype(last)>>(std::move(at), std::move(last));
  first.unionWith(second).addSink([result, state](const Logged& record) {
    auto& [open, ends] = *state;
    ++result->records;
    for (const auto& [split, time] : open) result->most = std::max(result->most, record.at - time);
    open[record.split] = record.at;
    if (record.at == ends[record.split]) open.erase(record.split);
  });
  JobClient client = env.executeAsync("alignment");
  world.advance(600s);
  EXPECT_EQ(result->records, expected) << "nothing is lost, and nobody waits for ever";
  client.cancel();
  client.result();
  return *result;
}

TEST(TimestampAssigners, MayLookAtTheTimestampBefore) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, int64_t> harness(options, [](const DataStream<int64_t>& numbers) {
      return numbers.assignTimestampsAndWatermarks(
          WatermarkStrategy<int64_t>::forMonotonousTimestamps().withTimestampAssigner(
              [](int64_t number, Timestamp before) {
                return before == Timestamp::min() ? Timestamp(number) : before + Duration(100);
              }));
    });
    harness.pushStamped({{7, 1000}, {8, 2000}});
    harness.pushBatch({3, 4});
    EXPECT_EQ(harness.takeEvents(), (std::vector<std::string>{"7 @ 1100", "8 @ 2100", "3 @ 3", "4 @ 4"}));
  });
}

TEST(Alignment, SourcesOfAGroupDoNotRunAwayFromEachOther) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    // A second by the setting; 20 times as fast as the clock, within a tick, an update and a batch.
    EXPECT_LT(drift(seed, true, {}).most, 1000 + 20 * (200 + 100 + 10) + 20 * 200);
    EXPECT_GT(drift(seed, false, {}).most, 20'000);
  }
}

TEST(Alignment, WithoutPausingSplitsTheJobEndsToo) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    drift(seed, true, {.canPause = false});
  }
}

TEST(Alignment, IsDeterministic) {
  for (uint64_t seed = 0; seed < 3; ++seed) EXPECT_EQ(drift(seed, true, {}).most, drift(seed, true, {}).most);
}

TEST(Alignment, BelongsToTheSource) {
  TestWorld world;
  auto env = world.environment();
  EXPECT_EQ(
      failure([&] {
        env.fromSource(logOf({}, "log"))
            .assignTimestampsAndWatermarks(monotonous().withWatermarkAlignment("group", 1s));
      }),
      "withWatermarkAlignment(…) needs to hold the source back, which an operator behind it cannot: give "
      "the strategy to fromSource(source, strategy)");
}

// --- latency markers ---

TEST(LatencyMarkers, MeasureTheWayToEachOperator) {
  for (const std::string granularity : {"single", "operator", "subtask"}) {
    TestWorld world;
    Configuration configuration;
    configuration.set("metrics.latency.interval", "100 ms");
    configuration.set("metrics.latency.granularity", granularity);
    auto env = world.environment(std::move(configuration));
    env.fromSource(logOf({steady("a", 100, 10, 1), steady("b", 100, 10, 1)}, "log"))
        .setParallelism(2)
        .map([](const Logged& record) { return record.at; })
        .setParallelism(2)
        .name("map")
        .rebalance()
        .addSink([](int64_t) {})
        .name("sink");
    const JobExecutionResult result = env.execute("latency");
    std::map<std::string, double> counts;  // markers by operator and metric
    std::string names;
    for (const OperatorReadings& readings : result.details().metrics) {
      for (const MetricReading& reading : readings.metrics) {
        if (reading.name.find("latency") == std::string::npos) continue;
        if (readings.info.name == "map" && readings.info.subtask.value == 0) names += reading.name + "\n";
        counts[readings.info.name] += std::stod(reading.text.substr(2));
      }
    }
    const std::string source = toString(result.details().metrics.front().info.id);
    EXPECT_EQ(names, granularity == "single" ? "latency.latencyMicros\n"
                     : granularity == "operator"
                         ? "latency.source_id." + source + ".latencyMicros\n"
                         : "latency.source_id." + source + ".source_subtask_index.0.latencyMicros\n");
    EXPECT_NEAR(counts["map"], 20, 3) << "one every 100 ms from each of two readers for a second";
    EXPECT_EQ(counts["sink"], counts["map"]);
  }
}

TEST(LatencyMarkers, ThereAreNoneByDefault) {
  TestWorld world;
  auto env = world.environment();
  env.fromSource(logOf({steady("a", 100, 10, 1)}, "log")).addSink([](const Logged&) {});
  EXPECT_EQ(env.execute("latency").metricsText().find("latency"), std::string::npos);
}

// --- metrics ---

TEST(WatermarkMetrics, SayHowFarEventTimeIs) {
  TestWorld world;
  auto env = world.environment();
  env.fromSource(logOf({steady("a", 10, 100, 1, true)}, "log"), monotonous())
      .name("log")
      .addSink([](const Logged&) {});
  JobClient client = env.executeAsync("metrics");
  world.advance(3s);
  client.cancel();
  const std::string text = client.result().metricsText();
  const auto start = static_cast<int64_t>(1'767'225'600'000);
  const auto has = [&](const std::string& metric) {
    EXPECT_NE(text.find(metric), std::string::npos) << metric << "\n" << text;
  };
  has("currentOutputWatermark = 999\n");
  has("currentInputWatermark = 999\n");
  has("watermarkLag = " + std::to_string(start + 3000 - 999) + "\n");
  has("currentEmitEventTimeLag = " + std::to_string(start + 3000 - 1000) + "\n");
  has("sourceIdleTime = 2000\n");
}

// --- a watermark that does not rise ---

// A job over two partitions, each with a reader, and what is said of it after a minute.
template <typename Strategy>
std::string saidOf(std::vector<LogSplit> splits, const Strategy& strategy, bool perSource = true) {
  TestWorld world;
  Configuration configuration;
  configuration.set(kStallWarning, Duration());
  auto env = world.environment(std::move(configuration));
  const int readers = static_cast<int>(splits.size());
  auto source = perSource ? env.fromSource(logOf(std::move(splits), "log"), strategy)
                          : env.fromSource(logOf(std::move(splits), "log"));
  source.setParallelism(readers)
      .keyBy(&Logged::split)
      .window(TumblingEventTimeWindows::of(1s))
      .reduce([](const Logged& left, const Logged&) { return left; })
      .name("window")
      .addSink([](const Logged&) {})
      .name("print");
  JobClient client = env.executeAsync("stalled");
  world.advance(65s);
  const WatermarkReport report = client.watermarks();
  client.cancel();
  client.result();
  std::string text;
  for (const WatermarkHold& hold : report.operators) {
    if (hold.at.operatorName == "window") text += hold.toString();
  }
  return text;
}

TEST(WatermarkReport, NamesAPartitionWithoutData) {
  EXPECT_EQ(
      saidOf({steady("a", 100, 100, 1, true), {.name = "b", .records = {}, .endless = true}}, monotonous()),
      "operator 'window', subtask 1/1: no watermark yet, unmoved for 1 min 5 s\n"
      "  held back by source 'log', subtask 2/2, split 'b': no record has come yet, and it is not declared "
      "idle; withIdleness(…) in its strategy lets the others go on without it\n");
}

TEST(WatermarkReport, NamesAPartitionThatFellSilent) {
  EXPECT_EQ(
      saidOf({steady("a", 1000, 100, 1, true), steady("b", 50, 100, 1, true)}, monotonous()),
      "operator 'window', subtask 1/1: watermark 1970-01-01T00:00:04.999Z, unmoved for 59 s\n"
      "  held back by source 'log', subtask 2/2, split 'b': no record for 1 min, and it is not declared "
      "idle; withIdleness(…) in its strategy lets the others go on without it\n");
}

TEST(WatermarkReport, NamesTimestampsThatDoNotRise) {
  LogSplit stuck = steady("b", 1000, 100, 1, true);
  for (LogRecord& record : stuck.records) record.at = std::min<int64_t>(record.at, 5000);
  EXPECT_EQ(saidOf({steady("a", 1000, 100, 1, true), stuck}, monotonous()),
            "operator 'window', subtask 1/1: watermark 1970-01-01T00:00:04.999Z, unmoved for 59 s\n"
            "  held back by source 'log', subtask 2/2, split 'b': records come, the last 0 s ago, but their "
            "timestamps do not rise, or its generator makes no watermark of them\n");
}

TEST(WatermarkReport, SaysThatAllIsIdle) {
  EXPECT_EQ(
      saidOf({steady("a", 50, 100, 1, true)}, monotonous().withIdleness(1s)),
      "operator 'window', subtask 1/1: watermark 1970-01-01T00:00:04.999Z, unmoved for 59 s\n"
      "  held back by source 'log', subtask 1/1: it is idle, and so are all beside it: time stands still "
      "until a record comes\n");
}

TEST(WatermarkReport, SaysThatNobodyMakesWatermarks) {
  EXPECT_EQ(saidOf({steady("a", 50, 100, 1, true)}, monotonous(), false),
            "operator 'window', subtask 1/1: no watermark yet, unmoved for 1 min 5 s\n"
            "  held back by source 'log', subtask 1/1: it makes no watermarks; give it a strategy with "
            "fromSource(source, strategy), or call assignTimestampsAndWatermarks(strategy) on its stream\n");
}

TEST(WatermarkReport, NamesASourceThatIsPausedAndTheOneItWaitsFor) {
  TestWorld world;
  auto env = world.environment();
  const auto strategy = monotonous().withWatermarkAlignment("group", 1s);
  const auto source = [&](const char* name, LogSplit split) {
    return env.fromSource(logOf({std::move(split)}, name), strategy)
        .name(name)
        .map([](const Logged& record) { return record.at; })
        .name(std::string(name) + " map")
        .disableChaining();
  };
  source("ahead", steady("a", 1000, 100, 10, true)).addSink([](int64_t) {}).name("ahead sink");
  source("behind", steady("b", 20, 100, 1, true)).addSink([](int64_t) {}).name("behind sink");
  JobClient client = env.executeAsync("paused");
  world.advance(30s);
  std::map<std::string, std::string> said;
  for (const WatermarkHold& hold : client.watermarks().operators)
    said[hold.at.operatorName] = hold.toString();
  client.cancel();
  client.result();
  EXPECT_NE(
      said["ahead sink"].find(
          "  held back by source 'ahead', subtask 1/1, split 'a': it is paused, since it is ahead of its "
          "alignment group: look for the group's slowest source\n"
          "  by way of operator 'ahead map', subtask 1/1\n"),
      std::string::npos)
      << said["ahead sink"];
  EXPECT_NE(said["behind sink"].find("source 'behind', subtask 1/1, split 'b': no record for 28 s"),
            std::string::npos)
      << said["behind sink"];
}

// Takes one batch and waits for ever.
class Stuck final : public Operator {
 public:
  Step onBatch(int, Batch, Output&) override { return Step::kWait; }
};

TEST(WatermarkReport, NamesWhoIsTooSlow) {
  TestWorld world;
  auto env = world.environment();
  env.fromSource(logOf({steady("a", 1000, 100, 1, true)}, "log"), monotonous())
      .name("log")
      .disableChaining()
      .transformToSink("stuck", operatorFactory<Stuck>());
  JobClient client = env.executeAsync("slow");
  world.advance(300s);
  const std::string text = client.watermarks().toString();
  client.cancel();
  client.result();
  EXPECT_NE(text.find("source 'log', subtask 1/1: watermark"), std::string::npos) << text;
  EXPECT_NE(text.find("source 'log', subtask 1/1, split 'a': back-pressure for "), std::string::npos) << text;
  EXPECT_NE(
      text.find("operator 'stuck', subtask 1/1: no watermark yet, unmoved for 5 min\n"
                "  held back by operator 'stuck', subtask 1/1: it has not yet worked off what it got, for "),
      std::string::npos)
      << text;
}

TEST(WatermarkReport, OfAJobThatHasEndedIsEmpty) {
  TestWorld world;
  auto env = world.environment();
  env.fromSource(logOf({steady("a", 5, 100, 1)}, "log"), monotonous()).addSink([](const Logged&) {});
  JobClient client = env.executeAsync("ended");
  client.result();
  EXPECT_EQ(client.watermarks().toString(), "");
}

std::vector<std::string> warnings(TestWorld& world) {
  std::vector<std::string> lines;
  for (const std::string& line : world.sim().log().lines()) {
    if (line.starts_with("WARN [watermarks]")) lines.push_back(line);
  }
  return lines;
}

TEST(StallWarning, IsGivenOnceForEachStall) {
  for (const bool off : {false, true}) {
    TestWorld world;
    Configuration configuration;
    if (off) configuration.set(kStallWarning, Duration());
    auto env = world.environment(std::move(configuration));
    LogSplit split = steady("a", 20, 100, 1, true);
    split.records.push_back({200'000, 9000});  // goes on after 200 s
    env.fromSource(logOf({split}, "log"), monotonous())
        .name("log")
        .addSink([](const Logged&) {})
        .name("print");
    JobClient client = env.executeAsync("job");
    world.advance(50s);
    EXPECT_EQ(warnings(world).size(), 0u);
    world.advance(140s);
    const std::string said =
        "WARN [watermarks] 'job': the watermark of source 'log', subtask 1/1, and of 1 behind it, stands at "
        "1970-01-01T00:00:01.999Z for 1 min ";
    const std::string reason = ", and it is not declared idle; withIdleness(…)";
    if (off) {
      EXPECT_EQ(warnings(world).size(), 0u);
    } else {
      ASSERT_EQ(warnings(world).size(), 1u);
      EXPECT_EQ(warnings(world)[0].substr(0, said.size()), said);
      EXPECT_NE(
          warnings(world)[0].find("Held back by source 'log', subtask 1/1, split 'a': no record for 1 min"),
          std::string::npos)
          << warnings(world)[0];
      EXPECT_NE(warnings(world)[0].find(reason), std::string::npos);
    }
    world.advance(120s);
    EXPECT_EQ(warnings(world).size(), off ? 0u : 2u) << "it moved, and stands again";
    client.cancel();
    client.result();
  }
}

TEST(StallWarning, IsNotForJobsWithoutEventTime) {
  TestWorld world;
  auto env = world.environment();
  env.fromSource(logOf({steady("a", 20, 100, 1, true)}, "log")).addSink([](const Logged&) {});
  JobClient client = env.executeAsync("job");
  world.advance(600s);
  EXPECT_EQ(warnings(world).size(), 0u);
  client.cancel();
  client.result();
}

}  // namespace
}  // namespace flott
