#include "flott/api/window_join.h"

#include <map>

#include "flott/api/process.h"
#include "flott/api/tests/job_test.h"
#include "flott/api/watermarks.h"
#include "flott/operators/tests/chance.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

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
          WatermarkStrategy<T>::forBoundedOutOfOrderness(Duration(50)).withTimestampAssigner([](const T& t) {
            return t.at;
          }));
}

template <typename T>
std::vector<T> randomRecords(Chance& chance, size_t count) {
  std::vector<T> records(count);
  for (size_t i = 0; i < count; ++i) {
    records[i].item = std::string(1, static_cast<char>('a' + chance.below(5)));
    records[i].at = static_cast<int64_t>(i) * 7 + chance.between(0, 49);
  }
  return records;
}

const auto kText = [](const Bid& bid, const Ask& ask) {
  return bid.item + " " + std::to_string(bid.at) + " " + std::to_string(ask.at);
};

/// "a: 1 2 | 3", the times of both sides in ascending order.
const auto kBoth = [](const CoGroupRecords<Bid>& bids, const CoGroupRecords<Ask>& asks,
                      Collector<std::string>& out) {
  std::vector<int64_t> times;
  for (const Bid& bid : bids) times.push_back(bid.at);
  std::sort(times.begin(), times.end());
  std::string text = (bids.empty() ? asks[0].item : bids[0].item) + ":";
  for (int64_t at : times) text += " " + std::to_string(at);
  times.clear();
  for (size_t i = 0; i < asks.size(); ++i) times.push_back(asks[i].at);
  std::sort(times.begin(), times.end());
  text += " |";
  for (int64_t at : times) text += " " + std::to_string(at);
  out.collect(text);
};

/// All records of a run by item and window, as a naive program would put them.
struct Groups {
  using Place = std::pair<std::string, int64_t>;
  std::map<Place, std::pair<std::vector<Bid>, std::vector<Ask>>> all;

  Groups(const std::vector<Bid>& bids, const std::vector<Ask>& asks, int64_t size) {
    for (const Bid& bid : bids) all[{bid.item, bid.at / size}].first.push_back(bid);
    for (const Ask& ask : asks) all[{ask.item, ask.at / size}].second.push_back(ask);
  }
};

TEST(WindowJoin, PairsAreThoseOfAKeyInAWindow) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    const auto bids = randomRecords<Bid>(chance, 150);
    const auto asks = randomRecords<Ask>(chance, 120);
    TestWorld world(seed);
    auto env = world.environment().setParallelism(static_cast<int>(seed % 3) + 1);
    const auto joined = stamped(env, bids)
                            .join(stamped(env, asks))
                            .where(&Bid::item)
                            .equalTo(&Ask::item)
                            .window(TumblingEventTimeWindows::of(Duration(100)))
                            .apply(kText);
    Texts expected;
    for (const auto& [place, sides] : Groups(bids, asks, 100).all) {
      for (const Bid& bid : sides.first) {
        for (const Ask& ask : sides.second) expected.push_back(kText(bid, ask));
      }
    }
    EXPECT_EQ(sorted(collected(env, joined)), sorted(expected));
  }
}

TEST(WindowJoin, CoGroupSeesKeysOfOneSideToo) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    const auto bids = randomRecords<Bid>(chance, 60);
    const auto asks = randomRecords<Ask>(chance, 60);
    TestWorld world(seed);
    auto env = world.environment().setParallelism(static_cast<int>(seed % 3) + 1);
    const auto grouped = stamped(env, bids)
                             .coGroup(stamped(env, asks))
                             .where([](const Bid& bid) { return bid.item; })
                             .equalTo(&Ask::item)
                             .window(TumblingEventTimeWindows::of(Duration(50)))
                             .apply(kBoth);
    Texts expected;
    for (auto& [place, sides] : Groups(bids, asks, 50).all) {
      const auto times = [](auto& side) {
        std::vector<int64_t> all;
        for (const auto& record : side) all.push_back(record.at);
        std::sort(all.begin(), all.end());
        std::string text;
        for (int64_t at : all) text += " " + std::to_string(at);
        return text;
      };
      expected.push_back(place.first + ":" + times(sides.first) + " |" + times(sides.second));
    }
    EXPECT_EQ(sorted(collected(env, grouped)), sorted(expected));
  }
}

/// Bids and asks of one item and moment: as many pairs as their product, far more than a call may put out.
constexpr int64_t kMany = 400;

std::pair<std::vector<Bid>, std::vector<Ask>> manyOfOneKey() {
  std::pair<std::vector<Bid>, std::vector<Ask>> both;
  for (int64_t at = 0; at < kMany; ++at) {
    both.first.push_back({"pen", at});
    both.second.push_back({at, "pen"});
  }
  return both;
}

template <typename Windowed>
void expectAllPairs(StreamExecutionEnvironment& env, const Windowed& windowed, int64_t times) {
  env.configuration().set("flott.output.overrun-cap", "1 mb");
  const auto pairs = windowed.apply([](const Bid& bid, const Ask& ask) { return bid.at * 1000 + ask.at; })
                         .rebalance()
                         .map([](int64_t pair) { return pair; })
                         .setParallelism(2);
  std::vector<int64_t> got = collected(env, pairs);
  ASSERT_EQ(static_cast<int64_t>(got.size()), times * kMany * kMany);
  std::sort(got.begin(), got.end());
  for (int64_t n = 0; n < static_cast<int64_t>(got.size()); ++n) {
    const int64_t pair = n / times;
    ASSERT_EQ(got[static_cast<size_t>(n)], pair / kMany * 1000 + pair % kMany);
  }
}

template <typename Assigner, typename More>
void expectAllPairsOf(Assigner assigner, int64_t times, More more) {
  TestWorld world;
  auto env = world.environment();
  const auto [bids, asks] = manyOfOneKey();
  const auto windowed = stamped(env, bids)
                            .join(stamped(env, asks))
                            .where(&Bid::item)
                            .equalTo(&Ask::item)
                            .window(std::move(assigner));
  expectAllPairs(env, more(windowed), times);
}

TEST(WindowJoin, PairsOfALargeWindowComeAsThereIsRoom) {
  const auto asIs = [](const auto& windowed) { return windowed; };
  expectAllPairsOf(TumblingEventTimeWindows::of(Duration(1000)), 1, asIs);
  expectAllPairsOf(SlidingEventTimeWindows::of(Duration(1000), Duration(500)), 2, asIs);
  expectAllPairsOf(EventTimeSessionWindows::withGap(Duration(100)), 1, asIs);
  expectAllPairsOf(TumblingProcessingTimeWindows::of(Duration(100'000)), 1, asIs);
  expectAllPairsOf(TumblingEventTimeWindows::of(Duration(1000)), 1, [](const auto& windowed) {
    return windowed.trigger(PurgingTrigger(EventTimeTrigger::create()));
  });
  expectAllPairsOf(GlobalWindows::create(), 1,
                   [](const auto& windowed) { return windowed.trigger(CountTrigger::of(2 * kMany)); });
}

TEST(WindowJoin, LateRecordsOfALargeWindowPairAsThereIsRoom) {
  TestWorld world;
  auto env = world.environment();
  std::vector<Bid> bids;
  std::vector<Ask> asks{{1, "pen"}};
  constexpr int64_t kBids = 100'000;
  for (int64_t at = 0; at < kBids; ++at) bids.push_back({"pen", 2});
  asks.push_back({5000, "other"});
  bids.push_back({"other", 5000});
  asks.push_back({3, "pen"});  // late, and in order to be so far behind of what is read before
  const auto pairs = stamped(env, bids)
                         .join(stamped(env, asks))
                         .where(&Bid::item)
                         .equalTo(&Ask::item)
                         .window(SlidingEventTimeWindows::of(Duration(1000), Duration(500)))
                         .allowedLateness(Duration(100'000))
                         .apply([](const Bid&, const Ask& ask) { return ask.at; })
                         .rebalance()
                         .map([](int64_t at) { return at; })
                         .setParallelism(2);
  env.configuration().set("flott.output.overrun-cap", "1 mb");
  std::map<int64_t, int64_t> counts;
  for (const int64_t at : collected(env, pairs)) ++counts[at];
  EXPECT_GE(counts[1], 2 * kBids);  // again with each firing for late records
  EXPECT_GE(counts[3], 2 * kBids);
}

TEST(WindowJoin, AnErrorInAPairThatHadToWaitNamesItsWindowAndKey) {
  TestWorld world;
  auto env = world.environment();
  const auto [bids, asks] = manyOfOneKey();
  const auto pairs = stamped(env, bids)
                         .join(stamped(env, asks))
                         .where(&Bid::item)
                         .equalTo(&Ask::item)
                         .window(TumblingEventTimeWindows::of(Duration(1000)))
                         .apply([](const Bid& bid, const Ask& ask) {
                           if (bid.at == kMany - 1) throw std::runtime_error("no such pen");
                           return ask.at;
                         })
                         .rebalance()
                         .map([](int64_t at) { return at; })
                         .setParallelism(2);
  env.configuration().set("flott.output.overrun-cap", "1 mb");
  const std::string text = failure([&] { collected(env, pairs); });
  EXPECT_NE(text.find("window from 1970-01-01"), std::string::npos) << text;
  EXPECT_NE(text.find("of key "), std::string::npos) << text;
  EXPECT_NE(text.find("no such pen"), std::string::npos) << text;
}

TEST(WindowJoin, OneStreamMayBeJoinedWithItselfAndResultsAreStamped) {
  TestWorld world;
  auto env = world.environment();
  const auto bids = stamped<Bid>(env, {{"a", 1}, {"a", 2}, {"b", 3}, {"a", 100}});
  const auto pairs =
      bids.join(bids)
          .where(&Bid::item)
          .equalTo(&Bid::item)
          .window(TumblingEventTimeWindows::of(Duration(100)))
          .apply([](const Bid& first, const Bid& second, Collector<std::string>& out) {
            if (first.at < second.at) out.collect(std::to_string(first.at) + " " + std::to_string(second.at));
          })
          .process([](const std::string& text, ProcessContext& ctx, Collector<std::string>& out) {
            out.collect(text + " @ " + std::to_string(ctx.timestamp().ms));
          });
  EXPECT_EQ(collected(env, pairs), Texts{"1 2 @ 99"});
}

/// Numbers its results by the state of the key.
struct Numbered {
  ValueState<int64_t> results;
  void open(RuntimeContext& context) { results = context.state(ValueStateDescriptor<int64_t>("results")); }
  std::string operator()(const Bid& bid, const Ask&) {
    results.set(results.get() + 1);
    return bid.item + std::to_string(results.get());
  }
};

TEST(WindowJoin, FunctionsMayHaveState) {
  TestWorld world;
  auto env = world.environment();
  const auto joined = stamped<Bid>(env, {{"a", 1}, {"b", 2}, {"a", 103}})
                          .join(stamped<Ask>(env, {{1, "a"}, {2, "b"}, {104, "a"}}))
                          .where(&Bid::item)
                          .equalTo(&Ask::item)
                          .window(TumblingEventTimeWindows::of(Duration(100)))
                          .apply(Numbered());
  EXPECT_EQ(sorted(collected(env, joined)), (Texts{"a1", "a2", "b1"}));
}

}  // namespace
}  // namespace flott
