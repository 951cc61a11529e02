#include "flott/api/interval_join.h"
#include "flott/api/tests/job_test.h"
#include "flott/api/watermarks.h"

namespace flott {
namespace {

struct Bid {
  std::string item;
  int64_t at = 0;
};
struct Ask {
  int64_t at = 0;
  std::string item;
};

template <typename T>
auto stamped(StreamExecutionEnvironment& env, std::vector<T> records) {
  return env.fromCollection(std::move(records))
      .assignTimestampsAndWatermarks(
          WatermarkStrategy<T>::forBoundedOutOfOrderness(Duration(10)).withTimestampAssigner([](const T& t) {
            return t.at;
          }));
}

const auto kText = [](const Bid& bid, const Ask& ask, Collector<std::string>& out) {
  out.collect(bid.item + " " + std::to_string(bid.at) + " " + std::to_string(ask.at));
};

TEST(Joins, AnIntervalJoinInAJob) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment().setParallelism(2);
    const auto bids = stamped<Bid>(env, {{"a", 10}, {"b", 10}, {"a", 20}, {"c", 30}});
    const auto asks = stamped<Ask>(env, {{12, "a"}, {9, "a"}, {18, "b"}, {25, "a"}, {15, "a"}});
    const auto joined = bids.keyBy(&Bid::item).intervalJoin(asks.keyBy(&Ask::item));
    const auto all = joined.between(Duration(-5), Duration(5)).process(kText);
    EXPECT_EQ(sorted(collected(env, all)),
              (std::vector<std::string>{"a 10 12", "a 10 15", "a 10 9", "a 20 15", "a 20 25"}));
    auto again = world.environment().setParallelism(2);
    const auto inner =
        stamped<Bid>(again, {{"a", 10}, {"b", 10}, {"a", 20}, {"c", 30}})
            .keyBy(&Bid::item)
            .intervalJoin(stamped<Ask>(again, {{12, "a"}, {9, "a"}, {25, "a"}, {15, "a"}}).keyBy(&Ask::item))
            .between(Duration(-5), Duration(5))
            .lowerBoundExclusive()
            .upperBoundExclusive()
            .process(kText);
    EXPECT_EQ(sorted(collected(again, inner)), (std::vector<std::string>{"a 10 12", "a 10 9"}));
  }
}

TEST(Joins, IntervalJoinsAreOnEventTimeOnly) {
  TestWorld world;
  auto env = world.environment();
  const auto bids = env.fromCollection(std::vector<Bid>{{"a", 1}}).keyBy(&Bid::item);
  const auto asks = env.fromCollection(std::vector<Ask>{{1, "a"}}).keyBy(&Ask::item);
  EXPECT_EQ(failure([&] { bids.intervalJoin(asks).inProcessingTime(); }),
            "interval joins are on event time only: give both streams timestamps and watermarks with "
            "assignTimestampsAndWatermarks(…), of ingestion if there are no others");
  const auto joined = bids.intervalJoin(asks).inEventTime().between(Duration(0), Duration(5)).process(kText);
  EXPECT_EQ(failure([&] { collected(env, joined); }),
            "job 'test': operator 'Interval Join', subtask 1/1: records have no timestamp, which an interval "
            "join needs on both of its streams: assign one with assignTimestampsAndWatermarks(…) before "
            "keyBy(…)");
}

}  // namespace
}  // namespace flott
