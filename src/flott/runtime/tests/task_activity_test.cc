#include "flott/runtime/task_activity.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

using Spent = TaskActivity::Spent;

TEST(TaskActivity, AddsUpTheTimeInEachState) {
  TaskActivity activity;
  EXPECT_EQ(activity.spent(77), (Spent{0, 0, 0, 0})) << "before the first step";
  activity.begin(100);
  EXPECT_EQ(activity.spent(130), (Spent{30, 0, 0, 0}));
  activity.begin(150);
  activity.rest(TaskActivity::kIdle, 160);
  EXPECT_EQ(activity.state(), TaskActivity::kIdle);
  EXPECT_EQ(activity.spent(161), (Spent{60, 1, 0, 0}));
  EXPECT_EQ(activity.spent(159), (Spent{60, 0, 0, 0})) << "a reader's time may be before the task's";
  activity.begin(200);
  activity.rest(TaskActivity::kBackPressured, 205);
  activity.begin(300);
  EXPECT_EQ(activity.spent(300), (Spent{65, 40, 95, 0}));
  activity.end(301);
  EXPECT_EQ(activity.spent(999), (Spent{66, 40, 95, 698})) << "what it was does not grow";
}

// A fifth of each second busy, with 10 records.
void runFor(TaskActivity& activity, int64_t from, int seconds, int64_t& records) {
  for (int i = 0; i < seconds; ++i) {
    const int64_t now = from + i * kSecond;
    if (activity.sampleDue(now)) activity.sample(now, {records});
    activity.begin(now);
    records += 10;
    activity.rest(TaskActivity::kIdle, now + kSecond / 5);
  }
}

TEST(TaskActivity, GivesRatesOfTheLastSeconds) {
  TaskActivity activity;
  EXPECT_EQ(activity.rates(5, {3}).perSecond, std::vector<double>{0}) << "before the first step";
  int64_t records = 0;
  runFor(activity, 0, 2, records);
  const TaskActivity::Rates first = activity.rates(2 * kSecond, {records});
  EXPECT_DOUBLE_EQ(first.perSecond[0], 10) << "the first window is not full";
  runFor(activity, 2 * kSecond, 30, records);
  const TaskActivity::Rates rates = activity.rates(32 * kSecond, {records});
  EXPECT_DOUBLE_EQ(rates.perSecond[0], 10);
  EXPECT_DOUBLE_EQ(rates.share[TaskActivity::kBusy], 0.2);
  EXPECT_DOUBLE_EQ(rates.share[TaskActivity::kIdle], 0.8);
  EXPECT_DOUBLE_EQ(rates.share[TaskActivity::kBackPressured], 0);
}

TEST(TaskActivity, DoesNotSpreadWhatHappensOverTheQuietBefore) {
  TaskActivity activity;
  int64_t records = 0;
  runFor(activity, 0, 10, records);
  const TaskActivity::Rates quiet = activity.rates(100 * kSecond, {records});
  EXPECT_DOUBLE_EQ(quiet.perSecond[0], 0);
  EXPECT_DOUBLE_EQ(quiet.share[TaskActivity::kIdle], 1);
  // A minute and more later it is held up.
  activity.sample(100 * kSecond, {records});
  activity.begin(100 * kSecond);
  records += 50;
  activity.rest(TaskActivity::kBackPressured, 101 * kSecond);
  const TaskActivity::Rates after = activity.rates(105 * kSecond, {records});
  EXPECT_DOUBLE_EQ(after.perSecond[0], 5) << "50 in the 5 seconds before and the 5 since";
  EXPECT_DOUBLE_EQ(after.share[TaskActivity::kBackPressured], 0.4);
  EXPECT_DOUBLE_EQ(after.share[TaskActivity::kBusy], 0.1);
  EXPECT_EQ(activity.rates(105 * kSecond, {1, 2}).perSecond, (std::vector<double>{0, 0})) << "other counters";
}

}  // namespace
}  // namespace flott
