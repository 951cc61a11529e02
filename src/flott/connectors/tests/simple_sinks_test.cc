// Print, discard, function and collect sinks.
#include <gtest/gtest.h>

#include "flott/connectors/collect/collect_buffer.h"
#include "flott/connectors/discard/discard_sink.h"
#include "flott/connectors/function/function_sink.h"
#include "flott/connectors/print/print_sink.h"
#include "flott/env/simulated.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

struct WordCount {
  std::string word;
  int64_t count = 0;
};

class PrintSinkTest : public testing::Test {
 protected:
  void print(const PrintSink<WordCount>& sink) {
    const auto printer = sinkOperator<WordCount>(sink)->create();
    printer->open(task);
    EXPECT_EQ(printer->onBatch(0, task.batchOf<WordCount>({{"to", 1}, {"be", 2}}), task), Step::kDone);
  }

  SimulatedEnv world{1};
  Env env = world.env();
  TestTask task{&env};
};

TEST_F(PrintSinkTest, PrintsALineForEachRecord) {
  print(PrintSink<WordCount>());
  EXPECT_EQ(world.console().outText(), "{word: \"to\", count: 1}\n{word: \"be\", count: 2}\n");
  EXPECT_EQ(world.console().errText(), "");
}

TEST_F(PrintSinkTest, NamesTheSubtaskAndTheSink) {
  print(PrintSink<WordCount>("words"));
  EXPECT_TRUE(world.console().outText().starts_with("words> {word: \"to\""));
  task.operatorInfo.parallelism = 3;
  task.operatorInfo.subtask = SubtaskIndex(1);
  print(PrintSink<WordCount>("words", PrintTarget::kErr));
  EXPECT_EQ(world.console().errText(),
            "words:2> {word: \"to\", count: 1}\nwords:2> {word: \"be\", count: 2}\n");
  EXPECT_EQ(printPrefix("", task.operatorInfo), "2> ");
}

TEST(DiscardSink, TakesEverything) {
  TestTask task;
  const auto sink = sinkOperator<int>(DiscardSink<int>())->create();
  sink->open(task);
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int>({1, 2, 3}), task), Step::kDone);
  EXPECT_EQ(sink->onEndOfInput(0, task), Step::kDone);
  EXPECT_EQ(task.pools().inUse(), 0u);
}

// A function with all that a rich one has.
struct Summing {
  std::vector<std::string>* calls;
  int64_t sum = 0;
  void open(RuntimeContext& context) { calls->push_back("open " + context.operatorName()); }
  void operator()(const int64_t& value) { sum += value; }
  void close() noexcept { calls->push_back("close " + std::to_string(sum)); }
};

TEST(FunctionSink, EachSubtaskHasItsOwnFunction) {
  std::vector<std::string> calls;
  const auto factory = sinkOperator<int64_t>(FunctionSink<int64_t, Summing>({&calls}));
  for (int64_t subtask : {1, 2}) {
    TestTask task;
    const auto sink = factory->create();
    sink->open(task);
    sink->onBatch(0, task.batchOf<int64_t>({subtask, 10}), task);
    sink->close();
  }
  EXPECT_EQ(calls, (std::vector<std::string>{"open tested", "close 11", "open tested", "close 12"}));
}

TEST(CollectBuffer, HandsRecordsOverInOrderAndOutlivesTheJob) {
  CollectBuffer<std::string> results;
  std::string filler(100, 'x');
  {
    TestTask task;
    const auto sink = results.sink()->create();
    sink->open(task);
    EXPECT_EQ(results.poll(), std::nullopt);
    for (int i = 0; i < 3; ++i) {
      Batch batch = task.batchOf<std::string>({std::to_string(i), filler});
      batch->enableTimestamps()[0] = 7;
      EXPECT_EQ(sink->onBatch(0, std::move(batch), task), Step::kDone);
    }
    EXPECT_EQ(results.poll(), "0");
    EXPECT_EQ(task.pools().inUse(), 0u);
    sink->close();
  }
  EXPECT_EQ(results.takeAll(), (std::vector<std::string>{filler, "1", filler, "2", filler}));
}

TEST(CollectBuffer, HoldsTheJobBackUntilTheClientReads) {
  CollectBuffer<int> results(3);
  TestTask first, second;
  const auto factory = results.sink();
  const auto a = factory->create();
  const auto b = factory->create();
  a->open(first);
  b->open(second);
  EXPECT_EQ(a->onBatch(0, first.batchOf<int>({1, 2}), first), Step::kDone);
  EXPECT_EQ(b->onBatch(0, second.batchOf<int>({3, 4}), second), Step::kDone);
  EXPECT_EQ(a->onBatch(0, first.batchOf<int>({5}), first), Step::kWait);
  EXPECT_FALSE(first.takeCall());
  EXPECT_EQ(a->resume(first), Step::kWait);
  EXPECT_EQ(results.takeAll(), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(first.takeCall());
  EXPECT_FALSE(second.takeCall()) << "only who waits is woken";
  EXPECT_EQ(a->resume(first), Step::kDone);
  EXPECT_EQ(results.poll(), 5);
}

TEST(CollectBuffer, ACancelledSinkIsNotWokenAnyMore) {
  CollectBuffer<int> results(1);
  TestTask task;
  const auto sink = results.sink()->create();
  sink->open(task);
  sink->onBatch(0, task.batchOf<int>({1}), task);
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int>({2}), task), Step::kWait);
  sink->close();
  EXPECT_EQ(results.takeAll(), std::vector<int>{1});
  EXPECT_FALSE(task.takeCall());
}

TEST(CollectBuffer, RingsWhenRecordsCome) {
  CollectBuffer<int> results;
  TestTask task;
  const auto sink = results.sink()->create();
  sink->open(task);
  sink->onBatch(0, task.batchOf<int>({1}), task);
  int rings = 0;
  results.onArrival([&rings] { ++rings; });
  EXPECT_EQ(rings, 1) << "there was one already";
  sink->onBatch(0, task.batchOf<int>({2}), task);
  EXPECT_EQ(rings, 2);
}

}  // namespace
}  // namespace flott
