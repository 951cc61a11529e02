#include "flott/master/restart_strategy.h"

#include <gtest/gtest.h>

#include <vector>

namespace flott {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
const Error kError(ErrorKind::kUser, "it broke");

Configuration with(std::vector<std::pair<std::string, std::string>> settings) {
  Configuration configuration;
  for (const auto& [key, value] : settings) configuration.set("restart-strategy." + key, value);
  return configuration;
}

/// "1000" for a restart after a second, "no: …" for none.
std::string ask(RestartPolicy& policy, int64_t nowNanos) {
  const RestartDecision decision = policy(kError, nowNanos);
  return decision.after ? std::to_string(decision.after->ms) : "no: " + decision.whyNot;
}

std::string whyRefused(const Configuration& configuration) {
  try {
    restartPolicy(configuration, Random(1));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
    return error.what();
  }
  return "";
}

TEST(RestartStrategy, NoneUnlessThereAreCheckpoints) {
  EXPECT_FALSE(restartPolicy(Configuration(), Random(1)));
  Configuration checkpointed;
  checkpointed.set("execution.checkpointing.interval", "1 s");
  EXPECT_TRUE(restartPolicy(checkpointed, Random(1)));
  for (const char* none : {"none", "off", "disable"}) {
    checkpointed.set("restart-strategy.type", none);
    EXPECT_FALSE(restartPolicy(checkpointed, Random(1))) << none;
  }
}

TEST(RestartStrategy, FixedDelay) {
  for (const char* type : {"fixed-delay", "fixeddelay"}) {
    RestartPolicy policy = restartPolicy(
        with({{"type", type}, {"fixed-delay.attempts", "2"}, {"fixed-delay.delay", "3 s"}}), Random(1));
    EXPECT_EQ(ask(policy, 0), "3000");
    EXPECT_EQ(ask(policy, 1), "3000");
    EXPECT_EQ(ask(policy, 1'000'000 * kSecond), "no: restart-strategy.fixed-delay.attempts = 2 are used up");
  }
}

TEST(RestartStrategy, FailureRateCountsWithinTheInterval) {
  RestartPolicy policy = restartPolicy(with({{"type", "failure-rate"},
                                             {"failure-rate.max-failures-per-interval", "3"},
                                             {"failure-rate.failure-rate-interval", "10 s"},
                                             {"failure-rate.delay", "500 ms"}}),
                                       Random(1));
  EXPECT_EQ(ask(policy, 0), "500");
  EXPECT_EQ(ask(policy, 4 * kSecond), "500");
  EXPECT_EQ(ask(policy, 11 * kSecond), "500");  // the first is 11 s ago
  EXPECT_EQ(ask(policy, 14 * kSecond),
            "no: restart-strategy.failure-rate.max-failures-per-interval = 3 within 10 s is reached");
}

TEST(RestartStrategy, ExponentialDelayGrowsToItsLimitAndStartsAgainAfterAQuietTime) {
  RestartPolicy policy = restartPolicy(with({{"type", "exponential-delay"},
                                             {"exponential-delay.initial-backoff", "1 s"},
                                             {"exponential-delay.max-backoff", "5 s"},
                                             {"exponential-delay.backoff-multiplier", "2"},
                                             {"exponential-delay.jitter-factor", "0"},
                                             {"exponential-delay.reset-backoff-threshold", "60 s"},
                                             {"exponential-delay.attempts-before-reset-backoff", "4"}}),
                                       Random(1));
  EXPECT_EQ(ask(policy, 0), "1000");
  EXPECT_EQ(ask(policy, 2 * kSecond), "2000");
  EXPECT_EQ(ask(policy, 5 * kSecond), "4000");
  EXPECT_EQ(ask(policy, 69 * kSecond - 1), "5000");  // 4 s of waiting and 60 s, less a nanosecond
  EXPECT_EQ(ask(policy, 136 * kSecond), "1000");     // 5 s of waiting and more than 60 s
  for (const char* next : {"2000", "4000", "5000"}) EXPECT_EQ(ask(policy, 137 * kSecond), next);
  EXPECT_EQ(ask(policy, 138 * kSecond),
            "no: restart-strategy.exponential-delay.attempts-before-reset-backoff = 4 are used up");
}

TEST(RestartStrategy, JitterStaysWithinItsPartAndIsTheSameForTheSameSeed) {
  const Configuration configuration = with({{"type", "exponential-delay"},
                                            {"exponential-delay.backoff-multiplier", "10"},
                                            {"exponential-delay.jitter-factor", "0.25"}});
  std::vector<std::string> first;
  bool moved = false;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    RestartPolicy policy = restartPolicy(configuration, Random(seed));
    ask(policy, 0);
    const int64_t second = std::stoll(ask(policy, 1));  // 10 s
    EXPECT_GE(second, 7500);
    EXPECT_LE(second, 12500);
    moved |= second != 10'000;
    EXPECT_LE(std::stoll(ask(policy, 2)), 60'000) << "the limit holds with jitter, too";
    RestartPolicy same = restartPolicy(configuration, Random(seed));
    ask(same, 0);
    EXPECT_EQ(std::stoll(ask(same, 1)), second);
  }
  EXPECT_TRUE(moved);
}

TEST(RestartStrategy, WhatDoesNotFitIsRefused) {
  EXPECT_NE(whyRefused(with({{"type", "sometimes"}})).find("restart-strategy.type"), std::string::npos);
  EXPECT_EQ(whyRefused(with({{"type", "exponential-delay"},
                             {"exponential-delay.initial-backoff", "2 min"},
                             {"exponential-delay.max-backoff", "1 min"}})),
            "restart-strategy.exponential-delay.initial-backoff = 2 min is above "
            "restart-strategy.exponential-delay.max-backoff = 1 min: make it smaller");
  EXPECT_EQ(
      whyRefused(with({{"type", "exponential-delay"}, {"exponential-delay.backoff-multiplier", "0.5"}})),
      "restart-strategy.exponential-delay.backoff-multiplier = 0.500000 is out of range: give a number 1 "
      "or more");
  EXPECT_NE(whyRefused(with({{"type", "fixed-delay"}, {"fixed-delay.attempts", "-1"}})).find("attempts"),
            std::string::npos);
}

}  // namespace
}  // namespace flott
