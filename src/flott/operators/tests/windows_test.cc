#include <gtest/gtest.h>

#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/slice_window_operator.h"

namespace flott::windows_test {
namespace {

using Texts = std::vector<std::string>;

struct Sale {
  std::string shop;
  int64_t cents = 0;
  std::string note = {};
};
struct Amount {
  int64_t key = 0;
  int64_t value = 0;
};

using Stamped = std::vector<std::pair<Sale, int64_t>>;
using ByShop = MemberSelector<Sale, std::string>;
using ByKey = MemberSelector<Amount, int64_t>;
constexpr ByShop kByShop{&Sale::shop};
constexpr ByKey kByKey{&Amount::key};

/// A driver for windows of 10 s over sales by shop.
template <typename Accumulation, typename Emission, typename Assigner = TumblingEventTimeWindows,
          typename Selector = ByShop>
auto windows(DriverOptions options, Accumulation accumulation, Emission emission,
             Assigner assigner = Assigner::of(Duration::seconds(10)), Selector selector = kByShop) {
  using Op = SliceWindowOperator<Sale, Selector, Assigner, Accumulation, Emission>;
  return std::make_unique<OperatorDriver<Op>>(options, selector, assigner, accumulation, emission);
}

template <typename Fold>
auto folded(DriverOptions options, Fold fold) {
  return windows(options, RecordAccumulation<Sale, Fold>{fold}, EmitResult<Sale>());
}

const Stamped kSales = {{{"b", 5, "b1"}, 1000}, {{"a", 7, "a1"}, 9999}, {{"b", 3, "b2"}, 0},
                        {{"a", 9, "a2"}, 5000}, {{"b", 5, "b3"}, 2000}, {{"b", 1, "later"}, 10000}};

class WindowsTest : public ::testing::TestWithParam<DriverOptions> {};

/// What the first window gives, in the order of the keys.
template <typename Fold>
Texts firstWindow(DriverOptions options, Fold fold) {
  auto driver = folded(options, fold);
  driver->open();
  driver->push(0, kSales, kByShop);
  driver->watermark(0, 9998);
  EXPECT_EQ(driver->takeRecords(), Texts{"W 9998"});
  driver->watermark(0, 9999);
  Texts texts = driver->takeRecords();
  EXPECT_EQ(texts.back(), "W 9999");
  texts.pop_back();
  std::sort(texts.begin(), texts.end());
  driver->watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver->takeRecords(), (Texts{R"({shop: "b", cents: 1, note: "later"} @ 19999)",
                                          "W " + std::to_string(Timestamp::max().ms)}));
  EXPECT_EQ(driver->batchesInUse(), 0u);
  return texts;
}

TEST_P(WindowsTest, AggregatesOfAMemberKeepTheRestOfTheFirstRecord) {
  EXPECT_EQ(firstWindow(GetParam(), SumOf<Sale, int64_t>{&Sale::cents}),
            (Texts{R"({shop: "a", cents: 16, note: "a1"} @ 9999)",
                   R"({shop: "b", cents: 13, note: "b1"} @ 9999)"}));
  EXPECT_EQ(
      firstWindow(GetParam(), LeastOf<Sale, int64_t>{&Sale::cents}),
      (Texts{R"({shop: "a", cents: 7, note: "a1"} @ 9999)", R"({shop: "b", cents: 3, note: "b1"} @ 9999)"}));
  EXPECT_EQ(
      firstWindow(GetParam(), GreatestOf<Sale, int64_t>{&Sale::cents}),
      (Texts{R"({shop: "a", cents: 9, note: "a1"} @ 9999)", R"({shop: "b", cents: 5, note: "b1"} @ 9999)"}));
}

TEST_P(WindowsTest, ExtremesByAMemberAreWholeRecords) {
  EXPECT_EQ(
      firstWindow(GetParam(), RecordOfLeast<Sale, int64_t>{&Sale::cents, Tie::kFirst}),
      (Texts{R"({shop: "a", cents: 7, note: "a1"} @ 9999)", R"({shop: "b", cents: 3, note: "b2"} @ 9999)"}));
  EXPECT_EQ(
      firstWindow(GetParam(), RecordOfGreatest<Sale, int64_t>{&Sale::cents, Tie::kFirst}),
      (Texts{R"({shop: "a", cents: 9, note: "a2"} @ 9999)", R"({shop: "b", cents: 5, note: "b1"} @ 9999)"}));
  EXPECT_EQ(
      firstWindow(GetParam(), RecordOfGreatest<Sale, int64_t>{&Sale::cents, Tie::kLast}),
      (Texts{R"({shop: "a", cents: 9, note: "a2"} @ 9999)", R"({shop: "b", cents: 5, note: "b3"} @ 9999)"}));
}

TEST_P(WindowsTest, ReduceCallsTheUsersFunction) {
  const auto join = [](const Sale& soFar, const Sale& sale) {
    return Sale{soFar.shop, soFar.cents + sale.cents, soFar.note + sale.note};
  };
  EXPECT_EQ(firstWindow(GetParam(), UserReduce<Sale, decltype(join)>{join}),
            (Texts{R"({shop: "a", cents: 16, note: "a1a2"} @ 9999)",
                   R"({shop: "b", cents: 13, note: "b1b2b3"} @ 9999)"}));
}

struct Average {
  struct Sum {
    int64_t cents = 0;
    int64_t count = 0;
  };
  Sum createAccumulator() const { return {.cents = 1000, .count = 0}; }
  void add(const Sale& sale, Sum& sum) const {
    sum.cents += sale.cents;
    ++sum.count;
  }
  std::string getResult(const Sum& sum) const {
    return std::to_string(sum.cents) + "/" + std::to_string(sum.count);
  }
};

struct Tell : ProcessWindowFunction<std::string, std::string, std::string> {
  void process(const std::string& shop, Context& ctx, std::span<const std::string> elements,
               Collector<std::string>& out) override {
    for (const std::string& element : elements) {
      out.collect(shop + " " + element + " [" + std::to_string(ctx.window().start.ms) + ", " +
                  std::to_string(ctx.window().end.ms) + ") at " + std::to_string(ctx.currentWatermark().ms) +
                  ", " + std::to_string(ctx.currentProcessingTime().ms));
    }
  }
};

TEST_P(WindowsTest, AggregateFunctionsGoAloneOrWithAWindowFunction) {
  auto alone = windows(GetParam(), AggregateAccumulation<Sale, Average>{}, EmitResult<std::string>());
  auto told =
      windows(GetParam(), AggregateAccumulation<Sale, Average>{}, EmitByFunction<std::string, Tell>{});
  alone->open();
  alone->push<Sale>(0, {kSales[0], kSales[2]}, kByShop);
  alone->watermark(0, 20000);
  EXPECT_EQ(alone->records(), (Texts{"1008/2 @ 9999", "W 20000"}));
  told->open();
  told->clock(77);
  told->push<Sale>(0, {kSales[0], kSales[2]}, kByShop);
  told->watermark(0, 20000);
  EXPECT_EQ(told->records(), (Texts{"b 1008/2 [0, 10000) at 20000, 77 @ 9999", "W 20000"}));
}

TEST_P(WindowsTest, AWindowFunctionGetsAllRecordsInTheOrderOfArrival) {
  const auto list = [](const std::string& shop, WindowContext&, std::span<const Sale> sales,
                       Collector<std::string>& out) {
    std::string text = shop;
    for (const Sale& sale : sales) text += " " + sale.note;
    out.collect(text);
    if (shop == "b") out.collect("b again");
  };
  auto driver =
      windows(GetParam(), ElementsAccumulation<Sale>(), EmitByFunction<std::string, decltype(list)>{list});
  driver->open();
  driver->push<Sale>(0, kSales, kByShop);
  driver->watermark(0, 15000);
  Texts texts = driver->takeRecords();
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (Texts{"W 15000", "a a1 a2 @ 9999", "b again @ 9999", "b b1 b2 b3 @ 9999"}));
}

/// Counts the windows of a key in keyed state.
struct CountWindows : ProcessWindowFunction<int64_t, std::string, std::string> {
  ValueState<int64_t> windows;
  void open(RuntimeContext& ctx) override { windows = ctx.state(ValueStateDescriptor<int64_t>("windows")); }
  void process(const std::string& shop, Context&, std::span<const int64_t> count,
               Collector<std::string>& out) override {
    windows.set(windows.get() + 1);
    out.collect(shop + " " + std::to_string(windows.get()) + ": " + std::to_string(count[0]));
  }
};

TEST_P(WindowsTest, StateOfAWindowFunctionIsThatOfTheKey) {
  auto driver = windows(GetParam(), CountAccumulation<Sale>(), EmitByFunction<std::string, CountWindows>{});
  driver->open();
  driver->push<Sale>(0, {{{"a"}, 1}, {{"b"}, 10001}, {{"b"}, 10002}, {{"b"}, 2}, {{"a"}, 25000}}, kByShop);
  driver->watermark(0, 40000);
  Texts texts = driver->takeRecords();
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (Texts{"W 40000", "a 1: 1 @ 9999", "a 2: 1 @ 29999", "b 1: 1 @ 9999", "b 2: 2 @ 19999"}));
}

TEST_P(WindowsTest, WithoutKeysAllRecordsAreOneWindow) {
  auto driver = windows(GetParam(), CountAccumulation<Sale>(), EmitResult<int64_t>(),
                        TumblingEventTimeWindows::of(Duration::seconds(10)), NoKeySelector<Sale>());
  driver->open();
  driver->push<Sale>(0, kSales);
  driver->watermark(0, 30000);
  EXPECT_EQ(driver->records(), (Texts{"5 @ 9999", "1 @ 19999", "W 30000"}));
  const auto notes = [](WindowContext& ctx, std::span<const Sale> sales, Collector<std::string>& out) {
    out.collect(sales.front().note + "-" + sales.back().note + " " + toString(ctx.window().end));
  };
  auto process =
      windows(GetParam(), ElementsAccumulation<Sale>(), EmitByFunction<std::string, decltype(notes)>{notes},
              TumblingEventTimeWindows::of(Duration::seconds(10)), NoKeySelector<Sale>());
  process->open();
  process->push<Sale>(0, kSales);
  process->watermark(0, 30000);
  EXPECT_EQ(process->records(), (Texts{"b1-b3 1970-01-01T00:00:10.000Z @ 9999",
                                       "later-later 1970-01-01T00:00:20.000Z @ 19999", "W 30000"}));
}

TEST_P(WindowsTest, LateRecordsAreCountedAndDropped) {
  auto driver = windows(GetParam(), CountAccumulation<Sale>(), EmitWithKey<std::string, int64_t>());
  driver->open();
  driver->watermark(0, 9998);
  driver->push<Sale>(0, {{{"a"}, 5000}}, kByShop);
  driver->watermark(0, 9999);
  EXPECT_EQ(driver->takeRecords(), (Texts{"W 9998", R"(("a", 1) @ 9999)", "W 9999"}));
  driver->push<Sale>(0, {{{"a"}, 9999}, {{"a"}, 10000}, {{"b"}, -3}, {{"a"}, 20000}}, kByShop);
  driver->push<Sale>(0, {{{"a"}, 1}, {{"a"}, 2}}, kByShop);
  driver->watermark(0, 30000);
  EXPECT_EQ(driver->takeRecords(), (Texts{R"(("a", 1) @ 19999)", R"(("a", 1) @ 29999)", "W 30000"}));
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 4);
}

TEST_P(WindowsTest, OnProcessingTimeTheClockDecides) {
  auto driver = windows(GetParam(), CountAccumulation<Sale>(), EmitWithKey<std::string, int64_t>(),
                        TumblingProcessingTimeWindows::of(Duration::seconds(5), Duration::seconds(-1)));
  driver->open();
  EXPECT_EQ(driver->alarm(), Timestamp::max());
  driver->clock(3500);
  driver->push<Sale>(0, {{{"a"}, 99999}, {{"a"}, -1}}, kByShop);
  EXPECT_EQ(driver->alarm(), Timestamp(4000));
  driver->watermark(0, 50000);
  driver->clock(3999);
  driver->push<Sale>(0, {{{"a"}, 0}}, kByShop);
  EXPECT_EQ(driver->takeRecords(), Texts{"W 50000"});
  driver->clock(4000);
  EXPECT_EQ(driver->takeRecords(), Texts{R"(("a", 3) @ 3999)"});
  EXPECT_EQ(driver->alarm(), Timestamp::max());
  driver->push<Sale>(0, {{{"b"}, 0}}, kByShop);
  driver->clockOnce(8999);
  driver->push<Sale>(0, {{{"b"}, 0}}, kByShop);
  driver->endOfInput(0);
  EXPECT_EQ(driver->takeRecords(), Texts{R"(("b", 2) @ 8999)"});
}

TEST_P(WindowsTest, NaturalStaggerBeginsAWindowWithTheFirstRecordAlsoAfterARestore) {
  const auto assigner =
      TumblingProcessingTimeWindows::of(Duration::seconds(5), Duration::seconds(1), WindowStagger::kNatural);
  const auto make = [&] {
    return windows(GetParam(), CountAccumulation<Sale>(), EmitWithKey<std::string, int64_t>(), assigner);
  };
  auto before = make();
  before->open();
  before->clock(13500);
  before->push<Sale>(0, {{{"a"}, 0}}, kByShop);
  EXPECT_EQ(before->alarm(), Timestamp(18500));
  before->clock(18499);
  before->push<Sale>(0, {{{"a"}, 0}}, kByShop);
  before->clock(18500);
  EXPECT_EQ(before->takeRecords(), Texts{R"(("a", 2) @ 18499)"});

  auto after = make();
  after->context().operatorState() = OperatorStateBackend(before->context().operatorState().snapshot());
  after->open();
  after->clock(21000);
  after->push<Sale>(0, {{{"a"}, 0}}, kByShop);
  EXPECT_EQ(after->alarm(), Timestamp(23500));
}

TEST_P(WindowsTest, StaggerMovesWindowsOnEventTimeToo) {
  auto driver =
      windows(GetParam(), CountAccumulation<Sale>(), EmitWithKey<std::string, int64_t>(),
              TumblingEventTimeWindows::of(Duration::seconds(10), Duration(), WindowStagger::kNatural));
  driver->open();
  driver->clock(3000);
  driver->push<Sale>(0, {{{"a"}, 12'999}, {{"a"}, 13'000}, {{"a"}, 22'999}}, kByShop);
  driver->watermark(0, 30'000);
  EXPECT_EQ(driver->takeRecords(), (Texts{R"(("a", 1) @ 12999)", R"(("a", 2) @ 22999)", "W 30000"}));
}

TEST_P(WindowsTest, ManyResultsStopAtAFullOutputAndGoOn) {
  auto driver = windows(GetParam(), CountAccumulation<Sale>(), EmitWithKey<std::string, int64_t>());
  driver->open();
  Stamped sales;
  for (int i = 0; i < 3000; ++i) sales.push_back({{"shop" + std::to_string(i % 1500), 1, ""}, i * 10});
  driver->push<Sale>(0, sales, kByShop);
  driver->watermark(0, 50000);
  EXPECT_EQ(driver->records().size(), 3001u);
  EXPECT_EQ(driver->records().back(), "W 50000");
  EXPECT_EQ(driver->pauses() > 0, GetParam().narrow);
}

INSTANTIATE_TEST_SUITE_P(All, WindowsTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

TEST(Windows, RecordsWithoutTimestampAreAnError) {
  const std::string expected =
      "records have no timestamp, which windows on event time need: assign one with "
      "assignTimestampsAndWatermarks(…) before them, or use windows on processing time";
  const auto unstamped = [] {
    auto driver = windows({}, CountAccumulation<Sale>(), EmitResult<int64_t>(),
                          TumblingEventTimeWindows::of(Duration::seconds(10)), NoKeySelector<Sale>());
    driver->open();
    driver->pushUnstamped<Sale>(0, {{"a"}});
  };
  EXPECT_EQ(failureOf(unstamped), expected);
  auto driver = windows({}, CountAccumulation<Sale>(), EmitResult<int64_t>());
  driver->open();
  EXPECT_EQ(failureOf([&] {
              driver->push<Sale>(0, {{{"a"}, 5}, {{"a"}, Timestamp::min().ms}}, kByShop);
            }),
            expected);
  EXPECT_EQ(
      failureOf([&] {
        driver->push<Sale>(0, {{{"a"}, 5}, {{"x"}, Timestamp::max().ms}}, kByShop);
      }),
      R"(record {shop: "x", cents: 0, note: ""}: timestamp 9223372036854775807 is out of range: event time is in )"
      "milliseconds since 1970, from -4611686018427387904 to 4611686018427387904");
}

TEST(Windows, ErrorsNameTheRecordOrTheWindow) {
  auto sum = folded({}, SumOf<Sale, int64_t>{&Sale::cents});
  sum->open();
  EXPECT_EQ(
      failureOf([&] {
        sum->push<Sale>(0, {{{"a", Timestamp::max().ms, ""}, 5}, {{"b", 1, ""}, 20000}, {{"a", 1, "x"}, 6}},
                        kByShop);
      }),
      R"(record {shop: "a", cents: 1, note: "x"}: sum overflows: 9223372036854775807 + 1 does not fit; use a )"
      "wider type for the member, or reduce(…) with your own rule");
  const auto fails = [](const std::string&, WindowContext&, std::span<const int64_t>, Collector<int64_t>&) {
    throw Error(ErrorKind::kUser, "not today");
  };
  auto process = windows({}, CountAccumulation<Sale>(), EmitByFunction<int64_t, decltype(fails)>{fails});
  process->open();
  process->push<Sale>(0, {{{"a"}, 5}}, kByShop);
  EXPECT_EQ(failureOf([&] { process->watermark(0, 9999); }),
            "window from 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:10.000Z of key a: not today");
}

TEST(TumblingWindows, SizesAndOffsetsAreChecked) {
  const auto refused = [](int64_t size, int64_t offset) {
    return failureOf([&] { TumblingEventTimeWindows::of(Duration(size), Duration(offset)); });
  };
  EXPECT_EQ(refused(0, 0),
            "tumbling windows of 0 ms cannot be: give a size from 1 ms to 2305843009213693952 ms");
  EXPECT_EQ(refused(-5, 0),
            "tumbling windows of -5 ms cannot be: give a size from 1 ms to 2305843009213693952 ms");
  EXPECT_EQ(
      refused(10000, 15000),
      "tumbling windows of 10 s cannot have an offset of 15 s: give one smaller than the size, positive or "
      "negative");
  EXPECT_EQ(
      refused(10000, -10000),
      "tumbling windows of 10 s cannot have an offset of -10 s: give one smaller than the size, positive or "
      "negative");
  EXPECT_EQ(refused(10000, -9999), "nothing was thrown");
}

TEST(TumblingWindows, AreAlignedToTheEpochButForTheirOffset) {
  const auto windowOf = [](int64_t ms, int64_t size, int64_t offset) {
    const TimeWindow window =
        TumblingEventTimeWindows::of(Duration(size), Duration(offset)).slices().sliceOf(ms);
    return std::pair(window.start.ms, window.end.ms);
  };
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(windowOf(0, 10, 0), Pair(0, 10));
  EXPECT_EQ(windowOf(9, 10, 0), Pair(0, 10));
  EXPECT_EQ(windowOf(10, 10, 0), Pair(10, 20));
  EXPECT_EQ(windowOf(-1, 10, 0), Pair(-10, 0));
  EXPECT_EQ(windowOf(-10, 10, 0), Pair(-10, 0));
  EXPECT_EQ(windowOf(2, 10, 3), Pair(-7, 3));
  EXPECT_EQ(windowOf(3, 10, 3), Pair(3, 13));
  EXPECT_EQ(windowOf(0, 24, -8), Pair(-8, 16));
  EXPECT_EQ(windowOf(16, 24, -8), Pair(16, 40));
  EXPECT_EQ(windowOf(-9, 24, -8), Pair(-32, -8));
  for (const int64_t ms : {kEarliestEventTime.ms, kLatestEventTime.ms}) {
    const auto [start, end] = windowOf(ms, kLatestEventTime.ms / 2, kLatestEventTime.ms / -3);
    EXPECT_LE(start, ms);
    EXPECT_GT(end, ms);
  }
  EXPECT_EQ(TumblingEventTimeWindows::of(Duration(10000)).toString(), "TumblingEventTimeWindows(10 s)");
  EXPECT_EQ(TumblingProcessingTimeWindows::of(Duration(10000), Duration(-500)).toString(),
            "TumblingProcessingTimeWindows(10 s, offset -500 ms)");
  EXPECT_EQ(TumblingEventTimeWindows::of(Duration(10000), Duration(), WindowStagger::kRandom).toString(),
            "TumblingEventTimeWindows(10 s, RANDOM)");
}

// Random streams against a model that keeps a list for each window and key.

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 2 + 1) {}
  int64_t below(int64_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(end));
  }

 private:
  uint64_t state_;
};

class Model {
 public:
  Model(int64_t size, int64_t offset) : size_(size), offset_(offset) {}

  void push(const Amount& amount, int64_t at) {
    int64_t start = offset_ + (at - offset_) / size_ * size_;
    if (start > at) start -= size_;
    if (start + size_ - 1 <= watermark_) {
      ++late;
    } else {
      windows_[start + size_][hashKey(amount.key)].push_back(amount);
    }
  }
  void watermark(int64_t ms) {
    if (ms <= watermark_) return;
    watermark_ = ms;
    while (!windows_.empty() && windows_.begin()->first - 1 <= ms) {
      for (const auto& [hash, amounts] : windows_.begin()->second) {
        Amount sum = amounts.front();
        for (size_t i = 1; i < amounts.size(); ++i) sum.value += amounts[i].value;
        texts.push_back(toText(sum) + " @ " + std::to_string(windows_.begin()->first - 1));
      }
      windows_.erase(windows_.begin());
    }
    texts.push_back("W " + std::to_string(ms));
  }

  Texts texts;
  int64_t late = 0;

 private:
  int64_t size_;
  int64_t offset_;
  int64_t watermark_ = Timestamp::min().ms;
  std::map<int64_t, std::map<uint64_t, std::vector<Amount>>> windows_;
};

template <typename Accumulation>
void compareWithModel(uint64_t seed, DriverOptions options, Accumulation accumulation) {
  Dice dice(seed);
  const int64_t size = 1 + dice.below(50);
  const int64_t offset = dice.below(2 * size - 1) - (size - 1);
  const int64_t keys = 1 + dice.below(dice.below(3) == 0 ? 500 : 3);
  const int64_t disorder = 1 + dice.below(100);
  using Op = SliceWindowOperator<Amount, ByKey, TumblingEventTimeWindows, Accumulation, EmitResult<Amount>>;
  OperatorDriver<Op> driver(options, kByKey, TumblingEventTimeWindows::of(Duration(size), Duration(offset)),
                            accumulation, EmitResult<Amount>());
  driver.open();
  Model model(size, offset);
  int64_t now = dice.below(2) == 0 ? -500 : 0;
  for (int step = 0; step < 60; ++step) {
    std::vector<std::pair<Amount, int64_t>> batch;
    for (int64_t n = dice.below(40); n > 0; --n) {
      const int64_t at = now + dice.below(disorder) - dice.below(disorder);
      batch.push_back({{dice.below(keys), dice.below(1000) - 300}, at});
      model.push(batch.back().first, at);
      now += dice.below(3);
    }
    driver.push(0, batch, kByKey);
    if (dice.below(3) > 0) continue;
    const int64_t watermark = now - dice.below(disorder);
    model.watermark(watermark);
    driver.watermark(0, watermark);
  }
  model.watermark(Timestamp::max().ms);
  driver.watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver.records(), model.texts) << "seed " << seed;
  EXPECT_EQ(driver.context().metrics().count("numLateRecordsDropped"), model.late) << "seed " << seed;
  EXPECT_EQ(driver.batchesInUse(), 0u);
}

TEST(WindowModel, SumsOfRandomStreamsInEachWayToGiveThem) {
  const SumOf<Amount, int64_t> sum{&Amount::value};
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    for (const DriverOptions options : {DriverOptions{true, false}, DriverOptions{true, true},
                                        DriverOptions{false, false}, DriverOptions{false, true}}) {
      compareWithModel(
          seed, options,
          NumberAccumulation<Amount, int64_t, int64_t, SumOf<Amount, int64_t>>{&Amount::key, sum});
      compareWithModel(seed, options, RecordAccumulation<Amount, SumOf<Amount, int64_t>>{sum});
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace flott::windows_test
