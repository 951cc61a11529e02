// Collection, sequence and function sources.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>

#include "flott/connectors/collection/collection_source.h"
#include "flott/connectors/function/function_source.h"
#include "flott/connectors/sequence/sequence_source.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

// Readers of one source with its enumerator; runs them to their ends.
class Readers {
 public:
  Readers(const SourceFactory& source, int parallelism, const std::string& restored = {})
      : master_(parallelism), enumerator_(source.createEnumerator(restored)) {
    enumerator_->start(master_);
    for (int i = 0; i < parallelism; ++i) {
      readers.push_back(source.createReader());
      readers.back()->open(tasks.emplace_back());
      enumerator_->addReader(SubtaskIndex(i));
    }
  }

  /// One poll, and the answer to a request for splits.
  Poll poll(size_t reader) {
    TestTask& task = tasks[reader];
    const Poll result = readers[reader]->poll(task);
    const SubtaskIndex index(static_cast<int>(reader));
    if (std::exchange(task.splitRequests, 0) > 0) enumerator_->handleSplitRequest(index);
    readers[reader]->addSplits(std::exchange(master_.assigned[reader], {}));
    if (master_.noMore[reader]) readers[reader]->onNoMoreSplits();
    return result;
  }

  std::deque<TestTask> tasks;
  std::vector<std::unique_ptr<SourceReader>> readers;

 private:
  TestMaster master_;
  std::unique_ptr<SplitEnumerator> enumerator_;
};

template <typename T>
std::vector<std::vector<T>> readAll(const SourceFactory& source, int parallelism) {
  Readers readers(source, parallelism);
  std::vector<std::vector<T>> all(static_cast<size_t>(parallelism));
  std::vector<bool> ended(all.size());
  while (std::find(ended.begin(), ended.end(), false) != ended.end()) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (!ended[i]) ended[i] = readers.poll(i) == Poll::kEnd;
    }
  }
  for (size_t i = 0; i < all.size(); ++i) all[i] = readers.tasks[i].takeRecords<T>();
  return all;
}

std::string messageOf(MoveFunction<void()> deed) {
  try {
    deed();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(CollectionSource, PutsOutTheValuesInOrder) {
  std::vector<std::string> words;
  for (int i = 0; i < 3000; ++i) words.push_back("word " + std::to_string(i));
  const SourceOf<std::string> source = collectionSource(words);
  EXPECT_FALSE(source.parallel);
  EXPECT_EQ(readAll<std::string>(*source.factory, 1)[0], words);
  EXPECT_EQ(readAll<bool>(*collectionSource<bool>({true, false}).factory, 1)[0],
            (std::vector<bool>{true, false}));
  EXPECT_TRUE(readAll<int>(*collectionSource<int>({}).factory, 1)[0].empty());
}

TEST(CollectionSource, ARestoredJobGoesOnBehindWhatWasPutOut) {
  std::vector<int> numbers(2000);
  std::iota(numbers.begin(), numbers.end(), 0);
  const SourceOf<int> source = collectionSource(numbers);
  Readers first(*source.factory, 1);
  while (first.tasks[0].emitted.empty()) first.poll(0);
  const std::vector<int> begun = first.tasks[0].takeRecords<int>();
  const std::vector<SourceSplit> snapshot = first.readers[0]->snapshot();

  const auto rest = source.factory->createReader();
  TestTask task;
  rest->open(task);
  rest->addSplits(snapshot);
  while (rest->poll(task) == Poll::kMore) {
  }
  std::vector<int> all = begun;
  for (int value : task.takeRecords<int>()) all.push_back(value);
  EXPECT_LT(begun.size(), numbers.size());
  EXPECT_EQ(all, numbers);
}

TEST(CollectionSource, RefusesAShorterCollection) {
  const auto reader = collectionSource<int>({1, 2}).factory->createReader();
  TestTask task;
  reader->open(task);
  reader->addSplits({encodeSplit(CollectionSplit{1, 5})});
  EXPECT_EQ(
      messageOf([&] { reader->poll(task); }),
      "the collection of the snapshot's job had at least 5 values, and has only 2 now: restore with the "
      "program that made the snapshot");
}

TEST(ParallelCollectionSource, EachReaderTakesContiguousPartsInTheirOrder) {
  for (const int size : {0, 1, 3, 1000}) {
    std::vector<int> numbers(static_cast<size_t>(size));
    std::iota(numbers.begin(), numbers.end(), 0);
    for (const int parallelism : {1, 3}) {
      const SourceOf<int> source = parallelCollectionSource(numbers);
      EXPECT_TRUE(source.parallel);
      std::vector<int> all;
      for (const std::vector<int>& part : readAll<int>(*source.factory, parallelism)) {
        EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
        EXPECT_TRUE(size < 1000 || part.size() > 100) << part.size();
        all.insert(all.end(), part.begin(), part.end());
      }
      std::sort(all.begin(), all.end());
      EXPECT_EQ(all, numbers);
    }
  }
}

TEST(SequenceSource, CoversTheRangeWithAnyNumberOfReaders) {
  for (int parallelism : {1, 2, 3, 7}) {
    const auto parts = readAll<int64_t>(*sequenceSource(-3, 5000).factory, parallelism);
    std::vector<int64_t> all;
    for (const std::vector<int64_t>& part : parts) {
      EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
      EXPECT_GE(part.size(), 5004u / static_cast<size_t>(parallelism));
      all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end());
    std::vector<int64_t> expected(5004);
    std::iota(expected.begin(), expected.end(), -3);
    EXPECT_EQ(all, expected);
  }
}

TEST(SequenceSource, HandlesTheEndsOfTheNumbers) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(readAll<int64_t>(*sequenceSource(kMax - 1, kMax).factory, 1)[0],
            (std::vector<int64_t>{kMax - 1, kMax}));
  EXPECT_EQ(readAll<int64_t>(*sequenceSource(kMin, kMin).factory, 2),
            (std::vector<std::vector<int64_t>>{{kMin}, {}}));
  EXPECT_EQ(messageOf([] { sequenceSource(2, 1); }),
            "fromSequence(2, 1): the first number must not be greater than the last");
  EXPECT_EQ(messageOf([=] { sequenceSource(kMin, kMax); }),
            "fromSequence(-9223372036854775808, 9223372036854775807): a sequence may have at most 2^64 - 1 "
            "numbers");
}

TEST(SequenceSource, ARestoredJobHasTheRestOfAllPieces) {
  const SourceOf<int64_t> source = sequenceSource(0, 9999);
  Readers first(*source.factory, 4);
  for (int polls = 0; polls < 3; ++polls) first.poll(0);  // asks, one batch, another
  std::vector<int64_t> all = first.tasks[0].takeRecords<int64_t>();
  EXPECT_EQ(all.size(), 2048u);
  std::vector<SourceSplit> snapshot = first.readers[0]->snapshot();
  for (size_t reader = 1; reader < 4; ++reader) {
    first.poll(reader);
    for (SourceSplit& split : first.readers[reader]->snapshot()) snapshot.push_back(std::move(split));
  }
  const auto rest = source.factory->createReader();
  TestTask task;
  rest->open(task);
  rest->addSplits(snapshot);
  while (rest->poll(task) == Poll::kMore) {
  }
  for (int64_t value : task.takeRecords<int64_t>()) all.push_back(value);
  std::sort(all.begin(), all.end());
  std::vector<int64_t> expected(10000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST(FunctionSource, CallsUntilTheFunctionSaysItWasTheLast) {
  const SourceOf<int> source = functionSource<int>([n = 0](SourceOutput<int>& out) mutable {
    out.collect(n++);
    return n < 3000;
  });
  for (int attempt = 0; attempt < 2; ++attempt) {  // each reader has its own function
    const std::vector<int> all = readAll<int>(*source.factory, 1)[0];
    ASSERT_EQ(all.size(), 3000u);
    EXPECT_EQ(all.back(), 2999);
  }
}

TEST(FunctionSource, IsAskedAgainInAMillisecondWhenItHasNothing) {
  int calls = 0;
  const SourceOf<int> source = functionSource<int>([&calls](SourceOutput<int>& out) {
    if (++calls == 3) out.collect(7), out.collect(8);
    return calls < 4;
  });
  const auto reader = source.factory->createReader();
  TestTask task;
  reader->open(task);
  EXPECT_EQ(reader->poll(task), Poll::kIdle);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(task.wakesIn(), 1'000'000);
  task.advanceNanos(1'000'000);
  EXPECT_TRUE(task.takeCall());
  EXPECT_EQ(reader->poll(task), Poll::kIdle);
  EXPECT_EQ(reader->poll(task), Poll::kEnd);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(task.takeRecords<int>(), (std::vector<int>{7, 8}));
}

TEST(FunctionSource, OneCallMayPutOutMoreThanABatch) {
  const SourceOf<int> source = functionSource<int>([](SourceOutput<int>& out) {
    for (int i = 0; i < 2500; ++i) out.collect(i);
    return false;
  });
  EXPECT_EQ(readAll<int>(*source.factory, 1)[0].size(), 2500u);
}

}  // namespace
}  // namespace flott
