#include "flott/api/window_join.h"

#include <map>

#include "flott/api/tests/job_test.h"
#include "flott/api/watermarks.h"
#include "flott/operators/tests/chance.h"

namespace flott::window_join_kinds_test {
namespace {

using Texts = std::vector<std::string>;

struct Tap {
  std::string card;
  int64_t at = 0;
};

auto stamped(StreamExecutionEnvironment& env, std::vector<Tap> records) {
  return env.fromCollection(std::move(records))
      .assignTimestampsAndWatermarks(WatermarkStrategy<Tap>::forBoundedOutOfOrderness(Duration(60))
                                         .withTimestampAssigner([](const Tap& tap) { return tap.at; }));
}

std::vector<Tap> randomTaps(Chance& chance, size_t count) {
  std::vector<Tap> taps(count);
  for (size_t i = 0; i < count; ++i) {
    taps[i].card = std::string(1, static_cast<char>('a' + chance.below(4)));
    taps[i].at = static_cast<int64_t>(i) * 11 + chance.between(0, 49);
  }
  return taps;
}

const auto kText = [](const Tap& in, const Tap& out) {
  return in.card + " " + std::to_string(in.at) + " " + std::to_string(out.at);
};

/// Of each card its sessions, found by putting the times of both sides in order.
Texts pairsOfSessions(const std::vector<Tap>& first, const std::vector<Tap>& second, int64_t gap) {
  std::map<std::string, std::vector<std::pair<int64_t, int>>> byCard;
  for (const Tap& tap : first) byCard[tap.card].push_back({tap.at, 0});
  for (const Tap& tap : second) byCard[tap.card].push_back({tap.at, 1});
  Texts pairs;
  for (auto& [card, taps] : byCard) {
    std::sort(taps.begin(), taps.end());
    for (size_t from = 0; from < taps.size();) {
      size_t to = from + 1;
      while (to < taps.size() && taps[to].first <= taps[to - 1].first + gap) ++to;
      for (size_t i = from; i < to; ++i) {
        for (size_t j = from; j < to; ++j) {
          if (taps[i].second == 0 && taps[j].second == 1)
            pairs.push_back(kText({card, taps[i].first}, {card, taps[j].first}));
        }
      }
      from = to;
    }
  }
  return pairs;
}

TEST(WindowJoinKinds, SessionsAreThoseOfBothStreamsTogether) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    const auto entries = randomTaps(chance, 60);
    const auto exits = randomTaps(chance, 60);
    TestWorld world(seed);
    auto env = world.environment().setParallelism(static_cast<int>(seed % 3) + 1);
    const auto joined = stamped(env, entries)
                            .join(stamped(env, exits))
                            .where(&Tap::card)
                            .equalTo(&Tap::card)
                            .window(EventTimeSessionWindows::withGap(Duration(30)))
                            .apply(kText);
    EXPECT_EQ(sorted(collected(env, joined)), sorted(pairsOfSessions(entries, exits, 30)));
  }
}

TEST(WindowJoinKinds, ARecordMeetsOthersInEachOfItsSlidingWindows) {
  TestWorld world;
  auto env = world.environment();
  const auto joined = stamped(env, {{"a", 10}, {"b", 60}})
                          .join(stamped(env, {{"a", 30}, {"a", 120}, {"b", 90}}))
                          .where(&Tap::card)
                          .equalTo(&Tap::card)
                          .window(SlidingEventTimeWindows::of(Duration(100), Duration(50)))
                          .apply(kText);
  EXPECT_EQ(sorted(collected(env, joined)), (Texts{"a 10 30", "a 10 30", "b 60 90", "b 60 90"}));
}

TEST(WindowJoinKinds, TriggersEvictorsAndLatenessWorkOnTheTaggedRecords) {
  TestWorld world;
  auto env = world.environment();
  const std::vector<Tap> taps{{"a", 1}, {"a", 2}, {"a", 3}};
  const auto sizes = stamped(env, taps)
                         .coGroup(stamped(env, taps))
                         .where(&Tap::card)
                         .equalTo(&Tap::card)
                         .window(TumblingEventTimeWindows::of(Duration(100)))
                         .trigger(EventTimeTrigger())
                         .evictor(CountEvictor::of(4))
                         .allowedLateness(Duration(10))
                         .apply([](const CoGroupRecords<Tap>& first, const CoGroupRecords<Tap>& second,
                                   Collector<int64_t>& out) {
                           out.collect(static_cast<int64_t>(first.size() + second.size()));
                         });
  EXPECT_EQ(collected(env, sizes), std::vector<int64_t>{4});
}

}  // namespace
}  // namespace flott::window_join_kinds_test
