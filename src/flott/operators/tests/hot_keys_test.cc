#include "flott/operators/skew/hot_keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/hash.h"
#include "flott/operators/tests/chance.h"

namespace flott {
namespace {

/// Feeds batches of up to 1000 keys; keyAt(n) is the n-th key.
template <typename KeyAt>
void feed(HotKeys& sketch, Chance& chance, size_t count, KeyAt&& keyAt) {
  for (size_t first = 0; first < count;) {
    const size_t size = std::min(count - first, 1 + chance.below(1000));
    for (size_t i = sketch.next(); i < size; i = sketch.next()) {
      const int64_t key = keyAt(first + i);
      sketch.sample(hashInt64(key), [&] { return std::to_string(key); });
    }
    sketch.endBatch(size);
    first += size;
  }
}

TEST(HotKeys, NamesTheKeysWithAnOutsizedShare) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    HotKeys sketch;
    feed(sketch, chance, 500'000, [&](size_t) {
      const size_t draw = chance.below(100);
      return draw < 30 ? int64_t{7} : draw < 45 ? int64_t{8} : chance.between(1000, 100'000);
    });
    EXPECT_TRUE(sketch.reportDue());
    EXPECT_FALSE(sketch.reportDue());
    const HotKeys::Report report = sketch.report();
    EXPECT_NEAR(report.share, 0.3, 0.05);
    EXPECT_EQ(report.text[0], '7');
    EXPECT_NE(report.text.find(", 8 1"), std::string::npos) << report.text;
    EXPECT_EQ(std::count(report.text.begin(), report.text.end(), '%'), 2) << report.text;
  }
}

TEST(HotKeys, EvenKeysAreNotHotAlsoInARhythm) {
  Chance chance(1);
  HotKeys random;
  feed(random, chance, 500'000, [&](size_t) { return chance.between(1, 1000); });
  EXPECT_EQ(random.report().text, "");
  HotKeys inTurn;
  feed(inTurn, chance, 500'000, [](size_t n) { return static_cast<int64_t>(n % 128); });
  EXPECT_EQ(inTurn.report().text, "");
}

TEST(HotKeys, ForgetsWhatWasHotLongAgo) {
  Chance chance(1);
  HotKeys sketch;
  feed(sketch, chance, 500'000, [](size_t) { return int64_t{7}; });
  EXPECT_EQ(sketch.report().text, "7 100.0%");
  feed(sketch, chance, 10'000'000, [](size_t) { return int64_t{8}; });
  EXPECT_EQ(sketch.report().text.find("8 "), 0u) << sketch.report().text;
  EXPECT_EQ(sketch.report().text.find(", 7"), std::string::npos) << sketch.report().text;
}

}  // namespace
}  // namespace flott
