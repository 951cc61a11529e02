#include "flott/operators/skew/local_combine.h"

#include <map>

#include "flott/base/tests/error_text.h"
#include "flott/operators/tests/chance.h"
#include "flott/operators/tests/operator_driver.h"
#include "flott/operators/window/accumulations.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

struct Sale {
  std::string shop;
  int64_t cents = 0;
};
using Sales = std::vector<std::pair<Sale, int64_t>>;
using ByShop = MemberSelector<Sale, std::string>;
constexpr ByShop kByShop{&Sale::shop};
using Sum = RecordAccumulation<Sale, SumOf<Sale, int64_t>>;
using Combine = LocalCombineOperator<Sale, ByShop, Sum, RecordPartial<Sale>>;

auto combining(const DriverOptions& options, PreAggregateOptions bounds) {
  auto driver = std::make_unique<OperatorDriver<Combine>>(options, bounds, kByShop, Sum{{&Sale::cents}});
  driver->open();
  return driver;
}

class LocalCombineTest : public ::testing::TestWithParam<DriverOptions> {};
INSTANTIATE_TEST_SUITE_P(All, LocalCombineTest,
                         ::testing::Values(DriverOptions{true, false}, DriverOptions{true, true},
                                           DriverOptions{false, false}, DriverOptions{false, true}),
                         [](const auto& info) { return testName(info.param); });

Texts inOrder(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

TEST_P(LocalCombineTest, GoesOnBeforeAWatermarkWithTheLatestTime) {
  auto driver = combining(GetParam(), {});
  driver->push<Sale>(0, {{{"a", 1}, 10}, {{"b", 5}, 11}, {{"a", 2}, 30}, {{"a", 4}, 20}});
  EXPECT_EQ(driver->takeRecords(), Texts());
  driver->watermark(0, 40);
  EXPECT_EQ(inOrder(driver->takeRecords()),
            (Texts{"W 40", R"({shop: "a", cents: 7} @ 30)", R"({shop: "b", cents: 5} @ 11)"}));
  driver->watermark(0, 50);
  EXPECT_EQ(driver->takeRecords(), Texts{"W 50"});
}

TEST_P(LocalCombineTest, GoesOnAfterTheDelayAtABarrierAndAtTheEnd) {
  auto driver = combining(GetParam(), {.maxKeys = 16, .maxDelay = Duration(100)});
  driver->clock(1000);
  driver->push<Sale>(0, {{{"a", 1}, 10}});
  driver->clock(1099);
  driver->push<Sale>(0, {{{"a", 1}, 11}});
  EXPECT_EQ(driver->takeRecords(), Texts());
  driver->clock(1100);
  EXPECT_EQ(driver->takeRecords(), Texts{R"({shop: "a", cents: 2} @ 11)"});
  driver->pushUnstamped<Sale>(0, {{"a", 3}, {"a", 4}});
  driver->push<Sale>(0, {{{"a", 5}, 12}});  // does not mix with what has no time
  EXPECT_EQ(driver->takeRecords(), Texts{R"({shop: "a", cents: 7})"});
  driver->endOfInput(0);
  EXPECT_EQ(driver->takeRecords(), Texts{R"({shop: "a", cents: 5} @ 12)"});
  driver->push<Sale>(0, {{{"a", 6}, 13}});
  driver->barrier();
  EXPECT_EQ(driver->takeRecords(), Texts{R"({shop: "a", cents: 6} @ 13)"});
}

TEST_P(LocalCombineTest, HoldsNoMoreKeysThanItMayAndLosesNothing) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    const size_t maxKeys = 1 + chance.below(20);
    auto driver = combining(GetParam(), {.maxKeys = maxKeys});
    std::map<std::string, int64_t> expected;
    size_t pushed = 0;
    Texts got;
    const auto keep = [&] {
      for (std::string& text : driver->takeRecords()) {
        if (text[0] != 'W') got.push_back(std::move(text));
      }
    };
    for (int round = 0; round < 30; ++round) {
      Sales sales;
      for (size_t n = 1 + chance.below(50); n > 0; --n) {
        const Sale sale{std::string(1, static_cast<char>('a' + chance.below(26))), chance.between(1, 9)};
        expected[sale.shop] += sale.cents;
        sales.push_back({sale, chance.between(0, 100)});
        ++pushed;
      }
      driver->push<Sale>(0, sales);
      keep();
      if (chance.below(3) == 0) driver->watermark(0, 1000 + round);
    }
    driver->watermark(0, Timestamp::max().ms);
    keep();
    std::map<std::string, int64_t> sums;
    for (const std::string& text : got) {
      sums[text.substr(8, 1)] += std::stoll(text.substr(text.find("cents: ") + 7));
    }
    EXPECT_EQ(sums, expected);
    EXPECT_LT(got.size(), pushed);
  }
}

TEST(LocalCombine, BoundsThatHoldNothingAreRefused) {
  EXPECT_EQ(errorText([] { checkPreAggregateOptions({.maxKeys = 0}); }),
            "pre-aggregation over 0 keys: give a number from 1 to 16777216");
  EXPECT_EQ(errorText([] { checkPreAggregateOptions({.maxDelay = Duration(0)}); }),
            "pre-aggregation with a delay of 0 ms: give at least 1 ms, which is how long results may be held "
            "back");
}

}  // namespace
}  // namespace flott
