// Jobs whose connected tasks are in several workers, under seeds: they give what one worker gives, whatever
// becomes of the workers and of the network between them.
#include <gtest/gtest.h>

#include "flott/cluster/tests/cluster_world.h"

namespace flott {
namespace {

constexpr uint64_t kSeeds = 12;
constexpr int64_t kCount = 800;

Configuration alignedOrNot(uint64_t seed) {
  Configuration configuration = kept();
  align(configuration, seed % 2 == 0 ? Alignment::kAligned : Alignment::kUnaligned);
  return configuration;
}

/// Two sources and three sums, which take three slots.
struct SpreadWorld : ClusterWorld {
  explicit SpreadWorld(uint64_t seed) : SpreadWorld(seed, std::make_shared<Outside>()) {}
  SpreadWorld(uint64_t seed, const std::shared_ptr<Outside>& there)
      : ClusterWorld(seed, [there] { return summing(kCount, {.sources = 2, .sums = 3}, there); }),
        outside(*there),
        keepAlive(there) {}

  void addWorkers(int count, int slots) {
    for (int i = 0; i < count; ++i) addWorker("w" + std::to_string(workers.size() + 1), slots);
  }
  void expectFinished() {
    const JobResult result = end();
    EXPECT_EQ(result.status, JobStatus::kFinished) << (result.error ? result.error->what() : "");
    EXPECT_EQ(outside.totals, expected(kCount));
  }
  /// That ran tasks: they have said more than who they are and where they listen.
  int busyWorkers() {
    return static_cast<int>(std::count_if(workers.begin(), workers.end(), [](const auto& entry) {
      return entry.second.wire->framesAt(0) > 2;
    }));
  }

  Outside& outside;
  std::shared_ptr<Outside> keepAlive;
};

TEST(SpreadJob, SpansAsManyWorkersAsItsSlotsNeed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    SpreadWorld world(seed);
    world.start();
    if (seed % 2 == 0) {
      world.addWorkers(2, 2);
    } else {
      world.addWorkers(3, 1);
    }
    world.expectFinished();
    EXPECT_EQ(world.busyWorkers(), seed % 2 == 0 ? 2 : 3);
    EXPECT_GT(world.wires.bytesSent(), 1000u);
    for (const auto& [name, worker] : world.workers) EXPECT_EQ(worker.agent->error(), std::nullopt);
  }
}

TEST(SpreadJob, CountsBytesApartThatComeFromOtherWorkers) {
  SpreadWorld world(1);
  world.start();
  world.addWorkers(3, 1);
  std::map<std::string, double> sums;  // by metric, over all tasks
  world.job->master().whenEnded([&sums](const JobDetails& details, const std::vector<TaskAccumulators>&) {
    for (const TaskDetails& task : details.tasks)
      for (const MetricReading& reading : task.metrics) sums[reading.name] += reading.value;
  });
  world.expectFinished();
  EXPECT_GT(sums["Shuffle.Netty.Input.numBytesInRemote"], 0);
  EXPECT_GT(sums["Shuffle.Netty.Input.numBytesInLocal"], 0);
  EXPECT_EQ(sums["numBytesIn"],
            sums["Shuffle.Netty.Input.numBytesInRemote"] + sums["Shuffle.Netty.Input.numBytesInLocal"]);
  EXPECT_EQ(sums["numBytesIn"], sums["numBytesOut"]);
  EXPECT_EQ(sums["numBytesIn"], 8 * sums["numRecordsOut"]) << "sinks put none out";
}

TEST(SpreadJob, OneWorkerHasItAllIfItCan) {
  for (const bool spread : {false, true}) {
    SpreadWorld world(1);
    Configuration configuration = kept();
    configuration.set("cluster.evenly-spread-out-slots", spread ? "true" : "false");
    world.start(configuration);
    world.addWorkers(1, 2);  // has too few slots for all
    world.after(Duration::millis(20), [&] { world.addWorkers(1, 4); });
    world.expectFinished();
    EXPECT_EQ(world.busyWorkers(), spread ? 2 : 1);
    EXPECT_EQ(world.wires.bytesSent() > 0, spread);
  }
}

TEST(SpreadJob, TooFewSlotsAreSaidInAll) {
  SpreadWorld world(1);
  world.start();
  world.addWorkers(2, 1);
  const JobResult result = world.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_STREQ(
      result.error->what(),
      "operator 'Source: source -> pass', subtask 1/2, which has no worker yet: it and the tasks that "
      "it is connected with need 3 free slots, and there were fewer for 5 min (slot.request.timeout): "
      "2 workers offer 2 slots in all. Start another one, or lower the parallelism");
}

// What happens to a worker in the midst of a record.
enum class Blow : uint8_t { kKilled, kStopped, kCut, kHeld };

void strike(SpreadWorld& world, Blow blow) {
  ClusterWorld::Worker& worker = world.running();
  switch (blow) {
    case Blow::kKilled:
      return worker.kill();
    case Blow::kStopped:
      worker.process->stop();
      return world.after(Duration::seconds(70), [&worker] { worker.process->goOn(); });
    case Blow::kCut:
      return worker.wire->cut();
    case Blow::kHeld:
      worker.wire->hold(true);
      return world.after(Duration::seconds(70), [&worker] { worker.wire->hold(false); });
  }
}

class SpreadJobAfter : public testing::TestWithParam<Blow> {};

TEST_P(SpreadJobAfter, ALossGoesOnFromItsLastCheckpoint) {
  int fromCheckpoints = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    SpreadWorld world(seed);
    world.start(alignedOrNot(seed), 1);
    if (seed % 3 == 0) {
      world.addWorkers(4, 1);
    } else {
      world.addWorkers(3, 2);
    }
    world.atMoments(60, [&] { world.job->master().triggerCheckpoint([](CheckpointOutcome) {}); });
    world.outside.untilCrash = 100 + static_cast<int64_t>(seed * 41 % 600);
    world.outside.onCrash = [&] { strike(world, GetParam()); };
    world.expectFinished();
    EXPECT_EQ(world.outside.crashes, 1);
    EXPECT_GT(world.wires.bytesSent(), 0u);
    EXPECT_EQ(world.job->master().result().restarts, 1);
    EXPECT_EQ(world.logged("crash"), "not logged: crash") << "its own failure was heard of";
    fromCheckpoints += world.logged("starts from checkpoint").starts_with("not") ? 0 : 1;
  }
  EXPECT_GT(fromCheckpoints, static_cast<int>(kSeeds / 2));
}

INSTANTIATE_TEST_SUITE_P(Workers, SpreadJobAfter,
                         testing::Values(Blow::kKilled, Blow::kStopped, Blow::kCut, Blow::kHeld));

// When the two cannot reach each other an attempt may fail that has not begun.
TEST(SpreadJob, AConnectionBetweenWorkersThatBreaksFailsItAndItStartsAgain) {
  int fromCheckpoints = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const bool cut = seed % 4 < 2;
    SpreadWorld world(seed);
    world.start(alignedOrNot(seed), cut ? 1 : 2);
    world.addWorkers(2, 2);
    world.atMoments(60, [&] { world.job->master().triggerCheckpoint([](CheckpointOutcome) {}); });
    world.after(Duration::millis(8 + static_cast<int64_t>(seed % 16)), [&] {
      if (cut) return world.wires.cut("10.0.0.1", "10.0.0.2");
      world.wires.part("10.0.0.1", "10.0.0.2");
      world.after(Duration::seconds(25), [&] { world.wires.join("10.0.0.1", "10.0.0.2"); });
    });
    world.expectFinished();
    EXPECT_GE(world.job->master().result().restarts, 1);
    EXPECT_FALSE(world.logged("the connection between worker 'w").starts_with("not"));
    for (const auto& [name, worker] : world.workers) EXPECT_EQ(worker.agent->error(), std::nullopt);
    fromCheckpoints += world.logged("starts from checkpoint").starts_with("not") ? 0 : 1;
  }
  EXPECT_GT(fromCheckpoints, static_cast<int>(kSeeds / 2));
}

TEST(SpreadJob, IsPlacedAnewWhenAWorkerIsLostBeforeItSaysWhereItListens) {
  for (const bool killed : {false, true}) {
    SpreadWorld world(1);
    world.start(kept(), 0);
    world.addWorkers(2, 2);
    ClusterWorld::Worker& lost = world.workers.at("w2");
    lost.dataPlane->onOpen = [&] {
      lost.wire->hold(true);
      world.after(Duration::seconds(1), [&] {
        if (killed) lost.kill();
        lost.wire->cut();
        world.addWorkers(1, 1);
      });
    };
    world.expectFinished();
    EXPECT_EQ(world.job->master().result().restarts, 0);
    EXPECT_EQ(world.busyWorkers(), 2);
  }
}

TEST(SpreadJob, AWorkerThatCannotListenFailsIt) {
  SpreadWorld world(1);
  world.start(kept(), 0);
  world.addWorkers(2, 2);
  world.workers.at("w2").dataPlane->onOpen = [] {
    throw Error(ErrorKind::kTransient, "too many open files");
  };
  const JobResult result = world.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(
      std::string(result.error->what()).find("worker 'w2' cannot be reached by others: too many open files"),
      std::string::npos)
      << result.error->what();
}

TEST(SpreadJob, IsCancelledAtAnyTime) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    SpreadWorld world(seed);
    world.start();
    world.addWorkers(3, 1);
    world.after(Duration::millis(static_cast<int64_t>(seed % 24)), [&] { world.job->master().cancel(); });
    EXPECT_EQ(world.end().status, JobStatus::kCancelled);
    for (const auto& [name, worker] : world.workers) EXPECT_EQ(worker.agent->error(), std::nullopt);
  }
}

}  // namespace
}  // namespace flott
