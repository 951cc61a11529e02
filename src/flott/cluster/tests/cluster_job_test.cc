// Whole jobs whose tasks run in several processes, under seeds: they give what one process gives, whatever
// becomes of workers and links.
#include <gtest/gtest.h>

#include "flott/cluster/tests/cluster_world.h"
#include "flott/rest/embedded_jobs.h"

namespace flott {
namespace {

constexpr uint64_t kSeeds = 12;
constexpr int64_t kCount = 800;

std::vector<std::shared_ptr<Outside>> newOutsides() {
  return {std::make_shared<Outside>(), std::make_shared<Outside>()};
}

TEST(ClusterJob, PartsOfItRunInTwoWorkers) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto outside = newOutsides();
    ClusterWorld world(seed, [&] { return twoParts(kCount, outside); });
    world.start();
    world.addWorker("w1", 2);
    world.addWorker("w2", 2);
    bool asked = false;
    WatermarkReport watermarks;
    world.after(Duration::millis(150), [&] {
      asked = true;
      world.job->master().readDetails([&](const JobDetails& details) {
        for (const TaskDetails& task : details.tasks) EXPECT_NE(task.state, TaskState::kCreated);
      });
      world.job->master().explainWatermarks([&](WatermarkReport report) { watermarks = std::move(report); });
    });
    const JobResult result = world.end();
    EXPECT_EQ(result.status, JobStatus::kFinished) << seed;
    EXPECT_TRUE(asked);
    for (const auto& part : outside) EXPECT_EQ(part->totals, expected(kCount)) << seed;
    int64_t read = 0;
    for (const OperatorReadings& op : result.metrics) {
      for (const MetricReading& metric : op.metrics)
        read += metric.name == "numRecordsOut" ? static_cast<int64_t>(metric.value) : 0;
    }
    EXPECT_EQ(read, 2 * kCount);
    for (const char* name : {"w1", "w2"}) {
      const ClusterWorld::Worker& worker = world.workers.at(name);
      EXPECT_EQ(worker.agent->error(), std::nullopt);
      EXPECT_GT(worker.wire->framesAt(0), 10) << name << " did nothing";
    }
  }
}

TEST(ClusterJob, IsListedForRest) {
  const auto outside = newOutsides();
  ClusterWorld world(1, [&] { return twoParts(kCount, outside); });
  EmbeddedJobs jobs(world.sim.env(), 1);
  world.start();
  jobs.list(world.job->master(), world.job->id(), world.job->graph(), kept());
  world.addWorker("w1", 4);
  EXPECT_EQ(world.end().status, JobStatus::kFinished);
  const std::optional<ListedJob> listed = jobs.find(world.job->id());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->details.status, JobStatus::kFinished);
  EXPECT_EQ(listed->details.tasks.size(), 8u);
  EXPECT_EQ(world.workers.at("w1").agent->error(), std::nullopt) << "dismissed as ever";
}

// A worker with room for one part runs one after the other.
TEST(ClusterJob, PartsWaitForFreeSlots) {
  const auto outside = newOutsides();
  ClusterWorld world(1, [&] { return twoParts(kCount, outside); });
  world.start();
  world.addWorker("small", 1);
  world.after(Duration::seconds(20), [&] { world.addWorker("w1", 2); });
  EXPECT_EQ(world.end().status, JobStatus::kFinished);
  for (const auto& part : outside) EXPECT_EQ(part->totals, expected(kCount));
  EXPECT_LT(world.workers.at("small").wire->framesAt(0), 5);
}

TEST(ClusterJob, FailsWhenNobodyHasRoomForSoLong) {
  ClusterWorld world(1, [] { return twoParts(kCount, newOutsides()); });
  world.start();
  world.addWorker("small", 1);
  const JobResult result = world.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_STREQ(
      result.error->what(),
      "operator 'Source: numbers left', subtask 1/2, which has no worker yet: it and the tasks that it is "
      "connected with need 2 free slots, and there were fewer for 5 min (slot.request.timeout): 1 worker "
      "offers 1 slot in all. Start another one, or lower the parallelism");
}

// What happens to a worker in the midst of a record.
enum class Blow : uint8_t { kKilled, kStopped, kCut, kHeld };

struct Fate {
  Blow blow = Blow::kKilled;
  bool twoParts = true;
};

/// Whether it went on from a checkpoint.
bool goesOnAfter(const Fate& fate, uint64_t seed) {
  const auto outside = newOutsides();
  ClusterWorld world(seed, [&] {
    return fate.twoParts ? twoParts(kCount, outside) : summing(kCount, {.sources = 2, .sums = 2}, outside[0]);
  });
  world.start(kept(), 1);
  for (const char* name : {"w1", "w2", "w3"}) world.addWorker(name, 2);
  world.atMoments(60, [&] { world.job->master().triggerCheckpoint([](CheckpointOutcome) {}); });
  Outside& struck = *outside[fate.twoParts ? seed % 2 : 0];
  struck.untilCrash = 100 + static_cast<int64_t>(seed * 41 % 600);
  struck.onCrash = [&] {
    ClusterWorld::Worker& worker = world.running();
    switch (fate.blow) {
      case Blow::kKilled:
        return worker.kill();
      case Blow::kStopped:
        worker.process->stop();
        // It comes round when others have its tasks, and tells how its own failed.
        return world.after(Duration::seconds(50) + Duration::millis(8),
                           [&worker] { worker.process->goOn(); });
      case Blow::kCut:
        return worker.wire->cut();
      case Blow::kHeld:
        worker.wire->hold(true);
        return world.after(Duration::seconds(70), [&worker] { worker.wire->hold(false); });
    }
  };
  const JobResult result = world.end();
  EXPECT_EQ(result.status, JobStatus::kFinished) << seed << (result.error ? result.error->what() : "");
  EXPECT_EQ(result.restarts, 1) << seed;
  EXPECT_EQ(struck.crashes, 1);
  EXPECT_EQ(outside[0]->totals, expected(kCount)) << seed;
  if (fate.twoParts) {
    EXPECT_EQ(outside[1]->totals, expected(kCount)) << seed;
  }
  // The tasks' own failure never counted: only the loss.
  EXPECT_EQ(world.logged("crash"), "not logged: crash") << seed;
  return !world.logged("from checkpoint").starts_with("not") ||
         !world.logged("starts from checkpoint").starts_with("not");
}

void goOnAfter(const Fate& fate) {
  int fromCheckpoints = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) fromCheckpoints += goesOnAfter(fate, seed) ? 1 : 0;
  EXPECT_GT(fromCheckpoints, static_cast<int>(kSeeds / 2));
}

TEST(ClusterJob, APartGoesOnElsewhereWhenItsWorkerIsKilled) { goOnAfter({.blow = Blow::kKilled}); }
TEST(ClusterJob, TheWholeGoesOnElsewhereWhenItsWorkerIsKilled) {
  goOnAfter({.blow = Blow::kKilled, .twoParts = false});
}
TEST(ClusterJob, AWorkerThatWasStoppedAndGoesOnChangesNothing) {
  goOnAfter({.blow = Blow::kStopped});
  goOnAfter({.blow = Blow::kStopped, .twoParts = false});
}
TEST(ClusterJob, ALinkThatIsCutIsAWorkerLost) { goOnAfter({.blow = Blow::kCut}); }
TEST(ClusterJob, ANetworkThatCarriesNothingIsAWorkerLost) { goOnAfter({.blow = Blow::kHeld}); }

// So that no two attempts write at the same time.
TEST(ClusterJob, AWorkerGivesUpBeforeItsMasterDoes) {
  const auto outside = newOutsides();
  ClusterWorld world(3, [&] { return twoParts(kCount, outside); });
  world.start(kept(), 2);
  for (const char* name : {"w1", "w2", "w3", "w4"}) world.addWorker(name, 2);
  outside[0]->untilCrash = 100;
  outside[0]->onCrash = [&] { world.running().wire->hold(true); };
  world.end();
  const auto lineOf = [&](const std::string& part) {
    const std::vector<std::string>& lines = world.sim.log().lines();
    return std::find_if(lines.begin(), lines.end(),
                        [&](const std::string& line) { return line.find(part) != std::string::npos; }) -
           lines.begin();
  };
  EXPECT_LT(lineOf("has lost its master"), lineOf("is lost: it has said nothing for 50 s"));
  EXPECT_LT(lineOf("is lost"), static_cast<std::ptrdiff_t>(world.sim.log().lines().size()));
}

TEST(ClusterJob, StopsWithASavepointAndStartsFromIt) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto outside = newOutsides();
    ClusterWorld world(seed, [&] { return twoParts(kCount, outside); });
    world.start();
    world.addWorker("w1", 2);
    world.addWorker("w2", 2);
    CheckpointOutcome outcome;
    world.after(Duration::millis(10 + static_cast<int64_t>(seed)), [&] {
      world.job->master().stopWithSavepoint("/savepoints", StopMode::kSuspend,
                                            [&](CheckpointOutcome made) { outcome = std::move(made); });
    });
    EXPECT_EQ(world.end().status, JobStatus::kFinished);
    ASSERT_FALSE(outcome.error) << outcome.error->what();

    Configuration from = kept();
    from.set("execution.state-recovery.path", outcome.folder);
    world.start(from);
    world.addWorker("w3", 4);
    EXPECT_EQ(world.end().status, JobStatus::kFinished);
    for (const auto& part : outside) EXPECT_EQ(part->totals, expected(kCount)) << seed;
  }
}

TEST(ClusterJob, RemovesCheckpointsOnceItIsKeptHowItEnds) {
  for (const bool keeps : {true, false}) {
    const auto outside = newOutsides();
    ClusterWorld world(1, [&] { return twoParts(kCount, outside); });
    Configuration configuration = kept();
    configuration.set("execution.checkpointing.externalized-checkpoint-retention",
                      "NO_EXTERNALIZED_CHECKPOINTS");
    world.start(configuration);
    Files& files = world.sim.files();
    const auto count = [&] {
      return files.stat("/checkpoints") ? files.listFiles("/checkpoints").size() : 0;
    };
    std::vector<JobStatus> told;
    size_t there = 0;
    world.job->master().whenDecided([&](JobStatus status, const std::optional<Error>& why) {
      told.push_back(status);
      EXPECT_FALSE(why);
      EXPECT_FALSE(isFinal(world.job->master().status()));
      there = count();
      return keeps;
    });
    world.addWorker("w1", 4);
    world.atMoments(60, [&] { world.job->master().triggerCheckpoint([](CheckpointOutcome) {}); });
    EXPECT_EQ(world.end().status, JobStatus::kFinished);
    EXPECT_EQ(told, std::vector<JobStatus>{JobStatus::kFinished});
    EXPECT_GT(there, 0u);
    EXPECT_EQ(count() == 0, keeps);
  }
}

TEST(ClusterJob, IsCancelledWhereverItsTasksAre) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto outside = newOutsides();
    ClusterWorld world(seed, [&] { return twoParts(kCount, outside); });
    world.start();
    world.addWorker("w1", 2);  // the other part has no place
    world.after(Duration::millis(static_cast<int64_t>(seed * 3)), [&] { world.job->master().cancel(); });
    EXPECT_EQ(world.end().status, JobStatus::kCancelled);
    EXPECT_EQ(world.workers.at("w1").agent->error(), std::nullopt);
  }
}

TEST(ClusterJob, AProgramThatBuildsAnotherJobIsRefused) {
  ClusterWorld world(1, [] { return twoParts(kCount, newOutsides()); });
  world.start();
  world.addWorker("other", 4, summing(kCount, {.sources = 2, .sums = 2}, std::make_shared<Outside>()));
  world.after(Duration::seconds(1), [&] { world.job->master().cancel(); });
  EXPECT_EQ(world.end().status, JobStatus::kCancelled);
  EXPECT_STREQ(
      world.workers.at("other").agent->error()->what(),
      "worker 'other' has lost its master at other: the program of worker 'other' builds another job than "
      "the master's: it has \"job 'job'\" where \"job 'two parts'\" is expected. Start all processes of a "
      "job from the same program with the same arguments, and let what it builds depend on nothing else");
}

TEST(ClusterJob, AProgramThatBuildsAnotherJobEachTimeFails) {
  const auto other = [] { return summing(kCount, {.sources = 2, .sums = 2}, std::make_shared<Outside>()); };
  ClusterWorld world(1, [] { return twoParts(kCount, newOutsides()); });
  world.oneProgram = true;
  world.start(kept(), 1000);
  world.addWorker("o1", 4, other());
  world.addWorker("o2", 4, other());
  world.after(Duration::seconds(5), [&] {
    EXPECT_FALSE(isFinal(world.job->master().status())) << "the next one may be as it should";
    world.addWorker("o3", 4, other());
  });
  const JobResult result = world.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(std::string(result.error->what()).substr(0, 60),
            "the program of worker 'o3' builds another job than the maste");
}

TEST(ClusterJob, AProgramThatBuildsAnotherJobNowAndThenGoesOn) {
  const auto other = [] { return summing(kCount, {.sources = 2, .sums = 2}, std::make_shared<Outside>()); };
  const auto outside = newOutsides();
  ClusterWorld world(1, [&] { return twoParts(kCount, outside); });
  world.oneProgram = true;
  world.start();
  world.addWorker("o1", 4, other());
  world.addWorker("o2", 4, other());
  world.after(Duration::seconds(5), [&] { world.addWorker("small", 1); });
  world.after(Duration::seconds(6), [&] {
    world.addWorker("o3", 4, other());
    world.addWorker("o4", 4, other());
  });
  world.after(Duration::seconds(7), [&] {
    EXPECT_FALSE(isFinal(world.job->master().status()));
    world.addWorker("w1", 4);
  });
  EXPECT_EQ(world.end().status, JobStatus::kFinished);
  for (const auto& part : outside) EXPECT_EQ(part->totals, expected(kCount));
}

}  // namespace
}  // namespace flott
