#include "flott/operators/typed_source.h"

#include <gtest/gtest.h>

#include <numeric>

#include "flott/operators/static_enumerator.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

struct Range {
  std::string name;
  int64_t next = 0;
  int64_t end = 0;
  std::string splitId() const { return name; }
  bool operator==(const Range&) const = default;
};

class RangeReader final : public SequentialReader<int64_t, Range> {
  Poll read(Range& range, SourceOutput<int64_t>& output) override {
    while (range.next < range.end && !output.full()) output.collect(range.next++);
    return range.next < range.end ? Poll::kMore : Poll::kEnd;
  }
};

class Ranges final : public Source<int64_t, Range> {
 public:
  Ranges(Handout handout, State ranges) : handout_(handout), ranges_(std::move(ranges)) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State> restored) const override {
    return std::make_unique<StaticEnumerator<Range>>(handout_, restored.value_or(ranges_));
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<RangeReader>(); }

 private:
  Handout handout_;
  State ranges_;
};

std::vector<Range> decoded(const std::vector<SourceSplit>& splits) { return decodeSplits<Range>(splits); }

TEST(TypedSource, ReaderAsksOnceReadsItsSplitsAndEnds) {
  const SourceOf<int64_t> source = sourceOf(Ranges(Handout::kOnRequest, {}), "ranges");
  EXPECT_EQ(source.name, "ranges");
  EXPECT_EQ(source.factory->boundedness(), Boundedness::kBounded);
  const auto reader = source.factory->createReader();
  TestTask task;
  reader->open(task);
  EXPECT_EQ(reader->poll(task), Poll::kIdle);
  EXPECT_EQ(reader->poll(task), Poll::kIdle);
  EXPECT_EQ(task.splitRequests, 1);
  reader->addSplits({encodeSplit(Range{"a", 0, 3}), encodeSplit(Range{"b", 10, 12})});
  EXPECT_EQ(reader->poll(task), Poll::kMore);
  EXPECT_EQ(reader->poll(task), Poll::kMore);
  EXPECT_EQ(reader->poll(task), Poll::kIdle);
  EXPECT_EQ(task.splitRequests, 2);
  EXPECT_EQ(task.takeRecords<int64_t>(), (std::vector<int64_t>{0, 1, 2, 10, 11}));
  reader->onNoMoreSplits();
  EXPECT_EQ(reader->poll(task), Poll::kEnd);
}

TEST(TypedSource, GoesOnFromASnapshotOfEveryPosition) {
  constexpr int64_t kEnd = 5000;
  const SourceOf<int64_t> source = sourceOf(Ranges(Handout::kOnRequest, {}), "ranges");
  TestTask task;
  auto reader = source.factory->createReader();
  reader->open(task);
  reader->addSplits({encodeSplit(Range{"a", 0, kEnd}), encodeSplit(Range{"b", kEnd, kEnd + 1})});
  std::vector<int64_t> all;
  for (int polls = 0; polls < 6; ++polls) {
    ASSERT_EQ(reader->poll(task), Poll::kMore);
    ASSERT_LE(task.emitted.size(), 1u) << "a poll puts out one batch at most";
    for (int64_t value : task.takeRecords<int64_t>()) all.push_back(value);
    const std::vector<SourceSplit> snapshot = reader->snapshot();
    reader = source.factory->createReader();
    reader->open(task);
    reader->addSplits(snapshot);
  }
  std::vector<int64_t> expected(kEnd + 1);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST(TypedSource, BrokenSplitNamesItself) {
  const auto reader = sourceOf(Ranges(Handout::kOnRequest, {}), "ranges").factory->createReader();
  SourceSplit split = encodeSplit(Range{"part-7", 0, 1});
  split.state += "x";
  try {
    reader->addSplits({split});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
    EXPECT_NE(std::string(error.what()).find("split 'part-7': "), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("has bytes left over"), std::string::npos) << error.what();
  }
}

TEST(TypedSource, EventsThatNobodyKnowsAreErrors) {
  const SourceOf<int64_t> source = sourceOf(Ranges(Handout::kOnRequest, {}), "ranges");
  EXPECT_THROW(source.factory->createReader()->handleSourceEvent("?"), Error);
  EXPECT_THROW(source.factory->createEnumerator({})->handleSourceEvent(SubtaskIndex(0), "?"), Error);
}

TEST(StaticEnumerator, HandsOutInOrderOnRequest) {
  const SourceOf<int64_t> source =
      sourceOf(Ranges(Handout::kOnRequest, {{"a", 0, 1}, {"b", 1, 2}, {"c", 2, 3}}), "ranges");
  const auto enumerator = source.factory->createEnumerator({});
  TestMaster master(2);
  enumerator->start(master);
  enumerator->addReader(SubtaskIndex(0));
  enumerator->addReader(SubtaskIndex(1));
  EXPECT_TRUE(master.assigned[0].empty());
  for (int reader : {1, 0, 1, 1}) enumerator->handleSplitRequest(SubtaskIndex(reader));
  EXPECT_EQ(decoded(master.assigned[0]), (std::vector<Range>{{"b", 1, 2}}));
  EXPECT_EQ(decoded(master.assigned[1]), (std::vector<Range>{{"a", 0, 1}, {"c", 2, 3}}));
  EXPECT_EQ(master.noMore, (std::vector<bool>{false, true}));
}

TEST(StaticEnumerator, RestoresWhatWasNotAssignedAndTakesSplitsBack) {
  const SourceOf<int64_t> source =
      sourceOf(Ranges(Handout::kOnRequest, {{"a", 0, 9}, {"b", 1, 2}, {"c", 2, 3}}), "ranges");
  TestMaster before(1);
  const auto first = source.factory->createEnumerator({});
  first->start(before);
  first->handleSplitRequest(SubtaskIndex(0));
  const auto second = source.factory->createEnumerator(first->snapshot());
  TestMaster after(1);
  second->start(after);
  second->addSplitsBack({encodeSplit(Range{"a", 5, 9})}, SubtaskIndex(0));
  for (int i = 0; i < 4; ++i) second->handleSplitRequest(SubtaskIndex(0));
  EXPECT_EQ(decoded(after.assigned[0]), (std::vector<Range>{{"a", 5, 9}, {"b", 1, 2}, {"c", 2, 3}}));
  EXPECT_TRUE(after.noMore[0]);
}

TEST(StaticEnumerator, SpreadsEvenlyAndGivesAReaderItsOwnSplitsBack) {
  const SourceOf<int64_t> source =
      sourceOf(Ranges(Handout::kEvenly, {{"a", 0, 1}, {"b", 1, 2}, {"c", 2, 3}}), "ranges");
  const auto enumerator = source.factory->createEnumerator({});
  TestMaster master(2);
  enumerator->start(master);
  for (int reader : {1, 0}) enumerator->addReader(SubtaskIndex(reader));
  EXPECT_EQ(decoded(master.assigned[0]), (std::vector<Range>{{"a", 0, 1}, {"c", 2, 3}}));
  EXPECT_EQ(decoded(master.assigned[1]), (std::vector<Range>{{"b", 1, 2}}));
  EXPECT_EQ(master.noMore, (std::vector<bool>{true, true}));
  enumerator->addSplitsBack(std::exchange(master.assigned[1], {}), SubtaskIndex(1));
  enumerator->addReader(SubtaskIndex(1));
  EXPECT_EQ(decoded(master.assigned[1]), (std::vector<Range>{{"b", 1, 2}}));
}

TEST(SourceOutput, ABatchHasATimestampForEachRecordOrForNone) {
  TestTask task;
  SourceOutput<int64_t> output;
  output.open(task.pools());
  output.start(task);
  output.collect(1);
  output.collect(2, Timestamp(20));
  output.collect(3, Timestamp(30));
  output.collect(4);
  output.emitWatermark(Timestamp(30));
  output.emitStatus({false});
  output.send();
  ASSERT_EQ(task.emitted.size(), 5u);
  const auto batch = [&](size_t i) -> Rows<int64_t>& {
    return std::get<Batch>(task.emitted[i]).rows<int64_t>();
  };
  EXPECT_FALSE(batch(0).hasTimestamps());
  ASSERT_TRUE(batch(1).hasTimestamps());
  EXPECT_EQ(batch(1).size(), 2u);
  EXPECT_EQ(batch(1).timestamps()[1], 30);
  EXPECT_FALSE(batch(2).hasTimestamps());
  EXPECT_EQ(std::get<Watermark>(task.emitted[3]).time, Timestamp(30));
  EXPECT_FALSE(std::get<WatermarkStatus>(task.emitted[4]).active);
}

}  // namespace
}  // namespace flott
