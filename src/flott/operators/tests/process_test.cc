#include "flott/operators/process.h"

#include <array>

#include "flott/operators/process_functions.h"
#include "flott/operators/tests/operator_driver.h"

namespace flott {
namespace {

/// Eight of them fill a batch.
struct Wide {
  int64_t value = 0;
  std::array<int64_t, 255> padding{};
};
std::string toString(const Wide& wide) { return std::to_string(wide.value); }

const OutputTag<Wide> kOdd("odd");
const OutputTag<std::string> kText("text");

class SplitByParity : public ProcessFunction<int64_t, Wide> {
 public:
  explicit SplitByParity(std::string* journal = nullptr) : journal_(journal) {}

  void open(RuntimeContext& ctx) override {
    seen_ = &ctx.accumulator<LongCounter>("seen");
    note("open " + ctx.operatorName() + ";");
  }
  void processElement(const int64_t& value, Context& ctx, Collector<Wide>& out) override {
    seen_->add(1);
    if (value == -1) throw std::runtime_error("no negative numbers");
    for (int64_t i = 0; i < 3; ++i) {
      if (value % 2 != 0) {
        ctx.output(kOdd, {10 * value + i, {}});
      } else {
        out.collect({10 * value + i, {}});
      }
    }
    ctx.output(kText, std::to_string(value));
  }
  void close() override { note("close;"); }

 private:
  void note(const std::string& what) {
    if (journal_ != nullptr) *journal_ += what;
  }
  std::string* journal_;
  LongCounter* seen_ = nullptr;
};

using SplitBase = ProcessFunction<int64_t, Wide>;
using SplitOperator = ProcessOperator<Wide, ProcessCalls<SplitBase>, SplitByParity, UnkeyedInput<int64_t>>;
using SplitDriver = OperatorDriver<SplitOperator>;

template <typename F, typename Out = int64_t>
using LambdaOperator = ProcessOperator<Out, LambdaCalls<ProcessContext>, F, UnkeyedInput<int64_t>>;

class ProcessOperatorTest : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(ProcessOperatorTest, RecordsGoToTheMainAndToSideOutputsWithTheirTimestamps) {
  SplitDriver driver(GetParam(), SplitByParity(), UnkeyedInput<int64_t>());
  driver.read(kOdd.index());
  driver.read(kText.index());
  driver.open();
  driver.push<int64_t>(0, {{1, 100}, {2, 50}, {3, 60}});
  driver.watermark(0, 70);
  driver.push<int64_t>(0, {{4, 80}});

  EXPECT_EQ(driver.records(), (std::vector<std::string>{"20 @ 50", "21 @ 50", "22 @ 50", "W 70", "40 @ 80",
                                                        "41 @ 80", "42 @ 80"}));
  EXPECT_EQ(driver.records(kOdd.index()),
            (std::vector<std::string>{"10 @ 100", "11 @ 100", "12 @ 100", "30 @ 60", "31 @ 60", "32 @ 60",
                                      "W 70"}));
  EXPECT_EQ(driver.records(kText.index()),
            (std::vector<std::string>{"1 @ 100", "2 @ 50", "3 @ 60", "W 70", "4 @ 80"}));
  EXPECT_EQ(driver.batchesInUse(), 0u);
}

TEST_P(ProcessOperatorTest, ManyRecordsWaitForRoomAndKeepTheirOrder) {
  SplitDriver driver(GetParam(), SplitByParity(), UnkeyedInput<int64_t>());
  driver.read(kOdd.index());
  driver.open();
  std::vector<std::pair<int64_t, int64_t>> input;
  std::vector<std::string> even;
  std::vector<std::string> odd;
  for (int64_t value = 0; value < 500; ++value) {
    input.push_back({value, 1000 + value});
    for (int64_t i = 0; i < 3; ++i) {
      (value % 2 == 0 ? even : odd)
          .push_back(std::to_string(10 * value + i) + " @ " + std::to_string(1000 + value));
    }
  }
  driver.push<int64_t>(0, input);
  EXPECT_EQ(driver.records(), even);
  EXPECT_EQ(driver.records(kOdd.index()), odd);
  const bool pauses = GetParam().narrow && GetParam().rowsTogether;
  EXPECT_EQ(driver.pauses() > 100, pauses);
}

TEST_P(ProcessOperatorTest, RecordsWithoutTimestampsHaveNone) {
  const auto tell = [](const int64_t&, ProcessContext& ctx, Collector<std::string>& out) {
    ctx.output(kText, "side");
    out.collect(toString(ctx.timestamp()) + ", " + toString(ctx.timerService().currentWatermark()) + ", " +
                toString(ctx.timerService().currentProcessingTime()));
  };
  OperatorDriver<LambdaOperator<decltype(tell), std::string>> driver(GetParam(), tell,
                                                                     UnkeyedInput<int64_t>());
  driver.read(kText.index());
  driver.open();
  driver.clock(1000);
  driver.pushUnstamped<int64_t>(0, {1});
  driver.watermark(0, 5000);
  driver.push<int64_t>(0, {{2, 6000}});
  EXPECT_EQ(driver.records(), (std::vector<std::string>{"none, none, 1970-01-01T00:00:01.000Z", "W 5000",
                                                        "1970-01-01T00:00:06.000Z, 1970-01-01T00:00:05.000Z, "
                                                        "1970-01-01T00:00:01.000Z @ 6000"}));
  EXPECT_EQ(driver.records(kText.index()), (std::vector<std::string>{"side", "W 5000", "side @ 6000"}));
}

TEST_P(ProcessOperatorTest, ASideOutputThatNobodyReadsIsLeftOut) {
  SplitDriver driver(GetParam(), SplitByParity(), UnkeyedInput<int64_t>());
  driver.read(kText.index());
  driver.open();
  driver.push<int64_t>(0, {{1, 1}, {3, 1}});
  EXPECT_TRUE(driver.records().empty());
  EXPECT_EQ(driver.records(kText.index()), (std::vector<std::string>{"1 @ 1", "3 @ 1"}));
}

TEST_P(ProcessOperatorTest, WatermarksOutOfOrderAreDropped) {
  SplitDriver driver(GetParam(), SplitByParity(), UnkeyedInput<int64_t>());
  driver.open();
  for (const int64_t ms : {5, 3, 5, 9, 7}) driver.watermark(0, ms);
  EXPECT_EQ(driver.records(), (std::vector<std::string>{"W 5", "W 9"}));
}

TEST_P(ProcessOperatorTest, OpenAndCloseFrameTheRest) {
  std::string journal;
  {
    SplitDriver driver(GetParam(), SplitByParity(&journal), UnkeyedInput<int64_t>());
    driver.open();
    driver.push<int64_t>(0, {{1, 1}, {3, 1}});
    EXPECT_EQ(journal, "open tested;");
    EXPECT_EQ(driver.context().accumulators().get<LongCounter>("seen").value(), 2);
  }
  EXPECT_EQ(journal, "open tested;close;");
}

TEST_P(ProcessOperatorTest, AnErrorNamesTheRecord) {
  SplitDriver driver(GetParam(), SplitByParity(), UnkeyedInput<int64_t>());
  driver.open();
  EXPECT_EQ(failureOf([&] { driver.push<int64_t>(0, {{2, 1}, {-1, 1}}); }), "record -1: no negative numbers");
}

INSTANTIATE_TEST_SUITE_P(All, ProcessOperatorTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

template <typename F>
std::string errorOfRecord(const F& f) {
  OperatorDriver<LambdaOperator<F>> driver({}, f, UnkeyedInput<int64_t>());
  driver.read(kOdd.index());
  driver.open();
  return failureOf([&] { driver.template push<int64_t>(0, {{7, 1}}); });
}

TEST(ProcessErrors, TimersNeedKeys) {
  const std::string expected =
      "record 7: timers can only be set on a keyed stream: call keyBy(…) before this operator";
  EXPECT_EQ(errorOfRecord([](const int64_t&, ProcessContext& ctx, Collector<int64_t>&) {
              ctx.timerService().registerEventTimeTimer(Timestamp(1));
            }),
            expected);
  EXPECT_EQ(errorOfRecord([](const int64_t&, ProcessContext& ctx, Collector<int64_t>&) {
              ctx.timerService().registerProcessingTimeTimer(Timestamp(1));
            }),
            expected);
  EXPECT_EQ(errorOfRecord([](const int64_t&, ProcessContext& ctx, Collector<int64_t>&) {
              ctx.timerService().deleteEventTimeTimer(Timestamp(1));
            }),
            expected);
}

TEST(ProcessErrors, StateNeedsKeys) {
  struct UsesState : ProcessFunction<int64_t, int64_t> {
    void open(RuntimeContext& ctx) override { ctx.state(ValueStateDescriptor<int64_t>("sum")); }
    void processElement(const int64_t&, Context&, Collector<int64_t>&) override {}
  };
  using Base = ProcessFunction<int64_t, int64_t>;
  OperatorDriver<ProcessOperator<int64_t, ProcessCalls<Base>, UsesState, UnkeyedInput<int64_t>>> driver(
      {}, UsesState(), UnkeyedInput<int64_t>());
  EXPECT_EQ(failureOf([&] { driver.open(); }),
            "keyed state 'sum' was asked for on a stream without keys: call keyBy(…) before this operator");
}

TEST(ProcessErrors, OneNameForTwoTypesOfSideOutputs) {
  const OutputTag<int64_t> number("odd");
  EXPECT_EQ(
      errorOfRecord([number](const int64_t& value, ProcessContext& ctx, Collector<int64_t>&) {
        ctx.output(kOdd, {value, {}});
        ctx.output(number, value);
      }),
      "record 7: side output 'odd' is used with two types, struct{value: int64, padding: array<int64, 255>} "
      "and int64: give each side output of an operator a name of its own");
}

/// Two tags of different names with the same index.
std::pair<OutputTag<int64_t>, OutputTag<int64_t>> tagsThatMeet() {
  std::map<SideOutputIndex, std::string> names;
  for (int i = 0;; ++i) {
    const OutputTag<int64_t> tag("tag" + std::to_string(i));
    const auto [at, added] = names.emplace(tag.index(), tag.name());
    if (!added) return {OutputTag<int64_t>(at->second), tag};
  }
}

TEST(ProcessErrors, TwoNamesWithOneNumber) {
  const auto [first, second] = tagsThatMeet();
  EXPECT_EQ(errorOfRecord([&](const int64_t& value, ProcessContext& ctx, Collector<int64_t>&) {
              ctx.output(first, value);
              ctx.output(second, value);
            }),
            "record 7: side outputs '" + first.name() + "' and '" + second.name() +
                "' of one operator happen to hash to the same number: rename one of them");
}

TEST(OutputTags, HaveANameAndANumberThatComesFromItAlone) {
  EXPECT_EQ(failureOf([] { OutputTag<int64_t>(""); }),
            "an OutputTag has an empty name: give each side output a name");
  EXPECT_EQ(OutputTag<int64_t>("late").index(), OutputTag<std::string>("late").index());
  EXPECT_NE(OutputTag<int64_t>("late").index(), OutputTag<int64_t>("early").index());
  EXPECT_GE(OutputTag<int64_t>("late").index().value, 0);
}

}  // namespace
}  // namespace flott
