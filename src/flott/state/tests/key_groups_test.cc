#include "flott/state/key_groups.h"

#include <gtest/gtest.h>

#include "flott/base/hash.h"
#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

TEST(KeyGroups, AreTheTopBitsOfTheHash) {
  EXPECT_EQ(keyGroupOf(0, 128).value, 0u);
  EXPECT_EQ(keyGroupOf(~uint64_t{0}, 128).value, 127u);
  EXPECT_EQ(keyGroupOf(uint64_t{1} << 57, 128).value, 1u);
  EXPECT_EQ(keyGroupOf(~uint64_t{0}, 1).value, 0u);
  EXPECT_EQ(keyGroupOf(~uint64_t{0}, 32768).value, 32767u);
}

TEST(KeyGroups, GroupOfAKeyNeverChanges) {  // savepoints depend on it
  EXPECT_EQ(keyGroupOf(hashInt64(1), 128).value, 23u);
  EXPECT_EQ(keyGroupOf(hashBytes("flott"), 128).value, 82u);
}

TEST(KeyGroups, RangesAreThoseOfTheSubtasksAndCoverAll) {
  for (const uint32_t maxParallelism : {1u, 8u, 128u, 32768u}) {
    for (const uint32_t parallelism : {1u, 2u, 3u, 7u, 127u, 128u}) {
      uint32_t next = 0;
      for (uint32_t subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = keyGroupRange(subtask, maxParallelism, parallelism);
        ASSERT_EQ(range.first, next);
        for (uint32_t group = range.first; group < range.end; ++group) {
          ASSERT_EQ(subtaskOf(KeyGroup(group), maxParallelism, parallelism), subtask);
        }
        next = range.end;
      }
      ASSERT_EQ(next, maxParallelism);
    }
  }
}

TEST(KeyGroups, MaxParallelismIsAPowerOfTwo) {
  EXPECT_EQ(errorText([] { checkMaxParallelism(100); }),
            "max parallelism 100 is not a power of two from 1 to 32768: use 128, or the power of two above "
            "the largest "
            "parallelism the job will ever have");
  EXPECT_NE(errorText([] { checkMaxParallelism(65536); }).find("max parallelism 65536"), std::string::npos);
  checkMaxParallelism(1);
  checkMaxParallelism(32768);
}

}  // namespace
}  // namespace flott
