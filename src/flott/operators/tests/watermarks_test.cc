#include <gtest/gtest.h>

#include "flott/base/options.h"
#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/timestamps_and_watermarks.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

struct Change {
  int64_t at = 0;
  bool commits = false;
};

constexpr Duration kSecond = Duration::seconds(1);

template <typename Strategy>
struct OperatorOf;
template <typename T, typename G, typename A>
struct OperatorOf<WatermarkStrategy<T, G, A>> {
  using Type = TimestampsAndWatermarksOperator<T, G, A>;
};
template <typename Strategy>
using Driver = OperatorDriver<typename OperatorOf<Strategy>::Type>;

/// A watermark after each commit.
struct AfterCommits {
  void onEvent(const Change& change, Timestamp at, WatermarkOutput& output) {
    if (change.commits) output.emitWatermark({at});
  }
  void onPeriodicEmit(WatermarkOutput&) {}
};

auto bounded(Duration delay) {
  return WatermarkStrategy<Change>::forBoundedOutOfOrderness(delay).withTimestampAssigner(&Change::at);
}

class WatermarksTest : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(WatermarksTest, PeriodicOnesComeWithTheTicksOnly) {
  Driver<decltype(bounded({}))> driver(GetParam(), bounded(kSecond));
  driver.open();
  EXPECT_EQ(driver.alarm(), Timestamp(200));
  driver.pushUnstamped<Change>(0, {{5000}, {3000}, {7000}});
  driver.clock(199);
  EXPECT_EQ(driver.takeRecords(),
            (Texts{"{at: 5000, commits: false} @ 5000", "{at: 3000, commits: false} @ 3000",
                   "{at: 7000, commits: false} @ 7000"}));
  driver.clock(200);
  EXPECT_EQ(driver.takeRecords(), Texts{"W 5999"});
  driver.clock(400);
  driver.pushUnstamped<Change>(0, {{6500}});  // later than nothing before: no new watermark
  driver.clock(600);
  EXPECT_EQ(driver.takeRecords(), Texts{"{at: 6500, commits: false} @ 6500"});
  EXPECT_EQ(driver.alarm(), Timestamp(800));
}

TEST_P(WatermarksTest, PunctuatedOnesStandRightBehindTheirRecord) {
  const auto strategy =
      WatermarkStrategy<Change>::forGenerator(AfterCommits()).withTimestampAssigner([](const Change& change) {
        return Timestamp(change.at);
      });
  Driver<std::remove_const_t<decltype(strategy)>> driver(GetParam(), strategy);
  driver.open();
  driver.pushUnstamped<Change>(0, {{1}, {2, true}, {3, true}, {2, true}, {4}, {5}, {6, true}});
  EXPECT_EQ(driver.takeRecords(), (Texts{"{at: 1, commits: false} @ 1", "{at: 2, commits: true} @ 2", "W 2",
                                         "{at: 3, commits: true} @ 3", "W 3", "{at: 2, commits: true} @ 2",
                                         "{at: 4, commits: false} @ 4", "{at: 5, commits: false} @ 5",
                                         "{at: 6, commits: true} @ 6", "W 6"}));
  driver.pushUnstamped<Change>(0, {{7, true}, {8}});
  EXPECT_EQ(driver.takeRecords(),
            (Texts{"{at: 7, commits: true} @ 7", "W 7", "{at: 8, commits: false} @ 8"}));
  EXPECT_EQ(driver.batchesInUse(), 0u);
}

TEST_P(WatermarksTest, OfUpstreamOnlyTheLastCounts) {
  Driver<decltype(bounded({}))> driver(GetParam(), bounded({}));
  driver.open();
  driver.watermark(0, 100);
  driver.status(0, false);
  driver.pushUnstamped<Change>(0, {{50}});
  driver.watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver.takeRecords(),
            (Texts{"{at: 50, commits: false} @ 50", "W " + std::to_string(Timestamp::max().ms)}));
  driver.clock(1000);
  EXPECT_EQ(driver.takeRecords(), Texts{});
  EXPECT_EQ(driver.alarm(), Timestamp::max());
}

TEST_P(WatermarksTest, AStreamWithoutRecordsTurnsIdleAndActiveAgain) {
  Driver<decltype(bounded({}))> driver(GetParam(), bounded({}).withIdleness(kSecond));
  driver.open();
  driver.pushUnstamped<Change>(0, {{50}});
  driver.clock(200);
  EXPECT_EQ(driver.takeRecords(), (Texts{"{at: 50, commits: false} @ 50", "W 49"}));
  for (int64_t now = 400; now < 1200; now += 200) driver.clock(now);
  EXPECT_EQ(driver.takeRecords(), Texts{});
  driver.clock(1200);
  EXPECT_EQ(driver.takeRecords(), Texts{"idle"});
  driver.clock(1400);
  driver.pushUnstamped<Change>(0, {{60}});
  EXPECT_EQ(driver.takeRecords(), (Texts{"active", "{at: 60, commits: false} @ 60"}));
  driver.clock(1600);
  EXPECT_EQ(driver.takeRecords(), Texts{"W 59"});
  driver.clock(9000);
  EXPECT_EQ(driver.takeRecords(), Texts{"idle"});
  driver.watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver.takeRecords(), (Texts{"active", "W " + std::to_string(Timestamp::max().ms)}));
}

TEST_P(WatermarksTest, BackPressureIsNoIdleness) {
  Driver<decltype(bounded({}))> driver(GetParam(), bounded({}).withIdleness(kSecond));
  driver.open();
  driver.clock(600);
  driver.clockAfterBackPressure(5000);  // alarms wait for room: the first comes after all of it
  EXPECT_EQ(driver.takeRecords(), Texts{});
  driver.clock(5200);
  EXPECT_EQ(driver.takeRecords(), Texts{});
  driver.clock(5400);  // 600 ms before it and 400 ms after it
  EXPECT_EQ(driver.takeRecords(), Texts{"idle"});
}

TEST_P(WatermarksTest, WithoutGeneratorTheClockServesIdlenessOnly) {
  const auto keep = WatermarkStrategy<Change>::noWatermarks();
  Driver<std::remove_const_t<decltype(keep)>> driver(GetParam(), keep);
  driver.open();
  EXPECT_EQ(driver.alarm(), Timestamp::max());
  driver.push<Change>(0, {{{1}, 100}, {{2}, 200}});
  driver.watermark(0, 150);
  EXPECT_EQ(driver.takeRecords(), (Texts{"{at: 1, commits: false} @ 100", "{at: 2, commits: false} @ 200"}));
}

TEST_P(WatermarksTest, AnIntervalOfZeroAsksNoGenerator) {
  Driver<decltype(bounded({}))> driver(GetParam(), bounded({}).withIdleness(kSecond));
  driver.configuration().set(kAutoWatermarkInterval, Duration());
  driver.open();
  driver.pushUnstamped<Change>(0, {{50}});
  EXPECT_EQ(driver.alarm(), Timestamp(1000));
  driver.clock(1000);
  EXPECT_EQ(driver.takeRecords(), Texts{"{at: 50, commits: false} @ 50"});
  driver.clock(2000);
  EXPECT_EQ(driver.takeRecords(), Texts{"idle"});
}

TEST_P(WatermarksTest, IngestionTimeFollowsTheClock) {
  const auto strategy = WatermarkStrategy<Change>::ingestionTime();
  Driver<std::remove_const_t<decltype(strategy)>> driver(GetParam(), strategy);
  driver.open();
  driver.clock(150);
  driver.pushUnstamped<Change>(0, {{7}, {8}});
  driver.clock(200);
  driver.clock(400);  // without records, too
  EXPECT_EQ(driver.takeRecords(),
            (Texts{"{at: 7, commits: false} @ 150", "{at: 8, commits: false} @ 150", "W 199", "W 399"}));
}

TEST_P(WatermarksTest, TimestampsThatRecordsHaveAreKept) {
  const auto strategy = WatermarkStrategy<Change>::forMonotonousTimestamps();
  Driver<std::remove_const_t<decltype(strategy)>> driver(GetParam(), strategy);
  driver.open();
  driver.push<Change>(0, {{{1}, 100}, {{2}, 200}});
  driver.pushUnstamped<Change>(0, {{3}});
  driver.clock(200);
  EXPECT_EQ(driver.takeRecords(), (Texts{"{at: 1, commits: false} @ 100", "{at: 2, commits: false} @ 200",
                                         "{at: 3, commits: false}", "W 199"}));
}

TEST_P(WatermarksTest, RecordsMayBePlainNumbers) {
  const auto strategy = WatermarkStrategy<int64_t>::forMonotonousTimestamps().withTimestampAssigner(
      [](const int64_t& n) { return n; });
  Driver<std::remove_const_t<decltype(strategy)>> driver(GetParam(), strategy);
  driver.open();
  driver.pushUnstamped<int64_t>(0, {5, 8});
  driver.clock(200);
  EXPECT_EQ(driver.takeRecords(), (Texts{"5 @ 5", "8 @ 8", "W 7"}));
}

INSTANTIATE_TEST_SUITE_P(All, WatermarksTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

/// Collects what a generator says, element by element.
class Said final : public Output {
 public:
  void emit(Batch) override { FAIL(); }
  void emitSide(SideOutputIndex, Batch) override { FAIL(); }
  void emitWatermark(Watermark watermark) override {
    texts.push_back("W " + std::to_string(watermark.time.ms));
  }
  void emitStatus(WatermarkStatus status) override { texts.push_back(status.active ? "active" : "idle"); }
  bool full() const override { return false; }

  Texts texts;
};

TEST(WatermarkOutput, WatermarksRiseAndEndIdleness) {
  WatermarkOutput output;
  Said said;
  const auto flush = [&] {
    output.emitTo(said);
    EXPECT_FALSE(output.changed());
    return std::exchange(said.texts, {});
  };
  EXPECT_EQ(flush(), Texts{});
  output.emitWatermark({Timestamp(5)});
  output.emitWatermark({Timestamp(3)});
  EXPECT_TRUE(output.changed());
  EXPECT_EQ(flush(), Texts{"W 5"});
  output.markIdle();
  EXPECT_EQ(flush(), Texts{"idle"});
  output.emitWatermark({Timestamp(5)});
  EXPECT_EQ(flush(), Texts{});  // not later: still idle
  output.emitWatermark({Timestamp(6)});
  EXPECT_EQ(flush(), (Texts{"active", "W 6"}));
  output.emitWatermark({Timestamp(7)});
  output.markIdle();
  EXPECT_EQ(flush(), (Texts{"W 7", "idle"}));
  output.markActive();
  EXPECT_EQ(flush(), Texts{"active"});
}

TEST(BoundedOutOfOrderness, IsTheLatestTimestampLessTheDelayAndOne) {
  const auto watermarkAfter = [](Duration delay, std::vector<int64_t> timestamps) {
    BoundedOutOfOrderness generator(delay);
    for (int64_t timestamp : timestamps) generator.onTimestamps(Timestamp(timestamp));
    WatermarkOutput output;
    Said said;
    generator.onPeriodicEmit(output);
    output.emitTo(said);
    return said.texts.empty() ? "none" : said.texts.front();
  };
  EXPECT_EQ(watermarkAfter(Duration(0), {}), "none");
  EXPECT_EQ(watermarkAfter(Duration(0), {10}), "W 9");
  EXPECT_EQ(watermarkAfter(Duration(10), {100, 50}), "W 89");
  EXPECT_EQ(watermarkAfter(Duration(10), {-100}), "W -111");
  EXPECT_EQ(watermarkAfter(Duration::max(), {100}), "W " + std::to_string(100 - Duration::max().ms));
  EXPECT_EQ(watermarkAfter(Duration::max(), {-5}), "none");
}

TEST(WatermarkStrategy, RefusesDelaysThatCannotBe) {
  EXPECT_EQ(failureOf([] { WatermarkStrategy<Change>::forBoundedOutOfOrderness(Duration(-5)); }),
            "records cannot be out of order by -5 ms: give 0 or more to forBoundedOutOfOrderness(…)");
  EXPECT_EQ(failureOf([] { WatermarkStrategy<Change>::noWatermarks().withIdleness(Duration()); }),
            "a stream cannot be idle after 0 ms: give more than 0 ms to withIdleness(…)");
}

TEST(Timestamps, OutOfRangeNameTheRecordAndTheValue) {
  for (const bool rowsTogether : {true, false}) {
    Driver<decltype(bounded({}))> driver({rowsTogether, false}, bounded({}));
    driver.open();
    EXPECT_EQ(failureOf([&] {
                driver.pushUnstamped<Change>(0, {{1}, {int64_t{1} << 62}, {Timestamp::max().ms}});
              }),
              "record {at: 9223372036854775807, commits: false}: timestamp 9223372036854775807 is out of "
              "range: event "
              "time is in milliseconds since 1970, from -4611686018427387904 to 4611686018427387904");
  }
}

TEST(Timestamps, AnAssignerThatThrowsNamesTheRecord) {
  const auto strategy =
      WatermarkStrategy<Change>::noWatermarks().withTimestampAssigner([](const Change& change) {
        if (change.commits) throw Error(ErrorKind::kUser, "no time");
        return change.at;
      });
  Driver<std::remove_const_t<decltype(strategy)>> driver({}, strategy);
  driver.open();
  EXPECT_EQ(failureOf([&] {
              driver.pushUnstamped<Change>(0, {{1}, {2, true}});
            }),
            "record {at: 2, commits: true}: no time");
}

}  // namespace
}  // namespace flott
