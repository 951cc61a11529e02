#include "flott/api/process.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "flott/api/broadcast_stream.h"
#include "flott/api/connected_streams.h"
#include "flott/api/operator_harness.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/base/tests/error_text.h"
#include "flott/connectors/collect/collect_buffer.h"

namespace flott {
namespace {

struct Click {
  std::string user;
  int64_t at = 0;
};
struct Payment {
  std::string user;
  int64_t cents = 0;
};

const OutputTag<std::string> kFirstClicks("first clicks");

std::vector<Click> manyClicks() {
  std::vector<Click> clicks;
  for (int64_t i = 0; i < 300; ++i) clicks.push_back({"user" + std::to_string(i % 7), 10 * i});
  return clicks;
}

template <typename T>
std::vector<T> sorted(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values;
}

template <typename T>
DataStream<Click> timed(const T& clicks) {
  return clicks.assignTimestampsAndWatermarks(
      WatermarkStrategy<Click>::forMonotonousTimestamps().withTimestampAssigner(&Click::at));
}

/// Tells how many clicks of a user there were when the first one is 1 s old, and again at the end.
class CountClicks : public KeyedProcessFunction<std::string, Click, std::string> {
 public:
  void open(RuntimeContext& ctx) override {
    count_ = ctx.state(ValueStateDescriptor<int64_t>("count"));
    clicks_ = &ctx.accumulator<LongCounter>("clicks");
  }
  void processElement(const Click& click, Context& ctx, Collector<std::string>&) override {
    clicks_->add(1);
    if (count_.get() == 0) {
      ctx.output(kFirstClicks, click.user);
      ctx.timerService().registerEventTimeTimer(ctx.timestamp() + Duration(1000));
      ctx.timerService().registerEventTimeTimer(Timestamp(1'000'000));
      ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime() +
                                                     Duration(1'000'000));
    }
    count_.set(count_.get() + 1);
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<std::string>& out) override {
    const std::string domain = ctx.timeDomain() == TimeDomain::kEventTime ? "" : "clock ";
    out.collect(domain + std::to_string(at.ms) + " " + ctx.getCurrentKey() + " " +
                std::to_string(count_.get()));
  }

 private:
  ValueState<int64_t> count_;
  LongCounter* clicks_ = nullptr;
};

TEST(ProcessJobs, TimersAndSideOutputsAtAnyParallelismUnderAnySeed) {
  std::vector<std::string> expected;
  std::vector<std::string> users;
  for (int64_t u = 0; u < 7; ++u) {
    const std::string user = "user" + std::to_string(u);
    users.push_back(user);
    expected.push_back("1000000 " + user + " " + std::to_string(u < 6 ? 43 : 42));
  }
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(1 + static_cast<int>(seed % 3));
    auto counted = timed(env.fromCollection(manyClicks())).keyBy(&Click::user).process(CountClicks());
    CollectBuffer<std::string> results;
    CollectBuffer<std::string> firsts;
    counted
        .filter(
            [](const std::string& text) { return text.starts_with("1000000 ") || text.starts_with("clock"); })
        .transformToSink("Results", results.sink());
    counted.getSideOutput(kFirstClicks).transformToSink("Firsts", firsts.sink());
    counted.getSideOutput(kFirstClicks)
        .map([](const std::string& user) { return user + "!"; })
        .transformToSink("Results", results.sink());
    const JobExecutionResult result = env.execute();
    std::vector<std::string> all = expected;
    for (const std::string& user : users) all.push_back(user + "!");
    EXPECT_EQ(sorted(results.takeAll()), sorted(all)) << "seed " << seed;
    EXPECT_EQ(sorted(firsts.takeAll()), users) << "seed " << seed;
    EXPECT_EQ(result.accumulator<LongCounter>("clicks").value(), 300);
  }
}

/// Tells the time in seconds, every 10 s from the first click on.
struct TellTime : KeyedProcessFunction<std::string, Click, std::string> {
  void processElement(const Click&, Context& ctx, Collector<std::string>&) override { setNext(ctx); }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<std::string>& out) override {
    out.collect(ctx.getCurrentKey() + " " + std::to_string(at.ms - start_.ms));
    setNext(ctx);
  }

 private:
  void setNext(Context& ctx) {
    const Timestamp now = ctx.timerService().currentProcessingTime();
    if (start_ == Timestamp::min()) start_ = now;
    ctx.timerService().registerProcessingTimeTimer(now + Duration(10'000));
  }
  Timestamp start_;
};

TEST(ProcessJobs, ProcessingTimersFollowTheClockOfTheJob) {
  TestWorld world;
  auto env = world.environment();
  CollectBuffer<std::string> results;
  env.fromFunction<Click>([first = true](SourceOutput<Click>& out) mutable {
       if (std::exchange(first, false)) out.collect({"a", 0});
       return true;
     })
      .keyBy(&Click::user)
      .process(TellTime())
      .transformToSink("Results", results.sink());
  JobClient job = env.executeAsync();
  EXPECT_FALSE(world.advance(Duration(9'999)));
  EXPECT_EQ(results.takeAll(), (std::vector<std::string>{}));
  EXPECT_FALSE(world.advance(Duration(15'001)));
  EXPECT_EQ(results.takeAll(), (std::vector<std::string>{"a 10000", "a 20000"}));
}

/// Pairs each payment with the number of clicks the user has by then, or later.
class PayForClicks : public KeyedCoProcessFunction<std::string, Click, Payment, std::string> {
 public:
  void open(RuntimeContext& ctx) override {
    clicks_ = ctx.state(ValueStateDescriptor<int64_t>("clicks"));
    cents_ = ctx.state(ValueStateDescriptor<int64_t>("cents"));
  }
  void processElement1(const Click&, Context& ctx, Collector<std::string>&) override {
    clicks_.set(clicks_.get() + 1);
    ctx.timerService().registerEventTimeTimer(Timestamp::max());
  }
  void processElement2(const Payment& payment, Context& ctx, Collector<std::string>&) override {
    cents_.set(cents_.get() + payment.cents);
    ctx.timerService().registerEventTimeTimer(Timestamp::max());
  }
  void onTimer(Timestamp, OnTimerContext& ctx, Collector<std::string>& out) override {
    out.collect(ctx.getCurrentKey() + " " + std::to_string(clicks_.get()) + " for " +
                std::to_string(cents_.get()));
  }

 private:
  ValueState<int64_t> clicks_;
  ValueState<int64_t> cents_;
};

TEST(ProcessJobs, ConnectedStreamsMeetByKey) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(1 + static_cast<int>(seed % 3));
    auto clicks = env.fromCollection(manyClicks());
    auto payments = env.fromElements<Payment>({{"user0", 5}, {"user9", 7}, {"user0", 6}});
    CollectBuffer<std::string> results;
    auto paid = seed % 2 == 0
                    ? clicks.connect(payments).keyBy(&Click::user, &Payment::user).process(PayForClicks())
                    : clicks.keyBy(&Click::user)
                          .connect(payments.keyBy([](const Payment& p) { return p.user; }))
                          .process(PayForClicks());
    paid.transformToSink("Results", results.sink());
    env.execute();
    EXPECT_EQ(
        sorted(results.takeAll()),
        (std::vector<std::string>{"user0 43 for 11", "user1 43 for 0", "user2 43 for 0", "user3 43 for 0",
                                  "user4 43 for 0", "user5 43 for 0", "user6 42 for 0", "user9 0 for 7"}))
        << "seed " << seed;
  }
}

TEST(ProcessJobs, ConnectedStreamsMapAndFlatMap) {
  TestWorld world;
  auto env = world.environment();
  auto clicks = env.fromElements<Click>({{"a", 1}, {"b", 2}});
  auto payments = env.fromElements<Payment>({{"c", 3}});
  CollectBuffer<std::string> mapped;
  CollectBuffer<int64_t> flat;
  clicks.connect(payments)
      .map([](const Click& click) { return click.user; }, [](const Payment& payment) { return payment.user; })
      .transformToSink("Mapped", mapped.sink());
  clicks.connect(payments)
      .flatMap(
          [](const Click& click, Collector<int64_t>& out) {
            out.collect(click.at);
            out.collect(-click.at);
          },
          [](const Payment& payment, Collector<int64_t>& out) { out.collect(payment.cents); })
      .transformToSink("Flat", flat.sink());
  env.execute();
  EXPECT_EQ(sorted(mapped.takeAll()), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(sorted(flat.takeAll()), (std::vector<int64_t>{-2, -1, 1, 2, 3}));
}

/// Both forms in one class, with a count of what came before.
struct Numbered {
  int64_t before = 0;
  LongCounter* opened = nullptr;
  void open(RuntimeContext& ctx) { (opened = &ctx.accumulator<LongCounter>("opened"))->add(1); }
  std::string map1(const Click& click) { return click.user + std::to_string(before++); }
  std::string map2(const Payment& payment) { return payment.user + "$" + std::to_string(before++); }
  void flatMap1(const Click& click, Collector<std::string>& out) {
    for (int i = 0; i < 2; ++i) out.collect(click.user + std::to_string(before++));
  }
  void flatMap2(const Payment& payment, Collector<std::string>& out) {
    if (payment.cents > 3) out.collect(payment.user + "$" + std::to_string(before++));
  }
};

TEST(ProcessJobs, ConnectedStreamsTakeClassesForMapAndFlatMap) {
  inAllModes([](const HarnessOptions& options) {
    using Harness = TwoInputHarness<Click, Payment, std::string>;
    Harness map(options, [](const auto& clicks, const auto& payments) {
      return clicks.connect(payments).map(Numbered());
    });
    Harness flatMap(options, [](const auto& clicks, const auto& payments) {
      return clicks.connect(payments).flatMap(Numbered());
    });
    for (Harness* harness : {&map, &flatMap}) {
      harness->first().pushBatch({{"a", 1}, {"b", 2}});
      harness->second().pushBatch({{"c", 3}, {"d", 4}});
      harness->first().push({"e", 5});
      const Accumulator* opened = harness->accumulators().find("opened");
      ASSERT_NE(opened, nullptr);
      EXPECT_EQ(opened->text(), "1");
    }
    EXPECT_EQ(map.output(), (std::vector<std::string>{"a0", "b1", "c$2", "d$3", "e4"}));
    EXPECT_EQ(flatMap.output(), (std::vector<std::string>{"a0", "a1", "b2", "b3", "d$4", "e5", "e6"}));
  });
}

const OutputTag<std::string> kAside("aside");
using Aside = std::vector<std::string>;

struct CoAside : CoProcessFunction<Click, Payment, int64_t> {
  void processElement1(const Click& click, Context& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "click " + click.user);
  }
  void processElement2(const Payment& payment, Context& ctx, Collector<int64_t>& out) override {
    ctx.output(kAside, "payment " + payment.user);
    out.collect(payment.cents);
  }
};
struct KeyedCoAside : KeyedCoProcessFunction<std::string, Click, Payment, int64_t> {
  void processElement1(const Click&, Context& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "click " + ctx.getCurrentKey());
    ctx.timerService().registerEventTimeTimer(Timestamp(50));
  }
  void processElement2(const Payment& payment, Context& ctx, Collector<int64_t>& out) override {
    ctx.output(kAside, "payment " + ctx.getCurrentKey());
    out.collect(payment.cents);
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "timer " + ctx.getCurrentKey() + " " + std::to_string(at.ms));
  }
};
struct BroadcastAside : BroadcastProcessFunction<Click, Payment, int64_t> {
  void processElement(const Click& click, ReadOnlyContext& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "click " + click.user);
  }
  void processBroadcastElement(const Payment& payment, Context& ctx, Collector<int64_t>& out) override {
    ctx.output(kAside, "payment " + payment.user);
    out.collect(payment.cents);
  }
};
struct KeyedBroadcastAside : KeyedBroadcastProcessFunction<std::string, Click, Payment, int64_t> {
  void processElement(const Click&, ReadOnlyContext& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "click " + ctx.getCurrentKey());
    ctx.timerService().registerEventTimeTimer(Timestamp(50));
  }
  void processBroadcastElement(const Payment& payment, Context& ctx, Collector<int64_t>& out) override {
    ctx.output(kAside, "payment " + payment.user);
    out.collect(payment.cents);
  }
  void onTimer(Timestamp at, OnTimerContext& ctx, Collector<int64_t>&) override {
    ctx.output(kAside, "timer " + ctx.getCurrentKey() + " " + std::to_string(at.ms));
  }
};

/// What a function over both streams puts aside, with its main results.
template <typename Build>
Aside putAside(const HarnessOptions& options, Build&& build) {
  TwoInputHarness<Click, Payment, int64_t> harness(options, build);
  harness.readSideOutput(kAside);
  harness.first().pushStamped({{{"a", 1}, 1}, {{"b", 2}, 2}});
  harness.second().pushStamped({{{"a", 7}, 3}});
  harness.first().watermark(100);
  harness.second().watermark(100);
  EXPECT_EQ(harness.output(), std::vector<int64_t>{7});
  return sorted(harness.sideOutput(kAside));
}

TEST(SideOutputs, OfFunctionsOverTwoStreams) {
  const MapStateDescriptor<std::string, int64_t> state("state");
  const Aside records{"click a", "click b", "payment a"};
  const Aside withTimers{"click a", "click b", "payment a", "timer a 50", "timer b 50"};
  inAllModes([&](const HarnessOptions& options) {
    EXPECT_EQ(
        putAside(options, [](const auto& clicks,
                             const auto& payments) { return clicks.connect(payments).process(CoAside()); }),
        records);
    EXPECT_EQ(
        putAside(
            options,
            [](const auto& clicks, const auto& payments) {
              return clicks.connect(payments).keyBy(&Click::user, &Payment::user).process(KeyedCoAside());
            }),
        withTimers);
    EXPECT_EQ(putAside(options,
                       [&](const auto& clicks, const auto& payments) {
                         return clicks.connect(payments.broadcast(state)).process(BroadcastAside());
                       }),
              records);
    EXPECT_EQ(putAside(options,
                       [&](const auto& clicks, const auto& payments) {
                         return clicks.keyBy(&Click::user)
                             .connect(payments.broadcast(state))
                             .process(KeyedBroadcastAside());
                       }),
              withTimers);
  });
}

const MapStateDescriptor<std::string, int64_t> kPrices("prices");

/// What each click costs; clicks that come before the price wait for it.
class PriceClicks : public KeyedBroadcastProcessFunction<std::string, Click, Payment, std::string> {
 public:
  void open(RuntimeContext& ctx) override { waiting_ = ctx.state(kWaiting); }
  void processElement(const Click& click, ReadOnlyContext& ctx, Collector<std::string>& out) override {
    if (const int64_t* price = ctx.getBroadcastState(kPrices).get("all")) {
      out.collect(tell(click.at, *price));
    } else {
      waiting_.add(click.at);
    }
  }
  void processBroadcastElement(const Payment& price, Context& ctx, Collector<std::string>& out) override {
    ctx.getBroadcastState(kPrices).put(price.user, price.cents);
    ctx.applyToKeyedState(kWaiting, [&](const std::string&, ListState<int64_t>& waiting) {
      for (const int64_t at : waiting.get()) out.collect(tell(at, price.cents));
      waiting.clear();
    });
  }

 private:
  static std::string tell(int64_t at, int64_t price) {
    return std::to_string(at) + ": " + std::to_string(price);
  }
  inline static const ListStateDescriptor<int64_t> kWaiting{"waiting"};
  ListState<int64_t> waiting_;
};

TEST(ProcessJobs, ABroadcastRuleReachesEverySubtask) {
  std::vector<std::string> expected;
  for (int64_t i = 0; i < 300; ++i) expected.push_back(std::to_string(10 * i) + ": 99");
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(1 + static_cast<int>(seed % 3));
    CollectBuffer<std::string> results;
    auto prices = env.fromElements<Payment>({{"all", 99}});
    env.fromCollection(manyClicks())
        .keyBy(&Click::user)
        .connect(prices.broadcast(kPrices))
        .process(PriceClicks())
        .transformToSink("Results", results.sink());
    env.execute();
    EXPECT_EQ(sorted(results.takeAll()), sorted(expected)) << "seed " << seed;
  }
}

/// How many records of its key came before.
struct Number {
  ValueState<int64_t> count;
  void open(RuntimeContext& ctx) { count = ctx.state(ValueStateDescriptor<int64_t>("count")); }
  std::string operator()(const Click& click) {
    count.set(count.get() + 1);
    return click.user + std::to_string(count.get());
  }
};

TEST(ProcessJobs, MapOfAKeyedStreamHasStateOfTheKey) {
  TestWorld world;
  auto env = world.environment();
  CollectBuffer<std::string> results;
  env.fromElements<Click>({{"a", 1}, {"b", 2}, {"a", 3}})
      .keyBy(&Click::user)
      .map(Number())
      .transformToSink("Results", results.sink());
  env.execute();
  EXPECT_EQ(results.takeAll(), (std::vector<std::string>{"a1", "b1", "a2"}));
}

TEST(ProcessJobs, AProcessFunctionThatThrowsFailsTheJobWithOperatorSubtaskAndRecord) {
  TestWorld world;
  auto env = world.environment();
  env.fromElements<int64_t>({1, 0})
      .process([](const int64_t& value, ProcessContext&, Collector<int64_t>& out) {
        if (value == 0) throw std::runtime_error("zero");
        out.collect(value);
      })
      .name("invert")
      .transformToSink("Results", CollectBuffer<int64_t>().sink());
  try {
    env.execute("Division");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "job 'Division': operator 'invert', subtask 1/1: record 0: zero");
  }
}

TEST(SideOutputsInAProgram, OneNameHasOneType) {
  TestWorld world;
  auto env = world.environment();
  auto counted = env.fromCollection(manyClicks()).keyBy(&Click::user).process(CountClicks());
  counted.getSideOutput(kFirstClicks);
  counted.getSideOutput(kFirstClicks);
  EXPECT_EQ(
      errorText([&] { counted.getSideOutput(OutputTag<int64_t>(kFirstClicks.name())); }),
      "side output 'first clicks' is used with two types, string and int64: give each side output of an "
      "operator a name of its own");
}

TEST(SideOutputsInAProgram, TwoNamesWithOneNumberAreRefused) {
  TestWorld world;
  auto env = world.environment();
  auto counted = env.fromCollection(manyClicks()).keyBy(&Click::user).process(CountClicks());
  std::map<SideOutputIndex, std::string> names;
  for (int i = 0;; ++i) {
    const OutputTag<int64_t> tag("tag" + std::to_string(i));
    const auto [at, added] = names.emplace(tag.index(), tag.name());
    if (added) continue;
    counted.getSideOutput(OutputTag<int64_t>(at->second));
    EXPECT_EQ(errorText([&] { counted.getSideOutput(tag); }),
              "side outputs '" + at->second + "' and '" + tag.name() +
                  "' of one operator happen to hash to the same number: rename one of them");
    break;
  }
}

TEST(SideOutputsInAProgram, ThePlanNamesThem) {
  TestWorld world;
  auto env = world.environment();
  auto counted = env.fromCollection(manyClicks()).keyBy(&Click::user).process(CountClicks());
  counted.getSideOutput(kFirstClicks)
      .rebalance()
      .transformToSink("Firsts", CollectBuffer<std::string>().sink());
  EXPECT_NE(env.explain().find("side output 'first clicks'"), std::string::npos) << env.explain();
}

}  // namespace
}  // namespace flott
