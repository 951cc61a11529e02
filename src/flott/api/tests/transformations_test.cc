// What each transformation makes of its input, in whole jobs at several parallelisms and seeds.
#include <functional>
#include <map>
#include <numeric>
#include <tuple>

#include "flott/api/process.h"
#include "flott/api/tests/job_test.h"

namespace flott {
namespace {

struct Score {
  int64_t player = 0;
  int64_t points = 0;
  int64_t game = 0;
  auto operator<=>(const Score&) const = default;
};

struct KeyAndNumber {
  int64_t key = 0;
  int64_t number = 0;
  auto operator<=>(const KeyAndNumber&) const = default;
};

class Transformations : public testing::TestWithParam<int> {
 protected:
  StreamExecutionEnvironment environment(uint64_t seed) {
    world_ = std::make_unique<TestWorld>(seed);
    return std::move(world_->environment().setParallelism(GetParam()));
  }

 private:
  std::unique_ptr<TestWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(Parallelism, Transformations, testing::Values(1, 2, 3),
                         [](const auto& info) { return std::to_string(info.param); });

std::vector<int64_t> numbers(int64_t first, int64_t last) {
  std::vector<int64_t> all(static_cast<size_t>(last - first + 1));
  std::iota(all.begin(), all.end(), first);
  return all;
}

std::vector<Score> scores() {
  std::vector<Score> all;
  for (int64_t game = 0; game < 300; ++game) all.push_back({game * game % 7, (game * 37) % 101, game});
  return all;
}

/// What a fold over the records of each player gives, for each record in turn.
template <typename Fold>
std::vector<Score> folded(Fold fold) {
  std::map<int64_t, Score> soFar;
  std::vector<Score> results;
  for (const Score& score : scores()) {
    const auto [at, first] = soFar.emplace(score.player, score);
    if (!first) fold(at->second, score);
    results.push_back(at->second);
  }
  return sorted(results);
}

/// The results of the same aggregation in a job, under every seed.
#define EXPECT_AGGREGATE(expected, call)                                                                 \
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {                                                       \
    auto env = environment(seed);                                                                        \
    EXPECT_EQ(sorted(collected(env, env.fromCollection(scores()).keyBy(&Score::player).call)), expected) \
        << "seed " << seed;                                                                              \
  }

TEST_P(Transformations, MapFilterFlatMap) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromSequence(1, 2000)
                      .map([](int64_t x) { return 2 * x; })
                      .filter([](int64_t x) { return x % 3 != 0; })
                      .flatMap([](const int64_t& x, Collector<std::string>& out) {
                        for (int64_t i = 0; i < x % 5; ++i) out.collect(std::to_string(x));
                      });
    std::vector<std::string> expected;
    for (int64_t x = 2; x <= 4000; x += 2) {
      for (int64_t i = 0; x % 3 != 0 && i < x % 5; ++i) expected.push_back(std::to_string(x));
    }
    EXPECT_EQ(sorted(collected(env, result)), sorted(expected)) << "seed " << seed;
  }
}

TEST_P(Transformations, EmplaceMakesTheMembersOfARecordInTheirPlace) {
  struct Part {
    std::string text;
    int64_t size;
  };
  auto env = environment(0);
  auto parts = env.fromElements<std::string>({"a", std::string(40, 'b')})
                   .flatMap([](const std::string& whole, Collector<Part>& out) {
                     out.emplace(std::string_view(whole), std::ssize(whole));
                     out.emplace("literal", 7);
                     out.emplace(std::string("moved"));  // members left out are value-initialised
                   })
                   .map([](const Part& part) { return part.text + " " + std::to_string(part.size); });
  EXPECT_EQ(sorted(collected(env, parts)),
            sorted(std::vector<std::string>{"a 1", "literal 7", "moved 0", std::string(40, 'b') + " 40",
                                            "literal 7", "moved 0"}));
}

TEST_P(Transformations, ReduceSeesTheRecordsOfAKeyInTheirOrder) {
  const auto reduce = [](const Score& soFar, const Score& score) {
    return Score{soFar.player, (soFar.points * 31 + score.points) % 1000003, score.game};
  };
  EXPECT_AGGREGATE(folded([&](Score& soFar, const Score& score) { soFar = reduce(soFar, score); }),
                   reduce(reduce));
}

TEST_P(Transformations, SumAddsOneMember) {
  EXPECT_AGGREGATE(folded([](Score& soFar, const Score& score) { soFar.points += score.points; }),
                   sum(&Score::points));
}

TEST_P(Transformations, MinAndMaxChangeOneMember) {
  EXPECT_AGGREGATE(
      folded([](Score& soFar, const Score& score) { soFar.points = std::min(soFar.points, score.points); }),
      min(&Score::points));
  EXPECT_AGGREGATE(
      folded([](Score& soFar, const Score& score) { soFar.points = std::max(soFar.points, score.points); }),
      max(&Score::points));
}

TEST_P(Transformations, MinByAndMaxByTakeWholeRecords) {
  EXPECT_AGGREGATE(folded([](Score& soFar, const Score& score) {
                     if (score.points < soFar.points) soFar = score;
                   }),
                   minBy(&Score::points));
  EXPECT_AGGREGATE(folded([](Score& soFar, const Score& score) {
                     if (score.points >= soFar.points) soFar = score;
                   }),
                   maxBy(&Score::points, Tie::kLast));
}

struct Mean {
  struct Sum {
    int64_t points = 0;
    int64_t count = 0;
  };
  Sum createAccumulator() const { return {}; }
  void add(const Score& score, Sum& sum) const {
    sum.points += score.points;
    ++sum.count;
  }
  double getResult(const Sum& sum) const {
    return static_cast<double>(sum.points) / static_cast<double>(sum.count);
  }
};

TEST_P(Transformations, AggregateAndCount) {
  std::map<int64_t, Mean::Sum> sums;
  std::vector<double> means;
  std::vector<std::pair<int64_t, int64_t>> counts;
  for (const Score& score : scores()) {
    Mean().add(score, sums[score.player]);
    means.push_back(Mean().getResult(sums[score.player]));
    counts.emplace_back(score.player, sums[score.player].count);
  }
  EXPECT_AGGREGATE(sorted(means), aggregate(Mean()));
  EXPECT_AGGREGATE(sorted(counts), count());
}

TEST_P(Transformations, KeyedResultsMayBeKeyedAgainByAnotherMember) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    std::vector<KeyAndNumber> input;
    for (int64_t i = 0; i < 200; ++i) input.push_back({i, i % 4});  // each key once: the sum is the number
    auto counts = env.fromCollection(input)
                      .keyBy(&KeyAndNumber::key)
                      .sum(&KeyAndNumber::number)
                      .keyBy(&KeyAndNumber::number)
                      .count();
    std::vector<std::pair<int64_t, int64_t>> expected;
    for (int64_t number = 0; number < 4; ++number) {
      for (int64_t count = 1; count <= 50; ++count) expected.emplace_back(number, count);
    }
    EXPECT_EQ(sorted(collected(env, counts)), expected) << "seed " << seed;
  }
}

TEST_P(Transformations, KeyOfSeveralMembersAndOfAFunction) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto input = env.fromCollection(scores());
    auto byTwo = input.keyBy(&Score::player, &Score::points).count().map([](const auto& counted) {
      return std::get<0>(counted.first) * 1000 + std::get<1>(counted.first);
    });
    std::vector<int64_t> expected;
    for (const Score& score : scores()) expected.push_back(score.player * 1000 + score.points);
    EXPECT_EQ(sorted(collected(env, byTwo)), sorted(expected));

    auto again = environment(seed);
    auto byParity = again.fromSequence(1, 100).keyBy([](int64_t x) { return x % 2; }).count();
    auto counts = sorted(collected(again, byParity));
    ASSERT_EQ(counts.size(), 100u);
    EXPECT_EQ(counts.back(), (std::pair<int64_t, int64_t>(1, 50)));
  }
}

TEST_P(Transformations, TuplesAreKeyedAndFoldedByTheNumbersOfTheirElements) {
  using Row = std::tuple<int64_t, int64_t, int64_t>;  // player, points, game
  const auto asRows = [](const std::vector<Score>& all) {
    std::vector<Row> rows;
    for (const Score& score : all) rows.emplace_back(score.player, score.points, score.game);
    return rows;
  };
  const std::vector<Row> rows = asRows(scores());
  auto env = environment(3);
  const auto keyed = [&] { return env.fromCollection(rows).keyBy<0>(); };
  EXPECT_EQ(sorted(collected(env, keyed().sum<1>())),
            asRows(folded([](Score& soFar, const Score& score) { soFar.points += score.points; })));
  EXPECT_EQ(sorted(collected(env, keyed().min<1>())), asRows(folded([](Score& soFar, const Score& score) {
              soFar.points = std::min(soFar.points, score.points);
            })));
  EXPECT_EQ(sorted(collected(env, keyed().max<1>())), asRows(folded([](Score& soFar, const Score& score) {
              soFar.points = std::max(soFar.points, score.points);
            })));
  EXPECT_EQ(sorted(collected(env, keyed().minBy<1>())), asRows(folded([](Score& soFar, const Score& score) {
              if (score.points < soFar.points) soFar = score;
            })));
  EXPECT_EQ(sorted(collected(env, keyed().maxBy<1>(Tie::kLast))),
            asRows(folded([](Score& soFar, const Score& score) {
              if (score.points >= soFar.points) soFar = score;
            })));
  EXPECT_EQ(collected(env, env.fromCollection(rows).keyBy<0, 2>().count()).size(), rows.size());
}

TEST_P(Transformations, UnionHasAllRecordsAlsoOfAStreamWithItself) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto low = env.fromSequence(1, 500).map([](int64_t x) { return x; });
    auto high = env.fromSequence(501, 1000).map([](int64_t x) { return x; });
    auto all = low.unionWith(high, low, low).rebalance().map([](int64_t x) { return x; });
    std::vector<int64_t> expected = numbers(1, 1000);
    for (int64_t x = 1; x <= 500; ++x) expected.insert(expected.end(), {x, x});
    EXPECT_EQ(sorted(collected(env, all)), sorted(expected)) << "seed " << seed;
  }
}

TEST_P(Transformations, ADiamondOfSmallChannelsDoesNotBlock) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    env.configuration().set("taskmanager.network.memory.buffers-per-channel", "1");
    auto input = env.fromSequence(1, 20'000).disableChaining();
    auto slow = input.rebalance().flatMap([](const int64_t& x, Collector<int64_t>& out) {
      for (int i = 0; i < 5; ++i) out.collect(x);
    });
    auto keyed = input.keyBy([](int64_t x) { return x % 10; }).filter([](int64_t) { return true; });
    auto copies = input.broadcast().map([](int64_t x) { return x; });
    auto all = slow.unionWith(keyed, copies).keyBy([](int64_t) { return 0; }).count();
    const auto counts = collected(env, all);
    ASSERT_EQ(counts.size(), 20'000u * (6 + static_cast<size_t>(GetParam())));
  }
}

TEST_P(Transformations, EveryPartitioningKeepsAllRecords) {
  const std::vector<int64_t> expected = numbers(1, 3000);
  using Stream = DataStream<int64_t>;
  const std::vector<std::function<Stream(const Stream&)>> spread = {
      [](const Stream& s) { return s.rebalance(); },
      [](const Stream& s) { return s.rescale(); },
      [](const Stream& s) { return s.shuffle(); },
      [](const Stream& s) { return s.global(); },
      [](const Stream& s) {
        return s.partitionCustom([](int64_t key, int subtasks) { return key % subtasks; },
                                 [](int64_t x) { return x % 5; });
      },
  };
  for (size_t kind = 0; kind < spread.size(); ++kind) {
    for (int receivers = 1; receivers <= 4; ++receivers) {
      auto env = environment(kind + static_cast<uint64_t>(receivers));
      auto result = spread[kind](env.fromSequence(1, 3000).map([](int64_t x) { return x; }))
                        .map([](int64_t x) { return x; })
                        .setParallelism(receivers);
      EXPECT_EQ(sorted(collected(env, result)), expected) << "kind " << kind << " to " << receivers;
    }
  }
}

/// Which subtask sent a number to which.
struct Delivery {
  int64_t from = 0;
  int64_t to = 0;
  int64_t number = 0;
  auto operator<=>(const Delivery&) const = default;
};
struct Sent {
  int64_t me = 0;
  void open(RuntimeContext& ctx) { me = ctx.subtaskIndex(); }
  Delivery operator()(int64_t number) { return {me, -1, number}; }
};
struct Received {
  int64_t me = 0;
  void open(RuntimeContext& ctx) { me = ctx.subtaskIndex(); }
  Delivery operator()(const Delivery& sent) { return {sent.from, me, sent.number}; }
};

/// How many records each sender gave to each receiver, where it gave any.
using Shares = std::map<int64_t, std::map<int64_t, int64_t>>;
Shares sharesOf(const std::vector<Delivery>& deliveries) {
  Shares shares;
  for (const Delivery& delivery : deliveries) ++shares[delivery.from][delivery.to];
  return shares;
}
int64_t unevenness(const std::map<int64_t, int64_t>& shares) {
  int64_t least = shares.begin()->second, most = least;
  for (const auto& [to, count] : shares) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  return most - least;
}

/// How often a sender's next number went to another receiver than the one before.
int64_t switches(std::vector<Delivery> deliveries) {
  std::sort(deliveries.begin(), deliveries.end(), [](const Delivery& a, const Delivery& b) {
    return std::pair(a.from, a.number) < std::pair(b.from, b.number);
  });
  int64_t count = 0;
  for (size_t i = 1; i < deliveries.size(); ++i) {
    if (deliveries[i].from == deliveries[i - 1].from && deliveries[i].to != deliveries[i - 1].to) ++count;
  }
  return count;
}

class Partitionings : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  int senders() const { return std::get<0>(GetParam()); }
  int receivers() const { return std::get<1>(GetParam()); }
  static constexpr int64_t kNumbers = 30'000;  // of each sender
  static constexpr int64_t kBatch = 2048;      // rows at most
  template <typename Spread>
  std::vector<Delivery> deliveries(Spread spread, uint64_t seed = 1) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(senders());
    const auto sent = env.fromSequence(1, kNumbers * senders()).map(Sent());
    return collected(env, spread(sent).map(Received()).setParallelism(receivers()));
  }
};

INSTANTIATE_TEST_SUITE_P(SendersAndReceivers, Partitionings,
                         testing::Combine(testing::Values(1, 2, 4), testing::Values(1, 2, 4)),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "To" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST_P(Partitionings, RebalanceGoesRoundAllReceiversBatchByBatch) {
  const std::vector<Delivery> all = deliveries([](const auto& s) { return s.rebalance(); });
  for (const auto& [from, shares] : sharesOf(all)) {
    EXPECT_EQ(shares.size(), static_cast<size_t>(receivers()));
    EXPECT_LE(unevenness(shares), kBatch) << "of sender " << from;
  }
  EXPECT_LE(switches(all), kNumbers * senders() / 100);
}

TEST_P(Partitionings, RescaleGoesRoundTheReceiversNearby) {
  const std::vector<Delivery> all = deliveries([](const auto& s) { return s.rescale(); });
  for (const auto& [from, shares] : sharesOf(all)) {
    const int64_t each = std::max(1, receivers() / senders());
    const int64_t first = from * receivers() / senders();
    ASSERT_EQ(shares.size(), static_cast<size_t>(each));
    EXPECT_EQ(shares.begin()->first, first);
    EXPECT_EQ(shares.rbegin()->first, first + each - 1);
    EXPECT_LE(unevenness(shares), kBatch) << "of sender " << from;
  }
}

TEST_P(Partitionings, ShuffleChoosesAnewForEachRecord) {
  const std::vector<Delivery> all = deliveries([](const auto& s) { return s.shuffle(); });
  for (const auto& [from, shares] : sharesOf(all)) {
    ASSERT_EQ(shares.size(), static_cast<size_t>(receivers()));
    EXPECT_LT(unevenness(shares), kNumbers / 20) << "of sender " << from;
  }
  const double expected = static_cast<double>(kNumbers * senders()) * (receivers() - 1) / receivers();
  EXPECT_NEAR(static_cast<double>(switches(all)), expected, static_cast<double>(kNumbers) / 20);
}

TEST_P(Partitionings, GlobalGoesToTheFirst) {
  for (const Delivery& delivery : deliveries([](const auto& s) { return s.global(); }))
    ASSERT_EQ(delivery.to, 0);
}

TEST_P(Partitionings, ACustomOneGoesWhereItSays) {
  const auto spread = [](const auto& s) {
    return s.partitionCustom([](int64_t key, int subtasks) { return key % subtasks; },
                             [](const Delivery& sent) { return sent.number % 7; });
  };
  for (const Delivery& delivery : deliveries(spread))
    ASSERT_EQ(delivery.to, delivery.number % 7 % receivers());
}

TEST_P(Partitionings, BroadcastGivesEachSubtaskACopy) {
  const std::vector<Delivery> all = deliveries([](const auto& s) { return s.broadcast(); });
  std::vector<std::pair<int64_t, int64_t>> seen, expected;
  for (const Delivery& delivery : all) seen.emplace_back(delivery.to, delivery.number);
  for (int64_t to = 0; to < receivers(); ++to) {
    for (int64_t number = 1; number <= kNumbers * senders(); ++number) expected.emplace_back(to, number);
  }
  EXPECT_EQ(sorted(seen), expected);
}

TEST_P(Transformations, OneStreamMayHaveSeveralConsumers) {
  auto env = environment(1);
  auto words = env.fromSequence(1, 300).map([](int64_t x) { return std::to_string(x); });
  auto longer = words.map([](const std::string& word) { return word + "!"; });
  auto shorter = words.map([](const std::string& word) { return word.substr(0, 1); });
  std::vector<std::string> expected;
  for (int64_t x = 1; x <= 300; ++x) {
    for (const std::string& text :
         {std::to_string(x), std::to_string(x) + "!", std::to_string(x).substr(0, 1)})
      expected.push_back(text);
  }
  EXPECT_EQ(sorted(collected(env, words.unionWith(longer, shorter))), sorted(expected));
}

TEST_P(Transformations, ChainingChangesNoResult) {
  for (int variant = 0; variant < 4; ++variant) {
    auto env = environment(static_cast<uint64_t>(variant));
    if (variant == 3) env.disableOperatorChaining();
    auto first = env.fromSequence(1, 1000).map([](int64_t x) { return x + 1; });
    if (variant == 1) first.disableChaining();
    if (variant == 2) first.startNewChain();
    auto result = first.map([](int64_t x) { return x * 2; });
    std::vector<int64_t> expected;
    for (int64_t x = 1; x <= 1000; ++x) expected.push_back(2 * (x + 1));
    EXPECT_EQ(sorted(collected(env, result)), expected) << "variant " << variant;
  }
}

TEST_P(Transformations, AProgramHasJobsOneAfterTheOtherAndAJobSeveralPipelines) {
  auto env = environment(5);
  EXPECT_EQ(sorted(collected(env, env.fromSequence(1, 10))), numbers(1, 10));
  EXPECT_EQ(sorted(collected(env, env.fromSequence(11, 20))), numbers(11, 20));

  CollectBuffer<int64_t> first, second;
  env.fromSequence(1, 50).transformToSink("Collect", first.sink());
  env.fromSequence(51, 99).map([](int64_t x) { return -x; }).transformToSink("Collect", second.sink());
  env.execute("two pipelines in one job");
  EXPECT_EQ(sorted(first.takeAll()), numbers(1, 50));
  EXPECT_EQ(sorted(second.takeAll()), numbers(-99, -51));
}

}  // namespace
}  // namespace flott
