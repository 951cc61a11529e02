#include "flott/operators/sink.h"

#include <gtest/gtest.h>

#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

// What the writers of a test have seen, and how much they may take.
struct Seen {
  std::vector<std::string> calls;
  int room = 1000;
  int flushesToGo = 0;
};

class Writer final : public SinkWriter<int64_t> {
 public:
  explicit Writer(Seen& seen) : seen_(seen) {}
  void write(const int64_t& value, const SinkContext& context) override {
    if (value < 0) throw std::runtime_error("no negative numbers");
    --seen_.room;
    std::string call = std::to_string(value);
    if (context.timestamp > Timestamp::min()) call += "@" + std::to_string(context.timestamp.ms);
    if (context.currentWatermark > Timestamp::min())
      call += ">" + std::to_string(context.currentWatermark.ms);
    seen_.calls.push_back(call);
  }
  bool ready() const override { return seen_.room > 0; }
  void resume() override { seen_.calls.push_back("resume"); }
  void endBatch() override { seen_.calls.push_back("end"); }
  void writeWatermark(Watermark watermark) override {
    seen_.calls.push_back("W" + std::to_string(watermark.time.ms));
  }
  bool flush() override {
    seen_.calls.push_back("flush");
    return seen_.flushesToGo-- <= 0;
  }
  void close() noexcept override { seen_.calls.push_back("close"); }

 private:
  Seen& seen_;
};

struct TestSink {
  Seen* seen;
  std::unique_ptr<Writer> createWriter() const { return std::make_unique<Writer>(*seen); }
};
static_assert(Sink<TestSink, int64_t>);
static_assert(!Sink<TestSink, std::string>);

class SinkOperatorTest : public testing::Test {
 protected:
  SinkOperatorTest() { sink->open(task); }
  std::vector<std::string> take() { return std::exchange(seen.calls, {}); }
  using Calls = std::vector<std::string>;

  Seen seen;
  TestTask task;
  std::unique_ptr<Operator> sink = sinkOperator<int64_t>(TestSink{&seen})->create();
};

TEST_F(SinkOperatorTest, WritesBatchesWithTimestampsAndWatermarks) {
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({1, 2}), task), Step::kDone);
  EXPECT_EQ(sink->onWatermark(0, {Timestamp(7)}, task), Step::kDone);
  Batch stamped = task.batchOf<int64_t>({3});
  stamped->enableTimestamps()[0] = 9;
  EXPECT_EQ(sink->onBatch(0, std::move(stamped), task), Step::kDone);
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({4}), task), Step::kDone);
  EXPECT_EQ(sink->onEndOfInput(0, task), Step::kDone);
  sink->close();
  EXPECT_EQ(take(), (Calls{"1", "2", "end", "W7", "3@9>7", "end", "4>7", "end", "flush", "close"}));
}

TEST_F(SinkOperatorTest, WaitsWhereItIsUntilTheWriterIsReady) {
  seen.room = 2;
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({1, 2, 3}), task), Step::kWait);
  EXPECT_EQ(take(), (Calls{"1", "2"}));
  EXPECT_EQ(sink->resume(task), Step::kWait);
  EXPECT_EQ(take(), (Calls{"resume"}));
  seen.room = 1;
  EXPECT_EQ(sink->resume(task), Step::kWait) << "the batch is written, but the writer takes no other";
  EXPECT_EQ(take(), (Calls{"resume", "3", "end"}));
  seen.room = 1;
  EXPECT_EQ(sink->resume(task), Step::kDone);
  EXPECT_EQ(take(), (Calls{"resume"}));
}

TEST_F(SinkOperatorTest, EndsWhenEverythingHasArrived) {
  seen.flushesToGo = 1;
  EXPECT_EQ(sink->onEndOfInput(0, task), Step::kWait);
  EXPECT_EQ(sink->resume(task), Step::kDone);
  EXPECT_EQ(take(), (Calls{"flush", "resume", "flush"}));
}

TEST_F(SinkOperatorTest, LetsABarrierPassWhenEverythingHasArrived) {
  seen.flushesToGo = 1;
  EXPECT_EQ(sink->beforeBarrier(CheckpointId(1), task), Step::kWait);
  EXPECT_EQ(sink->resume(task), Step::kDone);
  EXPECT_EQ(take(), (Calls{"flush", "resume", "flush"}));
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({1}), task), Step::kDone) << "and goes on after it";
  EXPECT_EQ(take(), (Calls{"1", "end"}));
}

TEST_F(SinkOperatorTest, ErrorsNameTheRecord) {
  try {
    sink->onBatch(0, task.batchOf<int64_t>({1, -5}), task);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "record -5: no negative numbers");
  }
}

}  // namespace
}  // namespace flott
