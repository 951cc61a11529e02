// Windows other than tumbling ones, as whole jobs.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "flott/api/operator_harness.h"
#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/api/windowed_stream.h"
#include "flott/base/tests/error_text.h"
#include "flott/connectors/collect/collect_buffer.h"

namespace flott {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct Click {
  int64_t page = 0;
  int64_t at = 0;
  int64_t weight = 0;
};

auto clickTime(Duration disorder = 3s) {
  return WatermarkStrategy<Click>::forBoundedOutOfOrderness(disorder).withTimestampAssigner(&Click::at);
}

/// A watermark after each record.
struct Punctuated {
  void onEvent(const Click&, Timestamp at, WatermarkOutput& output) { output.emitWatermark({at}); }
  void onPeriodicEmit(WatermarkOutput&) {}
};

/// Out of order by at most 3 s; gaps of more than 2 s between some.
std::vector<Click> manyClicks() {
  std::vector<Click> clicks;
  for (int64_t i = 0; i < 2000; ++i)
    clicks.push_back({i % 13, 100 * i + i / 100 * 5000 - i * 7919 % 3000, i});
  return clicks;
}

template <typename T>
Texts sortedTexts(const std::vector<T>& values) {
  Texts texts;
  for (const T& value : values) texts.push_back(toText(value));
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// Sessions with a gap of 2 s, by sorting.
Texts expectedSessions() {
  std::map<int64_t, std::vector<Click>> pages;
  for (const Click& click : manyClicks()) pages[click.page].push_back(click);
  std::vector<std::string> expected;
  for (auto& [page, clicks] : pages) {
    std::sort(clicks.begin(), clicks.end(), [](const Click& a, const Click& b) { return a.at < b.at; });
    for (size_t i = 0; i < clicks.size();) {
      int64_t weight = 0;
      const int64_t start = clicks[i].at;
      int64_t end = start;
      for (; i < clicks.size() && (end == start || clicks[i].at <= end); ++i) {
        weight += clicks[i].weight;
        end = clicks[i].at + 2000;
      }
      expected.push_back(std::to_string(page) + " " + std::to_string(start) + " " + std::to_string(end) +
                         " " + std::to_string(weight));
    }
  }
  std::sort(expected.begin(), expected.end());
  return expected;
}

/// The weight of clicks; mergeable.
struct Weigh {
  int64_t createAccumulator() const { return 0; }
  void add(const Click& click, int64_t& weight) const { weight += click.weight; }
  void merge(int64_t& weight, const int64_t& other) const { weight += other; }
  int64_t getResult(const int64_t& weight) const { return weight; }
};
constexpr auto kTellSession = [](const int64_t& page, WindowContext& context, std::span<const int64_t> weight,
                                 Collector<std::string>& out) {
  out.collect(std::to_string(page) + " " + std::to_string(context.window().start.ms) + " " +
              std::to_string(context.window().end.ms) + " " + std::to_string(weight[0]));
};

TEST(WindowKinds, SessionsAreTheSameAtAnyParallelismWithEitherOperator) {
  const Texts expected = expectedSessions();
  EXPECT_GT(expected.size(), 200u);
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(1 + static_cast<int>(seed % 3));
    auto sessions = env.fromCollection(manyClicks())
                        .assignTimestampsAndWatermarks(clickTime())
                        .keyBy(&Click::page)
                        .window(EventTimeSessionWindows::withGap(2s));
    const auto own =
        seed % 2 == 0
            ? sessions.aggregate(Weigh(), kTellSession).executeAndCollect()
            : sessions.trigger(EventTimeTrigger()).aggregate(Weigh(), kTellSession).executeAndCollect();
    EXPECT_EQ(sortedTexts(own), expected) << "seed " << seed;
  }
}

TEST(WindowKinds, CountWindowsOfKeysAndOfAll) {
  TestWorld world;
  auto env = world.environment();
  std::vector<Click> clicks;
  for (int64_t i = 0; i < 10; ++i) clicks.push_back({i % 2, i, i});
  const auto stream = [&] { return env.fromCollection(clicks); };
  EXPECT_EQ(sortedTexts(stream().keyBy(&Click::page).countWindow(2).sum(&Click::weight).executeAndCollect()),
            (Texts{"{page: 0, at: 0, weight: 2}", "{page: 0, at: 4, weight: 10}",
                   "{page: 1, at: 1, weight: 4}", "{page: 1, at: 5, weight: 12}"}));
  EXPECT_EQ(stream().countWindowAll(4).count().executeAndCollect(), (std::vector<int64_t>{4, 4}));
  const auto sliding =
      stream()
          .countWindowAll(3, 2)
          .process([](GlobalWindowContext&, std::span<const Click> some, Collector<std::string>& out) {
            std::string text;
            for (const Click& click : some) text += std::to_string(click.weight);
            out.collect(text);
          })
          .executeAndCollect();
  EXPECT_EQ(sliding, (Texts{"01", "123", "345", "567", "789"}));
}

TEST(WindowKinds, LateRecordsGoToTheSideOutput) {
  const OutputTag<Click> late("late");
  TestWorld world;
  auto env = world.environment();
  auto counts =
      env.fromElements<Click>({{1, 1000, 1}, {1, 60'000, 2}, {1, 500, 3}, {1, 61'000, 4}})
          .assignTimestampsAndWatermarks(
              WatermarkStrategy<Click>::forGenerator(Punctuated()).withTimestampAssigner(&Click::at))
          .keyBy(&Click::page)
          .window(EventTimeSessionWindows::withGap(5s))
          .sideOutputLateData(late)
          .sum(&Click::weight);
  CollectBuffer<Click> lateOnes;
  counts.getSideOutput(late).transformToSink("Late", lateOnes.sink());
  EXPECT_EQ(sortedTexts(counts.executeAndCollect()),
            (Texts{"{page: 1, at: 1000, weight: 1}", "{page: 1, at: 60000, weight: 6}"}));
  EXPECT_EQ(sortedTexts(lateOnes.takeAll()), Texts{"{page: 1, at: 500, weight: 3}"});
}

/// Fires at once for a heavy click, and at the end.
struct HeavyTrigger {
  struct State {
    int64_t weight = 0;
  };
  TriggerResult onElement(const Click& click, Timestamp, const TimeWindow& window,
                          TriggerContext<State>& context) {
    context.registerEventTimeTimer(window.maxTimestamp());
    context.state().weight += click.weight;
    return context.state().weight >= 10 ? TriggerResult::kFireAndPurge : TriggerResult::kContinue;
  }
  TriggerResult onEventTime(Timestamp, const TimeWindow&, TriggerContext<State>&) {
    return TriggerResult::kFire;
  }
  TriggerResult onProcessingTime(Timestamp, const TimeWindow&, TriggerContext<State>&) {
    return TriggerResult::kContinue;
  }
  void clear(const TimeWindow&, TriggerContext<State>& context) { context.state() = {}; }
};

TEST(WindowKinds, TriggersAndEvictorsOfOnesOwn) {
  TestWorld world;
  auto env = world.environment();
  const auto windows = [&] {
    return env.fromElements<Click>({{1, 1, 4}, {1, 2, 7}, {1, 3, 5}, {2, 4, 1}, {1, 12'000, 2}})
        .assignTimestampsAndWatermarks(clickTime())
        .keyBy(&Click::page)
        .window(TumblingEventTimeWindows::of(10s));
  };
  EXPECT_EQ(sortedTexts(windows().trigger(HeavyTrigger()).sum(&Click::weight).executeAndCollect()),
            (Texts{"{page: 1, at: 1, weight: 11}", "{page: 1, at: 12000, weight: 2}",
                   "{page: 1, at: 3, weight: 5}", "{page: 2, at: 4, weight: 1}"}));
  EXPECT_EQ(sortedTexts(windows().evictor(CountEvictor::of(2)).sum(&Click::weight).executeAndCollect()),
            (Texts{"{page: 1, at: 12000, weight: 2}", "{page: 1, at: 2, weight: 12}",
                   "{page: 2, at: 4, weight: 1}"}));
}

/// Windows that are longer for later pages.
struct PageWindows {
  using Window = TimeWindow;
  static constexpr TimeDomain kDomain = TimeDomain::kEventTime;
  static constexpr const char* kName = "PageWindows";
  TimeWindow assignWindows(const Click& click, Timestamp at, AssignerContext&) const {
    const int64_t size = 1000 * (1 + click.page);
    return {Timestamp(at.ms / size * size), Timestamp(at.ms / size * size + size)};
  }
};

TEST(WindowKinds, AssignersOfOnesOwn) {
  TestWorld world;
  auto env = world.environment();
  const auto sums = env.fromElements<Click>({{0, 100, 1}, {0, 1100, 2}, {1, 100, 3}, {1, 1100, 4}})
                        .assignTimestampsAndWatermarks(clickTime())
                        .keyBy(&Click::page)
                        .window(PageWindows())
                        .reduce([](const Click& a, const Click& b) {
                          return Click{a.page, a.at, a.weight + b.weight};
                        })
                        .executeAndCollect();
  EXPECT_EQ(sortedTexts(sums), (Texts{"{page: 0, at: 100, weight: 1}", "{page: 0, at: 1100, weight: 2}",
                                      "{page: 1, at: 100, weight: 7}"}));
}

/// Says how often the window fired and how often the page did, and how many of its windows are forgotten.
struct Firings : ProcessWindowFunction<Click, std::string, int64_t> {
  void process(const int64_t& page, Context& context, std::span<const Click> clicks,
               Collector<std::string>& out) override {
    auto inWindow = context.windowState().state(ValueStateDescriptor<int64_t>("firings"));
    auto ofPage = context.globalState().state(ValueStateDescriptor<int64_t>("firings"));
    inWindow.set(inWindow.get() + 1);
    ofPage.set(ofPage.get() + 1);
    out.collect(std::to_string(page) + ": " + std::to_string(clicks.size()) + " clicks, firing " +
                std::to_string(inWindow.get()) + " of the window, " + std::to_string(ofPage.get()) +
                " of the page, " +
                std::to_string(context.globalState().state(ValueStateDescriptor<int64_t>("gone")).get()) +
                " forgotten");
  }
  void clear(Context& context) override {
    auto gone = context.globalState().state(ValueStateDescriptor<int64_t>("gone"));
    gone.set(gone.get() + 1);
  }
};

TEST(WindowKinds, StateOfAWindowEndsWithIt) {
  TestWorld world;
  auto env = world.environment();
  const auto firings =
      env.fromElements<Click>({{1, 1, 1}, {1, 2, 1}, {1, 3, 1}, {1, 12'000, 1}, {1, 12'001, 1}})
          .assignTimestampsAndWatermarks(
              WatermarkStrategy<Click>::forGenerator(Punctuated()).withTimestampAssigner(&Click::at))
          .keyBy(&Click::page)
          .window(TumblingEventTimeWindows::of(10s))
          .trigger(CountTrigger::of(1))
          .process(Firings())
          .executeAndCollect();
  EXPECT_EQ(firings, (Texts{"1: 1 clicks, firing 1 of the window, 1 of the page, 0 forgotten",
                            "1: 2 clicks, firing 2 of the window, 2 of the page, 0 forgotten",
                            "1: 3 clicks, firing 3 of the window, 3 of the page, 0 forgotten",
                            "1: 1 clicks, firing 1 of the window, 4 of the page, 0 forgotten",
                            "1: 2 clicks, firing 2 of the window, 5 of the page, 1 forgotten"}));
  EXPECT_EQ(
      errorText([&] {
        env.fromElements<Click>({{1, 1, 1}})
            .assignTimestampsAndWatermarks(clickTime())
            .keyBy(&Click::page)
            .window(EventTimeSessionWindows::withGap(10s))
            .process(Firings())
            .executeAndCollect();
      }),
      "windowState() was called for windows that merge, such as sessions: what would become of the states "
      "of two that become one is not known; use globalState(), or keep it in the accumulator");
}

TEST(WindowKinds, MemoryOfAWindowsStateIsGivenBackWithIt) {
  struct Hoard : ProcessWindowFunction<Click, int64_t, int64_t> {
    explicit Hoard(KeyedStateBackend** seen) : backend(seen) {}
    KeyedStateBackend** backend;
    void open(RuntimeContext& ctx) override {
      *backend = &ctx.operatorContext().keyedState(typeOps<int64_t>());
    }
    void process(const int64_t&, Context& context, std::span<const Click> clicks,
                 Collector<int64_t>& out) override {
      auto told = context.windowState().state(ValueStateDescriptor<int64_t>("told"));
      EXPECT_FALSE(told.has());
      told.set(1);
      out.collect(static_cast<int64_t>(clicks.size()));
    }
  };
  constexpr Duration kLateness = 20s;  // so that a window outlives its firing
  KeyedStateBackend* backend = nullptr;
  OneInputHarness<Click, int64_t> harness({}, [&](const DataStream<Click>& clicks) {
    return clicks.keyBy(&Click::page)
        .window(TumblingEventTimeWindows::of(10s))
        .allowedLateness(kLateness)
        .process(Hoard(&backend));
  });
  uint64_t most = 0;
  const auto window = [&](int64_t number) {
    std::vector<std::pair<Click, int64_t>> clicks;
    for (int64_t page = 0; page < 100; ++page)
      clicks.push_back({{page, number * 10'000, 1}, number * 10'000});
    harness.pushStamped(clicks);
    harness.watermark(number * 10'000 + 9'999);
  };
  for (int64_t number = 0; number < 5; ++number) {
    window(number);
    most = std::max(most, backend->budget().used());
  }
  EXPECT_GT(most, 0u);
  for (int64_t number = 5; number < 50; ++number) window(number);
  EXPECT_LE(backend->budget().used(), most + most / 10);
  EXPECT_EQ(harness.output().size(), 50 * 100u);
}

/// The largest weight of a window, with its bounds; counts the windows that it has seen end.
struct HeaviestOfAll : ProcessAllWindowFunction<Click, std::string> {
  LongCounter* ended = nullptr;
  void open(RuntimeContext& ctx) override { ended = &ctx.accumulator<LongCounter>("ended"); }
  void process(Context& context, std::span<const Click> clicks, Collector<std::string>& out) override {
    int64_t most = 0;
    for (const Click& click : clicks) most = std::max(most, click.weight);
    out.collect(std::to_string(context.window().start.ms) + ": " + std::to_string(most));
  }
  void clear(Context&) override { ended->add(1); }
};

TEST(WindowKinds, WindowsOverAllRecordsTakeAClass) {
  TestWorld world;
  auto env = world.environment();
  CollectBuffer<std::string> results;
  env.fromElements<Click>({{1, 1, 1}, {2, 2, 7}, {1, 3, 3}, {3, 12'000, 2}})
      .assignTimestampsAndWatermarks(clickTime())
      .windowAll(TumblingEventTimeWindows::of(10s))
      .process(HeaviestOfAll())
      .transformToSink("Collect", results.sink());
  const JobExecutionResult result = env.execute();
  EXPECT_EQ(results.takeAll(), (Texts{"0: 7", "10000: 2"}));
  EXPECT_EQ(result.accumulator<LongCounter>("ended").value(), 2);
}

TEST(WindowKinds, ApplyTakesFunctionsOfTheWindowAlone) {
  struct Weights {
    LongCounter* calls = nullptr;
    void open(RuntimeContext& ctx) { calls = &ctx.accumulator<LongCounter>("calls"); }
    void operator()(const int64_t& page, const TimeWindow& window, std::span<const Click> clicks,
                    Collector<std::string>& out) {
      calls->add(1);
      std::string text = std::to_string(page) + " from " + std::to_string(window.start.ms) + ":";
      for (const Click& click : clicks) text += " " + std::to_string(click.weight);
      out.collect(text);
    }
  };
  TestWorld world;
  auto env = world.environment();
  const auto clicks = env.fromElements<Click>({{1, 1, 4}, {2, 2, 5}, {1, 3, 6}, {1, 12'000, 7}})
                          .assignTimestampsAndWatermarks(clickTime());
  CollectBuffer<std::string> keyed, all;
  clicks.keyBy(&Click::page)
      .window(TumblingEventTimeWindows::of(10s))
      .apply(Weights())
      .transformToSink("Collect", keyed.sink());
  clicks.windowAll(EventTimeSessionWindows::withGap(10s))
      .apply([](const TimeWindow& window, std::span<const Click> clicks, Collector<std::string>& out) {
        out.collect(std::to_string(window.end.ms) + ": " + std::to_string(clicks.size()));
      })
      .transformToSink("Collect", all.sink());
  const JobExecutionResult result = env.execute();
  EXPECT_EQ(sortedTexts(keyed.takeAll()), (Texts{"1 from 0: 4 6", "1 from 10000: 7", "2 from 0: 5"}));
  EXPECT_EQ(result.accumulator<LongCounter>("calls").value(), 3);
  EXPECT_EQ(all.takeAll(), (Texts{"10003: 3", "22000: 1"}));
}

/// Fires at each record but one of weight 0, at which the window forgets what it has.
struct ForgetAtZero {
  TriggerResult onElement(const Click& click, Timestamp, const TimeWindow&, TriggerContext<>&) {
    return click.weight == 0 ? TriggerResult::kPurge : TriggerResult::kFire;
  }
  TriggerResult onEventTime(Timestamp, const TimeWindow&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  TriggerResult onProcessingTime(Timestamp, const TimeWindow&, TriggerContext<>&) {
    return TriggerResult::kContinue;
  }
  void clear(const TimeWindow&, TriggerContext<>&) {}
};

TEST(WindowKinds, APurgeForgetsWithoutFiring) {
  TestWorld world;
  auto env = world.environment();
  const auto sums = env.fromElements<Click>({{1, 1, 5}, {1, 2, 6}, {1, 3, 0}, {1, 4, 7}, {1, 5, 8}})
                        .assignTimestampsAndWatermarks(clickTime())
                        .keyBy(&Click::page)
                        .window(TumblingEventTimeWindows::of(10s))
                        .trigger(ForgetAtZero())
                        .sum(&Click::weight)
                        .map([](const Click& click) { return click.weight; })
                        .executeAndCollect();
  EXPECT_EQ(sums, (std::vector<int64_t>{5, 11, 7, 15}));
}

/// A guard's shift: no plain stretch of time. The window knows who has it.
struct Shift {
  int64_t from = 0;
  std::string guard;
  Timestamp maxTimestamp() const { return Timestamp(from + 999); }
  bool operator==(const Shift&) const = default;
};
struct Shifts {
  using Window = Shift;
  static constexpr TimeDomain kDomain = TimeDomain::kEventTime;
  static constexpr const char* kName = "Shifts";
  /// Two guards at a time.
  std::vector<Shift> assignWindows(const Click&, Timestamp at, AssignerContext&) const {
    const int64_t from = at.ms / 1000 * 1000;
    return {{from, "ann"}, {from, from == 0 ? "bob" : "eve"}};
  }
  CountTrigger defaultTrigger() const { return CountTrigger::of(2); }
};
struct ShiftReport : ProcessWindowFunction<Click, std::string, int64_t, Shift> {
  void process(const int64_t& page, Context& context, std::span<const Click> clicks,
               Collector<std::string>& out) override {
    auto firings = context.windowState().state(ValueStateDescriptor<int64_t>("firings"));
    firings.set(firings.get() + 1);
    out.collect(context.window().guard + " at " + std::to_string(context.window().from) + ", page " +
                std::to_string(page) + ": " + std::to_string(clicks.size()) + ", firing " +
                std::to_string(firings.get()));
  }
};

TEST(WindowKinds, WindowTypesOfOnesOwnAndTheTriggerOfTheirAssigner) {
  for (int parallelism = 1; parallelism <= 3; ++parallelism) {
    TestWorld world(static_cast<uint64_t>(parallelism));
    auto env = world.environment();
    env.setParallelism(parallelism);
    const auto clicks =
        env.fromElements<Click>(
               {{1, 1, 1}, {1, 2, 1}, {2, 3, 1}, {1, 4, 1}, {1, 5, 1}, {1, 1001, 1}, {1, 1002, 1}})
            .assignTimestampsAndWatermarks(clickTime());
    const auto reports =
        clicks.keyBy(&Click::page).window(Shifts()).process(ShiftReport()).executeAndCollect();
    EXPECT_EQ(sortedTexts(reports),
              (Texts{"ann at 0, page 1: 2, firing 1", "ann at 0, page 1: 4, firing 2",
                     "ann at 1000, page 1: 2, firing 1", "bob at 0, page 1: 2, firing 1",
                     "bob at 0, page 1: 4, firing 2", "eve at 1000, page 1: 2, firing 1"}));
    const auto ends = env.fromElements<Click>({{1, 1, 1}, {2, 3, 1}})
                          .assignTimestampsAndWatermarks(clickTime())
                          .keyBy(&Click::page)
                          .window(Shifts())
                          .trigger(EventTimeTrigger::create())
                          .count()
                          .executeAndCollect();
    EXPECT_EQ(sortedTexts(ends), (Texts{"(1, 1)", "(1, 1)", "(2, 1)", "(2, 1)"})) << "trigger() replaces it";
  }
}

TEST(WindowKinds, WindowFunctionsHaveSideOutputs) {
  const OutputTag<int64_t> sizes("sizes");
  const auto sizeAside = [sizes](WindowContext& context, std::span<const Click> clicks,
                                 Collector<Click>& out) {
    context.output(sizes, static_cast<int64_t>(clicks.size()));
    out.collect(clicks.back());
  };
  TestWorld world;
  for (const bool ownTrigger : {false, true}) {
    auto env = world.environment();
    auto windows = env.fromElements<Click>({{1, 1, 1}, {1, 2, 2}, {1, 12'000, 3}})
                       .assignTimestampsAndWatermarks(clickTime())
                       .windowAll(TumblingEventTimeWindows::of(10s));
    auto last =
        ownTrigger ? windows.trigger(EventTimeTrigger()).process(sizeAside) : windows.process(sizeAside);
    CollectBuffer<int64_t> aside;
    last.getSideOutput(sizes).transformToSink("Sizes", aside.sink());
    EXPECT_EQ(last.executeAndCollect().size(), 2u);
    EXPECT_EQ(aside.takeAll(), (std::vector<int64_t>{2, 1}));
  }
}

TEST(WindowKinds, WhatCannotBeIsRefusedAtOnce) {
  TestWorld world;
  auto env = world.environment();
  auto stream = env.fromElements<Click>({{1, 1, 1}});
  auto keyed = stream.keyBy(&Click::page);
  EXPECT_EQ(errorText([&] { keyed.countWindow(0); }),
            "count windows of size 0 and slide 0 cannot be: give at least 1 for both");
  EXPECT_EQ(errorText([&] { keyed.countWindow(3, -1); }),
            "count windows of size 3 and slide -1 cannot be: give at least 1 for both");
  EXPECT_EQ(errorText([&] { CountTrigger::of(0); }),
            "CountTrigger cannot have a count of 0: give at least 1");
  EXPECT_EQ(errorText([&] { ContinuousEventTimeTrigger::of(Duration(0)); }),
            "ContinuousEventTimeTrigger cannot have an interval of 0 ms: give one of at least 1 ms");
  EXPECT_EQ(errorText([&] { ProcessingTimeoutTrigger(CountTrigger::of(1), Duration(-1)); }),
            "ProcessingTimeoutTrigger cannot have an interval of -1 ms: give one of at least 1 ms");
  EXPECT_EQ(errorText([&] { CountEvictor::of(-2); }),
            "CountEvictor cannot have a count of -2: give at least 1");
  EXPECT_EQ(
      errorText([&] { keyed.window(EventTimeSessionWindows::withGap(1s)).allowedLateness(Duration(-1)); }),
      "an allowed lateness of -1 ms cannot be: give one from 0 ms to 1152921504606846976 ms");
}

}  // namespace
}  // namespace flott
