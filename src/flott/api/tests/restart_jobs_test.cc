// Jobs that fail and begin anew, as restart-strategy.type says.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <stdexcept>

#include "flott/api/sinks.h"
#include "flott/api/test_world.h"

namespace flott::restart_jobs_test {
namespace {

using namespace std::chrono_literals;

/// Outside of the jobs.
struct Outside {
  int64_t calls = 0;
  std::map<int64_t, int64_t> sums;  // the last one of each key
};

struct Number {
  int64_t key = 0;
  int64_t value = 0;
};

/// Sums of a thousand numbers by key, a hundred numbers a second; `look(n)` is called for each and may throw.
template <typename Look>
void build(StreamExecutionEnvironment& env, const std::shared_ptr<Outside>& outside, Look look) {
  env.fromGenerator<int64_t>([](int64_t n) { return n; }, {.count = 1000, .recordsPerSecond = 100})
      .map([outside, look](int64_t n) {
        ++outside->calls;
        look(n);
        return Number{n % 3, n};
      })
      .name("look")
      .keyBy(&Number::key)
      .sum(&Number::value)
      .map([outside](const Number& sum) {
        outside->sums[sum.key] = sum.value;
        return sum.value;
      })
      .print();
}

Configuration with(std::vector<std::pair<std::string, std::string>> settings) {
  Configuration configuration;
  for (const auto& [key, value] : settings) configuration.set(key, value);
  return configuration;
}

std::string whyFailed(StreamExecutionEnvironment& env) {
  try {
    env.execute("Sums");
  } catch (const Error& error) {
    return error.what();
  }
  return "it did not fail";
}

const std::map<int64_t, int64_t> kSums = {{0, 166'833}, {1, 166'167}, {2, 166'500}};

TEST(RestartJobs, WithCheckpointsAJobGoesOnFromTheLastOne) {
  TestWorld world;
  auto env = world.environment(with({{"execution.checkpointing.interval", "500 ms"}}));
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [outside](int64_t) {
    if (outside->calls == 300 || outside->calls == 700) throw std::runtime_error("out of order");
  });
  const JobExecutionResult result = env.execute("Sums");
  EXPECT_EQ(result.details().restarts, 2);
  EXPECT_EQ(outside->sums, kSums);
  EXPECT_GT(outside->calls, 1000);
  EXPECT_LT(outside->calls, 1000 + 2 * 100) << "it went back by no more than a checkpoint each time";
}

TEST(RestartJobs, WithoutACheckpointItBeginsAtTheStart) {
  TestWorld world;
  auto env = world.environment(with({{"restart-strategy.type", "fixed-delay"}}));
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [outside](int64_t) {
    if (outside->calls == 300) throw std::runtime_error("out of order");
  });
  EXPECT_EQ(env.execute("Sums").details().restarts, 1);
  EXPECT_EQ(outside->sums, kSums);
  EXPECT_EQ(outside->calls, 1300);
}

TEST(RestartJobs, ItGivesUpWhereTheStrategyDoesAndTellsTheLastCause) {
  TestWorld world;
  auto env = world.environment(
      with({{"restart-strategy.type", "fixed-delay"}, {"restart-strategy.fixed-delay.attempts", "2"}}));
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [outside](int64_t n) {  // at another record each time
    if (outside->calls == 100 || outside->calls == 250 || outside->calls == 420)
      throw std::runtime_error("no luck at " + std::to_string(n));
  });
  const std::string why = whyFailed(env);
  EXPECT_NE(why.find("after 2 restarts (restart-strategy.fixed-delay.attempts = 2 are used up)"),
            std::string::npos)
      << why;
  EXPECT_NE(why.find("operator 'look'"), std::string::npos) << why;
  EXPECT_EQ(outside->calls, 420);
}

TEST(RestartJobs, ARecordThatFailsAgainStopsIt) {
  TestWorld world;
  auto env = world.environment(with({{"execution.checkpointing.interval", "500 ms"}}));
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [](int64_t n) {
    if (n == 420) throw std::runtime_error("cannot be looked at");
  });
  const std::string why = whyFailed(env);
  EXPECT_NE(why.find("after 1 restart (the same record failed in the same way after the restart before)"),
            std::string::npos)
      << why;
  EXPECT_NE(why.find("record 420: cannot be looked at"), std::string::npos) << why;
}

TEST(RestartJobs, ItMayBeCancelledWhileItWaits) {
  TestWorld world;
  auto env = world.environment(
      with({{"restart-strategy.type", "fixed-delay"}, {"restart-strategy.fixed-delay.delay", "1 h"}}));
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [](int64_t n) {
    if (n == 50) throw std::runtime_error("no");
  });
  JobClient job = env.executeAsync("Sums");
  const Timestamp begin = world.sim().env().clock.wallTime();
  EXPECT_FALSE(world.advance(Duration(10s)));
  EXPECT_EQ(job.status(), JobStatus::kRestarting);
  job.cancel();
  EXPECT_TRUE(world.runUntilIdle());
  EXPECT_EQ(job.result().status(), JobStatus::kCancelled);
  EXPECT_EQ(world.sim().env().clock.wallTime() - begin, Duration(10s));
}

TEST(RestartJobs, WithoutCheckpointsAndStrategyTheFirstFailureEndsIt) {
  TestWorld world;
  auto env = world.environment();
  const auto outside = std::make_shared<Outside>();
  build(env, outside, [](int64_t n) {
    if (n == 50) throw std::runtime_error("no");
  });
  EXPECT_EQ(whyFailed(env).find("restart"), std::string::npos);
  EXPECT_EQ(outside->calls, 51);
}

}  // namespace
}  // namespace flott::restart_jobs_test
