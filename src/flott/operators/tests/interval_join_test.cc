#include "flott/operators/join/interval_join.h"

#include <algorithm>
#include <set>

#include "flott/base/tests/error_text.h"
#include "flott/operators/tests/chance.h"
#include "flott/operators/tests/operator_driver.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

struct Click {
  int64_t user = 0;
  std::string page;
};
struct Order {
  std::string item;
  int64_t user = 0;
};
using Clicks = std::vector<std::pair<Click, int64_t>>;
using Orders = std::vector<std::pair<Order, int64_t>>;

constexpr MemberSelector<Click, int64_t> kByClicker{&Click::user};
constexpr MemberSelector<Order, int64_t> kByBuyer{&Order::user};

const auto kPair = [](const Click& click, const Order& order, Collector<std::string>& out) {
  out.collect(std::to_string(click.user) + " " + click.page + " " + order.item);
};
using Pair = std::remove_const_t<decltype(kPair)>;

using LateClicks = std::optional<OutputTag<Click>>;
using LateOrders = std::optional<OutputTag<Order>>;

template <typename F>
using Join = IntervalJoinOperator<Click, MemberSelector<Click, int64_t>, Order,
                                  MemberSelector<Order, int64_t>, std::string, F>;
template <typename F>
using JoinDriver = OperatorDriver<Join<F>>;

JoinInterval between(int64_t lower, int64_t upper) {
  return JoinInterval::between(Duration(lower), false, Duration(upper), false);
}

template <typename F = Pair>
auto joining(const DriverOptions& options, JoinInterval interval, F function = kPair,
             LateClicks lateClicks = {}, LateOrders lateOrders = {}) {
  return std::make_unique<JoinDriver<F>>(options, kByClicker, kByBuyer, interval, std::move(lateClicks),
                                         std::move(lateOrders), std::move(function));
}

template <typename F>
void watermark(JoinDriver<F>& driver, int64_t ms) {
  driver.watermark(0, ms);
  driver.watermark(1, ms);
}

template <typename F>
size_t keysStored(JoinDriver<F>& driver) {
  using Buffers = JoinBuffers<Click, Order>;
  return driver.context()
      .keyedState(typeOps<int64_t>())
      .template table<int64_t, Buffers>("interval-join")
      .size();
}

class IntervalJoinTest : public ::testing::TestWithParam<DriverOptions> {};
INSTANTIATE_TEST_SUITE_P(All, IntervalJoinTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

TEST_P(IntervalJoinTest, PairsAreThoseWithinTheBoundsOnBothSides) {
  auto driver = joining(GetParam(), between(-2, 1));
  driver->open();
  driver->push<Click>(0, {{{1, "a"}, 10}, {{2, "b"}, 10}, {{1, "c"}, 13}}, kByClicker);
  driver->push<Order>(1, {{{"7", 1}, 7}, {{"8", 1}, 8}, {{"11", 1}, 11}, {{"12", 1}, 12}}, kByBuyer);
  EXPECT_EQ(driver->takeRecords(), (Texts{"1 a 8 @ 10", "1 a 11 @ 11", "1 c 11 @ 13", "1 c 12 @ 13"}));
  driver->push<Click>(0, {{{1, "d"}, 11}}, kByClicker);
  EXPECT_EQ(driver->takeRecords(), (Texts{"1 d 11 @ 11", "1 d 12 @ 12"}))
      << "matches come in the order of time";
  EXPECT_EQ(driver->batchesInUse(), 0u);
}

TEST_P(IntervalJoinTest, BoundsOfOneSign) {
  auto after = joining(GetParam(), between(5, 10));
  after->open();
  after->push<Click>(0, {{{1, "a"}, 100}}, kByClicker);
  after->push<Order>(1, {{{"104", 1}, 104}, {{"105", 1}, 105}, {{"110", 1}, 110}, {{"111", 1}, 111}},
                     kByBuyer);
  EXPECT_EQ(after->takeRecords(), (Texts{"1 a 105 @ 105", "1 a 110 @ 110"}));
  auto before = joining(GetParam(), between(-10, -5));
  before->open();
  before->push<Order>(1, {{{"90", 1}, 90}, {{"95", 1}, 95}, {{"96", 1}, 96}}, kByBuyer);
  before->push<Click>(0, {{{1, "a"}, 100}}, kByClicker);
  EXPECT_EQ(before->takeRecords(), (Texts{"1 a 90 @ 100", "1 a 95 @ 100"}));
}

struct Tell : ProcessJoinFunction<Click, Order, std::string> {
  ValueState<int64_t> pairs;
  void open(RuntimeContext& ctx) override { pairs = ctx.state(ValueStateDescriptor<int64_t>("pairs")); }
  void processElement(const Click& click, const Order& order, Context& ctx,
                      Collector<std::string>& out) override {
    pairs.set(pairs.get() + 1);
    out.collect(click.page + " " + std::to_string(ctx.leftTimestamp().ms) + " " + order.item + " " +
                std::to_string(ctx.rightTimestamp().ms) + " #" + std::to_string(pairs.get()));
    ctx.output(OutputTag<int64_t>("times"), ctx.timestamp().ms);
  }
};

TEST_P(IntervalJoinTest, AClassSeesTimesAndHasStateAndSideOutputs) {
  auto driver = joining(GetParam(), between(-2, 2), Tell());
  const OutputTag<int64_t> times("times");
  driver->read(times.index());
  driver->open();
  driver->push<Click>(0, {{{1, "a"}, 10}, {{2, "b"}, 11}}, kByClicker);
  driver->push<Order>(1, {{{"x", 1}, 9}, {{"y", 1}, 12}, {{"z", 2}, 11}}, kByBuyer);
  EXPECT_EQ(driver->records(), (Texts{"a 10 x 9 #1 @ 10", "a 10 y 12 #2 @ 12", "b 11 z 11 #1 @ 11"}));
  EXPECT_EQ(driver->records(times.index()), (Texts{"10 @ 10", "12 @ 12", "11 @ 11"}));
}

TEST_P(IntervalJoinTest, LateRecordsGoToSideOutputsOrAreCounted) {
  const OutputTag<Click> lateClicks("late-clicks");
  auto driver = joining(GetParam(), between(-5, 5), kPair, lateClicks, OutputTag<Order>("nobody-reads-it"));
  driver->read(lateClicks.index());
  driver->open();
  watermark(*driver, 100);
  driver->takeRecords();
  driver->push<Click>(0, {{{1, "late"}, 99}, {{1, "a"}, 100}, {{1, "later"}, 98}}, kByClicker);
  driver->push<Order>(1, {{{"late", 1}, 99}, {{"x", 1}, 100}, {{"later", 1}, 97}}, kByBuyer);
  EXPECT_EQ(driver->records(), Texts{"1 a x @ 100"});
  EXPECT_EQ(driver->records(lateClicks.index()),
            (Texts{"W 100", R"({user: 1, page: "late"} @ 99)", R"({user: 1, page: "later"} @ 98)"}));
  EXPECT_EQ(driver->context().metrics().count("numLateRecordsDropped"), 2);
}

TEST_P(IntervalJoinTest, OneRecordThatMeetsManyStopsWhenTheOutputIsFull) {
  auto driver = joining(GetParam(), between(-100000, 100000));
  driver->open();
  Orders orders;
  for (int64_t i = 0; i < 5000; ++i) orders.push_back({{std::to_string(i), 1}, i});
  driver->push<Order>(1, orders, kByBuyer);
  driver->push<Click>(0, {{{1, "a"}, 50}, {{2, "none"}, 50}, {{1, "b"}, 51}}, kByClicker);
  ASSERT_EQ(driver->records().size(), 10000u);
  EXPECT_EQ(driver->records()[0], "1 a 0 @ 50");
  EXPECT_EQ(driver->records()[4999], "1 a 4999 @ 4999");
  EXPECT_EQ(driver->records()[5000], "1 b 0 @ 51");
  EXPECT_EQ(driver->pauses() > 10, GetParam().narrow);
}

TEST_P(IntervalJoinTest, StateGoesWithTheWatermark) {
  auto driver = joining(GetParam(), between(-10, 20));
  driver->open();
  for (int64_t user = 0; user < 1000; ++user) {
    driver->push<Click>(0, {{{user, "c"}, user}}, kByClicker);
    driver->push<Order>(1, {{{"o", user + 5000}, user}}, kByBuyer);
    if (user % 10 == 9) watermark(*driver, user);
  }
  EXPECT_LT(keysStored(*driver), 600u);
  for (int64_t ms = 1000; ms < 1300; ++ms) watermark(*driver, ms);
  EXPECT_EQ(keysStored(*driver), 0u);
  driver->push<Click>(0, {{{1, "c"}, 2000}}, kByClicker);
  EXPECT_EQ(keysStored(*driver), 1u);
  watermark(*driver, Timestamp::max().ms);
  EXPECT_EQ(keysStored(*driver), 0u);
}

TEST_P(IntervalJoinTest, AKeyThatStaysBusyDoesNotGrow) {
  auto driver = joining(GetParam(), between(0, 10));
  driver->open();
  for (int64_t ms = 0; ms < 20000; ms += 2) {
    driver->push<Click>(0, {{{1, "a page with a name that is not short"}, ms}}, kByClicker);
    if (ms % 100 == 0) watermark(*driver, ms);
  }
  EXPECT_EQ(keysStored(*driver), 1u);
  const auto& buffers = *driver->context()
                             .keyedState(typeOps<int64_t>())
                             .template table<int64_t, JoinBuffers<Click, Order>>("interval-join")
                             .find(hashKey(int64_t{1}), 1);
  EXPECT_LT(buffers.left.capacity(), 300u);
}

TEST(IntervalJoin, RecordsWithoutTimestampAreAnError) {
  const std::string expected =
      "records have no timestamp, which an interval join needs on both of its streams: assign one with "
      "assignTimestampsAndWatermarks(…) before keyBy(…)";
  auto driver = joining({}, between(0, 1));
  driver->open();
  EXPECT_EQ(errorText([&] { driver->pushUnstamped<Order>(1, {{"x", 1}}); }), expected);
  EXPECT_EQ(errorText([&] {
              driver->push<Click>(0, {{{1, "a"}, Timestamp::min().ms}}, kByClicker);
            }),
            expected);
}

TEST(IntervalJoin, FailuresNameTheRecord) {
  const auto fail = [](const Click&, const Order&, Collector<std::string>&) {
    throw std::runtime_error("cannot");
  };
  auto driver = joining({}, between(0, 1), fail);
  driver->open();
  driver->push<Order>(1, {{{"x", 1}, 1}}, kByBuyer);
  EXPECT_EQ(failureOf([&] {
              driver->push<Click>(0, {{{2, "a"}, 1}, {{1, "b"}, 1}}, kByClicker);
            }),
            R"(record {user: 1, page: "b"}: cannot)");
}

TEST(IntervalJoin, BoundsThatHoldNothingAreRefused) {
  const auto text = [](Duration lower, bool lowerExclusive, Duration upper, bool upperExclusive) {
    return errorText([&] { JoinInterval::between(lower, lowerExclusive, upper, upperExclusive); });
  };
  EXPECT_EQ(text(Duration(1), false, Duration(0), false),
            "an interval join between 1 ms and 0 ms: nothing lies between them; give a lower bound that is "
            "not above the upper");
  EXPECT_EQ(text(Duration(1), true, Duration(1), false),
            "an interval join between 1 ms (exclusive) and 1 ms: nothing lies between them; give a lower "
            "bound that is not above the upper");
  EXPECT_EQ(text(Duration(1), false, Duration::max(), false),
            "an interval join between 1 ms and 9223372036854775807 ms: give bounds of less than "
            "1152921504606846976 ms");
  EXPECT_EQ(JoinInterval::between(Duration(1), true, Duration(3), true).lower, 2);
  EXPECT_EQ(JoinInterval::between(Duration(1), true, Duration(3), true).upper, 2);
}

/// A naive join of all that was not late, beside the operator.
class RandomJoin {
 public:
  RandomJoin(uint64_t seed, const DriverOptions& options)
      : options_(options),
        chance_(seed),
        interval_(between(chance_.between(-30, 10), chance_.between(11, 30))),
        driver_(joining(options, interval_)) {
    driver_->open();
    watermark(*driver_, now_);
  }

  void run() {
    for (int step = 0; step < 150; ++step) act();
    watermark(*driver_, Timestamp::max().ms);
    keepRecords();
    EXPECT_EQ(got_, expected_);
    EXPECT_EQ(late_, dropped_ + driver_->context().metrics().count("numLateRecordsDropped"));
    EXPECT_EQ(keysStored(*driver_), 0u);
    EXPECT_EQ(driver_->batchesInUse(), 0u);
  }

 private:
  struct Seen {
    int64_t user;
    int64_t at;
    std::string name;
  };

  void act() {
    const size_t choice = chance_.below(20);
    if (choice < 8) {
      Clicks clicks;
      for (size_t n = 1 + chance_.below(25); n > 0; --n) {
        const Seen one = any("c");
        clicks.push_back({{one.user, one.name}, one.at});
        arrive(one, clicks_);
      }
      driver_->push<Click>(0, clicks, kByClicker);
    } else if (choice < 16) {
      Orders orders;
      for (size_t n = 1 + chance_.below(25); n > 0; --n) {
        const Seen one = any("o");
        orders.push_back({{one.name, one.user}, one.at});
        arrive(one, orders_);
      }
      driver_->push<Order>(1, orders, kByBuyer);
    } else if (choice < 18) {
      const int input = static_cast<int>(chance_.below(2));
      inputs_[input] += chance_.between(0, 20);
      driver_->watermark(input, inputs_[input]);
      now_ = std::max(now_, std::min(inputs_[0], inputs_[1]));
    } else if (choice == 18) {
      moveState();
    }
  }

  Seen any(const char* kind) {
    const int64_t at = now_ + chance_.between(-15, 60);
    return {chance_.between(0, 15), at, kind + std::to_string(++names_)};
  }
  void arrive(const Seen& one, std::vector<Seen>& seen) {
    if (one.at < now_) {
      ++late_;
      return;
    }
    seen.push_back(one);
    const bool isClick = &seen == &clicks_;
    for (const Seen& other : isClick ? orders_ : clicks_) {
      const Seen& click = isClick ? one : other;
      const Seen& order = isClick ? other : one;
      const int64_t apart = order.at - click.at;
      if (click.user != order.user || apart < interval_.lower || apart > interval_.upper) continue;
      expected_.insert(std::to_string(click.user) + " " + click.name + " " + order.name + " @ " +
                       std::to_string(std::max(click.at, order.at)));
    }
  }

  /// A snapshot, restored in another operator, which goes on.
  void moveState() {
    keepRecords();
    dropped_ += driver_->context().metrics().count("numLateRecordsDropped");
    auto next = joining(options_, interval_);
    next->open();
    struct Copy final : SegmentSink {
      explicit Copy(KeyedStateBackend& target) : to(target) {}
      void take(const SegmentImage& image) override { to.load(image); }
      KeyedStateBackend& to;
    } copy(next->context().keyedState(typeOps<int64_t>()));
    KeyedStateBackend& from = driver_->context().keyedState(typeOps<int64_t>());
    from.cut(copy);
    while (!from.encodeSome(100)) {
    }
    copy.to.finishLoad();
    driver_ = std::move(next);
    for (int input = 0; input < 2; ++input) driver_->watermark(input, inputs_[input]);
    keepRecords();
  }
  void keepRecords() {
    for (std::string& text : driver_->takeRecords()) {
      if (text[0] != 'W') got_.insert(std::move(text));
    }
  }

  DriverOptions options_;
  Chance chance_;
  JoinInterval interval_;
  std::unique_ptr<JoinDriver<Pair>> driver_;
  int64_t inputs_[2] = {0, 0};
  int64_t now_ = 0;
  int64_t names_ = 0;
  int64_t late_ = 0;
  int64_t dropped_ = 0;
  std::vector<Seen> clicks_;
  std::vector<Seen> orders_;
  std::multiset<std::string> expected_;
  std::multiset<std::string> got_;
};

TEST_P(IntervalJoinTest, RandomStreamsJoinAsTheNaiveModel) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomJoin(seed, GetParam()).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace flott
