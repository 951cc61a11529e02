// A worker that is lost leaves copies of its state on its machine, and the one that takes its place reads
// them.
#include <gtest/gtest.h>

#include "flott/cluster/tests/cluster_world.h"

namespace flott::local_recovery_test {
namespace {

constexpr int64_t kCount = 2000;
constexpr const char* kLocal = "/machine/localState";

struct Kind {
  const char* name;
  const char* backend;
  bool incremental;
};

Configuration configured(const Kind& kind) {
  Configuration configuration = kept();
  configuration.set("execution.checkpointing.data-inline-threshold", "0");
  configuration.set("execution.state-recovery.from-local", "true");
  configuration.set("execution.checkpointing.incremental", kind.incremental ? "true" : "false");
  configuration.set("state.backend.type", kind.backend);
  configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-local-recovery");
  configuration.set("flott.state.rocksdb.cache-size", "1");
  return configuration;
}

/// One source, two sums; the first crash takes the worker along.
class LocalRecovery : public testing::TestWithParam<Kind> {
 protected:
  struct Run {
    JobResult result;
    std::map<std::string, double> sums;  // of the last attempt's metrics, by name
    int checkpoints = 0;                 // with copies, when the worker was lost
  };

  /// `then` is called when the worker has been killed, once there are copies.
  void run(uint64_t seed, MoveFunction<void(ClusterWorld&)> then, Run& run) {
    const auto outside = std::make_shared<Outside>();
    ClusterWorld world(seed, [&] { return summing(kCount, {.sources = 1, .sums = 2}, outside); });
    world.localFolder = kLocal;
    world.start(configured(GetParam()), 1);
    world.job->master().whenEnded([&run](const JobDetails& details, const auto&) {
      for (const TaskDetails& task : details.tasks)
        for (const MetricReading& reading : task.metrics) run.sums[reading.name] += reading.value;
    });
    world.addWorker("t1/w1", 2);
    checkpointsOn(world, 3000);
    outside->untilCrash = kCount - 300 + static_cast<int64_t>(seed * 41 % 200);
    outside->onCrash = [&] {
      for (const FileInfo& folder : world.sim.files().listFolder(folderOf(world)))
        run.checkpoints += folder.path.find("/chk-") != std::string::npos ? 1 : 0;
      world.running().kill();
      then(world);
      world.addWorker("t1/w2", 2);
    };
    run.result = world.end();
    if (run.result.status == JobStatus::kFinished) {
      EXPECT_EQ(outside->totals, expected(kCount));
    }
    EXPECT_FALSE(world.sim.files().stat(folderOf(world))) << "the job has ended";
    log_ = world.logged("the local copy '");
  }
  /// One after the other.
  static void checkpointsOn(ClusterWorld& world, int count) {
    world.job->master().triggerCheckpoint([&world, count](const CheckpointOutcome&) {
      if (count > 0) world.atMoments(1, [&world, count] { checkpointsOn(world, count - 1); });
    });
  }
  static std::string folderOf(ClusterWorld& world) {
    return std::string(kLocal) + "/" + toString(world.job->id());
  }
  /// Keyed state of the checkpoints, wherever it lies.
  static void breakState(ClusterWorld& world, const std::string& below) {
    for (const FileInfo& file : world.sim.files().listFiles(below)) {
      const bool state = GetParam().incremental ? file.path.find("/shared/") != std::string::npos
                                                : file.path.find("/task-1-") != std::string::npos;
      if (state) world.sim.files().put(file.path, std::string(file.size, '?'));
    }
  }

  std::string log_;
};
INSTANTIATE_TEST_SUITE_P(, LocalRecovery,
                         testing::Values(Kind{"HashMap", "hashmap", false},
                                         Kind{"HashMapIncremental", "hashmap", true},
                                         Kind{"RocksDb", "rocksdb", false},
                                         Kind{"RocksDbIncremental", "rocksdb", true}),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(LocalRecovery, ReadsItsStateWhereItHadWrittenIt) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    Run run;
    this->run(
        seed, [](ClusterWorld& world) { breakState(world, "/checkpoints"); }, run);
    EXPECT_EQ(run.result.status, JobStatus::kFinished) << (run.result.error ? run.result.error->what() : "");
    EXPECT_GT(run.sums["restoredLocalBytes"], 0);
    EXPECT_LE(run.checkpoints, 2) << "the newest, and one under way";
    EXPECT_EQ(log_, "not logged: the local copy '");
  }
}

TEST_P(LocalRecovery, ReadsTheCheckpointWhereACopyIsDamaged) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    Run run;
    this->run(
        seed, [](ClusterWorld& world) { breakState(world, folderOf(world)); }, run);
    EXPECT_EQ(run.result.status, JobStatus::kFinished) << (run.result.error ? run.result.error->what() : "");
    EXPECT_GT(run.sums["restoredRemoteBytes"], 0);
    EXPECT_NE(log_.find("is of no use, state is read from the checkpoint"), std::string::npos) << log_;
  }
}

TEST_P(LocalRecovery, ADiskThatTakesNoCopyFailsNoCheckpoint) {
  const auto outside = std::make_shared<Outside>();
  ClusterWorld world(1, [&] { return summing(kCount, {.sources = 1, .sums = 2}, outside); });
  world.localFolder = kLocal;
  world.sim.files().put("/machine", "a file where a folder would be");
  world.start(configured(GetParam()), 0);
  int completed = 0;
  world.addWorker("t1/w1", 2);
  world.atMoments(20, [&] {
    world.job->master().triggerCheckpoint(
        [&](const CheckpointOutcome& made) { completed += made.error ? 0 : 1; });
  });
  EXPECT_EQ(world.end().status, JobStatus::kFinished);
  EXPECT_GT(completed, 0);
  EXPECT_NE(world.logged("a local copy of state is left out").find("/machine"), std::string::npos);
}

}  // namespace
}  // namespace flott::local_recovery_test
