// What a user reads when a program is wrong or its functions fail.
#include <limits>
#include <stdexcept>

#include "flott/api/process.h"
#include "flott/api/tests/job_test.h"

namespace flott {
namespace {

struct Score {
  int64_t player = 0;
  int64_t points = 0;
};
struct SmallScore {
  std::string player;
  int8_t points = 0;
  bool operator==(const SmallScore&) const = default;
};

template <typename T>
std::string executed(StreamExecutionEnvironment& env, const DataStream<T>& stream) {
  return failure([&] { collected(env, stream); });
}

TEST(Failures, AThrowingFunctionIsNamedWithItsSubtaskAndRecord) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    auto result = env.fromElements<int64_t>({1, 2, 3, 4, 5}).map([](int64_t x) {
      if (x == 4) throw std::runtime_error("four is not allowed");
      return x;
    });
    result.name("picky");
    EXPECT_EQ(executed(env, result),
              "job 'test': operator 'picky', subtask 1/1: record 4: four is not allowed");
  }
}

TEST(Failures, TheFirstFailingOperatorOfAChainIsNamedAndNotItsProducer) {
  TestWorld world;
  auto env = world.environment();
  auto result = env.fromElements<int64_t>({7})
                    .flatMap([](const int64_t& x, Collector<int64_t>& out) {
                      for (int i = 0; i < 5000; ++i) out.collect(x + i);
                    })
                    .map([](int64_t x) { return std::to_string(x); })
                    .filter([](const std::string& text) -> bool {
                      if (text == "10") throw std::logic_error("ten");
                      return true;
                    })
                    .name("checked");
  EXPECT_EQ(executed(env, result), "job 'test': operator 'checked', subtask 1/1: record 10: ten");
}

class FailsInOnBatch final : public Operator {
  Step onBatch(int, Batch, Output&) override { throw std::runtime_error("no place for the batch"); }
};

TEST(Failures, AnOperatorWithoutARecordIsNotGivenThatOfItsProducer) {
  TestWorld world;
  auto env = world.environment();
  env.fromElements<int64_t>({7})
      .flatMap([](const int64_t& x, Collector<int64_t>& out) {
        for (int i = 0; i < 5000; ++i) out.collect(x + i);
      })
      .transformToSink("store", operatorFactory<FailsInOnBatch>());
  EXPECT_EQ(failure([&] { env.execute("test"); }),
            "job 'test': operator 'store', subtask 1/1: no place for the batch");
}

struct FailsToOpen {
  void open(RuntimeContext&) { throw std::runtime_error("model.bin is missing"); }
  int64_t operator()(int64_t x) const { return x; }
};

TEST(Failures, AFunctionThatFailsToOpenIsNamed) {
  TestWorld world;
  auto env = world.environment();
  auto result = env.fromElements<int64_t>({7})
                    .map([](int64_t x) { return x; })
                    .map(FailsToOpen())
                    .name("scored")
                    .map([](int64_t x) { return x; });
  EXPECT_EQ(executed(env, result), "job 'test': operator 'scored', subtask 1/1: model.bin is missing");
}

TEST(Failures, AKeySelectorThatThrowsIsShownWithItsRecord) {
  TestWorld world;
  auto env = world.environment();
  auto counts = env.fromElements<int64_t>({1, 2, 3})
                    .map([](int64_t x) { return 10 * x; })
                    .name("tens")
                    .keyBy([](int64_t x) -> int64_t {
                      if (x == 20) throw std::out_of_range("no key for it");
                      return x;
                    })
                    .count();
  EXPECT_EQ(executed(env, counts), "job 'test': operator 'tens', subtask 1/1: record 20: no key for it");
}

TEST(Failures, ThingsThatAreNoStdExceptionAreReportedToo) {
  TestWorld world;
  auto env = world.environment();
  auto result = env.fromElements<int64_t>({1}).map([](int64_t x) -> int64_t {
    if (x == 1) throw 42;
    return x;
  });
  EXPECT_EQ(executed(env, result),
            "job 'test': operator 'Map', subtask 1/1: record 1: an exception that is not a std::exception");
}

TEST(Failures, ParallelismOutOfRange) {
  TestWorld world;
  auto env = world.environment();
  EXPECT_EQ(failure([&] { env.setParallelism(0); }),
            "parallelism 0 of the environment is out of range: give a number from 1 to 32768");
  auto mapped = env.fromSequence(1, 2).map([](int64_t x) { return x; }).name("twice");
  EXPECT_EQ(failure([&] { mapped.setParallelism(0); }),
            "parallelism 0 of operator 'twice' is out of range: give a number from 1 to 32768");
  EXPECT_EQ(failure([&] { env.fromElements<int64_t>({1}).setParallelism(2); }),
            "operator 'Collection Source' cannot run in parallel: leave its parallelism at 1");
}

TEST(Failures, TwoOperatorsWithOneUid) {
  TestWorld world;
  auto env = world.environment();
  auto first = env.fromSequence(1, 2).map([](int64_t x) { return x; }).name("first").uid("same");
  auto second = first.map([](int64_t x) { return x; }).name("second").uid("same");
  const std::string text = executed(env, second);
  EXPECT_NE(text.find("'first'"), std::string::npos) << text;
  EXPECT_NE(text.find("'second'"), std::string::npos) << text;
  EXPECT_NE(text.find("'same'"), std::string::npos) << text;
}

TEST(Failures, ForwardBetweenDifferentParallelisms) {
  TestWorld world;
  auto env = world.environment();
  auto two = env.fromSequence(1, 2).map([](int64_t x) { return x; }).name("two").setParallelism(2);
  auto three = two.forward().map([](int64_t x) { return x; }).name("three").setParallelism(3);
  const std::string text = executed(env, three);
  EXPECT_NE(text.find("'two'"), std::string::npos) << text;
  EXPECT_NE(text.find("'three'"), std::string::npos) << text;
  EXPECT_NE(text.find("rebalance"), std::string::npos) << text;
}

TEST(Failures, AnUnknownOptionNamesTheNearest) {
  Configuration configuration;
  configuration.set("execution.bufer-timeout.interval", "5 ms");
  TestWorld world;
  const std::string text = failure([&] { world.environment(configuration); });
  EXPECT_NE(text.find("'execution.bufer-timeout.interval'"), std::string::npos) << text;
  EXPECT_NE(text.find("execution.buffer-timeout.interval"), std::string::npos) << text;
}

TEST(Failures, AGraphWithoutASink) {
  TestWorld world;
  auto env = world.environment();
  env.fromSequence(1, 2).map([](int64_t x) { return x; });
  EXPECT_EQ(
      failure([&] { env.execute("test"); }),
      "job 'test' has no sink: what comes out of 'Map' goes nowhere. End the stream with print(), sinkTo() "
      "or executeAndCollect()");
  EXPECT_EQ(
      failure([&] { env.execute("test"); }),
      "job 'test' has no sink: nothing was added to it. Begin with a source such as fromElements(), and end "
      "with print(), sinkTo() or executeAndCollect()");
}

TEST(Failures, OverflowInSumShowsTheRecord) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    auto sums =
        env.fromElements<Score>({{1, kMax}, {2, 1}, {1, 1}}).keyBy(&Score::player).sum(&Score::points);
    EXPECT_EQ(executed(env, sums),
              "job 'test': operator 'Sum', subtask 1/1: record {player: 1, points: 1}: sum overflows: "
              "9223372036854775807 + 1 does not fit; use a wider type for the member, or reduce(…) with your "
              "own rule");
  }
  TestWorld world;
  auto env = world.environment();
  auto small = env.fromElements<SmallScore>({{"a", 100}, {"a", 28}})
                   .keyBy(&SmallScore::player)
                   .sum(&SmallScore::points);
  const std::string text = executed(env, small);
  EXPECT_NE(text.find("100 + 28 does not fit"), std::string::npos) << text;
}

TEST(Failures, AFlatMapThatExplodesPastTheCapIsNamed) {
  for (const bool chained : {true, false}) {
    TestWorld world;
    auto env = world.environment();
    env.configuration().set("flott.output.overrun-cap", "1 mb");
    auto exploding = env.fromElements<int64_t>({7}).flatMap([](const int64_t& x, Collector<int64_t>& out) {
      for (int64_t i = 0; i < 10'000'000; ++i) out.collect(x + i);
    });
    exploding.name("exploding");
    auto next = exploding.flatMap([](const int64_t& x, Collector<int64_t>& out) { out.collect(x); });
    next.name("next");
    if (!chained) next.startNewChain();
    next.rebalance().map([](int64_t x) { return x; }).setParallelism(2);
    const std::string text = executed(env, next);
    EXPECT_EQ(
        text.substr(0, text.find(" bytes")),
        "job 'test': operator 'exploding', subtask 1/1: record 7: a single call put out more than 1048576")
        << text;
    EXPECT_NE(text.find("raise flott.output.overrun-cap"), std::string::npos) << text;
  }
}

TEST(Failures, APartitionerThatNamesNoSubtask) {
  TestWorld world;
  auto env = world.environment();
  auto result = env.fromElements<int64_t>({1, 2, 9})
                    .partitionCustom([](int64_t key, int) { return key; }, [](int64_t x) { return x - 1; })
                    .map([](int64_t x) { return x; })
                    .setParallelism(2);
  EXPECT_EQ(
      executed(env, result),
      "job 'test': operator 'Collection Source', subtask 1/1: record 9: the partitioner chose subtask 8 of "
      "2: it must return a number from 0 to 1");
}

TEST(Failures, StreamsOfAnExecutedJobAreRefused) {
  TestWorld world;
  auto env = world.environment();
  auto stream = env.fromSequence(1, 2);
  collected(env, stream);
  EXPECT_EQ(
      failure([&] { stream.map([](int64_t x) { return x; }); }),
      "this stream belongs to a job that was executed already: build the next job from its own sources");
}

}  // namespace
}  // namespace flott
