// The life of a job under its master: states, the first cause, cancelling, accumulators, enumerators; with
// the deterministic scheduler, and where threads matter with real ones.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"
#include "flott/env/posix/real_env.h"
#include "flott/master/tests/simulated_job.h"

namespace flott {
namespace {

TEST(Job, RunsAndFinishes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(100), 2);
    pipeline.then("sink", keepIn(kept), 3, PartitionKind::kRebalance);
    Simulated run(pipeline.job(), seed);
    EXPECT_EQ(run.job->status(), JobStatus::kCreated);
    const JobResult result = run.end();
    EXPECT_EQ(result.status, JobStatus::kFinished);
    EXPECT_FALSE(result.error);
    EXPECT_EQ(kept->all().size(), 200u);
    EXPECT_EQ(run.job->progress().recordsIn, 200);
    EXPECT_EQ(run.job->progress().recordsOut, 200);
    EXPECT_EQ(run.logged("is FINISHED"), "INFO [job] 'job' is FINISHED");
    EXPECT_EQ(run.logged("is running"), "INFO [job] 'job' is running: 5 tasks");
  }
}

TEST(Job, ShowsItsStatesOnTheWay) {
  Pipeline pipeline(readBy(IdleReader()));
  pipeline.then("sink", passOn());
  Simulated run(pipeline.job());
  run.scheduler->runUntilIdle();
  EXPECT_EQ(run.job->status(), JobStatus::kRunning);
  run.job->cancel();
  EXPECT_EQ(run.end().status, JobStatus::kCancelled);
  EXPECT_EQ(run.logged("cancelled"), "INFO [job] 'job' is being cancelled");
  EXPECT_EQ(toString(JobStatus::kCancelled), "CANCELED") << "as Flink spells it";
}

TEST(Job, MayBeCancelledAtAnyMoment) {
  for (int steps = 0; steps < 60; ++steps) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(1'000'000'000), 2);
    pipeline.then("pass", passOn(), 2, PartitionKind::kRebalance).then("sink", keepIn(kept), 1);
    auto polls = std::make_shared<int>(0);
    Simulated run(pipeline.job(), static_cast<uint64_t>(steps));
    // The clock does not move while there is work, so a job like this has to be cancelled from within.
    EmbeddedJob* job = run.job.get();
    run.sim->offload().submit("cancel", [job, polls] {
      ++*polls;
      job->cancel();
    });
    EXPECT_EQ(run.end().status, JobStatus::kCancelled);
    EXPECT_EQ(*polls, 1);
    run.job->cancel();  // once more does nothing
    EXPECT_EQ(run.job->status(), JobStatus::kCancelled);
  }
}

TEST(Job, KeepsTheFirstCauseWhenManyTasksFail) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Pipeline pipeline(numbers(100), 4);
    auto first = std::make_shared<std::string>();
    pipeline.then("failing", batchOperator([first](Batch batch, Output&) {
                    const std::string text = "cannot take " + std::to_string(batch.rows<int64_t>()[0]);
                    if (first->empty()) *first = text;
                    throw std::runtime_error(text);
                  }),
                  4);
    Simulated run(pipeline.job(), seed);
    const JobResult result = run.end();
    EXPECT_EQ(result.status, JobStatus::kFailed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->message(), *first);
  }
}

TEST(Job, AFailureWhileCancellingChangesNothing) {
  class FailsOnClose final : public Operator {
    Step onBatch(int, Batch, Output&) override { return Step::kDone; }
    Step onEndOfInput(int, Output&) override { throw std::runtime_error("never seen"); }
  };
  Pipeline pipeline(readBy(IdleReader()));
  pipeline.then("sink", std::make_shared<MadeBy<std::unique_ptr<Operator> (*)()>>(
                            []() -> std::unique_ptr<Operator> { return std::make_unique<FailsOnClose>(); }));
  Simulated run(pipeline.job());
  run.job->cancel();
  const JobResult result = run.end();
  EXPECT_EQ(result.status, JobStatus::kCancelled);
  EXPECT_FALSE(result.error);
}

class CountingSink final : public Operator {
 public:
  void open(OperatorContext& context) override { seen_ = &context.accumulators().get<LongCounter>("seen"); }
  Step onBatch(int, Batch batch, Output&) override {
    seen_->add(static_cast<int64_t>(batch.size()));
    return Step::kDone;
  }

 private:
  LongCounter* seen_ = nullptr;
};

std::shared_ptr<const OperatorFactory> countingSink() {
  auto make = [] { return std::make_unique<CountingSink>(); };
  return std::make_shared<MadeBy<decltype(make)>>(make);
}

int64_t seen(const Accumulators& accumulators) {
  const Accumulator* found = accumulators.find("seen");
  return found == nullptr ? -1 : dynamic_cast<const LongCounter&>(*found).value();
}

// Subtask 0 ends after its numbers, all others put theirs out and are idle from then on.
class FirstEndsReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output& output) override {
    if (sent_) return context_->info().subtask.value == 0 ? Poll::kEnd : Poll::kIdle;
    sent_ = true;
    Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
    for (int64_t i = 0; i < 10; ++i) batch.rows<int64_t>().emplace(i);
    output.emit(std::move(batch));
    return Poll::kMore;
  }

 private:
  bool sent_ = false;
};

TEST(Job, AccumulatorsAreReadLiveThoughSomeTasksHaveEnded) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Pipeline pipeline(readBy(FirstEndsReader()), 3);
    pipeline.then("sink", countingSink(), 3);
    Simulated run(pipeline.job(), seed);
    std::vector<int64_t> answers;
    int64_t byTask = 0;
    const auto ask = [&] {
      run.job->readAccumulators([&](Accumulators merged) { answers.push_back(seen(merged)); });
      run.job->readTaskAccumulators([&](std::vector<TaskAccumulators> all) {
        byTask = seen(merged(all));
        for (size_t i = 1; i < all.size(); ++i)
          EXPECT_TRUE(all[i - 1].task.vertex < all[i].task.vertex ||
                      all[i - 1].task.subtask.value < all[i].task.subtask.value)
              << "each once, in order";
      });
    };
    if (seed % 2 == 0) ask();  // while tasks start and end
    run.scheduler->runUntilIdle();
    ask();
    ask();
    run.scheduler->runUntilIdle();
    ASSERT_EQ(answers.size(), seed % 2 == 0 ? 3u : 2u);
    EXPECT_EQ(answers.back(), 30);
    EXPECT_EQ(byTask, 30);
    run.job->cancel();
    EXPECT_EQ(seen(run.end().accumulators), 30);
  }
}

TEST(Job, AccumulatorsOfAllSubtasksAreInTheResult) {
  Pipeline pipeline(numbers(100), 3);
  pipeline.then("sink", countingSink(), 3);
  Simulated run(pipeline.job());
  EXPECT_EQ(seen(run.end().accumulators), 300);
}

// Fails at the call of the given name.
std::string failingCall;
class FailingEnumerator final : public NoEnumerator {
 public:
  void start(SplitEnumeratorContext& context) override {
    context_ = &context;
    fail("start");
    context.callAsync(
        "list the folder", [] { fail("list"); }, [] { fail("listed"); });
    context.callAfter(Duration::millis(5), [] { fail("later"); });
  }
  void addReader(SubtaskIndex) override { fail("addReader"); }
  void handleSplitRequest(SubtaskIndex) override { fail("request"); }
  void handleSourceEvent(SubtaskIndex, const std::string& event) override { fail("event " + event); }

 private:
  static void fail(const std::string& call) {
    if (call == failingCall) throw std::runtime_error("no such folder");
  }
  SplitEnumeratorContext* context_ = nullptr;
};

class AskingReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output&) override {
    context_->requestSplit();
    context_->sendEvent("hello");
    return Poll::kIdle;
  }
};

TEST(Job, ErrorsOfEnumeratorsNameTheSource) {
  for (const char* call : {"start", "list", "listed", "later", "addReader", "request", "event hello"}) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      failingCall = call;
      Pipeline pipeline(std::make_shared<TestSource<AskingReader, FailingEnumerator>>(AskingReader()), 2);
      pipeline.then("sink", passOn(), 2);
      Simulated run(pipeline.job(), seed);
      const JobResult result = run.end();
      ASSERT_EQ(result.status, JobStatus::kFailed) << call;
      EXPECT_STREQ(result.error->what(), "source 'source', split enumerator: no such folder") << call;
    }
  }
}

// Hands a split to each reader as soon as it is there, without being asked.
class EagerEnumerator final : public NoEnumerator {
 public:
  void start(SplitEnumeratorContext& context) override { context_ = &context; }
  void addReader(SubtaskIndex reader) override {
    context_->assign(reader, {.id = "only", .state = "12345"});
    context_->signalNoMoreSplits(reader);
  }

 private:
  SplitEnumeratorContext* context_ = nullptr;
};

class SizeReader final : public ReaderWithoutSplits {
 public:
  Poll poll(Output& output) override {
    if (size_ == 0) return last_ ? Poll::kEnd : Poll::kIdle;
    Batch batch = rowsPool<int64_t>(context_->pools()).acquire();
    batch.rows<int64_t>().emplace(std::exchange(size_, 0));
    output.emit(std::move(batch));
    return Poll::kMore;
  }
  void addSplits(std::vector<SourceSplit> splits) override {
    size_ = static_cast<int64_t>(splits.front().state.size());
  }
  void onNoMoreSplits() override { last_ = true; }

 private:
  int64_t size_ = 0;
  bool last_ = false;
};

TEST(Job, SplitsGivenBeforeAReaderRunsArrive) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(std::make_shared<TestSource<SizeReader, EagerEnumerator>>(SizeReader()), 3);
    pipeline.then("sink", keepIn(kept), 3);
    Simulated run(pipeline.job(), seed);
    EXPECT_EQ(run.end().status, JobStatus::kFinished);
    EXPECT_EQ(kept->all(), (std::vector<int64_t>{5, 5, 5}));
  }
}

TEST(Job, PlacesTheTasksOfASlotOnOneLane) {
  Pipeline pipeline(numbers(1), 4);
  pipeline.then("a", passOn(), 4, PartitionKind::kRebalance)
      .then("sink", passOn(), 2, PartitionKind::kRebalance);
  const Placement two = placeOnLanes(pipeline.job(), 2);
  EXPECT_EQ(two.laneOf, (std::vector<std::vector<int>>{{0, 1, 0, 1}, {0, 1, 0, 1}, {0, 1}}));
  pipeline.graph.nodes[1].slotSharingGroup = "other";  // its slots come behind those of the first group
  pipeline.graph.nodes[2].slotSharingGroup = "other";
  const Placement three = placeOnLanes(pipeline.job(), 3);
  EXPECT_EQ(three.laneOf, (std::vector<std::vector<int>>{{0, 1, 2, 0}, {1, 2, 0, 1}, {1, 2}}));
}

// With real threads.

struct RealWorld {
  std::unique_ptr<RealEnv> real = makeRealEnv({.log = {.level = LogLevel::kOff}, .offloadThreads = 2});
};

std::unique_ptr<EmbeddedJob> startedOnThreads(JobGraph graph, std::shared_ptr<RealWorld> world,
                                              Configuration configuration, Env env) {
  EmbeddedJob::MakeScheduler make = [env](int lanes, const Configuration& settings) {
    return makeThreadedScheduler(env, {.lanes = lanes, .blockedWarning = settings.get(kBlockedWarning)});
  };
  auto job =
      std::make_unique<EmbeddedJob>(std::move(graph), std::move(configuration), env, std::move(world), make);
  job->start();
  return job;
}

Configuration lanes(int count) {
  Configuration configuration;
  configuration.set("flott.lanes", std::to_string(count));
  return configuration;
}

TEST(JobOnThreads, KeepsAllRecords) {
  for (int round = 0; round < 20; ++round) {
    const auto world = std::make_shared<RealWorld>();
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(3000), 3);
    pipeline.then("pass", passOn(), 2, PartitionKind::kRebalance)
        .then("again", passOn(), 3, PartitionKind::kShuffle)
        .then("sink", keepIn(kept), 2, PartitionKind::kRescale);
    const auto job = startedOnThreads(pipeline.job(), world, lanes(1 + round % 3), world->real->env());
    job->wait();
    EXPECT_EQ(job->result().status, JobStatus::kFinished);
    EXPECT_EQ(kept->all().size(), 9000u);
  }
}

TEST(JobOnThreads, IsCancelledAndAskedFromOtherThreads) {
  for (int round = 0; round < 20; ++round) {
    const auto world = std::make_shared<RealWorld>();
    Pipeline pipeline(numbers(1'000'000'000), 2);
    pipeline.then("pass", passOn(), 2, PartitionKind::kRebalance)
        .then("sink", countingSink(), 2, PartitionKind::kShuffle);
    const auto job = startedOnThreads(pipeline.job(), world, lanes(2), world->real->env());
    auto answered = std::make_shared<std::atomic<bool>>(false);
    job->readAccumulators([answered](Accumulators) { answered->store(true); });
    while (!answered->load()) EXPECT_FALSE(job->waitFor(Duration::millis(1)));
    job->cancel();
    job->wait();
    EXPECT_EQ(job->result().status, JobStatus::kCancelled);
  }
}

TEST(JobOnThreads, DestroyingARunningJobCancelsIt) {
  for (int round = 0; round < 20; ++round) {
    const auto world = std::make_shared<RealWorld>();
    Pipeline pipeline(numbers(1'000'000'000), 2);
    pipeline.then("sink", countingSink(), 2, PartitionKind::kRebalance);
    startedOnThreads(pipeline.job(), world, lanes(2), world->real->env());
  }
}

// Every batch goes through the off-load pool, so that jobs end while a pool thread has just replied.
class OffloadEach final : public Operator {
 public:
  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    auto held = std::make_shared<Batch>(std::move(batch));
    context_->offload(
        "keep", [held] {},
        [this, held] {
          batch_ = std::move(*held);
          context_->askToResume();
        });
    return Step::kWait;
  }
  Step resume(Output& output) override {
    output.emit(std::move(batch_));
    return Step::kDone;
  }

 private:
  OperatorContext* context_ = nullptr;
  Batch batch_;
};

TEST(JobOnThreads, EndsCleanlyWithOffloadedWorkUnderWay) {
  const auto world = std::make_shared<RealWorld>();
  for (int round = 0; round < 100; ++round) {
    const auto kept = std::make_shared<Kept>();
    auto make = [] { return std::make_unique<OffloadEach>(); };
    Pipeline pipeline(numbers(20), 2);
    pipeline.then("off", std::make_shared<MadeBy<decltype(make)>>(make), 2).then("sink", keepIn(kept), 2);
    const auto job = startedOnThreads(pipeline.job(), world, lanes(2), world->real->env());
    if (round % 2 == 0) {
      job->wait();
      EXPECT_EQ(kept->all().size(), 40u);
    }
  }
}

// Blocks its lane until the test lets it go.
struct Gate {
  std::atomic<bool> entered{false};
  std::atomic<bool> open{false};
  std::atomic<bool> left{false};
};

std::shared_ptr<const OperatorFactory> blocking(std::shared_ptr<Gate> gate) {
  return batchOperator([gate](Batch, Output&) {
    gate->entered = true;
    while (!gate->open) {
    }
    gate->left = true;
  });
}

// Ends the process, because the lost thread and its world stay for good.
[[noreturn]] void leaveABlockedFunctionBehind() {
  const auto gate = std::make_shared<Gate>();
  {
    auto world = std::make_shared<RealWorld>();
    const Env env = world->real->env();
    Pipeline pipeline(numbers(100));
    pipeline.then("blocking", blocking(gate));
    Configuration configuration = lanes(1);
    configuration.set("task.cancellation.timeout", "50 ms");
    configuration.set("task.cancellation.interval", "10 ms");
    const auto job = startedOnThreads(pipeline.job(), std::move(world), std::move(configuration), env);
    while (!gate->entered) {
    }
    job->cancel();
    job->wait();
    const JobResult result = job->result();
    std::fprintf(stderr, "%s: %s\n", std::string(toString(result.status)).c_str(), result.error->what());
  }
  // Job and world are gone for us; the lost thread still finds all that it needs.
  gate->open = true;
  while (!gate->left) {
  }
  std::_Exit(0);
}

TEST(JobOnThreadsDeathTest, AFunctionThatDoesNotReturnIsLeftBehind) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      leaveABlockedFunctionBehind(), testing::ExitedWithCode(0),
      "FAILED: did not react to cancellation for [0-9]+ ms: a user function or an off-loaded call blocks; "
      "it is left behind \\(operator 'blocking', subtask 1/1\\). Make it return, or raise "
      "task.cancellation.timeout");
}

class CapturingLogger final : public Logger {
 public:
  CapturingLogger() : Logger(LogLevel::kWarn) {}
  std::atomic<int> lines{0};
  std::string first;  // complete once `lines` is above zero

 private:
  void write(LogLevel, std::string_view, std::string_view text) override {
    if (lines.load() == 0) first = text;
    ++lines;
  }
};

TEST(JobOnThreads, TheWatchdogNamesAFunctionThatBlocksItsLane) {
  const auto gate = std::make_shared<Gate>();
  const auto world = std::make_shared<RealWorld>();
  const Env real = world->real->env();
  CapturingLogger log;
  const Env env{real.clock,   real.random,  real.files, real.network, real.threads, real.offload,
                real.signals, real.console, log,        real.system,  real.stores};
  Pipeline pipeline(numbers(10));
  pipeline.then("blocking", blocking(gate));
  Configuration configuration = lanes(1);
  configuration.set("flott.task.blocked-warning", "20 ms");
  const auto job = startedOnThreads(pipeline.job(), world, std::move(configuration), env);
  while (log.lines.load() == 0) job->waitFor(Duration::millis(1));
  gate->open = true;
  job->wait();
  EXPECT_EQ(log.first.substr(0, log.first.find("for ")),
            "operator 'blocking', subtask 1/1 has not returned ");
  EXPECT_NE(log.first.find("user code blocks its lane"), std::string::npos) << log.first;
  EXPECT_EQ(log.lines.load(), 1) << "once for each call";
}

// Threads of which only the first few are to be had.
class FewThreads final : public Threads {
 public:
  FewThreads(Threads& real, int count) : real_(real), left_(count) {}
  std::unique_ptr<Thread> start(ThreadOptions options, MoveFunction<void()> body) override {
    if (left_-- == 0) throw Error(ErrorKind::kTransient, "the system gives no thread");
    return real_.start(std::move(options), std::move(body));
  }
  std::unique_ptr<Parker> makeParker() override { return real_.makeParker(); }

 private:
  Threads& real_;
  int left_;
};

TEST(JobOnThreads, WithoutThreadsAJobDoesNotStart) {
  const auto world = std::make_shared<RealWorld>();
  const Env real = world->real->env();
  for (int count = 0; count < 4; ++count) {  // two lanes, the master's, the watchdog
    FewThreads threads(real.threads, count);
    const Env env{real.clock,   real.random,  real.files, real.network, threads,    real.offload,
                  real.signals, real.console, real.log,   real.system,  real.stores};
    Pipeline pipeline(numbers(1'000'000'000), 2);
    pipeline.then("sink", countingSink(), 2);
    EXPECT_EQ(
        errorText([&] { startedOnThreads(pipeline.job(), world, lanes(2), env); }, ErrorKind::kTransient),
        "the system gives no thread")
        << count;
  }
}

}  // namespace
}  // namespace flott
