#include "flott/api/async_data_stream.h"

#include <atomic>
#include <numeric>
#include <set>

#include "flott/api/operator_harness.h"
#include "flott/api/tests/job_test.h"
#include "flott/api/watermarks.h"

namespace flott {
namespace {

std::vector<int64_t> numbers(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
std::vector<int64_t> squares(int64_t count) {
  std::vector<int64_t> all = numbers(count);
  for (int64_t& x : all) x *= x;
  return all;
}
const auto kSquare = blocking([](const int64_t& x) { return x * x; });

TEST(AsyncIo, BlockingFunctionsRunOffTheLane) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    const auto source = env.fromCollection(numbers(500));
    EXPECT_EQ(collected(env, AsyncDataStream::orderedWait(source, kSquare, Duration::seconds(5), 7)),
              squares(500));
    auto again = world.environment();
    const auto records = again.fromCollection(numbers(500));
    const std::vector<int64_t> unordered =
        collected(again, AsyncDataStream::unorderedWait(records, kSquare, Duration::seconds(5), 7));
    EXPECT_NE(unordered, squares(500)) << "the world answers in an order drawn from the seed";
    EXPECT_EQ(sorted(unordered), squares(500));
  }
}

TEST(AsyncIo, AFunctionThatFailsOffTheLaneFailsTheJobWithTheRecord) {
  TestWorld world;
  auto env = world.environment();
  const auto failing = blocking([](const int64_t& x) -> int64_t {
    if (x == 3) throw std::runtime_error("no such customer");
    return x;
  });
  const auto looked =
      AsyncDataStream::orderedWait(env.fromCollection(numbers(5)), failing, Duration::seconds(5));
  EXPECT_EQ(failure([&] { collected(env, looked); }),
            "job 'test': operator 'Async Wait', subtask 1/1: record 3: no such customer");
}

TEST(AsyncIo, TheHarnessRunsAsynchronousFunctions) {
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, std::string> harness(options, [](const DataStream<int64_t>& numbers) {
      return AsyncDataStream::orderedWait(
          numbers,
          [](const int64_t& x, ResultFuture<std::string> future) {
            if (x < 0) return future.complete();
            future.complete(std::vector<std::string>(static_cast<size_t>(x), std::to_string(x)));
          },
          Duration::seconds(1));
    });
    harness.pushStamped({{2, 5}, {-1, 6}, {1, 7}});
    harness.watermark(8);
    harness.endOfInput();
    EXPECT_EQ(harness.takeEvents(),
              (std::vector<std::string>{"2 @ 5", "2 @ 5", "1 @ 7", "watermark 8", "watermark max", "end"}));
  });
}

TEST(AsyncIo, RetriesFollowTheClock) {
  struct Busy : AsyncFunction<int64_t, int64_t> {
    int tries = 0;
    void asyncInvoke(const int64_t& x, ResultFuture<int64_t> future) override {
      if (++tries < 3) return future.completeExceptionally(Error(ErrorKind::kTransient, "busy"));
      future.complete(x);
    }
  };
  OneInputHarness<int64_t, int64_t> harness({}, [](const DataStream<int64_t>& numbers) {
    return AsyncDataStream::unorderedWaitWithRetry(numbers, Busy(), Duration::seconds(10),
                                                   AsyncRetryStrategies::fixedDelay(3, Duration::millis(50))
                                                       .ifException(RetryPredicates::kAnyException));
  });
  harness.push(7);
  harness.advance(Duration::millis(99));
  EXPECT_EQ(harness.output(), std::vector<int64_t>());
  harness.advance(Duration::millis(1));
  EXPECT_EQ(harness.output(), std::vector<int64_t>{7});
}

TEST(AsyncIo, ARetryHoldsUpWhatIsOrderedBehindIt) {
  struct BusyForOdd : AsyncFunction<int64_t, int64_t> {
    std::set<int64_t> tried;
    void asyncInvoke(const int64_t& x, ResultFuture<int64_t> future) override {
      if (x % 2 == 1 && tried.insert(x).second)
        return future.completeExceptionally(Error(ErrorKind::kTransient, "busy"));
      future.complete(x);
    }
  };
  inAllModes([](const HarnessOptions& options) {
    OneInputHarness<int64_t, int64_t> harness(options, [](const DataStream<int64_t>& numbers) {
      return AsyncDataStream::orderedWaitWithRetry(numbers, BusyForOdd(), Duration::seconds(10),
                                                   AsyncRetryStrategies::fixedDelay(3, Duration::millis(50))
                                                       .ifException(RetryPredicates::kAnyException));
    });
    harness.pushBatch({2, 3, 4});
    EXPECT_EQ(harness.output(), std::vector<int64_t>{2});
    harness.advance(Duration::millis(49));
    EXPECT_EQ(harness.output(), std::vector<int64_t>{2});
    harness.advance(Duration::millis(1));
    EXPECT_EQ(harness.output(), (std::vector<int64_t>{2, 3, 4}));
  });
}

TEST(AsyncIo, OptionsThatMakeNoSenseAreRefusedAtOnce) {
  TestWorld world;
  auto env = world.environment();
  const auto source = env.fromCollection(numbers(5));
  EXPECT_EQ(failure([&] { AsyncDataStream::orderedWait(source, kSquare, Duration::seconds(1), 0); }),
            "asynchronous requests with a capacity of 0: give the number of records that may be under way in "
            "a subtask, at least 1");
  EXPECT_EQ(failure([&] { AsyncDataStream::orderedWait(source, kSquare, Duration(-1)); }),
            "asynchronous requests with a time-out of -1 ms: give a positive one, or zero for none");
}

// On real threads, for the thread sanitizer: completions come from the off-load pool while the lanes work.
TEST(AsyncIo, CompletionsFromManyThreads) {
  constexpr int64_t kCount = 20000;
  auto env = StreamExecutionEnvironment::getExecutionEnvironment();
  env.setParallelism(2);
  const auto ordered =
      AsyncDataStream::orderedWait(env.fromSequence(0, kCount - 1), kSquare, Duration::seconds(60), 50);
  const auto both = AsyncDataStream::unorderedWait(
      ordered,
      [](const int64_t& x, ResultFuture<int64_t> future) {
        future.complete(x);
        future.complete(-1);
      },
      Duration::seconds(60), 3);
  EXPECT_EQ(sorted(collected(env, both)), squares(kCount));
}

}  // namespace
}  // namespace flott
