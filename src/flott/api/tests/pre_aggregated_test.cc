#include "flott/api/pre_aggregated_stream.h"

#include <map>

#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"
#include "flott/operators/tests/chance.h"

namespace flott {
namespace {

struct Sale {
  std::string shop;
  int64_t cents = 0;
};
struct Average {
  using Acc = std::pair<int64_t, int64_t>;
  Acc createAccumulator() const { return {}; }
  void add(const Sale& sale, Acc& acc) const {
    acc.first += sale.cents;
    ++acc.second;
  }
  void merge(Acc& acc, const Acc& other) const {
    acc.first += other.first;
    acc.second += other.second;
  }
  std::pair<int64_t, int64_t> getResult(const Acc& acc) const { return acc; }
};

/// Half of the sales are of one shop.
std::vector<Sale> sales(uint64_t seed) {
  Chance chance(seed);
  std::vector<Sale> all;
  for (int i = 0; i < 2000; ++i) {
    const size_t shop = chance.below(2) == 0 ? 0 : chance.below(26);
    all.push_back({std::string(1, static_cast<char>('a' + shop)), chance.between(-9, 9)});
  }
  return all;
}

/// What each key came to: with several subtasks the last of its results.
template <typename Build, typename Expect>
void check(Build&& build, Expect&& expect) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (const bool salted : {false, true}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (salted ? " salted" : ""));
      const std::vector<Sale> input = sales(seed);
      TestWorld world(seed);
      auto env = world.environment().setParallelism(static_cast<int>(seed % 3) + 1);
      const auto keyed =
          env.fromCollection(input).rebalance().map([](const Sale& s) { return s; }).keyBy(&Sale::shop);
      const PreAggregateOptions options{.maxKeys = 8};
      const auto results =
          collected(env, build(salted ? keyed.salted(5, options) : keyed.preAggregate(options)));
      EXPECT_LT(results.size(), input.size());
      expect(input, results);
    }
  }
}

TEST(PreAggregated, SumsAreThoseOfThePlainAggregation) {
  check([](const auto& stream) { return stream.sum(&Sale::cents); },
        [](const std::vector<Sale>& input, const std::vector<Sale>& results) {
          std::map<std::string, int64_t> expected, got;
          for (const Sale& sale : input) expected[sale.shop] += sale.cents;
          for (const Sale& sale : results) got[sale.shop] = sale.cents;
          EXPECT_EQ(got, expected);
        });
}

TEST(PreAggregated, LeastAndGreatest) {
  check([](const auto& stream) { return stream.min(&Sale::cents); },
        [](const std::vector<Sale>& input, const std::vector<Sale>& results) {
          std::map<std::string, int64_t> expected, got;
          for (const Sale& sale : input) expected[sale.shop] = std::min(expected[sale.shop], sale.cents);
          for (const Sale& sale : results) got[sale.shop] = std::min<int64_t>(0, sale.cents);
          EXPECT_EQ(got, expected);
        });
  check([](const auto& stream) { return stream.maxBy(&Sale::cents); },
        [](const std::vector<Sale>& input, const std::vector<Sale>& results) {
          std::map<std::string, int64_t> expected, got;
          for (const Sale& sale : input) expected[sale.shop] = std::max(expected[sale.shop], sale.cents);
          for (const Sale& sale : results) got[sale.shop] = std::max<int64_t>(0, sale.cents);
          EXPECT_EQ(got, expected);
        });
}

TEST(PreAggregated, CountReduceAndAggregate) {
  check([](const auto& stream) { return stream.count(); },
        [](const std::vector<Sale>& input, const std::vector<std::pair<std::string, int64_t>>& results) {
          std::map<std::string, int64_t> expected, got;
          for (const Sale& sale : input) ++expected[sale.shop];
          for (const auto& [shop, count] : results) got[shop] = count;
          EXPECT_EQ(got, expected);
        });
  check(
      [](const auto& stream) {
        return stream.reduce([](const Sale& a, const Sale& b) { return Sale{a.shop, a.cents + b.cents}; });
      },
      [](const std::vector<Sale>& input, const std::vector<Sale>& results) {
        std::map<std::string, int64_t> expected, got;
        for (const Sale& sale : input) expected[sale.shop] += sale.cents;
        for (const Sale& sale : results) got[sale.shop] = sale.cents;
        EXPECT_EQ(got, expected);
      });
  check([](const auto& stream) { return stream.aggregate(Average()); },
        [](const std::vector<Sale>& input, const std::vector<std::pair<int64_t, int64_t>>& results) {
          std::map<std::string, std::pair<int64_t, int64_t>> shops;
          for (const Sale& sale : input) Average().add(sale, shops[sale.shop]);
          for (const auto& [shop, total] : shops)
            EXPECT_EQ(std::count(results.begin(), results.end(), total) > 0, true)
                << shop << ": " << toText(total);
          int64_t most = 0;
          for (const auto& [sum, count] : results) most = std::max(most, count);
          EXPECT_EQ(most, shops.at("a").second) << "no record counts twice";
        });
}

TEST(PreAggregated, TheSkewedKeyIsNamed) {
  TestWorld world;
  auto env = world.environment().setParallelism(2);
  env.fromSequence(0, 200'000)
      .keyBy([](const int64_t& x) { return std::string(x % 3 == 0 ? "ann" : std::to_string(x)); })
      .count()
      .addSink([](const std::pair<std::string, int64_t>&) {});
  const JobExecutionResult result = env.execute();
  std::string named;
  for (const OperatorReadings& readings : result.details().metrics) {
    for (const MetricReading& reading : readings.metrics) {
      if (reading.name == "hotKeys") named += reading.text + ";";
    }
  }
  EXPECT_EQ(named.find("ann 3"), 0u) << named;
  EXPECT_EQ(named.find(','), std::string::npos) << named;
}

TEST(PreAggregated, OneSaltIsNone) {
  TestWorld world;
  auto env = world.environment();
  const auto keyed = env.fromCollection(sales(1)).keyBy(&Sale::shop);
  EXPECT_EQ(failure([&] { keyed.salted(1); }),
            "salted(1): give the number of subtasks to spread each key over, from 2 to 32768");
}

}  // namespace
}  // namespace flott
