#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/api/windowed_stream.h"
#include "flott/base/tests/error_text.h"
#include "flott/connectors/collect/collect_buffer.h"

namespace flott::windows_test {
namespace {

using namespace std::chrono_literals;

struct Click {
  int64_t page = 0;
  int64_t at = 0;
  int64_t weight = 0;
};
struct PageWeight {
  int64_t page = 0;
  int64_t weight = 0;
};

/// Out of order by at most 3 s.
std::vector<Click> manyClicks() {
  std::vector<Click> clicks;
  for (int64_t i = 0; i < 2000; ++i) clicks.push_back({i % 13, 50 * i - i * 7919 % 3000, i});
  return clicks;
}

auto clickTime() {
  return WatermarkStrategy<Click>::forBoundedOutOfOrderness(3s).withTimestampAssigner(&Click::at);
}

template <typename T>
std::vector<std::string> sortedTexts(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(toText(value));
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// What every window and page should give.
std::vector<std::string> expectedWeights() {
  std::map<std::pair<int64_t, int64_t>, int64_t> weights;
  for (const Click& click : manyClicks()) {
    weights[{(click.at + 100'000) / 10'000, click.page}] += click.weight;
  }
  std::vector<PageWeight> all;
  for (const auto& [window, weight] : weights) all.push_back({window.second, weight});
  return sortedTexts(all);
}

TEST(WindowJobs, SumsAreTheSameAtAnyParallelismUnderAnySeed) {
  const std::vector<std::string> expected = expectedWeights();
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(1 + static_cast<int>(seed % 3));
    const auto sums = env.fromCollection(manyClicks())
                          .assignTimestampsAndWatermarks(clickTime())
                          .map([](const Click& click) {
                            return PageWeight{click.page, click.weight};
                          })
                          .keyBy(&PageWeight::page)
                          .window(TumblingEventTimeWindows::of(10s))
                          .sum(&PageWeight::weight)
                          .executeAndCollect();
    EXPECT_EQ(sortedTexts(sums), expected) << "seed " << seed;
  }
}

TEST(WindowJobs, WindowsOfWindowsUseTheTimestampsOfResults) {
  TestWorld world;
  auto env = world.environment();
  env.setParallelism(2);
  const auto counts =
      env.fromCollection(manyClicks())
          .assignTimestampsAndWatermarks(clickTime())
          .keyBy(&Click::page)
          .window(TumblingEventTimeWindows::of(10s))
          .count()
          .windowAll(TumblingEventTimeWindows::of(10s))
          .process([](WindowContext& context, std::span<const std::pair<int64_t, int64_t>> pages,
                      Collector<std::string>& out) {
            int64_t clicks = 0;
            for (const auto& [page, count] : pages) clicks += count;
            out.collect(std::to_string(context.window().start.ms / 1000) +
                        " s: " + std::to_string(pages.size()) + " pages, " + std::to_string(clicks));
          })
          .executeAndCollect();
  std::map<int64_t, std::map<int64_t, int64_t>> windows;
  for (const Click& click : manyClicks()) ++windows[(click.at + 100'000) / 10'000 * 10 - 100][click.page];
  std::vector<std::string> expected;
  for (const auto& [start, pages] : windows) {
    int64_t clicks = 0;
    for (const auto& [page, count] : pages) clicks += count;
    expected.push_back(std::to_string(start) + " s: " + std::to_string(pages.size()) + " pages, " +
                       std::to_string(clicks));
  }
  EXPECT_EQ(counts, expected);
}

TEST(WindowJobs, ProcessingTimeWindowsFireByTheClockOfTheJob) {
  TestWorld world;
  auto env = world.environment();
  CollectBuffer<std::pair<int64_t, int64_t>> results;
  env.fromFunction<Click>([left = 3](SourceOutput<Click>& out) mutable {
       if (left > 0) out.collect({left-- % 2, 0, 1});
       return true;
     })
      .keyBy(&Click::page)
      .window(TumblingProcessingTimeWindows::of(5s))
      .count()
      .transformToSink("Results", results.sink());
  JobClient job = env.executeAsync();
  EXPECT_FALSE(world.runUntilIdle());
  EXPECT_TRUE(results.takeAll().empty());
  EXPECT_FALSE(world.advance(5s));
  EXPECT_EQ(sortedTexts(results.takeAll()), (std::vector<std::string>{"(0, 1)", "(1, 2)"}));
}

// Where windows begin within their 10 s, by the first key of their subtask: one place for each.
template <typename Windows>
std::map<int64_t, std::set<int64_t>> beginnings(uint64_t seed, Windows windows) {
  TestWorld world(seed);
  auto env = world.environment();
  env.setParallelism(2);
  const auto found = windows(env.fromCollection(manyClicks())
                                 .assignTimestampsAndWatermarks(clickTime())
                                 .keyBy(&Click::page)
                                 .window(TumblingEventTimeWindows::of(10s, 0s, WindowStagger::kRandom)))
                         .process([](const int64_t& page, WindowContext& context, std::span<const Click>,
                                     Collector<std::pair<int64_t, int64_t>>& out) {
                           const int64_t place = context.window().start.ms % 10'000;
                           out.collect({page, place < 0 ? place + 10'000 : place});
                         })
                         .executeAndCollect();
  std::map<int64_t, std::set<int64_t>> places;
  for (const auto& [page, place] : found) places[page].insert(place);
  return places;
}

TEST(WindowJobs, RandomStaggerMovesTheWindowsOfEachSubtaskAsAWhole) {
  const auto sliced = [](auto windows) { return windows; };
  const auto general = [](auto windows) { return windows.trigger(EventTimeTrigger()); };
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    std::set<int64_t> ofSeed;
    for (const auto& [page, places] : beginnings(seed, sliced)) {
      EXPECT_EQ(places.size(), 1u) << "page " << page << ", seed " << seed;
      ofSeed.insert(places.begin(), places.end());
    }
    EXPECT_EQ(ofSeed.size(), 2u) << "one for each subtask";
    EXPECT_EQ(beginnings(seed, general), beginnings(seed, sliced)) << "seed " << seed;
  }
}

TEST(WindowJobs, AnIdleInputHoldsNothingBack) {
  TestWorld world;
  auto env = world.environment();
  env.setParallelism(1);
  auto quiet = env.fromFunction<Click>([](SourceOutput<Click>&) { return true; })
                   .assignTimestampsAndWatermarks(clickTime().withIdleness(2s));
  auto lively = env.fromFunction<Click>([first = true](SourceOutput<Click>& out) mutable {
                     if (std::exchange(first, false)) {
                       out.collect({1, 5'000, 1});
                       out.collect({1, 20'000, 1});
                     }
                     return true;
                   })
                    .assignTimestampsAndWatermarks(clickTime());
  CollectBuffer<std::pair<int64_t, int64_t>> results;
  quiet.unionWith(lively)
      .keyBy(&Click::page)
      .window(TumblingEventTimeWindows::of(10s))
      .count()
      .transformToSink("Results", results.sink());
  JobClient job = env.executeAsync();
  EXPECT_FALSE(world.advance(1s));
  EXPECT_TRUE(results.takeAll().empty());
  EXPECT_FALSE(world.advance(2s));
  EXPECT_EQ(results.takeAll(), (std::vector<std::pair<int64_t, int64_t>>{{1, 1}}));
}

TEST(WindowJobs, WindowAllRunsInOneSubtask) {
  TestWorld world;
  auto env = world.environment();
  EXPECT_EQ(errorText([&] {
              env.fromElements<Click>({{1, 1, 1}})
                  .windowAll(TumblingEventTimeWindows::of(10s))
                  .count()
                  .setParallelism(2);
            }),
            "operator 'TumblingEventTimeWindows' cannot run in parallel: leave its parallelism at 1");
}

TEST(WindowJobs, ForgottenTimestampsFailTheJobWithTheWayOut) {
  TestWorld world;
  auto env = world.environment();
  EXPECT_EQ(errorText([&] {
              env.fromElements<Click>({{1, 1, 1}})
                  .keyBy(&Click::page)
                  .window(TumblingEventTimeWindows::of(10s))
                  .max(&Click::weight)
                  .executeAndCollect();
            }),
            "records have no timestamp, which windows on event time need: assign one with "
            "assignTimestampsAndWatermarks(…) before them, or use windows on processing time");
}

}  // namespace
}  // namespace flott::windows_test
