#include "flott/connectors/datagen/data_generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

std::vector<SourceSplit> encoded(const std::vector<GeneratorSplit>& splits) {
  std::vector<SourceSplit> all;
  for (const GeneratorSplit& split : splits) all.push_back(encodeSplit(split));
  return all;
}

// One reader with its task.
struct Generator {
  Generator(const SourceFactory& source, std::vector<SourceSplit> splits) : reader(source.createReader()) {
    reader->open(task);
    reader->addSplits(std::move(splits));
    reader->onNoMoreSplits();
  }
  /// Polls until it has nothing more at this moment.
  Poll run() {
    Poll result;
    do {
      result = reader->poll(task);
    } while (result == Poll::kMore);
    return result;
  }

  TestTask task;
  std::unique_ptr<SourceReader> reader;
};

int64_t identity(int64_t index) { return index; }

TEST(DataGenerator, SplitsAreInterleavedAndComplete) {
  for (int parallelism : {1, 2, 3, 8}) {
    const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(identity, {.count = 5000});
    EXPECT_EQ(source.factory->boundedness(), Boundedness::kBounded);
    TestMaster master(parallelism);
    const auto enumerator = source.factory->createEnumerator({});
    enumerator->start(master);
    std::vector<int64_t> all;
    for (int i = 0; i < parallelism; ++i) {
      enumerator->addReader(SubtaskIndex(i));
      Generator generator(*source.factory, master.assigned[static_cast<size_t>(i)]);
      EXPECT_EQ(generator.run(), Poll::kEnd);
      for (int64_t value : generator.task.takeRecords<int64_t>()) {
        EXPECT_EQ(value % parallelism, i);
        all.push_back(value);
      }
    }
    std::sort(all.begin(), all.end());
    std::vector<int64_t> expected(5000);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
  }
}

TEST(DataGenerator, FewerRecordsThanReaders) {
  EXPECT_EQ(generatorSplits(2, 8).size(), 2u);
  EXPECT_TRUE(generatorSplits(0, 8).empty());
}

TEST(DataGenerator, FillsRecordsInPlace) {
  const SourceOf<std::string> source = dataGeneratorSource<std::string>(
      [](int64_t index, std::string& text) { text.assign("line ").append(std::to_string(index)); },
      {.count = 3});
  Generator generator(*source.factory, encoded(generatorSplits(3, 1)));
  EXPECT_EQ(generator.run(), Poll::kEnd);
  EXPECT_EQ(generator.task.takeRecords<std::string>(),
            (std::vector<std::string>{"line 0", "line 1", "line 2"}));
}

TEST(DataGenerator, AnyNumberOfSplitsWithoutEndTakeTurns) {
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(identity);
  EXPECT_EQ(source.factory->boundedness(), Boundedness::kContinuousUnbounded);
  Generator generator(*source.factory, encoded(generatorSplits(GeneratorOptions().count, 2)));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(generator.reader->poll(generator.task), Poll::kMore);
  std::vector<int64_t> all = generator.task.takeRecords<int64_t>();
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 4096u);
  EXPECT_EQ(all.back(), 4095) << "both splits went on alike";
}

TEST(DataGenerator, ASnapshotAfterAnyPollReplaysTheRest) {
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(identity, {.count = 7000});
  std::vector<SourceSplit> splits = encoded(generatorSplits(7000, 3));
  std::vector<int64_t> all;
  while (!splits.empty()) {
    Generator generator(*source.factory, splits);
    generator.reader->poll(generator.task);
    for (int64_t value : generator.task.takeRecords<int64_t>()) all.push_back(value);
    splits = generator.reader->snapshot();
  }
  std::sort(all.begin(), all.end());
  std::vector<int64_t> expected(7000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST(DataGenerator, ReleasesRecordsAtTheRateWithinThePacingTime) {
  constexpr int64_t kPeriod = 10'000;  // 100,000 a second
  std::vector<DueRecord> due;
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(
      [&due](const DueRecord& record) {
        due.push_back(record);
        return record.index;
      },
      {.recordsPerSecond = 100'000});
  Generator generator(*source.factory, encoded(generatorSplits(1'000'000, 1)));
  const int64_t start = generator.task.monotonicNanos();
  int64_t latest = 0;
  int wakes = 0;
  size_t released = 0;
  while (generator.task.monotonicNanos() - start < 1'000'000'000) {
    ASSERT_EQ(generator.run(), Poll::kIdle);
    const int64_t now = generator.task.monotonicNanos();
    generator.task.takeRecords<int64_t>();
    for (; released < due.size(); ++released) latest = std::max(latest, now - due[released].dueNanos);
    generator.task.advanceNanos(*generator.task.wakesIn());
    ASSERT_TRUE(generator.task.takeCall());
    ++wakes;
  }
  EXPECT_GE(due.size(), 99'995u);
  EXPECT_LE(due.size(), 100'000u);
  EXPECT_EQ(due[500].dueNanos, start + 500 * kPeriod);
  EXPECT_LE(latest, 50'000);
  EXPECT_LE(wakes, 20'001) << "it wakes for several records at once";
}

TEST(DataGenerator, TheRateIsSharedByAllReaders) {
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(identity, {.recordsPerSecond = 10});
  Generator generator(*source.factory, encoded(generatorSplits(1'000, 1)));
  generator.task.operatorInfo.parallelism = 5;
  EXPECT_EQ(generator.run(), Poll::kIdle);
  EXPECT_EQ(generator.task.takeRecords<int64_t>().size(), 1u);
  EXPECT_EQ(generator.task.wakesIn(), 500'000'000);
  generator.task.advanceNanos(499'999'999);
  EXPECT_EQ(generator.run(), Poll::kIdle);
  EXPECT_TRUE(generator.task.emitted.empty());
}

TEST(DataGenerator, CatchesUpWithASecondOfAStallButNotWithMore) {
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>(identity, {.recordsPerSecond = 1000});
  Generator generator(*source.factory, encoded(generatorSplits(1'000'000, 1)));
  generator.run();
  generator.task.takeRecords<int64_t>();
  generator.task.advanceNanos(500'000'000);
  generator.run();
  EXPECT_EQ(generator.task.takeRecords<int64_t>().size(), 500u);
  generator.task.advanceNanos(60'000'000'000);
  generator.run();
  EXPECT_EQ(generator.task.takeRecords<int64_t>().size(), 1001u);
  EXPECT_EQ(generator.task.wakesIn(), 1'000'000);
}

TEST(DataGenerator, ErrorsNameTheRecordOrTheOption) {
  const SourceOf<int64_t> source = dataGeneratorSource<int64_t>([](int64_t index) -> int64_t {
    if (index == 17) throw std::runtime_error("out of luck");
    return index;
  });
  Generator generator(*source.factory, encoded(generatorSplits(100, 1)));
  const auto textOf = [](MoveFunction<void()> deed) -> std::string {
    try {
      deed();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(textOf([&] { generator.run(); }), "generating record 17: out of luck");
  EXPECT_EQ(
      textOf([] { dataGeneratorSource<int64_t>(identity, {.count = -1}); }),
      "data generator: count is -1: give the number of records, or leave it out for a stream without end");
  EXPECT_EQ(textOf([] { dataGeneratorSource<int64_t>(identity, {.recordsPerSecond = -0.5}); }),
            "data generator: recordsPerSecond is -0.500000: give a rate greater than 0, or leave it out for "
            "no limit");
}

// Rates whose period is no whole number of nanoseconds: what is due is due at the latest when it says so.
TEST(Pacer, NeverWaitsForATimeAtWhichNothingIsDue) {
  for (double rate : {0.3, 3.0, 7.0, 999.9, 333'333.3, 3e6, 2e9}) {
    Pacer pacer(rate, 1);
    int64_t now = 1'000'000'007;
    pacer.start(now);
    for (int i = 0; i < 1000; ++i) {
      const uint64_t due = pacer.due(now);
      ASSERT_GT(due, 0u) << rate << " " << i;
      pacer.release(due);
      ASSERT_GT(pacer.nextLook(now), now);
      now = pacer.nextLook(now);
    }
  }
}

}  // namespace
}  // namespace flott
