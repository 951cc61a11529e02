#include "flott/data/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "flott/data/rows.h"

namespace flott {
namespace {

/// A batch of so many numbers, and which one it is.
const BatchBody* useOne(BatchPool& pool, size_t numbers) {
  Batch batch = pool.acquire();
  for (size_t i = 0; i < numbers; ++i) batch.rows<int64_t>().emplace(static_cast<int64_t>(i));
  return &*batch;
}

TEST(BatchPool, GivesWhatCameBackLast) {
  BatchPools pools;
  BatchPool& pool = rowsPool<int64_t>(pools);
  const BatchBody* one = useOne(pool, 10);
  EXPECT_EQ(useOne(pool, 10), one);
  {
    Batch first = pool.acquire(), second = pool.acquire();
    EXPECT_EQ(pool.inUse(), 2u);
    one = &*second;
    first.reset();
    second.reset();
  }
  EXPECT_EQ(useOne(pool, 10), one);
  EXPECT_EQ(pool.inUse(), 0u);
}

// Small ones count, large ones by their memory.
TEST(BatchPool, TakesTurnsOnceEnoughAreIdle) {
  for (const size_t numbers : {size_t{1}, size_t{2048}, size_t{16} << 10}) {
    BatchPools pools(Reuse::kInTurn);
    BatchPool& pool = rowsPool<int64_t>(pools);
    std::vector<const BatchBody*> turn{useOne(pool, numbers)};
    for (const BatchBody* next; (next = useOne(pool, numbers)) != turn.front();) turn.push_back(next);
    const size_t most = numbers * sizeof(int64_t) < (32 << 10) ? 64 : 17;
    EXPECT_LE(turn.size(), most);
    EXPECT_GE(turn.size(), most - 1);
    EXPECT_EQ(std::set<const BatchBody*>(turn.begin(), turn.end()).size(), turn.size()) << "none twice";
    for (int round = 0; round < 3; ++round) {
      for (size_t i = 0; i < turn.size(); ++i)
        EXPECT_EQ(useOne(pool, numbers), turn[(i + 1) % turn.size()]) << numbers;
    }
    EXPECT_EQ(pool.inUse(), 0u);
  }
}

// Several come back between two that are taken.
TEST(BatchPool, KeepsTheTurnOfThoseThatComeBackTogether) {
  BatchPools pools(Reuse::kInTurn);
  BatchPool& pool = rowsPool<int64_t>(pools);
  std::vector<Batch> batches;
  std::vector<const BatchBody*> turn;
  for (int i = 0; i < 100; ++i) {
    batches.push_back(pool.acquire());
    turn.push_back(&*batches.back());
  }
  batches.clear();
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 10; ++i) {
      batches.push_back(pool.acquire());
      EXPECT_EQ(&*batches.back(), turn[static_cast<size_t>(round) * 10 + i]);
    }
    batches.clear();
  }
}

}  // namespace
}  // namespace flott
