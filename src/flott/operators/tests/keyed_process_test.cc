#include <array>
#include <map>
#include <set>
#include <tuple>

#include "flott/operators/process.h"
#include "flott/operators/process_functions.h"
#include "flott/operators/tests/operator_driver.h"

namespace flott::keyed_process_test {
namespace {

enum class Deed : uint8_t { kSetEvent, kDeleteEvent, kSetProcessing, kDeleteProcessing, kFail };

struct Order {
  std::string key;
  Deed deed = Deed::kSetEvent;
  int64_t at = 0;
};

/// Eight of them fill a batch.
struct Fired {
  std::string what;
  std::array<int64_t, 252> padding{};
};
std::string toString(const Fired& fired) { return fired.what; }

std::string describeFired(const std::string& key, int64_t at, TimeDomain domain, int64_t count) {
  return key + (domain == TimeDomain::kEventTime ? " event " : " processing ") + std::to_string(at) + " #" +
         std::to_string(count);
}

const OutputTag<std::string> kSide("side");

/// Sets and deletes timers as it is told, and some in onTimer: the model below does the same.
class Obey : public KeyedProcessFunction<std::string, Order, Fired> {
 public:
  void open(RuntimeContext& ctx) override {
    count_ = ctx.state(ValueStateDescriptor<int64_t>("count"));
    ctx.accumulator<LongCounter>("opened").add(1);
  }
  void processElement(const Order& order, Context& ctx, Collector<Fired>&) override {
    EXPECT_EQ(ctx.getCurrentKey(), order.key);
    EXPECT_FALSE(busy_);
    TimerService& timers = ctx.timerService();
    switch (order.deed) {
      case Deed::kSetEvent:
        return timers.registerEventTimeTimer(Timestamp(order.at));
      case Deed::kDeleteEvent:
        return timers.deleteEventTimeTimer(Timestamp(order.at));
      case Deed::kSetProcessing:
        return timers.registerProcessingTimeTimer(Timestamp(order.at));
      case Deed::kDeleteProcessing:
        return timers.deleteProcessingTimeTimer(Timestamp(order.at));
      case Deed::kFail:
        throw std::runtime_error("told to");
    }
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<Fired>& out) override {
    busy_ = true;
    EXPECT_EQ(ctx.timestamp(), at);
    const bool event = ctx.timeDomain() == TimeDomain::kEventTime;
    EXPECT_LE(at, event ? ctx.timerService().currentWatermark() : ctx.timerService().currentProcessingTime());
    count_.set(count_.get() + 1);
    out.collect({describeFired(ctx.getCurrentKey(), at.ms, ctx.timeDomain(), count_.get()), {}});
    ctx.output(kSide, std::to_string(at.ms));
    TimerService& timers = ctx.timerService();
    if (at.ms % 7 == 0) {
      event ? timers.registerEventTimeTimer(at + Duration(3))
            : timers.registerProcessingTimeTimer(at + Duration(3));
    }
    if (at.ms % 5 == 0) {
      event ? timers.deleteEventTimeTimer(at + Duration(2))
            : timers.deleteProcessingTimeTimer(at + Duration(2));
    }
    if (at.ms == 666) throw std::runtime_error("not this one");
    busy_ = false;
  }

 private:
  ValueState<int64_t> count_;
  bool busy_ = false;
};

/// What Obey is to do, in the most simple way.
class Model {
 public:
  void order(const Order& order) {
    const Entry entry{order.at, hashKey(order.key), order.key};
    if (order.deed == Deed::kSetEvent) event_.insert(entry);
    if (order.deed == Deed::kDeleteEvent) event_.erase(entry);
    if (order.deed == Deed::kSetProcessing) processing_.insert(entry);
    if (order.deed == Deed::kDeleteProcessing) processing_.erase(entry);
  }
  void watermark(int64_t ms) {
    if (ms <= watermark_) return;
    watermark_ = ms;
    fire(event_, ms, TimeDomain::kEventTime);
    log_.push_back("W " + std::to_string(ms));
  }
  void clock(int64_t ms) { fire(processing_, ms, TimeDomain::kProcessingTime); }
  const std::vector<std::string>& log() const { return log_; }

 private:
  using Entry = std::tuple<int64_t, uint64_t, std::string>;

  void fire(std::set<Entry>& timers, int64_t upTo, TimeDomain domain) {
    while (!timers.empty() && std::get<0>(*timers.begin()) <= upTo) {
      const auto [at, hash, key] = *timers.begin();
      timers.erase(timers.begin());
      std::string text = describeFired(key, at, domain, ++counts_[key]);
      if (domain == TimeDomain::kEventTime) text += " @ " + std::to_string(at);
      log_.push_back(std::move(text));
      if (at % 7 == 0) timers.insert({at + 3, hash, key});
      if (at % 5 == 0) timers.erase({at + 2, hash, key});
    }
  }

  std::set<Entry> event_;
  std::set<Entry> processing_;
  std::map<std::string, int64_t> counts_;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
  std::vector<std::string> log_;
};

using ObeyBase = KeyedProcessFunction<std::string, Order, Fired>;
using ByKey = MemberSelector<Order, std::string>;
using ObeyInput = KeyedInput<Order, ByKey>;
using ObeyOperator = ProcessOperator<Fired, ProcessCalls<ObeyBase>, Obey, ObeyInput>;
constexpr ByKey kByKey{&Order::key};

class ObeyDriver : public OperatorDriver<ObeyOperator> {
 public:
  explicit ObeyDriver(DriverOptions options = {})
      : OperatorDriver<ObeyOperator>(options, Obey(), ObeyInput(kByKey)) {}

  void give(const std::vector<Order>& orders, int64_t timestamp = 0) {
    std::vector<std::pair<Order, int64_t>> stamped;
    for (const Order& order : orders) stamped.push_back({order, timestamp});
    push(0, stamped, kByKey);
  }
};

class KeyedProcessTest : public ::testing::TestWithParam<DriverOptions> {};

TEST_P(KeyedProcessTest, TimersFireInTheOrderOfTimeBeforeTheWatermarkGoesOn) {
  ObeyDriver driver(GetParam());
  driver.open();
  driver.give({{"a", Deed::kSetEvent, 31},
               {"b", Deed::kSetEvent, 11},
               {"a", Deed::kSetEvent, 22},
               {"a", Deed::kSetEvent, 22},
               {"a", Deed::kSetEvent, 41}});
  driver.watermark(0, 31);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"b event 11 #1 @ 11", "a event 22 #1 @ 22",
                                                            "a event 31 #2 @ 31", "W 31"}));
  driver.watermark(0, 20);
  EXPECT_TRUE(driver.records().empty());
  driver.watermark(0, Timestamp::max().ms);
  EXPECT_EQ(driver.takeRecords(),
            (std::vector<std::string>{"a event 41 #3 @ 41", "W " + std::to_string(Timestamp::max().ms)}));
}

TEST_P(KeyedProcessTest, TimersSetWhileFiringFireWhenDue) {
  ObeyDriver driver(GetParam());
  driver.open();
  driver.give({{"a", Deed::kSetEvent, 14}});  // sets 17
  driver.watermark(0, 20);
  EXPECT_EQ(driver.takeRecords(),
            (std::vector<std::string>{"a event 14 #1 @ 14", "a event 17 #2 @ 17", "W 20"}));
  driver.give({{"a", Deed::kSetEvent, 21}});  // sets 24
  driver.watermark(0, 22);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"a event 21 #3 @ 21", "W 22"}));
  driver.watermark(0, 24);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"a event 24 #4 @ 24", "W 24"}));
}

TEST_P(KeyedProcessTest, ADeletedTimerDoesNotFireNorOneThatOnTimerDeletes) {
  ObeyDriver driver(GetParam());
  driver.open();
  driver.give({{"a", Deed::kSetEvent, 10},
               {"a", Deed::kSetEvent, 12},
               {"b", Deed::kSetEvent, 12},
               {"b", Deed::kDeleteEvent, 12},
               {"b", Deed::kDeleteEvent, 13},
               {"c", Deed::kSetProcessing, 12},
               {"c", Deed::kDeleteEvent, 12}});
  driver.watermark(0, 20);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"a event 10 #1 @ 10", "W 20"}));
  driver.clock(20);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"c processing 12 #1"}));
}

TEST_P(KeyedProcessTest, ProcessingTimersFollowTheClockAndTheirResultsHaveNoTimestamp) {
  ObeyDriver driver(GetParam());
  driver.read(kSide.index());
  driver.open();
  driver.give(
      {{"a", Deed::kSetProcessing, 300}, {"b", Deed::kSetProcessing, 110}, {"b", Deed::kSetEvent, 100}});
  EXPECT_EQ(driver.alarm(), Timestamp(110));
  driver.clock(109);
  EXPECT_TRUE(driver.records().empty());
  driver.clock(200);
  EXPECT_EQ(driver.takeRecords(), (std::vector<std::string>{"b processing 110 #1"}));
  EXPECT_EQ(driver.alarm(), Timestamp(300));
  driver.watermark(0, 1000);
  driver.clock(400);
  EXPECT_EQ(driver.takeRecords(),
            (std::vector<std::string>{"b event 100 #2 @ 100", "W 1000", "a processing 300 #1"}));
  EXPECT_EQ(driver.records(kSide.index()),
            (std::vector<std::string>{"110 @ 110", "100 @ 100", "W 1000", "300 @ 300"}));
  EXPECT_EQ(driver.alarm(), Timestamp::max());
}

TEST_P(KeyedProcessTest, ThreeKeysWithManyTimersDoAsTheModel) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    ObeyDriver driver(GetParam());
    driver.open();
    Model model;
    uint64_t state = seed;
    const auto random = [&state](uint64_t below) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % below;
    };
    int64_t now = 0;
    for (int round = 0; round < 30; ++round) {
      std::vector<Order> orders;
      for (int i = 0; i < 40; ++i) {
        Order order{std::string(1, static_cast<char>('a' + random(3))), Deed::kSetEvent,
                    static_cast<int64_t>(random(3000))};
        const uint64_t deed = random(10);
        order.deed = deed < 4   ? Deed::kSetEvent
                     : deed < 5 ? Deed::kDeleteEvent
                     : deed < 9 ? Deed::kSetProcessing
                                : Deed::kDeleteProcessing;
        if (order.at == 666 || order.at == 663) continue;
        model.order(order);
        orders.push_back(order);
      }
      driver.give(orders);
      const auto watermark = static_cast<int64_t>(random(100 * round + 100));  // sometimes a lower one
      model.watermark(watermark);
      driver.watermark(0, watermark);
      now += static_cast<int64_t>(random(200));
      model.clock(now);
      driver.clock(now);
    }
    model.watermark(Timestamp::max().ms);
    driver.watermark(0, Timestamp::max().ms);
    ASSERT_EQ(driver.records(), model.log()) << "seed " << seed;
    ASSERT_GT(model.log().size(), 500u);
    EXPECT_EQ(driver.pauses() > 10, GetParam().narrow);
    EXPECT_EQ(driver.batchesInUse(), 0u);
  }
}

TEST_P(KeyedProcessTest, ErrorsNameTheRecordOrTheTimer) {
  ObeyDriver driver(GetParam());
  driver.open();
  EXPECT_EQ(driver.context().accumulators().get<LongCounter>("opened").value(), 1);
  EXPECT_EQ(failureOf([&] {
              driver.give({{"a", Deed::kFail, 5}});
            }),
            "record {key: \"a\", deed: 4, at: 5}: told to");
  driver.give({{"a", Deed::kSetEvent, 666}, {"a", Deed::kSetProcessing, 666}});
  EXPECT_EQ(failureOf([&] { driver.watermark(0, 1000); }),
            "event-time timer 1970-01-01T00:00:00.666Z of key a: not this one");
  EXPECT_EQ(failureOf([&] { driver.clock(1000); }),
            "processing-time timer 1970-01-01T00:00:00.666Z of key a: not this one");
}

INSTANTIATE_TEST_SUITE_P(All, KeyedProcessTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

TEST(KeyedProcess, ALongRoundOfEventTimersLetsOtherTasksHaveTheirTurn) {
  ObeyDriver driver;
  driver.open();
  Model model;
  for (int64_t at = 1000; at < 6000; ++at) {
    const Order order{"a", Deed::kSetEvent, at};
    model.order(order);
    driver.give({order});
  }
  model.watermark(10'000);
  driver.watermark(0, 10'000);
  EXPECT_EQ(driver.records(), model.log());
  EXPECT_EQ(driver.yields(), static_cast<int>(model.log().size() - 1) / 1024);
}

/// Sets a timer for now in each onTimer, a given number of times.
struct Again : KeyedProcessFunction<std::string, Order, int64_t> {
  int64_t left = 0;
  void processElement(const Order& order, Context& ctx, Collector<int64_t>&) override {
    left = order.at;
    ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime());
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<int64_t>& out) override {
    out.collect(left);
    if (--left > 0) ctx.timerService().registerProcessingTimeTimer(at);
  }
};

TEST(KeyedProcess, ALongRoundOfProcessingTimersLetsOtherThingsHaveTheirTurn) {
  using Base = KeyedProcessFunction<std::string, Order, int64_t>;
  OperatorDriver<ProcessOperator<int64_t, ProcessCalls<Base>, Again, ObeyInput>> driver({}, Again(),
                                                                                        ObeyInput(kByKey));
  driver.open();
  driver.clockOnce(5);
  driver.push<Order>(0, {{{"a", Deed::kSetProcessing, 2500}, 0}}, kByKey);
  driver.clockOnce(5);
  EXPECT_EQ(driver.records().size(), 1024u);
  EXPECT_EQ(driver.alarm(), Timestamp(5));
  driver.clock(5);
  EXPECT_EQ(driver.records().size(), 2500u);
  EXPECT_EQ(driver.alarm(), Timestamp::max());
}

TEST(KeyedProcess, AFunctionWithoutOnTimerCannotSetTimers) {
  const std::string expected =
      "record {key: \"a\", deed: 0, at: 1}: a timer was set by a function without onTimer(…): override "
      "onTimer in "
      "a class derived from KeyedProcessFunction, KeyedCoProcessFunction or KeyedBroadcastProcessFunction";
  using Base = KeyedProcessFunction<std::string, Order, int64_t>;
  struct Deaf : Base {
    void processElement(const Order& order, Context& ctx, Collector<int64_t>&) override {
      ctx.timerService().registerEventTimeTimer(Timestamp(order.at));
    }
  };
  OperatorDriver<ProcessOperator<int64_t, ProcessCalls<Base>, Deaf, ObeyInput>> deaf({}, Deaf(),
                                                                                     ObeyInput(kByKey));
  deaf.open();
  EXPECT_EQ(failureOf([&] { deaf.push<Order>(0, {{{"a", Deed::kSetEvent, 1}, 0}}, kByKey); }), expected);

  const auto lambda = [](const Order& order, KeyedProcessContext<std::string>& ctx, Collector<int64_t>&) {
    ctx.timerService().registerProcessingTimeTimer(Timestamp(order.at));
  };
  using Calls = LambdaCalls<KeyedProcessContext<std::string>>;
  OperatorDriver<ProcessOperator<int64_t, Calls, decltype(lambda), ObeyInput>> of({}, lambda,
                                                                                  ObeyInput(kByKey));
  of.open();
  EXPECT_EQ(failureOf([&] { of.push<Order>(0, {{{"a", Deed::kSetEvent, 1}, 0}}, kByKey); }), expected);
}

/// State of a key that its selector makes: counts the records of each pair.
struct CountInMap {
  ValueState<int64_t> count;
  void open(RuntimeContext& ctx) { count = ctx.state(ValueStateDescriptor<int64_t>("count")); }
  std::string operator()(const Order& order) {
    count.set(count.get() + 1);
    return order.key + std::to_string(order.at) + " #" + std::to_string(count.get());
  }
};

TEST(KeyedProcess, RichFunctionsUseTheStateOfAKeyThatIsMadeFromTheRecord) {
  const auto select = [](const Order& order) { return std::pair(order.key, order.at % 2); };
  using Selector = FunctionSelector<Order, decltype(select)>;
  using Input = KeyedInput<Order, Selector>;
  for (const bool together : {true, false}) {
    OperatorDriver<ProcessOperator<std::string, MapCalls, CountInMap, Input>> driver(
        {together, true}, CountInMap(), Input(Selector{select}));
    driver.open();
    driver.push<Order>(0,
                       {{{"a", Deed::kFail, 1}, 10},
                        {{"b", Deed::kFail, 1}, 20},
                        {{"a", Deed::kFail, 2}, 30},
                        {{"a", Deed::kFail, 3}, 40}},
                       Selector{select});
    EXPECT_EQ(driver.records(),
              (std::vector<std::string>{"a1 #1 @ 10", "b1 #1 @ 20", "a2 #1 @ 30", "a3 #2 @ 40"}));
  }
}

/// Uses its state where there is no key.
struct UsesStateInClose : KeyedProcessFunction<std::string, Order, int64_t> {
  std::string* error;
  ValueState<int64_t> state;
  explicit UsesStateInClose(std::string* where) : error(where) {}
  void open(RuntimeContext& ctx) override { state = ctx.state(ValueStateDescriptor<int64_t>("sum")); }
  void processElement(const Order& order, Context&, Collector<int64_t>&) override { state.set(order.at); }
  void close() override {
    *error = failureOf([&] { state.get(); });
  }
};

TEST(KeyedProcess, NoKeyIsLeftBehindAfterABatch) {
  std::string error;
  {
    using Base = KeyedProcessFunction<std::string, Order, int64_t>;
    OperatorDriver<ProcessOperator<int64_t, ProcessCalls<Base>, UsesStateInClose, ObeyInput>> driver(
        {}, UsesStateInClose(&error), ObeyInput(kByKey));
    driver.open();
    driver.push<Order>(0, {{{"a", Deed::kFail, 1}, 10}}, kByKey);
  }
  EXPECT_EQ(error,
            "state 'sum' was used where there is no current key: keyed state can be used while a record or a "
            "timer is worked on, not in open() or close()");
}

}  // namespace
}  // namespace flott::keyed_process_test
