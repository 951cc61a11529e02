#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/window/session_window_operator.h"

namespace flott::session_windows_test {
namespace {

using Texts = std::vector<std::string>;

struct Visit {
  std::string user;
  int64_t clicks = 0;
  int64_t gap = 10;
};
using Stamped = std::vector<std::pair<Visit, int64_t>>;
using ByUser = MemberSelector<Visit, std::string>;
constexpr ByUser kByUser{&Visit::user};
const OutputTag<Visit> kLate("late");

constexpr auto kTell = [](const std::string& user, WindowContext& ctx, std::span<const Visit> visits,
                          Collector<std::string>& out) {
  std::string text =
      user + " [" + std::to_string(ctx.window().start.ms) + ", " + std::to_string(ctx.window().end.ms) + ")";
  for (const Visit& visit : visits) text += " " + std::to_string(visit.clicks);
  out.collect(text);
};
using Tell = decltype(kTell);

template <typename Assigner>
using Sessions = SessionWindowOperator<Visit, ByUser, Assigner, ElementsAccumulation<Visit>,
                                       EmitByFunction<std::string, Tell>>;

template <typename Assigner>
auto sessions(DriverOptions options, Assigner assigner, LatePolicy<Visit> late = {}) {
  auto driver = std::make_unique<OperatorDriver<Sessions<Assigner>>>(
      options, kByUser, assigner, ElementsAccumulation<Visit>(), EmitByFunction<std::string, Tell>{kTell},
      late);
  if (late.sideOutput) driver->read(late.sideOutput->index());
  driver->open();
  return driver;
}
auto gap10() { return EventTimeSessionWindows::withGap(Duration(10)); }

class SessionsTest : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(SessionsTest, ASessionEndsWhenNothingComesForAGap) {
  auto driver = sessions(GetParam(), gap10());
  driver->push<Visit>(0, {{{"a", 1}, 0}, {{"a", 2}, 9}, {{"a", 3}, 19}, {{"a", 4}, 30}, {{"b", 5}, 5}},
                      kByUser);
  driver->watermark(0, 28);
  // 19 touches the end of [0, 19): one session. 30 is more than a gap away from 19.
  EXPECT_EQ(driver->takeRecords(), (Texts{"b [5, 15) 5 @ 14", "a [0, 29) 1 2 3 @ 28", "W 28"}));
  driver->watermark(0, 38);
  EXPECT_EQ(driver->takeRecords(), Texts{"W 38"});
  driver->watermark(0, 39);
  EXPECT_EQ(driver->takeRecords(), (Texts{"a [30, 40) 4 @ 39", "W 39"}));
  EXPECT_EQ(driver->batchesInUse(), 0u);
}

TEST_P(SessionsTest, ARecordInBetweenMakesOneSessionOfTwo) {
  auto driver = sessions(GetParam(), gap10());
  driver->push<Visit>(0, {{{"a", 1}, 0}, {{"a", 2}, 25}, {{"a", 3}, 50}}, kByUser);
  driver->push<Visit>(0, {{{"a", 4}, 12}, {{"a", 5}, 16}}, kByUser);
  driver->push<Visit>(0, {{{"a", 6}, 10}}, kByUser);
  driver->watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver->takeRecords(), (Texts{"a [0, 35) 1 4 2 5 6 @ 34", "a [50, 60) 3 @ 59",
                                          "W " + std::to_string(Timestamp::max().ms)}));
}

TEST_P(SessionsTest, TheGapMayBeThatOfTheRecord) {
  const auto assigner =
      EventTimeSessionWindows::withDynamicGap([](const Visit& visit) { return Duration(visit.gap); });
  auto driver = sessions(GetParam(), assigner);
  driver->push<Visit>(0, {{{"a", 1, 100}, 0}, {{"a", 2, 5}, 50}, {{"a", 3, 5}, 99}, {{"a", 4, 5}, 110}},
                      kByUser);
  driver->watermark(0, 200);
  EXPECT_EQ(driver->takeRecords(), (Texts{"a [0, 104) 1 2 3 @ 103", "a [110, 115) 4 @ 114", "W 200"}));
  EXPECT_EQ(failureOf([&] {
              driver->push<Visit>(0, {{{"a", 1, 0}, 300}}, kByUser);
            }),
            R"(record {user: "a", clicks: 1, gap: 0}: its session gap is 0 ms: withDynamicGap(…) must be )"
            "given a function that returns from 1 ms to 1152921504606846976 ms for each record");
}

TEST_P(SessionsTest, LateRecordsAreDroppedUnlessASessionIsOpenForThem) {
  auto driver = sessions(GetParam(), gap10());
  driver->push<Visit>(0, {{{"a", 1}, 20}}, kByUser);
  driver->watermark(0, 25);
  driver->push<Visit>(0, {{{"a", 2}, 12}, {{"a", 3}, 1}, {{"b", 4}, 15}, {{"b", 5}, 17}}, kByUser);
  driver->watermark(0, 100);
  // 12 alone would have ended at 22, but joins a session that is open. The last millisecond of 15 alone is
  // 24, that of 17 is 26.
  EXPECT_EQ(driver->takeRecords(), (Texts{"W 25", "b [17, 27) 5 @ 26", "a [12, 30) 1 2 @ 29", "W 100"}));
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 2);
}

TEST_P(SessionsTest, WithAllowedLatenessSessionsFireAgainAndMergeAfterTheyHaveFired) {
  auto driver = sessions(GetParam(), gap10(), {Duration(100), kLate});
  driver->push<Visit>(0, {{{"a", 1}, 0}, {{"a", 2}, 20}, {{"a", 3}, 45}}, kByUser);
  driver->watermark(0, 40);
  EXPECT_EQ(driver->takeRecords(), (Texts{"a [0, 10) 1 @ 9", "a [20, 30) 2 @ 29", "W 40"}));
  driver->push<Visit>(0, {{{"a", 4}, 5}}, kByUser);
  EXPECT_EQ(driver->takeRecords(), Texts{"a [0, 15) 1 4 @ 14"});
  driver->push<Visit>(0, {{{"a", 5}, 12}}, kByUser);  // joins two that have fired: fires again at once
  EXPECT_EQ(driver->takeRecords(), Texts{"a [0, 30) 1 4 2 5 @ 29"});
  driver->push<Visit>(0, {{{"a", 6}, 30}}, kByUser);  // touches what has fired: open again
  driver->push<Visit>(0, {{{"a", 7}, 36}}, kByUser);  // and joins what is open: fires when that ends
  EXPECT_EQ(driver->takeRecords(), Texts{"a [0, 40) 1 4 2 5 6 @ 39"});
  driver->watermark(0, 54);
  EXPECT_EQ(driver->takeRecords(), (Texts{"a [0, 55) 1 4 2 5 6 3 7 @ 54", "W 54"}));
  driver->watermark(0, 154);
  driver->push<Visit>(0, {{{"a", 8}, 50}}, kByUser);  // what it would have joined is forgotten
  EXPECT_EQ(driver->takeRecords(), (Texts{"W 154", "a [50, 60) 8 @ 59"}));
}

TEST_P(SessionsTest, WhatIsTooLateGoesToTheSideOutput) {
  auto driver = sessions(GetParam(), gap10(), {Duration(5), kLate});
  driver->push<Visit>(0, {{{"a", 1}, 0}}, kByUser);
  driver->watermark(0, 13);
  driver->push<Visit>(0, {{{"a", 2}, 3}}, kByUser);
  driver->watermark(0, 17);
  driver->push<Visit>(0, {{{"a", 3}, 0}}, kByUser);
  driver->watermark(0, 18);
  driver->push<Visit>(0, {{{"a", 4}, 4}, {{"a", 5}, 5}}, kByUser);
  EXPECT_EQ(driver->takeRecords(),
            (Texts{"a [0, 10) 1 @ 9", "W 13", "a [0, 13) 1 2 @ 12", "W 17", "W 18", "a [5, 15) 5 @ 14"}));
  EXPECT_EQ(driver->records(kLate.index()), (Texts{"W 13", "W 17", R"({user: "a", clicks: 3, gap: 10} @ 0)",
                                                   "W 18", R"({user: "a", clicks: 4, gap: 10} @ 4)"}));
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 0);
}

TEST_P(SessionsTest, OnProcessingTimeTheClockDecides) {
  auto driver = sessions(GetParam(), ProcessingTimeSessionWindows::withGap(Duration::seconds(5)));
  driver->clock(1000);
  driver->push<Visit>(0, {{{"a", 1}, -7}, {{"b", 2}, 99999}}, kByUser);
  driver->clock(4000);
  driver->push<Visit>(0, {{{"a", 3}, 0}}, kByUser);
  driver->watermark(0, 100'000);
  driver->clock(5999);
  EXPECT_EQ(driver->takeRecords(), Texts{"W 100000"});
  driver->clock(6000);
  EXPECT_EQ(driver->takeRecords(), Texts{"b [1000, 6000) 2 @ 5999"});
  driver->clock(8999);
  EXPECT_EQ(driver->takeRecords(), Texts{});
  driver->clock(9000);
  EXPECT_EQ(driver->takeRecords(), Texts{"a [1000, 9000) 1 3 @ 8999"});
  EXPECT_EQ(driver->alarm(), Timestamp::max());
  driver->push<Visit>(0, {{{"c", 4}, 0}}, kByUser);
  driver->endOfInput(0);
  EXPECT_EQ(driver->takeRecords(), Texts{"c [9000, 14000) 4 @ 13999"});
}

TEST_P(SessionsTest, ManyResultsStopAtAFullOutputAndGoOn) {
  auto driver = sessions(GetParam(), gap10());
  Stamped visits;
  for (int i = 0; i < 3000; ++i) visits.push_back({{"user" + std::to_string(i), i}, i / 10});
  driver->push<Visit>(0, visits, kByUser);
  driver->watermark(0, 5000);
  EXPECT_EQ(driver->records().size(), 3001u);
  EXPECT_EQ(driver->records().back(), "W 5000");
  EXPECT_EQ(driver->pauses() > 0, GetParam().narrow);
}

INSTANTIATE_TEST_SUITE_P(All, SessionsTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

TEST(Sessions, AFiringOfManyKeysLetsOtherWorkIn) {
  for (const int64_t spread : {1, 100'000}) {  // all in one second, or over many
    auto driver = sessions({}, gap10());
    Stamped visits;
    for (int i = 0; i < 100'000; ++i) visits.push_back({{std::to_string(i), i}, i % spread});
    driver->push<Visit>(0, visits, kByUser);
    driver->watermark(0, 50'000);
    EXPECT_GT(driver->yields(), 4);
    driver->watermark(0, Timestamp::max().ms);
    EXPECT_EQ(driver->records().size(), 100'002u);
    KeyedStateBackend& state = driver->context().keyedState(typeOps<std::string>());
    const auto sessionsLeft = state.table<std::string, SessionsOfKey<std::vector<Visit>>>("sessions");
    EXPECT_EQ(sessionsLeft.size(), 0u);
  }
}

TEST(Sessions, GapsAndLatenessAreChecked) {
  EXPECT_EQ(failureOf([] { EventTimeSessionWindows::withGap(Duration(0)); }),
            "session windows with a gap of 0 ms cannot be: give a gap from 1 ms to 1152921504606846976 ms");
  EXPECT_EQ(failureOf([] { ProcessingTimeSessionWindows::withGap(Duration(-5)); }),
            "session windows with a gap of -5 ms cannot be: give a gap from 1 ms to 1152921504606846976 ms");
  EXPECT_EQ(failureOf([] { checkedLateness(Duration(-1)); }),
            "an allowed lateness of -1 ms cannot be: give one from 0 ms to 1152921504606846976 ms");
  EXPECT_EQ(gap10().toString(), "EventTimeSessionWindows(10 ms)");
}

TEST(Sessions, RecordsWithoutTimestampAreAnError) {
  auto driver =
      std::make_unique<OperatorDriver<SessionWindowOperator<Visit, NoKeySelector<Visit>, decltype(gap10()),
                                                            CountAccumulation<Visit>, EmitResult<int64_t>>>>(
          DriverOptions{}, NoKeySelector<Visit>(), gap10(), CountAccumulation<Visit>(), EmitResult<int64_t>(),
          LatePolicy<Visit>());
  driver->open();
  EXPECT_EQ(failureOf([&] { driver->pushUnstamped<Visit>(0, {{"a"}}); }),
            "records have no timestamp, which windows on event time need: assign one with "
            "assignTimestampsAndWatermarks(…) before them, or use windows on processing time");
}

}  // namespace
}  // namespace flott::session_windows_test
