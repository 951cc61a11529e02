#include <array>

#include "flott/operators/broadcast_process.h"
#include "flott/operators/tests/operator_driver.h"

namespace flott {
namespace {

struct Left {
  int64_t key = 0;
  std::string text;
};
struct Right {
  int64_t key = 0;
  double number = 0;
};
/// Eight of them fill a batch.
struct Joined {
  std::string text;
  std::array<int64_t, 252> padding{};
};
std::string toString(const Joined& joined) { return joined.text; }

using LeftKey = MemberSelector<Left, int64_t>;
using RightKey = MemberSelector<Right, int64_t>;
constexpr LeftKey kLeftKey{&Left::key};
constexpr RightKey kRightKey{&Right::key};
using KeyedLeft = KeyedInput<Left, LeftKey>;
using KeyedRight = KeyedInput<Right, RightKey>;

std::string numberText(double number) { return std::to_string(static_cast<int64_t>(number)); }

/// Keeps the left texts of a key until a right record comes, or the first left one has been there for 100 ms.
class Match : public KeyedCoProcessFunction<int64_t, Left, Right, Joined> {
 public:
  void open(RuntimeContext& ctx) override {
    waiting_ = ctx.state(ListStateDescriptor<std::string>("waiting"));
    deadline_ = ctx.state(ValueStateDescriptor<int64_t>("deadline"));
  }
  void processElement1(const Left& left, Context& ctx, Collector<Joined>&) override {
    if (waiting_.isEmpty()) {
      deadline_.set(ctx.timestamp().ms + 100);
      ctx.timerService().registerEventTimeTimer(Timestamp(deadline_.get()));
    }
    waiting_.add(left.text);
  }
  void processElement2(const Right& right, Context& ctx, Collector<Joined>& out) override {
    if (right.number < 0) throw std::runtime_error("negative");
    for (const std::string& text : waiting_.get())
      out.collect({std::to_string(ctx.getCurrentKey()) + " " + text + " " + numberText(right.number), {}});
    if (!waiting_.isEmpty()) ctx.timerService().deleteEventTimeTimer(Timestamp(deadline_.get()));
    waiting_.clear();
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<Joined>& out) override {
    for (const std::string& text : waiting_.get())
      out.collect({std::to_string(ctx.getCurrentKey()) + " " + text + " alone", {}});
    waiting_.clear();
  }

 private:
  ListState<std::string> waiting_;
  ValueState<int64_t> deadline_;
};

using MatchBase = KeyedCoProcessFunction<int64_t, Left, Right, Joined>;
using MatchDriver =
    OperatorDriver<ProcessOperator<Joined, CoProcessCalls<MatchBase>, Match, KeyedLeft, KeyedRight>>;

class TwoInputsTest : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(TwoInputsTest, BothInputsShareStateAndTimersOfAKey) {
  MatchDriver driver(GetParam(), Match(), KeyedLeft(kLeftKey), KeyedRight(kRightKey));
  driver.open();
  driver.push<Left>(0, {{{1, "a"}, 10}, {{2, "b"}, 20}, {{1, "c"}, 30}, {{3, "d"}, 40}}, kLeftKey);
  driver.push<Right>(1, {{{1, 7}, 50}, {{4, 8}, 60}}, kRightKey);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"1 a 7 @ 50", "1 c 7 @ 50"}));
  driver.watermark(0, 130);
  EXPECT_TRUE(driver.records().empty()) << "the other input is not as far";
  driver.watermark(1, 125);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"2 b alone @ 120", "W 125"}));
  driver.status(1, false);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"W 130"}));
  driver.watermark(0, 140);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"3 d alone @ 140", "W 140"}));
  EXPECT_EQ(failureOf([&] {
              driver.push<Right>(1, {{{4, -1}, 60}}, kRightKey);
            }),
            "record {key: 4, number: -1}: negative");
}

TEST_P(TwoInputsTest, ManyResultsOfARecordAndOfATimerWaitForRoom) {
  MatchDriver driver(GetParam(), Match(), KeyedLeft(kLeftKey), KeyedRight(kRightKey));
  driver.open();
  std::vector<std::string> expected;
  std::vector<std::pair<Right, int64_t>> rights;
  std::vector<std::string> alone;
  for (int64_t key = 0; key < 50; ++key) {
    std::vector<std::pair<Left, int64_t>> lefts;
    for (int64_t i = 0; i < 20; ++i) {
      const std::string text = std::to_string(key) + " " + std::to_string(i);
      lefts.push_back({{key, std::to_string(i)}, key});
      if (key % 2 == 0) expected.push_back(text + " 5 @ 50");
      if (key % 2 == 1) alone.push_back(text + " alone @ " + std::to_string(key + 100));
    }
    driver.push<Left>(0, lefts, kLeftKey);
    if (key % 2 == 0) rights.push_back({{key, 5}, 50});
  }
  driver.push<Right>(1, rights, kRightKey);
  EXPECT_EQ(driver.takeRecords(), expected);
  alone.push_back("W 1000");
  driver.watermark(0, 1000);
  driver.watermark(1, 1000);
  EXPECT_EQ(driver.takeRecords(), alone);
  EXPECT_EQ(driver.pauses() >= 20, GetParam().narrow);
}

class TellBoth : public CoProcessFunction<Left, Right, Joined> {
 public:
  void processElement1(const Left& left, Context& ctx, Collector<Joined>& out) override {
    out.collect({left.text + " until " + std::to_string(ctx.timerService().currentWatermark().ms), {}});
  }
  void processElement2(const Right& right, Context&, Collector<Joined>& out) override {
    out.collect({numberText(right.number), {}});
  }
};

TEST_P(TwoInputsTest, InputsWithoutKeysGoToTheirOwnMethods) {
  using Base = CoProcessFunction<Left, Right, Joined>;
  OperatorDriver<
      ProcessOperator<Joined, CoProcessCalls<Base>, TellBoth, UnkeyedInput<Left>, UnkeyedInput<Right>>>
      driver(GetParam(), TellBoth(), UnkeyedInput<Left>(), UnkeyedInput<Right>());
  driver.open();
  driver.watermark(0, 5);
  driver.watermark(1, 7);
  driver.push<Left>(0, {{{1, "a"}, 10}, {{1, "b"}, 20}});
  driver.pushUnstamped<Right>(1, {{1, 3}});
  EXPECT_EQ(driver.records(), (std::vector<std::string>{"W 5", "a until 5 @ 10", "b until 5 @ 20", "3"}));
}

TEST_P(TwoInputsTest, MapAndFlatMapTakeAFunctionForEachInput) {
  struct Counting {
    std::string* journal;
    void open(RuntimeContext& ctx) { *journal += "open " + ctx.operatorName() + ";"; }
    void close() { *journal += "close;"; }
    std::string operator()(const Left& left) const { return left.text; }
  };
  std::string journal;
  {
    const auto second = [](const Right& right) { return numberText(right.number); };
    using Pair = FunctionPair<Counting, decltype(second)>;
    OperatorDriver<ProcessOperator<std::string, CoMapCalls, Pair, UnkeyedInput<Left>, UnkeyedInput<Right>>>
        driver(GetParam(), Pair{{&journal}, second}, UnkeyedInput<Left>(), UnkeyedInput<Right>());
    driver.open();
    driver.push<Left>(0, {{{1, "a"}, 10}});
    driver.push<Right>(1, {{{1, 2}, 20}});
    EXPECT_EQ(driver.records(), (std::vector<std::string>{"a @ 10", "2 @ 20"}));
  }
  EXPECT_EQ(journal, "open tested;close;");

  const auto twice = [](const Left& left, Collector<std::string>& out) {
    out.collect(left.text);
    out.collect(left.text);
  };
  const auto none = [](const Right&, Collector<std::string>&) {};
  using Pair = FunctionPair<decltype(twice), decltype(none)>;
  OperatorDriver<ProcessOperator<std::string, CoFlatMapCalls, Pair, UnkeyedInput<Left>, UnkeyedInput<Right>>>
      driver(GetParam(), Pair{twice, none}, UnkeyedInput<Left>(), UnkeyedInput<Right>());
  driver.open();
  driver.push<Right>(1, {{{1, 2}, 20}});
  driver.push<Left>(0, {{{1, "a"}, 10}});
  EXPECT_EQ(driver.records(), (std::vector<std::string>{"a @ 10", "a @ 10"}));
}

// The broadcast pattern: Right is a rule, the least number from which texts of a key are told.

const MapStateDescriptor<int64_t, double> kRules("rules");

class TellByRule : public KeyedBroadcastProcessFunction<int64_t, Left, Right, Joined> {
 public:
  void open(RuntimeContext& ctx) override { count_ = ctx.state(kCount); }
  void processElement(const Left& left, ReadOnlyContext& ctx, Collector<Joined>& out) override {
    count_.set(count_.get() + 1);
    const double* rule = ctx.getBroadcastState(kRules).get(ctx.getCurrentKey());
    if (rule != nullptr) out.collect({left.text + " by " + numberText(*rule), {}});
    ctx.timerService().registerEventTimeTimer(ctx.timestamp() + Duration(5));
  }
  void processBroadcastElement(const Right& right, Context& ctx, Collector<Joined>& out) override {
    if (right.number < 0) {
      count_.set(0);  // not here
    } else if (right.number == 0) {
      ctx.getBroadcastState(kRules).remove(right.key);
    } else {
      ctx.getBroadcastState(kRules).put(right.key, right.number);
    }
    ctx.applyToKeyedState(kCount, [&](const int64_t& key, ValueState<int64_t>& count) {
      sum_ += 1000 * key + count.get();
      if (key == right.key) count.clear();
    });
    out.collect({"rules " + std::to_string(ctx.getBroadcastState(kRules).size()) + " keys " +
                     std::to_string(sum_) + " at " + std::to_string(ctx.currentWatermark().ms),
                 {}});
    sum_ = 0;
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<Joined>& out) override {
    out.collect({"timer of " + std::to_string(ctx.getCurrentKey()) + " with " +
                     std::to_string(ctx.getBroadcastState(kRules).size()),
                 {}});
  }

 private:
  inline static const ValueStateDescriptor<int64_t> kCount{"count"};
  ValueState<int64_t> count_;
  int64_t sum_ = 0;
};

using RulesInput = BroadcastInput<Right, MapStateDescriptor<int64_t, double>>;
using TellBase = KeyedBroadcastProcessFunction<int64_t, Left, Right, Joined>;
using TellDriver =
    OperatorDriver<ProcessOperator<Joined, BroadcastCalls<TellBase>, TellByRule, KeyedLeft, RulesInput>>;

TEST_P(TwoInputsTest, RulesReachTheStateOfAllKeysAndEventsReadTheRules) {
  TellDriver driver(GetParam(), TellByRule(), KeyedLeft(kLeftKey), RulesInput(std::tuple(kRules)));
  driver.open();
  driver.push<Left>(0, {{{1, "a"}, 10}, {{2, "b"}, 20}, {{1, "c"}, 20}}, kLeftKey);
  driver.watermark(0, 8);
  driver.push<Right>(1, {{{1, 9}, 30}});
  driver.push<Left>(0, {{{1, "d"}, 40}, {{2, "e"}, 50}}, kLeftKey);
  driver.watermark(1, 8);
  driver.push<Right>(1, {{{7, 3}, 60}, {{1, 0}, 60}});
  EXPECT_EQ(driver.takeRecords(),
            (std::vector<std::string>{"rules 1 keys 3003 at " + std::to_string(Timestamp::min().ms) + " @ 30",
                                      "d by 9 @ 40", "W 8", "rules 2 keys 3003 at 8 @ 60",
                                      "rules 1 keys 3003 at 8 @ 60"}));
  driver.watermark(0, 24);
  driver.watermark(1, 24);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"timer of 1 with 1 @ 15", "W 24"}));
  EXPECT_EQ(
      failureOf([&] {
        driver.push<Right>(1, {{{7, -1}, 60}});
      }),
      "record {key: 7, number: -1}: state 'count' was used where there is no current key: keyed state can be "
      "used while a record or a timer is worked on, not in open() or close()");
}

/// Uses a state that broadcast(…) did not name.
struct Forgetful : BroadcastProcessFunction<Left, Right, Joined> {
  void processElement(const Left& left, ReadOnlyContext& ctx, Collector<Joined>& out) override {
    const double* rule = ctx.getBroadcastState(kRules).get(left.key);
    out.collect({rule == nullptr ? "no rule" : numberText(*rule), {}});
  }
  void processBroadcastElement(const Right& right, Context& ctx, Collector<Joined>&) override {
    ctx.getBroadcastState(kRules).put(right.key, right.number);
    if (right.number == 0) ctx.getBroadcastState(MapStateDescriptor<int64_t, int64_t>("rules"));
  }
};

TEST_P(TwoInputsTest, EventsWithoutKeysReadTheRulesAndOnlyNamedStatesAreThere) {
  using Base = BroadcastProcessFunction<Left, Right, Joined>;
  OperatorDriver<ProcessOperator<Joined, BroadcastCalls<Base>, Forgetful, UnkeyedInput<Left>, RulesInput>>
      driver(GetParam(), Forgetful(), UnkeyedInput<Left>(), RulesInput(std::tuple(kRules)));
  driver.open();
  driver.push<Left>(0, {{{1, "a"}, 10}});
  driver.push<Right>(1, {{{1, 9}, 30}});
  driver.push<Left>(0, {{{1, "a"}, 10}});
  EXPECT_EQ(driver.records(), (std::vector<std::string>{"no rule @ 10", "9 @ 10"}));
  EXPECT_EQ(failureOf([&] {
              driver.push<Right>(1, {{{1, 0}, 30}});
            }),
            "record {key: 1, number: 0}: there is no broadcast state 'rules' of map<int64, int64>; there is "
            "'rules' "
            "of map<int64, double>: name every state in broadcast(…) of the stream that fills it");
}

INSTANTIATE_TEST_SUITE_P(All, TwoInputsTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

}  // namespace
}  // namespace flott
