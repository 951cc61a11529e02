#include "flott/operators/window/coarse_timers.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace flott {
namespace {

std::vector<uint64_t> due(CoarseTimers& timers, int64_t upTo) {
  std::vector<uint64_t> hashes;
  for (uint64_t hash = 0; timers.next(upTo, hash);) hashes.push_back(hash);
  return hashes;
}
using Hashes = std::vector<uint64_t>;

TEST(CoarseTimers, ABucketComesInTheOrderOfHashesOnceEach) {
  CoarseTimers timers;
  EXPECT_EQ(timers.earliest(), std::numeric_limits<int64_t>::max());
  timers.add(7, 100);
  timers.add(3, 900);
  timers.add(7, 500);
  timers.add(1, 5000);
  EXPECT_EQ(timers.earliest(), 0);
  EXPECT_EQ(due(timers, -1), Hashes{});
  EXPECT_EQ(due(timers, 1024), (Hashes{3, 7}));
  EXPECT_EQ(timers.size(), 1u);
  EXPECT_EQ(timers.earliest(), 4096);
  EXPECT_EQ(due(timers, 4096), Hashes{1}) << "may be due";
  EXPECT_EQ(timers.size(), 0u);
}

TEST(CoarseTimers, InABucketThatIsOpenTimeIsExact) {
  CoarseTimers timers;
  timers.add(5, -2000);
  EXPECT_EQ(due(timers, -1990), Hashes{5});
  timers.add(5, -1800);
  timers.add(2, -1900);
  EXPECT_EQ(timers.earliest(), -1900);
  EXPECT_EQ(due(timers, -1901), Hashes{});
  EXPECT_EQ(due(timers, -1800), (Hashes{2, 5}));
}

TEST(CoarseTimers, ManyEntriesOfOneSecondComeInTheSameOrder) {
  CoarseTimers timers;
  std::set<uint64_t> expected;
  uint64_t state = 1;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t hash = state ^ (state >> 29);
    timers.add(hash, 1000 + i % 20);
    expected.insert(hash);
  }
  EXPECT_EQ(due(timers, 1023), Hashes(expected.begin(), expected.end()));
  EXPECT_EQ(timers.size(), 0u);
}

/// Keys that wait for a moment each, looked at until it has come.
TEST(CoarseTimers, WhoWaitsIsLookedAtInTime) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    uint64_t state = seed;
    const auto below = [&](uint64_t end) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<int64_t>((state >> 33) % end);
    };
    CoarseTimers timers;
    std::map<uint64_t, int64_t> waiting;
    int64_t now = -3000;
    for (int step = 0; step < 300; ++step) {
      const auto hash = static_cast<uint64_t>(below(40)) << 58;
      if (!waiting.contains(hash)) {
        waiting[hash] = now + 1 + below(4000);
        timers.add(hash, waiting[hash]);
      } else {
        waiting[hash] += below(3000);  // put off
      }
      now += below(below(10) == 0 ? 5000 : 20);
      for (uint64_t look = 0; timers.next(now, look);) {
        const auto found = waiting.find(look);
        if (found == waiting.end()) continue;
        if (found->second <= now) {
          waiting.erase(found);
        } else {
          timers.add(look, found->second);
        }
      }
      for (const auto& [key, at] : waiting) EXPECT_GT(at, now) << "seed " << seed;
      EXPECT_GT(timers.earliest() | 1023, now);
    }
  }
}

}  // namespace
}  // namespace flott
