#include "flott/operators/event_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace flott {
namespace {

TEST(TimeRange, IsTheLeastAndTheGreatestOfAnyNumberOfTimestamps) {
  uint64_t bits = 1;
  for (size_t count = 1; count < 80; ++count) {
    std::vector<int64_t> timestamps;
    for (size_t i = 0; i < count; ++i) {
      bits = bits * 6364136223846793005u + 1442695040888963407u;
      timestamps.push_back(static_cast<int64_t>(bits));
    }
    const auto [min, max] = std::minmax_element(timestamps.begin(), timestamps.end());
    const TimeRange range = timeRangeOf(timestamps);
    EXPECT_EQ(range.min, *min) << count;
    EXPECT_EQ(range.max, *max) << count;
  }
}

}  // namespace
}  // namespace flott
