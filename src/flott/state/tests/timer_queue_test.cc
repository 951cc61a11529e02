#include "flott/state/timer_queue.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "flott/env/random.h"
#include "flott/state/tests/table_fixture.h"

namespace flott {
namespace {

template <typename K>
struct Timers {
  TableFixture<K, TimerStamps> fixture;
  TimerQueue queue{fixture.untyped};

  void add(const K& key, int64_t at, int64_t nameSpace = 0) {
    queue.add(keyRef(hashKey(key), key), Timestamp(at), nameSpace);
  }
  void remove(const K& key, int64_t at, int64_t nameSpace = 0) {
    queue.remove(keyRef(hashKey(key), key), Timestamp(at), nameSpace);
  }
  /// "key@time" of everything that is due, in order.
  std::vector<std::pair<K, int64_t>> due(int64_t upTo) {
    std::vector<std::pair<K, int64_t>> fired;
    Timer timer;
    while (queue.popDue(Timestamp(upTo), timer)) {
      fired.emplace_back(*static_cast<const K*>(timer.key.object), timer.at.ms);
      EXPECT_EQ(timer.key.hash, hashKey(fired.back().first));
    }
    return fired;
  }
};

using Fired = std::vector<std::pair<std::string, int64_t>>;

TEST(TimerQueue, FiresInTheOrderOfTimeOnceEach) {
  Timers<std::string> timers;
  timers.add("b", 20);
  timers.add("a", 10);
  timers.add("a", 10);
  timers.add("a", 5'000);
  EXPECT_EQ(timers.queue.size(), 3u);
  EXPECT_EQ(timers.queue.earliest(), Timestamp(10));
  EXPECT_EQ(timers.due(9), Fired());
  EXPECT_EQ(timers.due(20), (Fired{{"a", 10}, {"b", 20}}));
  EXPECT_EQ(timers.queue.earliest(), Timestamp(5'000));
  EXPECT_EQ(timers.due(std::numeric_limits<int64_t>::max()), (Fired{{"a", 5'000}}));
  EXPECT_EQ(timers.queue.earliest(), Timestamp::max());
}

TEST(TimerQueue, RemovedTimersDoNotFire) {
  Timers<std::string> timers;
  timers.add("a", 10);
  timers.add("a", 20);
  timers.remove("a", 10);
  timers.remove("a", 15);
  timers.remove("z", 15);
  EXPECT_EQ(timers.queue.earliest(), Timestamp(20));
  timers.add("b", 20);
  timers.remove("b", 20);
  timers.add("b", 20);
  EXPECT_EQ(timers.due(100).size(), 2u);
}

TEST(TimerQueue, FiringMayAddAndRemove) {
  Timers<std::string> timers;
  timers.add("a", 10);
  timers.add("a", 30);
  timers.add("a", 40);
  Timer timer;
  ASSERT_TRUE(timers.queue.popDue(Timestamp(35), timer));
  timers.add("a", 5);  // due, though earlier than the one that fires
  timers.add("a", 20);
  timers.remove("a", 30);
  EXPECT_EQ(timers.due(35), (Fired{{"a", 5}, {"a", 20}}));
  EXPECT_EQ(timers.queue.size(), 1u);
}

TEST(TimerQueue, NamespacesAreApart) {
  Timers<std::string> timers;
  timers.add("a", 10, 2);
  timers.add("a", 10, 1);
  Timer timer;
  ASSERT_TRUE(timers.queue.popDue(Timestamp(10), timer));
  EXPECT_EQ(timer.nameSpace, 1);
  ASSERT_TRUE(timers.queue.popDue(Timestamp(10), timer));
  EXPECT_EQ(timer.nameSpace, 2);
}

TEST(TimerQueue, OrderDoesNotDependOnRegistration) {
  Timers<int64_t> up, down;
  for (int64_t key = 0; key < 3'000; ++key) up.add(key, key % 7);
  for (int64_t key = 2'999; key >= 0; --key) down.add(key, key % 7);
  const auto fired = up.due(6);
  EXPECT_EQ(fired, down.due(6));
  for (size_t i = 1; i < fired.size(); ++i) {
    EXPECT_LT(std::pair(fired[i - 1].second, hashKey(fired[i - 1].first)),
              std::pair(fired[i].second, hashKey(fired[i].first)));
  }
}

TEST(TimerQueue, ManyTimersOfOneSecondFireInOrderToo) {
  for (const int64_t spread : {1, 3, 900, 5'000}) {
    Timers<int64_t> timers;
    std::set<std::tuple<int64_t, uint64_t, int64_t>> model;
    const auto add = [&](int64_t key, int64_t at) {
      timers.add(key, at);
      model.emplace(at, hashKey(key), key);
    };
    for (int64_t key = 0; key < 60'000; ++key) add(key, key % spread - 700);
    Timer timer;
    for (int64_t n = 0; timers.queue.popDue(Timestamp::max(), timer); ++n) {
      const int64_t key = *static_cast<const int64_t*>(timer.key.object);
      ASSERT_EQ(*model.begin(), std::tuple(timer.at.ms, timer.key.hash, key)) << "spread " << spread;
      model.erase(model.begin());
      if (n % 16 == 0 && n < 30'000) add(100'000 + n, n % 7 - 700);  // some are due at once, some later
    }
    EXPECT_TRUE(model.empty());
  }
}

TEST(TimerQueue, ExtremeTimesWork) {
  Timers<int64_t> timers;
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  for (const int64_t at : {kMax, int64_t{-1}, kMin, int64_t{0}}) timers.add(1, at);
  EXPECT_EQ(timers.due(0).size(), 3u);
  EXPECT_EQ(timers.due(kMax - 1).size(), 0u);
  EXPECT_EQ(timers.due(kMax).size(), 1u);
}

TEST(TimerQueue, MovingATimerAgainAndAgainTakesNoMemory) {
  Timers<int64_t> timers;
  for (int64_t key = 0; key < 10; ++key) timers.add(key, 0);
  for (int64_t at = 1; at < 200'000; ++at) {
    timers.add(at % 10, at + 10'000);
    timers.remove(at % 10, at < 11 ? 0 : at - 10 + 10'000);
  }
  EXPECT_EQ(timers.queue.size(), 10u);
  EXPECT_LT(timers.queue.indexSize(), 2'000u);
  EXPECT_EQ(timers.due(1'000'000).size(), 10u);
}

TEST(TimerQueue, MatchesAModel) {
  Timers<int64_t> timers;
  std::set<std::tuple<int64_t, uint64_t, int64_t>> model;  // time, hash, key
  Random random(9);
  int64_t now = 0;
  for (int step = 0; step < 60'000; ++step) {
    const auto key = static_cast<int64_t>(random.below(500));
    const auto at = now - 2'000 + static_cast<int64_t>(random.below(20'000));
    switch (random.below(8)) {
      case 0: {
        now += static_cast<int64_t>(random.below(300));
        for (const auto& [firedKey, firedAt] : timers.due(now)) {
          ASSERT_FALSE(model.empty());
          ASSERT_EQ(*model.begin(), std::tuple(firedAt, hashKey(firedKey), firedKey));
          model.erase(model.begin());
        }
        ASSERT_TRUE(model.empty() || std::get<0>(*model.begin()) > now);
        break;
      }
      case 1:
        if (!model.empty()) {
          const auto [time, hash, victim] = *model.rbegin();
          timers.remove(victim, time);
          model.erase(std::prev(model.end()));
        }
        break;
      default:
        timers.add(key, at);
        model.emplace(at, hashKey(key), key);
    }
    ASSERT_EQ(timers.queue.size(), model.size());
    ASSERT_EQ(timers.queue.earliest().ms,
              model.empty() ? std::numeric_limits<int64_t>::max() : std::get<0>(*model.begin()));
  }
}

}  // namespace
}  // namespace flott
