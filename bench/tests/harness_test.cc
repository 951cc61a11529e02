#include "bench/harness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace flott::bench {
namespace {

constexpr Options kOneRound{.rounds = 1, .scale = 1, .onlyLoop = false};

Outcome sumUp(const Load& load) {
  Outcome outcome{.records = load.size, .results = load.size, .checksum = 0, .latency = {}};
  for (uint64_t i = 0; i < load.size; ++i) outcome.checksum += i;
  return outcome;
}

Outcome sumWrongly(const Load& load) {
  Outcome outcome = sumUp(load);
  ++outcome.checksum;
  return outcome;
}

Outcome loseOne(const Load& load) {
  Outcome outcome = sumUp(load);
  --outcome.results;
  return outcome;
}

Outcome fail(const Load&) { throw std::runtime_error("the job failed"); }
Outcome crash(const Load&) { std::_Exit(3); }

Outcome allocateForEach(const Load& load) {
  for (uint64_t i = 0; i < load.size; ++i) ::operator delete(::operator new(8));
  return sumUp(load);
}

Outcome countLanes(const Load& load) {
  if (load.lanes != 1 && load.lanes != 2) throw std::runtime_error("lanes: " + std::to_string(load.lanes));
  return sumUp(load);
}

struct Report {
  bool passed;
  std::string out;
  std::string err;
};

Report run(const Case& benchmark, const Options& options = kOneRound) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const bool passed = runCase(benchmark, options);
  return {passed, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Harness, reportsBothSidesOnOneLine) {
  const Report r = run({.name = "c", .what = "", .size = 1000, .loop = sumUp, .engine = allocateForEach});
  ASSERT_TRUE(r.passed) << r.err;
  EXPECT_EQ(r.out.find('\n'), r.out.size() - 1);
  const auto line = nlohmann::json::parse(r.out);
  EXPECT_EQ(line["case"], "c");
  EXPECT_GT(line["records_per_s"], 0);
  EXPECT_GT(line["loop_records_per_s"], 0);
  EXPECT_GT(line["peak_rss_mb"], 0);
  EXPECT_NEAR(line["allocations_per_record"].get<double>(), 1.0, 0.01);
}

TEST(Harness, leavesTheEngineNullWhereThereIsNone) {
  const Report r = run({.name = "c", .what = "", .size = 1000, .loop = sumUp});
  ASSERT_TRUE(r.passed) << r.err;
  const auto line = nlohmann::json::parse(r.out);
  EXPECT_TRUE(line["records_per_s"].is_null());
  EXPECT_TRUE(line["ratio"].is_null());
}

TEST(Harness, failsOnAWrongChecksum) {
  const Report r = run({.name = "c", .what = "", .size = 10, .loop = sumUp, .engine = sumWrongly});
  EXPECT_FALSE(r.passed);
  EXPECT_EQ(r.out, "");
  EXPECT_NE(r.err.find("c: wrong result: engine has checksum 46, but loop has 45"), std::string::npos)
      << r.err;
}

TEST(Harness, failsOnALostResult) {
  const Report r = run({.name = "c", .what = "", .size = 10, .loop = sumUp, .engine = loseOne});
  EXPECT_FALSE(r.passed);
  EXPECT_NE(r.err.find("engine has results 9, but loop has 10"), std::string::npos) << r.err;
}

TEST(Harness, failsWhenASideThrowsOrDies) {
  for (const Round broken : {fail, crash}) {
    const Report r = run({.name = "c", .what = "", .size = 10, .loop = sumUp, .engine = broken});
    EXPECT_FALSE(r.passed);
    EXPECT_NE(r.err.find("c: engine: the child process ended inside a round"), std::string::npos) << r.err;
  }
}

TEST(Harness, twoLanesAreComparedWithTwoProcesses) {
  const Report r = run({.name = "c",
                        .what = "",
                        .kind = CaseKind::kTwoProcesses,
                        .size = 1000,
                        .lanes = 2,
                        .loop = sumUp,
                        .engine = countLanes});
  ASSERT_TRUE(r.passed) << r.err;
  const auto line = nlohmann::json::parse(r.out);
  EXPECT_EQ(line["workers"], 2);
  EXPECT_NEAR(line["ratio"].get<double>(),
              line["records_per_s"].get<double>() / line["two_processes_records_per_s"].get<double>(), 0.001);
}

TEST(Harness, percentilesAreInMicroseconds) {
  std::vector<int64_t> nanoseconds;
  for (int64_t i = 1000; i >= 0; --i) nanoseconds.push_back(i * 1000);
  const Percentiles p = percentilesOf(nanoseconds);
  EXPECT_EQ(p.p50Us, 500);
  EXPECT_EQ(p.p99Us, 990);
  EXPECT_EQ(p.p999Us, 999);
}

}  // namespace
}  // namespace flott::bench
