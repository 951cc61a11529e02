#include "flott/operators/async/async_wait_operator.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/operators/tests/chance.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;
constexpr int64_t kMilli = 1'000'000;

struct Request {
  int64_t record;
  ResultFuture<std::string> future;
};
/// The requests that were started, oldest first, for the test to answer.
using Requests = std::vector<Request>;

/// Keeps the requests.
struct Kept : AsyncFunction<int64_t, std::string> {
  explicit Kept(Requests& to) : requests(&to) {}
  Requests* requests;
  void asyncInvoke(const int64_t& record, ResultFuture<std::string> future) override {
    requests->push_back({record, std::move(future)});
  }
};

/// Says "none" for a record whose time is over.
struct KeptWithTimeout final : Kept {
  using Kept::Kept;
  void timeout(const int64_t& record, ResultFuture<std::string> future) override {
    future.complete("none for " + std::to_string(record));
  }
};

/// Runs one operator as a task does.
template <typename F = Kept, typename Retry = NoRetry>
class Driver {
  using Op = AsyncWaitOperator<int64_t, std::string, F, Retry>;

 public:
  explicit Driver(AsyncWaitOptions options, Retry retry = {}, OperatorStateImage restored = {})
      : op_(options, F(requests), std::move(retry)) {
    task.operatorStates = std::make_unique<OperatorStateBackend>(std::move(restored));
    op_.open(task);
    settle(Step::kDone);
  }
  ~Driver() { op_.close(); }

  /// Records with event time 10 times their value.
  void push(const std::vector<int64_t>& records) {
    Batch batch = task.batchOf<int64_t>(records);
    for (size_t i = 0; i < records.size(); ++i) batch->enableTimestamps()[i] = records[i] * 10;
    settle(op_.onBatch(0, std::move(batch), task));
  }
  void pushUnstamped(const std::vector<int64_t>& records) {
    settle(op_.onBatch(0, task.batchOf<int64_t>(records), task));
  }
  void watermark(int64_t ms) { settle(op_.onWatermark(0, {Timestamp(ms)}, task)); }
  void status(bool active) { settle(op_.onStatus(0, {active}, task)); }
  void end() { settle(op_.onEndOfInput(0, task)); }
  void advance(int64_t millis) {
    task.advanceNanos(millis * kMilli);
    settle(step_);
  }
  /// As the task: goes on when it is asked to and there is room.
  void settle() { settle(step_); }
  void answer(size_t i, const std::string& text) {
    requests[i].future.complete(text);
    settle();
  }
  Step step() const { return step_; }
  OperatorStateImage snapshot() {
    op_.beforeBarrier(CheckpointId(1), task);
    return task.operatorStates->snapshot();
  }

  Texts take() {
    Texts texts;
    for (Element& element : std::exchange(task.emitted, {})) {
      if (const Batch* batch = std::get_if<Batch>(&element)) {
        for (size_t i = 0; i < batch->size(); ++i) {
          texts.push_back(batch->rows<std::string>()[i]);
          if ((*batch)->hasTimestamps()) texts.back() += " @ " + std::to_string((*batch)->timestamps()[i]);
        }
      } else if (const auto* watermark = std::get_if<Watermark>(&element)) {
        texts.push_back("W " + std::to_string(watermark->time.ms));
      } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
        texts.push_back(status->active ? "active" : "idle");
      }
    }
    return texts;
  }

  TestTask task;
  Requests requests;

 private:
  void settle(Step step) {
    step_ = step;
    while (!task.outputFull && (step_ == Step::kMore || task.takeCall())) step_ = op_.resume(task);
  }

  Step step_ = Step::kDone;
  Op op_;
};

constexpr AsyncWaitOptions kOrdered{AsyncOrder::kOrdered, Duration(), 100};
constexpr AsyncWaitOptions kUnordered{AsyncOrder::kUnordered, Duration(), 100};

TEST(AsyncWait, OrderedResultsWaitForThoseBeforeThem) {
  Driver<> driver(kOrdered);
  driver.push({1, 2, 3});
  driver.watermark(35);
  driver.push({4});
  driver.answer(3, "four");
  driver.answer(1, "two");
  EXPECT_EQ(driver.take(), Texts());
  driver.answer(0, "one");
  EXPECT_EQ(driver.take(), (Texts{"one @ 10", "two @ 20"}));
  driver.answer(2, "three");
  EXPECT_EQ(driver.take(), (Texts{"three @ 30", "W 35", "four @ 40"}));
  EXPECT_EQ(driver.step(), Step::kDone);
}

TEST(AsyncWait, UnorderedResultsDoNotCrossAWatermark) {
  Driver<> driver(kUnordered);
  driver.push({1, 2, 3});
  driver.watermark(35);
  driver.status(false);
  driver.push({4, 5});
  driver.answer(2, "three");
  EXPECT_EQ(driver.take(), Texts{"three @ 30"});
  driver.answer(4, "five");
  driver.answer(0, "one");
  EXPECT_EQ(driver.take(), Texts{"one @ 10"});
  driver.answer(1, "two");
  EXPECT_EQ(driver.take(), (Texts{"two @ 20", "W 35", "idle", "five @ 50"}));
  driver.answer(3, "four");
  EXPECT_EQ(driver.take(), Texts{"four @ 40"});
}

TEST(AsyncWait, WatermarksWithoutRecordsBetweenThemBecomeOne) {
  Driver<> driver(kUnordered);
  driver.push({1});
  for (int64_t ms = 20; ms < 30; ++ms) driver.watermark(ms);
  driver.status(false);
  driver.status(true);
  driver.answer(0, "one");
  EXPECT_EQ(driver.take(), (Texts{"one @ 10", "W 29", "active"}));
  driver.watermark(30);
  EXPECT_EQ(driver.take(), Texts{"W 30"});
}

TEST(AsyncWait, TheFirstCompletionWins) {
  Driver<> driver(kOrdered);
  driver.pushUnstamped({1, 2, 3, 4});
  driver.requests[0].future.complete("first");
  driver.requests[0].future.complete("second");
  driver.requests[0].future.completeExceptionally(Error(ErrorKind::kTransient, "too late"));
  driver.requests[1].future.complete(Texts{"a", "b"});
  driver.requests[2].future.complete();
  driver.answer(3, "last");
  EXPECT_EQ(driver.take(), (Texts{"first", "a", "b", "last"}));
}

TEST(AsyncWait, AtMostCapacityRecordsAreUnderWay) {
  Driver<> driver({AsyncOrder::kOrdered, Duration(), 2});
  driver.push({1, 2, 3, 4});
  EXPECT_EQ(driver.requests.size(), 2u);
  EXPECT_EQ(driver.step(), Step::kWait);
  driver.answer(1, "two");  // waits to be put out, which counts
  EXPECT_EQ(driver.requests.size(), 2u);
  driver.answer(0, "one");
  EXPECT_EQ(driver.requests.size(), 4u);
  EXPECT_EQ(driver.step(), Step::kDone);
  EXPECT_EQ(driver.take(), (Texts{"one @ 10", "two @ 20"}));
}

TEST(AsyncWait, CompletionsWakeOnceABurst) {
  int wakes = 0;
  AsyncCompletions completions([&] { ++wakes; });
  AsyncEntry entry;
  const auto done = [&] { return std::make_shared<AsyncTryOf<int>>(entry); };
  std::vector<std::shared_ptr<AsyncTry>> taken;
  completions.push(done());
  completions.push(done());
  EXPECT_EQ(wakes, 1);
  completions.take(taken, true);
  EXPECT_EQ(taken.size(), 2u);
  taken.clear();
  completions.push(done());  // the operator is at it and looks again
  EXPECT_EQ(wakes, 1);
  completions.take(taken, true);
  taken.clear();
  completions.take(taken, true);
  completions.push(done());
  EXPECT_EQ(wakes, 2);
  completions.close();
  completions.push(done());
  completions.take(taken, true);
  EXPECT_EQ(taken.size(), 0u);
  EXPECT_EQ(wakes, 2);
}

TEST(AsyncWait, ResultsOfABurstAreOneBatch) {
  Driver<> driver(kUnordered);
  driver.push({1, 2, 3});
  for (const Request& request : driver.requests) request.future.complete("x");
  driver.settle();
  EXPECT_EQ(driver.task.emitted.size(), 1u);
  EXPECT_EQ(driver.take().size(), 3u);
}

TEST(AsyncWait, AFullOutputHoldsResultsBack) {
  Driver<> driver(kUnordered);
  driver.push({1, 2});
  driver.task.outputFull = true;
  driver.answer(0, "one");
  driver.task.outputFull = false;
  driver.settle();
  EXPECT_EQ(driver.take(), Texts{"one @ 10"});
}

TEST(AsyncWait, AFailedRequestFailsTheJobWithItsRecord) {
  Driver<> driver(kOrdered);
  driver.push({1, 2});
  driver.requests[1].future.completeExceptionally(
      std::make_exception_ptr(std::runtime_error("no such customer")));
  try {
    driver.settle();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "record 2: no such customer");
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
  }
}

TEST(AsyncWait, ARequestThatTakesTooLongFailsTheJob) {
  Driver<> driver({AsyncOrder::kUnordered, Duration::seconds(5), 100});
  driver.push({1});
  driver.advance(1000);
  driver.push({2});
  driver.answer(0, "one");
  driver.advance(4999);
  EXPECT_EQ(driver.take(), Texts{"one @ 10"});
  EXPECT_EQ(driver.task.wakesIn(), kMilli);
  EXPECT_EQ(errorText([&] { driver.advance(1); }, ErrorKind::kTransient),
            "the request got no result within 5 s, in 1 try: raise the time-out, or say in timeout(…) of the "
            "function what the result is then");
}

TEST(AsyncWait, TimeoutOfTheFunctionDecidesWhatTheResultIs) {
  Driver<KeptWithTimeout> driver({AsyncOrder::kOrdered, Duration::seconds(5), 100});
  driver.push({1, 2});
  driver.advance(1000);
  driver.push({3});
  driver.answer(1, "two");
  driver.advance(4000);
  EXPECT_EQ(driver.take(), (Texts{"none for 1 @ 10", "two @ 20"}));
  driver.answer(0, "too late");
  driver.answer(2, "three");
  driver.advance(10000);
  EXPECT_EQ(driver.take(), Texts{"three @ 30"});
}

TEST(AsyncWait, FixedDelayRetriesResultsAndExceptions) {
  const auto retry = AsyncRetryStrategies::fixedDelay(2, Duration::millis(100))
                         .ifResult(RetryPredicates::kNoResult)
                         .ifException([](const Error& error) { return error.message() != "fatal"; });
  Driver<Kept, std::remove_const_t<decltype(retry)>> driver(kOrdered, retry);
  driver.push({1, 2});
  driver.requests[0].future.complete();
  driver.requests[1].future.completeExceptionally(Error(ErrorKind::kTransient, "busy"));
  driver.settle();
  driver.advance(99);
  EXPECT_EQ(driver.requests.size(), 2u);
  driver.advance(1);
  ASSERT_EQ(driver.requests.size(), 4u);
  EXPECT_EQ(driver.requests[2].record, 1);
  EXPECT_EQ(driver.requests[3].record, 2);
  driver.answer(0, "an answer to a try that is over");
  driver.answer(3, "two");
  EXPECT_EQ(driver.take(), Texts());
  driver.requests[2].future.complete();
  driver.settle();
  driver.advance(100);
  ASSERT_EQ(driver.requests.size(), 5u);
  driver.requests[4].future.complete();  // the last of its tries: nothing is the result
  driver.settle();
  EXPECT_EQ(driver.take(), Texts{"two @ 20"});
  EXPECT_EQ(driver.task.metrics().count("numAsyncRetries"), 3);
  driver.push({3});
  driver.requests[5].future.completeExceptionally(Error(ErrorKind::kUser, "fatal"));
  EXPECT_EQ(errorText([&] { driver.settle(); }), "fatal");
}

TEST(AsyncWait, BackoffGrowsUpToItsLimit) {
  const auto retry =
      AsyncRetryStrategies::exponentialBackoff(10, Duration::millis(10), Duration::millis(50), 2.0)
          .ifResult(RetryPredicates::kNoResult);
  Driver<Kept, std::remove_const_t<decltype(retry)>> driver(kOrdered, retry);
  driver.push({1});
  std::vector<int64_t> pauses;
  for (int tries = 1; tries <= 6; ++tries) {
    driver.requests.back().future.complete();
    driver.settle();
    pauses.push_back(driver.task.wakesIn().value_or(-1) / kMilli);
    driver.advance(pauses.back());
  }
  EXPECT_EQ(pauses, (std::vector<int64_t>{10, 20, 40, 50, 50, 50}));
}

struct TwiceAtOnce {
  bool canRetry(int tries) const { return tries < 3; }
  Duration backoff(int) const { return Duration(); }
  bool retriesResult(std::span<const std::string> results) const { return results[0] == "again"; }
  bool retriesException(const Error&) const { return false; }
};

TEST(AsyncWait, AStrategyOfTheUsersOwn) {
  static_assert(AsyncRetryStrategy<TwiceAtOnce, std::string>);
  Driver<Kept, TwiceAtOnce> driver(kOrdered);
  driver.push({1});
  for (size_t tries = 0; tries < 3; ++tries) {
    ASSERT_EQ(driver.requests.size(), tries + 1);
    driver.answer(tries, "again");
  }
  EXPECT_EQ(driver.take(), Texts{"again @ 10"});
}

TEST(AsyncWait, TheTimeoutCoversAllTries) {
  const auto retry = AsyncRetryStrategies::fixedDelay(100, Duration::millis(400))
                         .ifException(RetryPredicates::kAnyException);
  using Retry = std::remove_const_t<decltype(retry)>;
  const AsyncWaitOptions options{AsyncOrder::kOrdered, Duration::seconds(1), 100};
  const auto run = [](auto& driver) {
    driver.push({1});
    for (size_t tries = 0; tries < 3; ++tries) {
      driver.requests[tries].future.completeExceptionally(Error(ErrorKind::kTransient, "busy"));
      driver.settle();
      driver.advance(400);
    }
  };
  Driver<KeptWithTimeout, Retry> answering(options, retry);
  run(answering);
  EXPECT_EQ(answering.take(), Texts{"none for 1 @ 10"});
  answering.advance(5000);
  EXPECT_EQ(answering.requests.size(), 3u);
  Driver<Kept, Retry> failing(options, retry);
  EXPECT_EQ(
      errorText([&] { run(failing); }, ErrorKind::kTransient),
      "the request got no result within 1 s, in 3 tries: raise the time-out, or say in timeout(…) of the "
      "function what the result is then");
}

TEST(AsyncWait, TheEndOfTheInputWaitsForRequestsAndEndsRetries) {
  const auto retry =
      AsyncRetryStrategies::fixedDelay(5, Duration::seconds(60)).ifResult(RetryPredicates::kNoResult);
  Driver<Kept, std::remove_const_t<decltype(retry)>> driver(kOrdered, retry);
  driver.push({1, 2});
  driver.requests[0].future.complete();
  driver.settle();
  driver.watermark(Timestamp::max().ms);
  driver.end();
  ASSERT_EQ(driver.requests.size(), 3u) << "the try that waited is made at once";
  EXPECT_EQ(driver.step(), Step::kWait);
  driver.answer(1, "two");
  driver.requests[2].future.complete();
  driver.settle();
  EXPECT_EQ(driver.requests.size(), 3u);
  EXPECT_EQ(driver.take(), (Texts{"two @ 20", "W 9223372036854775807"}));
  EXPECT_EQ(driver.step(), Step::kDone);
}

TEST(AsyncWait, RequestsUnderWayAreStateAndAreMadeAgain) {
  Driver<> before({AsyncOrder::kUnordered, Duration(), 4});
  before.push({1, 2});
  before.watermark(25);
  before.push({3});
  before.pushUnstamped({4});
  before.answer(1, "two");
  EXPECT_EQ(before.take(), Texts{"two @ 20"});
  before.answer(2, "three, which waits for one");
  const OperatorStateImage image = before.snapshot();
  ASSERT_EQ(image.states.size(), 1u);
  EXPECT_EQ(image.states[0].items.size(), 3u);

  Driver<> after({AsyncOrder::kOrdered, Duration(), 2}, {}, image);
  ASSERT_EQ(after.requests.size(), 2u);
  EXPECT_EQ(after.snapshot(), image);
  after.push({5});  // waits for room behind what was restored
  EXPECT_EQ(after.requests.size(), 2u);
  after.answer(0, "one");
  after.answer(1, "three");
  ASSERT_EQ(after.requests.size(), 4u);
  after.answer(3, "five");
  after.answer(2, "four");
  EXPECT_EQ(after.take(), (Texts{"one @ 10", "three @ 30", "four", "five @ 50"}));
  EXPECT_EQ(after.snapshot().states[0].items.size(), 0u);
}

TEST(AsyncWait, StrategiesRefuseWhatMakesNoSense) {
  EXPECT_EQ(errorText([] { AsyncRetryStrategies::fixedDelay(0, Duration::seconds(1)); }),
            "a retry strategy with 0 retries: give at least 1, or use orderedWait or unorderedWait, which do "
            "not retry");
  EXPECT_EQ(errorText([] { AsyncRetryStrategies::fixedDelay(1, Duration(-1)); }),
            "a retry strategy with a delay of -1 ms: give one that is not negative");
  EXPECT_EQ(
      errorText(
          [] { AsyncRetryStrategies::exponentialBackoff(1, Duration::seconds(2), Duration::seconds(1), 2); }),
      "a retry strategy whose greatest delay, 1 s, is less than its first, 2 s: swap them, or raise the "
      "greatest");
  EXPECT_EQ(errorText([] {
              AsyncRetryStrategies::exponentialBackoff(1, Duration::seconds(1), Duration::seconds(1), 0.5);
            }),
            "a retry strategy with a multiplier of 0.500000: give at least 1, so that delays do not shrink");
}

/// What a run must come to: segments of results between watermarks, in order where that is promised.
class RandomRun {
 public:
  RandomRun(uint64_t seed, AsyncOrder order) : chance_(seed), order_(order), driver_({order, {}, 5}) {}

  void run() {
    for (int i = 0; i < 300; ++i) act();
    driver_.task.outputFull = false;
    driver_.settle();
    while (!open_.empty() || answered_ < driver_.requests.size()) answerOne();
    driver_.watermark(Timestamp::max().ms);
    driver_.end();
    EXPECT_EQ(driver_.step(), Step::kDone);
    expected_.push_back("W 9223372036854775807");
    Texts got = driver_.take();
    if (order_ == AsyncOrder::kUnordered) sortSegments(got), sortSegments(expected_);
    EXPECT_EQ(got, expected_);
  }

 private:
  size_t below(size_t n) { return chance_.below(n); }

  void act() {
    const size_t choice = below(10);
    if (choice < 3 && driver_.step() == Step::kDone) {
      std::vector<int64_t> records(1 + below(4));
      for (int64_t& record : records) {
        record = ++last_;
        for (int64_t n = 0; n < record % 3; ++n) {
          expected_.push_back(std::to_string(record) + " @ " + std::to_string(record * 10));
        }
      }
      driver_.push(records);
    } else if (choice == 3 && driver_.step() == Step::kDone && last_ > lastWatermark_) {
      lastWatermark_ = last_;
      driver_.watermark(last_ * 10);
      expected_.push_back("W " + std::to_string(last_ * 10));
    } else if (choice == 4) {
      driver_.task.outputFull = !driver_.task.outputFull;
      driver_.settle();
    } else {
      answerOne();
    }
    EXPECT_LE(driver_.requests.size() - answeredBefore(), 5u);
  }
  size_t answeredBefore() const { return answered_ - open_.size(); }

  /// One of the requests that are not answered yet.
  void answerOne() {
    while (answered_ < driver_.requests.size()) open_.push_back(answered_++);
    if (open_.empty()) return driver_.settle();
    std::swap(open_[below(open_.size())], open_.back());
    const Request request = driver_.requests[open_.back()];
    open_.pop_back();
    request.future.complete(Texts(static_cast<size_t>(request.record % 3), std::to_string(request.record)));
    if (below(2) == 0) driver_.settle();
    if (driver_.requests.size() == answered_ && open_.empty()) driver_.settle();
  }

  static void sortSegments(Texts& texts) {
    for (auto from = texts.begin(); from != texts.end();) {
      const auto to = std::find_if(from, texts.end(), [](const std::string& text) { return text[0] == 'W'; });
      std::sort(from, to);
      from = to == texts.end() ? to : to + 1;
    }
  }

  Chance chance_;
  AsyncOrder order_;
  Driver<> driver_;
  int64_t last_ = 0;
  int64_t lastWatermark_ = 0;
  std::vector<size_t> open_;  // requests not answered yet, of the first answered_
  size_t answered_ = 0;
  Texts expected_;
};

TEST(AsyncWait, RandomRunsGiveWhatWasPromised) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRun(seed, AsyncOrder::kOrdered).run();
    RandomRun(seed, AsyncOrder::kUnordered).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace flott
