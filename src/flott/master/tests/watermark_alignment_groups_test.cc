#include "flott/master/watermark_alignment_groups.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

constexpr SubtaskIndex kFirst{0};
constexpr SubtaskIndex kSecond{1};

TEST(WatermarkAlignmentGroups, TheSlowestOfAGroupThatCountsDecides) {
  WatermarkAlignmentGroups groups;
  groups.add(0, {.group = "a", .maxDrift = Duration::millis(10)});
  groups.add(1, {.group = "a", .maxDrift = Duration::millis(20)});
  groups.add(2, {.group = "b", .maxDrift = Duration::millis(10)});
  EXPECT_EQ(groups.sources(), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(groups.limit(0), Timestamp::max()) << "nobody has said anything";
  groups.report(0, kFirst, Timestamp(500));
  groups.report(0, kSecond, Timestamp(100));
  groups.report(1, kFirst, Timestamp(300));
  groups.report(7, kFirst, Timestamp(1));  // in no group
  EXPECT_EQ(groups.limit(0), Timestamp(110));
  EXPECT_EQ(groups.limit(1), Timestamp(120));
  EXPECT_EQ(groups.limit(2), Timestamp::max());
  groups.report(0, kSecond, Timestamp::max());  // idle, or ended
  EXPECT_EQ(groups.limit(0), Timestamp(310));
  groups.report(0, kFirst, Timestamp::min());
  EXPECT_EQ(groups.limit(1), Timestamp::min() + Duration::millis(20))
      << "without a watermark it holds all back";
  for (const int vertex : {0, 1}) groups.report(vertex, kFirst, Timestamp::max());
  EXPECT_EQ(groups.limit(1), Timestamp::max());
}

TEST(WatermarkAlignmentGroups, ADriftBeyondAllTimeIsNoLimit) {
  WatermarkAlignmentGroups groups;
  groups.add(0, {.group = "a", .maxDrift = Duration::max()});
  groups.report(0, kFirst, Timestamp(5));
  EXPECT_EQ(groups.limit(0), Timestamp::max());
}

}  // namespace
}  // namespace flott
