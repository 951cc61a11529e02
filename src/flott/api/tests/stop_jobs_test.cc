// Jobs that are stopped with a savepoint publish what it has, and go on from it as if nothing had been.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>

#include "flott/api/sinks.h"
#include "flott/api/test_world.h"
#include "flott/api/watermarks.h"
#include "flott/api/windowed_stream.h"
#include "flott/master/embedded_job.h"

namespace flott {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kCount = 1000;

struct Reading {
  int64_t sensor = 0;
  int64_t value = 0;
  int64_t at = 0;
};

std::string lineOf(const Reading& reading) {
  return std::to_string(reading.sensor) + " " + std::to_string(reading.value) + " in second " +
         std::to_string(reading.at / 1000);
}

/// A hundred readings a second of the clock and of event time, summed by sensor and second, into files.
/// `read`: the sum of all that was read, for drained jobs.
void build(StreamExecutionEnvironment& env,
           const std::shared_ptr<int64_t>& read = std::make_shared<int64_t>()) {
  const auto times = WatermarkStrategy<Reading>::forMonotonousTimestamps().withTimestampAssigner(
      [](const Reading& reading) { return reading.at; });
  env.fromGenerator<Reading>(
         [](int64_t n) {
           return Reading{n % 5, n, n * 10};
         },
         {.count = kCount, .recordsPerSecond = 100})
      .map([read](const Reading& reading) {
        *read += reading.value;
        return reading;
      })
      .assignTimestampsAndWatermarks(times)
      .keyBy(&Reading::sensor)
      .window(TumblingEventTimeWindows::of(1s))
      .sum(&Reading::value)
      .map([](const Reading& sum) { return lineOf(sum); })
      .sinkTo(FileSink<std::string>::forRowFormat("/out"));
}

Configuration configured(int parallelism, const std::string& path = {}) {
  Configuration configuration;
  configuration.set("parallelism.default", std::to_string(parallelism));
  configuration.set("execution.checkpointing.interval", "700 ms");
  configuration.set("execution.checkpointing.savepoint-dir", "/savepoints");
  if (!path.empty()) configuration.set("execution.state-recovery.path", path);
  return configuration;
}

/// Of finished files, in ascending order.
std::vector<std::string> published(TestWorld& world) {
  std::vector<std::string> lines;
  SimulatedFiles& files = world.sim().files();
  if (!files.stat("/out")) return lines;
  for (const FileInfo& file : files.listFiles("/out")) {
    if (file.path.find("/.") != std::string::npos) continue;
    const std::string content = files.content(file.path);
    for (size_t at = 0; at < content.size();) {
      const size_t end = content.find('\n', at);
      lines.push_back(content.substr(at, end - at));
      at = end + 1;
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

int64_t sumOf(const std::vector<std::string>& lines) {
  int64_t sum = 0;
  for (const std::string& line : lines) sum += std::stoll(line.substr(line.find(' ') + 1));
  return sum;
}

std::vector<std::string> undisturbed() {
  TestWorld world;
  auto env = world.environment(configured(1));
  build(env);
  env.execute();
  return published(world);
}

constexpr int64_t kSum = kCount * (kCount - 1) / 2;

TEST(StopWithSavepoint, ASuspendedJobGoesOnAsIfNothingHadBeen) {
  const std::vector<std::string> expected = undisturbed();
  ASSERT_EQ(sumOf(expected), kSum);
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    std::string path;
    {
      auto env = world.environment(configured(static_cast<int>(1 + random.below(3))));
      build(env);
      JobClient client = env.executeAsync();
      world.advance(Duration::millis(static_cast<int64_t>(100 + random.below(8000))));
      path = client.stopWithSavepoint();
      EXPECT_EQ(client.status(), JobStatus::kFinished);
    }
    EXPECT_TRUE(path.starts_with("/savepoints/savepoint-")) << path;
    const std::vector<std::string> before = published(world);
    EXPECT_LT(before.size(), expected.size()) << "windows fired that are not over";
    EXPECT_TRUE(std::includes(expected.begin(), expected.end(), before.begin(), before.end()))
        << "seed " << seed << ": a window was published that is not over";
    auto env = world.environment(configured(static_cast<int>(1 + random.below(4)), path));
    build(env);
    EXPECT_EQ(env.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(published(world), expected) << "seed " << seed;
  }
}

TEST(StopWithSavepoint, ADrainedJobFiresEverything) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    TestWorld world(seed);
    auto env = world.environment(configured(static_cast<int>(1 + random.below(3))));
    const auto read = std::make_shared<int64_t>();
    build(env, read);
    JobClient client = env.executeAsync();
    world.advance(Duration::millis(static_cast<int64_t>(100 + random.below(8000))));
    const std::string path = client.stopWithSavepoint("/elsewhere", true);
    EXPECT_TRUE(path.starts_with("/elsewhere/savepoint-")) << path;
    EXPECT_EQ(client.status(), JobStatus::kFinished);
    EXPECT_LT(*read, kSum);
    EXPECT_EQ(sumOf(published(world)), *read) << "seed " << seed;
    auto next = world.environment(configured(static_cast<int>(1 + random.below(4)), path));
    build(next);
    EXPECT_EQ(next.execute().status(), JobStatus::kFinished);
    EXPECT_EQ(sumOf(published(world)), kSum) << "seed " << seed << ": the rest follows";
  }
}

TEST(StopWithSavepoint, WithoutASavepointTheJobGoesOn) {
  const std::vector<std::string> expected = undisturbed();
  for (const bool drain : {false, true}) {
    TestWorld world;
    Configuration configuration = configured(2);
    configuration.set("restart-strategy.type", "fixed-delay");
    auto env = world.environment(configuration);
    build(env);
    JobClient client = env.executeAsync();
    world.advance(Duration(3s));
    world.sim().files().put("/in-the-way", "a file");
    EXPECT_THROW(client.stopWithSavepoint("/in-the-way", drain), Error);
    const JobExecutionResult result = client.result();
    EXPECT_EQ(result.status(), JobStatus::kFinished);
    EXPECT_EQ(result.details().restarts, drain ? 1 : 0) << "a drained job cannot go on";
    EXPECT_EQ(published(world), expected);
  }
}

TEST(StopWithSavepoint, IsAskedForOnce) {
  TestWorld world;
  auto env = world.environment(configured(1));
  build(env);
  JobClient client = env.executeAsync();
  world.advance(Duration(2s));
  std::optional<CheckpointOutcome> outcomes[3];
  for (int i = 0; i < 2; ++i) {
    client.master().stopWithSavepoint(
        {}, StopMode::kSuspend, [&outcomes, i](CheckpointOutcome done) { outcomes[i] = std::move(done); });
  }
  client.master().triggerCheckpoint([&](CheckpointOutcome done) { outcomes[2] = std::move(done); });
  EXPECT_EQ(client.result().status(), JobStatus::kFinished);
  EXPECT_FALSE(outcomes[0]->error);
  EXPECT_EQ(outcomes[1]->error->message(),
            "no savepoint was triggered: the job is stopping with a savepoint already");
  EXPECT_EQ(outcomes[2]->error->message(),
            "no checkpoint was triggered: the job is stopping with a savepoint already");
}

/// Outside of the jobs.
struct Outside {
  std::vector<int64_t> published;
  bool broken = false;
};

class HoldingWriter final : public CommittingWriter<Reading, std::vector<int64_t>> {
 public:
  void write(const Reading& reading, const SinkContext&) override { held_.push_back(reading.value); }
  std::vector<std::vector<int64_t>> prepareCommit() override { return {std::exchange(held_, {})}; }

 private:
  std::vector<int64_t> held_;
};

class BreakingCommitter final : public Committer<std::vector<int64_t>> {
 public:
  explicit BreakingCommitter(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  std::vector<CommitOutcome> commit(std::span<const std::vector<int64_t>> committables) override {
    if (outside_->broken) throw Error(ErrorKind::kTransient, "no connection");
    for (const auto& one : committables) {
      outside_->published.insert(outside_->published.end(), one.begin(), one.end());
    }
    return std::vector<CommitOutcome>(committables.size());
  }

 private:
  std::shared_ptr<Outside> outside_;
};

struct BreakingSink {
  std::shared_ptr<Outside> outside;
  std::unique_ptr<HoldingWriter> createWriter() const { return std::make_unique<HoldingWriter>(); }
  std::unique_ptr<BreakingCommitter> createCommitter() const {
    return std::make_unique<BreakingCommitter>(outside);
  }
};

TEST(StopWithSavepoint, WhatCouldNotBePublishedIsPublishedWhenAJobStartsFromIt) {
  TestWorld world;
  const auto outside = std::make_shared<Outside>();
  const auto run = [&](StreamExecutionEnvironment& env) {
    env.fromGenerator<Reading>(
           [](int64_t n) {
             return Reading{n % 5, n, n * 10};
           },
           {.count = kCount, .recordsPerSecond = 100})
        .sinkTo(BreakingSink{outside});
  };
  Configuration configuration = configured(2);
  configuration.set("execution.checkpointing.interval", "10 min");
  configuration.set("restart-strategy.type", "fixed-delay");
  std::string why;
  {
    auto env = world.environment(configuration);
    run(env);
    JobClient client = env.executeAsync();
    world.advance(Duration(3s));
    outside->broken = true;
    try {
      client.stopWithSavepoint();
    } catch (const Error& error) {
      why = error.what();
    }
    EXPECT_EQ(client.status(), JobStatus::kFailed);
  }
  const size_t at = why.find("stopping with the savepoint in '");
  ASSERT_NE(at, std::string::npos) << why;
  EXPECT_NE(
      why.find("', which is complete; what sinks have not published of it they publish when a job starts "
               "from it"),
      std::string::npos)
      << why;
  EXPECT_NE(why.find("no connection"), std::string::npos) << why;
  EXPECT_TRUE(outside->published.empty());
  outside->broken = false;
  const size_t begin = why.find('\'', at) + 1;
  configuration.set("execution.state-recovery.path", why.substr(begin, why.find('\'', begin) - begin));
  auto env = world.environment(configuration);
  run(env);
  env.execute();
  std::sort(outside->published.begin(), outside->published.end());
  ASSERT_EQ(outside->published.size(), static_cast<size_t>(kCount));
  for (int64_t n = 0; n < kCount; ++n) EXPECT_EQ(outside->published[static_cast<size_t>(n)], n);
}

}  // namespace
}  // namespace flott
