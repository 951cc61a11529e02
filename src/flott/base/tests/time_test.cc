#include "flott/base/time.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

TEST(TimestampText, HoldsForEachMomentThereIs) {
  EXPECT_EQ(toString(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(toString(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(toString(Timestamp(1'769'860'800'000)), "2026-01-31T12:00:00.000Z");
  EXPECT_EQ(toString(Timestamp(Timestamp::min().ms + 1)), "-292275055-05-16T16:47:04.193Z");
  EXPECT_EQ(toString(Timestamp(Timestamp::max().ms - 1)), "292278994-08-17T07:12:55.806Z");
  EXPECT_EQ(toString(Timestamp::min()), "none");
  EXPECT_EQ(toString(Timestamp::max()), "end");
}

}  // namespace
}  // namespace flott
