// fullWindowPartition() in whole jobs: with and without keys, in memory and on disk.
#include "flott/api/partition_windowed_stream.h"

#include <map>
#include <tuple>

#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/tests/job_test.h"
#include "flott/api/watermarks.h"

namespace flott::full_window_test {
namespace {

struct Score {
  int64_t player = 0;
  int64_t points = 0;
  int64_t game = 0;
  auto operator<=>(const Score&) const = default;
};

std::vector<Score> scores() {
  std::vector<Score> all;
  for (int64_t game = 0; game < 3000; ++game) all.push_back({game * game % 7, (game * 37) % 101, game});
  return all;
}

/// The records of a stream in its order: that of one subtask, or within each of several.
template <typename T>
std::vector<T> inOrder(StreamExecutionEnvironment& env, const DataStream<T>& stream) {
  CollectBuffer<T> results(size_t{1} << 30);
  stream.transformToSink("Collect", results.sink()).setParallelism(1);
  env.execute("test");
  return results.takeAll();
}

/// Parallelism, and whether memory is so small that records go to disk.
class FullWindow : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  StreamExecutionEnvironment environment(uint64_t seed) {
    world_ = std::make_unique<TestWorld>(seed);
    Configuration configuration;
    if (std::get<1>(GetParam())) {
      configuration.set("execution.sort-partition.memory", "2 kb");
      configuration.set("execution.sort-keyed-partition.memory", "2 kb");
    }
    return std::move(world_->environment(configuration).setParallelism(std::get<0>(GetParam())));
  }
  int parallelism() const { return std::get<0>(GetParam()); }
  TestWorld& world() { return *world_; }

 private:
  std::unique_ptr<TestWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(All, FullWindow,
                         testing::Combine(testing::Values(1, 2, 3), testing::Values(false, true)),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) +
                                  (std::get<1>(info.param) ? "OnDisk" : "InMemory");
                         });

TEST_P(FullWindow, SortPartitionSortsTheRecordsOfASource) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    std::vector<Score> expected = scores();
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Score& a, const Score& b) { return a.points > b.points; });
    // A collection has one subtask, and so has the sort over it.
    auto result = env.fromCollection(scores()).fullWindowPartition().sortPartition(&Score::points,
                                                                                   SortOrder::kDescending);
    EXPECT_EQ(inOrder(env, result), expected) << "seed " << seed;
  }
}

struct Placed {
  int64_t subtask = 0;
  int64_t number = 0;
  auto operator<=>(const Placed&) const = default;
};

/// Says where a record is.
class Place : public ProcessFunction<int64_t, Placed> {
 public:
  void open(RuntimeContext& ctx) override { subtask_ = ctx.subtaskIndex(); }
  void processElement(const int64_t& number, Context&, Collector<Placed>& out) override {
    out.emplace(subtask_, number);
  }

 private:
  int64_t subtask_ = 0;
};

TEST_P(FullWindow, SortPartitionSortsWhatEachSubtaskHas) {
  auto env = environment(3);
  auto result = env.fromSequence(1, 2000).rebalance().process(Place()).fullWindowPartition().sortPartition(
      [](const Placed& placed) { return placed.number * 7919 % 2003; });
  const std::vector<Placed> all = inOrder(env, result);
  ASSERT_EQ(all.size(), 2000u);
  std::map<int64_t, int64_t> last;
  for (const Placed& placed : all) {
    const int64_t key = placed.number * 7919 % 2003;
    EXPECT_GT(key, last[placed.subtask]);
    last[placed.subtask] = key;
  }
  EXPECT_EQ(last.size(), static_cast<size_t>(parallelism()));
}

TEST_P(FullWindow, SortPartitionOfKeysGivesEachKeyInOnePiece) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromCollection(scores())
                      .keyBy(&Score::player)
                      .fullWindowPartition()
                      .sortPartition([](const Score& score) { return score.points; });
    std::map<int64_t, std::vector<Score>> byPlayer;
    int64_t pieces = 0;
    const std::vector<Score> all = inOrder(env, result);
    for (size_t i = 0; i < all.size(); ++i) {
      pieces += i == 0 || all[i].player != all[i - 1].player;
      byPlayer[all[i].player].push_back(all[i]);
    }
    if (parallelism() == 1) {
      EXPECT_EQ(pieces, static_cast<int64_t>(byPlayer.size()));
    }
    std::map<int64_t, std::vector<Score>> expected;
    for (const Score& score : scores()) expected[score.player].push_back(score);
    for (auto& [player, records] : expected) {
      std::stable_sort(records.begin(), records.end(),
                       [](const Score& a, const Score& b) { return a.points < b.points; });
    }
    EXPECT_EQ(byPlayer, expected) << "seed " << seed;
  }
}

TEST_P(FullWindow, MapPartitionSeesAllRecordsOfASubtaskInOneCall) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromSequence(1, 3000).fullWindowPartition().mapPartition(
        [](PartitionElements<int64_t>& numbers, Collector<Placed>& out) {
          Placed countAndSum;
          for (const int64_t number : numbers) {
            ++countAndSum.subtask;
            countAndSum.number += number;
          }
          out.collect(countAndSum);
        });
    int64_t count = 0, sum = 0;
    const std::vector<Placed> all = collected(env, result);
    for (const Placed& one : all) {
      count += one.subtask;
      sum += one.number;
    }
    EXPECT_EQ(all.size(), static_cast<size_t>(parallelism()));
    EXPECT_EQ(count, 3000);
    EXPECT_EQ(sum, 3000 * 3001 / 2);
  }
}

TEST_P(FullWindow, MapPartitionOfKeysIsCalledOnceForEachKeyInItsOrderOfArrival) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto result = env.fromCollection(scores())
                      .keyBy(&Score::player)
                      .fullWindowPartition()
                      .mapPartition([](PartitionElements<Score>& elements, Collector<Score>& out) {
                        // Leaves the rest of the key out, after a hundred.
                        for (int left = 100; left > 0; --left) {
                          const Score* score = elements.next();
                          if (score == nullptr) return;
                          for (int copy = 0; copy < 5; ++copy) out.collect(*score);
                        }
                      });
    std::map<int64_t, std::vector<Score>> byPlayer, expected;
    for (const Score& score : inOrder(env, result)) byPlayer[score.player].push_back(score);
    for (const Score& score : scores()) {
      std::vector<Score>& records = expected[score.player];
      for (int copy = 0; copy < 5 && records.size() < 500; ++copy) records.push_back(score);
    }
    EXPECT_EQ(byPlayer, expected) << "seed " << seed;
  }
}

struct Total {
  int64_t createAccumulator() const { return 0; }
  void add(const Score& score, int64_t& sum) const { sum += score.points; }
  int64_t getResult(const int64_t& sum) const { return sum; }
};

TEST_P(FullWindow, ReduceAndAggregateGiveOneResult) {
  const auto later = [](const Score& soFar, const Score& score) {
    return Score{score.player, soFar.points + score.points, score.game};
  };
  std::map<int64_t, Score> byPlayer;
  int64_t total = 0;
  for (const Score& score : scores()) {
    const auto [at, first] = byPlayer.emplace(score.player, score);
    if (!first) at->second = later(at->second, score);
    total += score.points;
  }
  std::vector<Score> reduced;
  std::vector<int64_t> totals;
  for (const auto& [player, score] : byPlayer) {
    reduced.push_back(score);
    totals.push_back(score.points);
  }
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto env = environment(seed);
    auto keyed = [&] { return env.fromCollection(scores()).keyBy(&Score::player).fullWindowPartition(); };
    EXPECT_EQ(sorted(collected(env, keyed().reduce(later))), sorted(reduced)) << "seed " << seed;
    EXPECT_EQ(sorted(collected(env, keyed().aggregate(Total()))), sorted(totals)) << "seed " << seed;
    auto whole = [&] { return env.fromCollection(scores()).fullWindowPartition(); };
    EXPECT_EQ(collected(env, whole().aggregate(Total())), std::vector<int64_t>{total});
    EXPECT_EQ(collected(env, whole().reduce(later)),
              (std::vector<Score>{{scores().back().player, total, 2999}}));
    EXPECT_TRUE(
        collected(env, env.fromCollection(std::vector<Score>()).fullWindowPartition().reduce(later)).empty());
  }
}

TEST_P(FullWindow, TheLastWatermarkFollowsTheResults) {
  auto env = environment(1);
  class Watch : public ProcessFunction<Placed, std::string> {
   public:
    void processElement(const Placed& placed, Context& ctx, Collector<std::string>& out) override {
      out.collect(std::to_string(placed.number) + " at " + toString(ctx.timestamp()) + ", watermark " +
                  toString(ctx.timerService().currentWatermark()));
    }
  };
  auto result =
      env.fromElements<Placed>({{0, 3}, {0, 1}, {0, 2}})
          .assignTimestampsAndWatermarks(
              WatermarkStrategy<Placed>::forMonotonousTimestamps().withTimestampAssigner(&Placed::number))
          .setParallelism(1)
          .fullWindowPartition()
          .sortPartition(&Placed::number)
          .process(Watch())
          .setParallelism(1);
  EXPECT_EQ(inOrder(env, result),
            (std::vector<std::string>{"1 at none, watermark none", "2 at none, watermark none",
                                      "3 at none, watermark none"}));
}

TEST_P(FullWindow, MapPartitionMayCountAndItsErrorsNameTheRecord) {
  auto env = environment(2);
  struct Count {
    LongCounter* seen = nullptr;
    void open(RuntimeContext& ctx) { seen = &ctx.accumulator<LongCounter>("seen"); }
    void operator()(PartitionElements<int64_t>& numbers, Collector<int64_t>& out) {
      for (const int64_t number : numbers) {
        seen->add(1);
        if (number == 777) throw std::runtime_error("unlucky");
        out.collect(number);
      }
    }
  };
  env.fromSequence(1000, 1999).fullWindowPartition().mapPartition(Count()).addSink([](int64_t) {});
  EXPECT_EQ(env.execute().accumulator<LongCounter>("seen").value(), 1000);

  env.fromCollection(std::vector<int64_t>{1, 777}).fullWindowPartition().mapPartition(Count()).print();
  EXPECT_EQ(failure([&] { env.execute("count"); }),
            "job 'count': operator 'MapPartition', subtask 1/1: record 777: unlucky");
}

TEST_P(FullWindow, AFullDiskFailsTheJobWithTheFile) {
  if (!std::get<1>(GetParam())) return;
  auto env = environment(2);
  world().sim().files().setFreeBytes(10'000);
  env.fromCollection(scores()).fullWindowPartition().sortPartition(&Score::points).print();
  try {
    env.execute();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_NE(std::string(error.what()).find("operator 'SortPartition', subtask 1/1: "), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("/tmp/flott-spill-"), std::string::npos) << error.what();
  }
}

TEST(FullWindowCancel, TheJobEndsWithoutResults) {
  TestWorld world(1);
  auto env = world.environment();
  JobClient* running = nullptr;
  env.fromSequence(1, 10'000)
      .fullWindowPartition()
      .mapPartition([&](PartitionElements<int64_t>& numbers, Collector<int64_t>& out) {
        for (const int64_t number : numbers) {
          if (number == 1000) running->cancel();
          out.collect(number);
        }
      })
      .addSink([](int64_t) { FAIL() << "the job was cancelled"; });
  JobClient client = env.executeAsync();
  running = &client;
  EXPECT_EQ(client.result().status(), JobStatus::kCancelled);
}

TEST(FullWindowCancel, AFunctionUnderWayStopsAtTheNextBlockOfElements) {
  SimulatedEnv world(1);
  BatchPools pools;
  const auto cancelAndReadOn = [](PartitionElements<int64_t>& numbers, Collector<int64_t>&) {
    while (numbers.next() != nullptr) {
    }
    FAIL() << "there was no end";
  };
  const SpillPlace place(world.files(), "/tmp/run");
  MapPartitionWork<int64_t, ArrivalOrder<int64_t>, int64_t, decltype(cancelAndReadOn)> work(
      place, place, 1 << 20, {}, cancelAndReadOn);
  Batch batch = rowsPool<int64_t>(pools).acquire();
  batch.rows<int64_t>().emplace(7);
  work.add(std::move(batch));
  work.cancelled = true;
  try {
    work.finish();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

// Off-load threads, lanes and real files.
TEST(FullWindowOnThreads, SortsAndMapsOnDisk) {
  Configuration configuration;
  configuration.set("env.log.level", "OFF");
  configuration.set("io.tmp.dirs", testing::TempDir());
  configuration.set("execution.sort-partition.memory", "20 kb");
  configuration.set("execution.sort-keyed-partition.memory", "20 kb");
  auto env = StreamExecutionEnvironment::getExecutionEnvironment(configuration);
  env.setParallelism(3);
  auto descending = env.fromSequence(1, 100'000)
                        .keyBy([](int64_t x) { return x % 7; })
                        .fullWindowPartition()
                        .sortPartition([](int64_t x) { return x; }, SortOrder::kDescending);
  auto sums = descending.fullWindowPartition().mapPartition(
      [](PartitionElements<int64_t>& numbers, Collector<int64_t>& out) {
        int64_t sum = 0;
        for (const int64_t number : numbers) sum += number;
        out.collect(sum);
      });
  int64_t total = 0;
  for (const int64_t sum : sums.executeAndCollect()) total += sum;
  EXPECT_EQ(total, int64_t{100'000} * 100'001 / 2);

  std::map<int64_t, int64_t> last;
  auto again = env.fromSequence(1, 100'000)
                   .keyBy([](int64_t x) { return x % 7; })
                   .fullWindowPartition()
                   .sortPartition([](int64_t x) { return x; }, SortOrder::kDescending);
  size_t count = 0;
  for (const int64_t number : again.executeAndCollect()) {
    const auto [at, first] = last.emplace(number % 7, number);
    EXPECT_TRUE(first || number < at->second);
    at->second = number;
    ++count;
  }
  EXPECT_EQ(count, 100'000u);
}

}  // namespace
}  // namespace flott::full_window_test
