// Jobs that fail and begin anew from their last checkpoint count every record once, wherever the failure
// strikes; so do jobs that are started from a checkpoint at another parallelism.
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "flott/env/posix/real_env.h"
#include "flott/master/tests/recovery_world.h"
#include "flott/master/tests/summing_job.h"
#include "flott/state/operator_state.h"

namespace flott {
namespace {

/// Bytes of what was on its way, in the checkpoints that are remembered.
uint64_t inFlightBytes(const CheckpointStatistics& checkpoints) {
  uint64_t sum = 0;
  for (const CheckpointRecord& record : checkpoints.history) {
    if (record.status != CheckpointStatus::kCompleted) continue;
    for (const CheckpointRecord::Task& task : record.tasks) sum += task.inFlight.persistedBytes;
  }
  return sum;
}

class Recovery : public testing::TestWithParam<Alignment> {
 protected:
  Configuration kept(bool inFiles = true) const {
    Configuration configuration = flott::kept(inFiles);
    align(configuration, GetParam());
    return configuration;
  }
};
INSTANTIATE_TEST_SUITE_P(Barriers, Recovery,
                         testing::Values(Alignment::kAligned, Alignment::kUnaligned, Alignment::kTimeout),
                         [](const testing::TestParamInfo<Alignment>& info) -> std::string {
                           if (info.param == Alignment::kAligned) return "Aligned";
                           return info.param == Alignment::kUnaligned ? "Unaligned" : "AlignedForAWhile";
                         });

TEST_P(Recovery, EveryRecordCountsOnceWhereverItCrashes) {
  int64_t completed = 0;
  int fromCheckpoint = 0;
  uint64_t inFlight = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const int64_t count = 1000 + static_cast<int64_t>(random.below(4000));
    const JobShape shape{.sources = static_cast<int>(1 + random.below(3)),
                         .sums = static_cast<int>(1 + random.below(4)),
                         .passes = static_cast<int>(random.below(3)),
                         .handout = random.below(2) == 0 ? Handout::kOnRequest : Handout::kEvenly};
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
    RecoveryWorld world(seed);
    world.clockMoves = true;
    const JobResult result = world.run(summing(count, shape, outside), kept(random.below(2) == 0), 2000, 1);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(result.restarts, 1);
    EXPECT_EQ(outside->crashes, 1);
    EXPECT_EQ(outside->totals, expected(count)) << "seed " << seed;
    completed += result.checkpoints.completed;
    inFlight += inFlightBytes(result.checkpoints);
    for (const std::string& line : world.sim->log().lines()) {
      fromCheckpoint += line.find("starts from checkpoint") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(completed, 400) << "hardly a checkpoint was made";
  EXPECT_GT(fromCheckpoint, 130) << "most began from nothing";
  if (GetParam() == Alignment::kAligned) {
    EXPECT_EQ(inFlight, 0u);
  } else {
    EXPECT_GT(inFlight, 100'000u) << "hardly a barrier has overtaken anything";
  }
}

// Cuts off all files of state of the newest complete checkpoint; its id, or 0 if there are not two.
uint64_t tearNewest(SimulatedFiles& files) {
  uint64_t newest = 0;
  int complete = 0;
  if (!files.stat("/checkpoints")) return 0;
  for (const FileInfo& folder : files.listFolder("/checkpoints")) {
    if (!files.stat(folder.path + "/_metadata")) continue;
    ++complete;
    newest = std::max(newest,
                      static_cast<uint64_t>(std::stoull(folder.path.substr(folder.path.find("chk-") + 4))));
  }
  if (complete < 2) return 0;
  for (const FileInfo& file : files.listFolder("/checkpoints/chk-" + std::to_string(newest))) {
    if (file.path.find("/task-") != std::string::npos)
      files.put(file.path, files.content(file.path).substr(0, 5));
  }
  return newest;
}

TEST(RecoveryWithFaults, ADamagedCheckpointIsLeftForTheOneBefore) {
  int went = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    constexpr int64_t kCount = 4000;
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 2500;
    RecoveryWorld world(seed);
    uint64_t torn = 0;
    outside->onCrash = [&] { torn = tearNewest(world.sim->files()); };
    Configuration configuration = kept();
    configuration.set("execution.checkpointing.num-retained", "2");
    const JobResult result = world.run(summing(kCount, {.sums = 2}, outside), configuration, 2000, 1);
    if (torn == 0) continue;
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
    const std::string name = "/checkpoints/chk-" + std::to_string(torn);
    std::string logged;
    for (const std::string& line : world.sim->log().lines()) {
      if (line.find("does not use checkpoint " + std::to_string(torn) + " in " + name) != std::string::npos)
        logged = line;
    }
    if (logged.empty()) continue;  // another one was complete before the tasks had ended
    ++went;
    EXPECT_NE(logged.find("file '" + name + "/task-"), std::string::npos) << logged;
    EXPECT_NE(logged.find("is cut off"), std::string::npos) << logged;
    EXPECT_TRUE(world.sim->files().stat(name + "/_metadata")) << "the evidence is kept";
  }
  EXPECT_GT(went, 20);
}

TEST(RecoveryWithFaults, WithoutAnotherADamagedCheckpointEndsTheJob) {
  const auto outside = std::make_shared<Outside>();
  outside->untilCrash = 2500;
  RecoveryWorld world(3);
  outside->onCrash = [&] {
    for (const FileInfo& file : world.sim->files().listFiles("/checkpoints")) {
      if (file.path.find("/task-") != std::string::npos) world.sim->files().put(file.path, "torn");
    }
  };
  const JobResult result = world.run(summing(4000, {}, outside), kept(), 2000, 1);
  ASSERT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(std::string(result.error->what()).find("file '/checkpoints/chk-"), std::string::npos)
      << result.error->what();
}

TEST(RecoveryWithFaults, AnObjectStoreKeepsCheckpointsAsWell) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    constexpr int64_t kCount = 3000;
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 1 + static_cast<int64_t>(Random(seed).below(kCount));
    RecoveryWorld world(seed);
    Configuration configuration = kept();
    configuration.set("execution.checkpointing.dir", "s3://bucket/job");
    const JobResult failed = world.run(summing(kCount, {.sources = 2}, outside), configuration, 2000, 0);
    EXPECT_EQ(failed.status, JobStatus::kFailed);
    auto& objects = world.sim->stores().objects();
    if (objects.empty()) continue;
    const std::string folder = objects.begin()->first.substr(0, objects.begin()->first.rfind('/'));
    for (const auto& [name, content] : objects) EXPECT_TRUE(name.starts_with(folder + "/")) << name;
    configuration.set("execution.state-recovery.path", folder);
    configuration.set("execution.state-recovery.claim-mode", "CLAIM");
    const JobResult result = world.run(summing(kCount, {.sums = 3}, outside), configuration, 2000, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
    EXPECT_TRUE(objects.empty()) << "left: " << objects.begin()->first;
  }
}

TEST_P(Recovery, AJobGoesOnAtAnotherParallelism) {
  int went = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    constexpr int64_t kCount = 4000;
    const auto shape = [&random, apart = seed % 2 == 0] {
      return JobShape{.sources = static_cast<int>(1 + random.below(4)),
                      .sums = static_cast<int>(1 + random.below(5)),
                      .passes = apart ? static_cast<int>(1 + random.below(3)) : 0};
    };
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 1000 + static_cast<int64_t>(random.below(3000));
    RecoveryWorld world(seed);
    world.clockMoves = true;
    EXPECT_EQ(world.run(summing(kCount, shape(), outside), kept(), 2000, 0).status, JobStatus::kFailed);
    std::vector<FileInfo> folders;
    if (world.sim->files().stat("/checkpoints")) folders = world.sim->files().listFolder("/checkpoints");
    if (folders.empty()) continue;
    ASSERT_EQ(folders.size(), 1u) << "one is retained, void ones are gone; seed " << seed;
    ++went;
    Configuration configuration = kept();
    configuration.set("execution.state-recovery.path", "file://" + folders[0].path);
    const JobResult result = world.run(summing(kCount, shape(), outside), configuration, 2000, 0);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
  }
  EXPECT_GT(went, 110);
}

/// Every third time a savepoint.
MoveFunction<void(EmbeddedJob&)> checkpointsAndSavepoints() {
  return [moment = 0](EmbeddedJob& job) mutable {
    if (++moment % 3 == 0) {
      job.triggerSavepoint("/savepoints", [](CheckpointOutcome) {});
    } else {
      job.triggerCheckpoint([](CheckpointOutcome) {});
    }
  };
}

/// Folders of savepoints that hold all of the job: no task had ended and told its sums. Fails the test where
/// one is not complete.
std::vector<std::string> savepointsIn(SimulatedFiles& files) {
  std::vector<std::string> complete;
  if (!files.stat("/savepoints")) return complete;
  for (const FileInfo& folder : files.listFolder("/savepoints")) {
    EXPECT_TRUE(files.stat(folder.path + "/_metadata"))
        << folder.path << " is left of a savepoint that failed";
    const CheckpointMetadata metadata = CheckpointStorage(files, {}).readMetadata(folder.path);
    EXPECT_EQ(metadata.kind, CheckpointKind::kSavepoint);
    const bool anyEnded =
        std::any_of(metadata.operators.begin(), metadata.operators.end(), [](const OperatorSnapshot& op) {
          return std::any_of(op.subtasks.begin(), op.subtasks.end(),
                             [](const SubtaskSnapshot& subtask) { return subtask.finished; });
        });
    if (!anyEnded) complete.push_back(folder.path);
  }
  return complete;
}

/// As somebody moves a folder.
std::string moved(SimulatedFiles& files, const std::string& from) {
  const std::string to = "/elsewhere/moved";
  for (const FileInfo& file : files.listFiles(from)) {
    files.put(to + file.path.substr(from.size()), files.content(file.path));
  }
  FolderStore(files).removeFolder(from);
  return to;
}

TEST_P(Recovery, SavepointsHoldEveryRecordOnceWhateverCrashesAroundThem) {
  int64_t savepoints = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    constexpr int64_t kCount = 3000;
    const auto shape = [&random] {
      return JobShape{.sources = static_cast<int>(1 + random.below(3)),
                      .sums = static_cast<int>(1 + random.below(4)),
                      .handout = Handout::kOnRequest};
    };
    const auto outside = std::make_shared<Outside>();
    outside->untilCrash = 1 + static_cast<int64_t>(random.below(kCount));
    RecoveryWorld world(seed);
    world.clockMoves = true;
    world.atEachMoment = checkpointsAndSavepoints();
    const JobResult first = world.run(summing(kCount, shape(), outside), kept(seed % 2 == 0), 2000, 1);
    ASSERT_EQ(first.status, JobStatus::kFinished) << "seed " << seed << ": " << first.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
    std::vector<std::string> made = savepointsIn(world.sim->files());
    if (made.empty()) continue;
    savepoints += static_cast<int64_t>(made.size());
    Configuration configuration = kept(seed % 3 == 0);
    configuration.set("execution.state-recovery.path",
                      moved(world.sim->files(), made[random.below(made.size())]));
    outside->totals.clear();
    outside->untilCrash = 1 + static_cast<int64_t>(random.below(kCount));  // back to the savepoint, or later
    const JobResult second = world.run(summing(kCount, shape(), outside), configuration, 200, 1);
    ASSERT_EQ(second.status, JobStatus::kFinished) << "seed " << seed << ": " << second.error->what();
    EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed;
    EXPECT_TRUE(world.sim->files().stat("/elsewhere/moved/_metadata")) << "it is the user's";
  }
  EXPECT_GT(savepoints, 100) << "hardly a savepoint was made";
}

// Each job starts in the midst of the one before, on another backend.
TEST(RecoveryWithFaults, FromOneSavepointToTheNextAtParallelismOneThreeTwo) {
  int went = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    constexpr int64_t kCount = 2000;
    RecoveryWorld world(seed);
    world.atEachMoment = checkpointsAndSavepoints();
    std::string from;
    int stage = 0;
    for (const int parallelism : {1, 3, 2}) {
      Configuration configuration = kept();
      const bool onDisk = (static_cast<uint64_t>(stage) + seed) % 2 == 1;
      configuration.set("state.backend.type", onDisk ? "rocksdb" : "hashmap");
      configuration.set("state.backend.rocksdb.localdir", testing::TempDir() + "/flott-savepoints");
      configuration.set("flott.state.rocksdb.cache-size", "1");
      if (!from.empty()) configuration.set("execution.state-recovery.path", from);
      const auto outside = std::make_shared<Outside>();
      const JobResult result = world.run(
          summing(kCount, {.sources = parallelism, .sums = parallelism}, outside), configuration, 500, 0);
      ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
      EXPECT_EQ(outside->totals, expected(kCount)) << "seed " << seed << ", stage " << stage;
      std::vector<std::string> made = savepointsIn(world.sim->files());
      if (made.empty()) break;
      from = moved(world.sim->files(), made[random.below(made.size())]);
      for (const std::string& other : savepointsIn(world.sim->files()))
        FolderStore(world.sim->files()).removeFolder(other);
      went += ++stage == 3 ? 1 : 0;
    }
  }
  EXPECT_GT(went, 6);
}

// Makes records public when the checkpoint that holds them is complete, and once only.
class Committing final : public Operator {
 public:
  explicit Committing(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  void open(OperatorContext& context) override {
    prepared_ = &context.operatorState().list<std::pair<uint64_t, int64_t>>("prepared");
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      if (outside_->untilCrash > 0 && --outside_->untilCrash == 0) throw std::runtime_error("crash");
      open_ += record;
    }
    return Step::kDone;
  }
  void snapshotState(CheckpointId id) override {
    prepared_->add({id.value, open_});
    open_ = 0;
  }
  void onCheckpointEnded(CheckpointId id, bool completed) override {
    if (!completed) return;
    std::vector<std::pair<uint64_t, int64_t>> later;
    for (const auto& [checkpoint, sum] : prepared_->get()) {
      if (checkpoint > id.value) {
        later.emplace_back(checkpoint, sum);
      } else {
        outside_->totals.emplace(static_cast<int64_t>(checkpoint), sum);  // again it changes nothing
      }
    }
    prepared_->set(std::move(later));
  }
  bool awaitsFinalCheckpoint() const override { return true; }

 private:
  std::shared_ptr<Outside> outside_;
  OperatorListState<std::pair<uint64_t, int64_t>>* prepared_ = nullptr;
  int64_t open_ = 0;
};

TEST(RecoveryWithFaults, ABoundedJobEndsWithACheckpointThatPublishesTheRest) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    constexpr int64_t kCount = 1500;
    const auto outside = std::make_shared<Outside>();
    if (seed % 2 == 1) outside->untilCrash = static_cast<int64_t>(1 + Random(seed).below(kCount));
    Pipeline pipeline(sourceOf(Ranges(kCount, Handout::kOnRequest), "numbers").factory,
                      static_cast<int>(1 + seed % 3));
    auto make = [outside] { return std::make_unique<Committing>(outside); };
    pipeline.then("commit", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), 1,
                  PartitionKind::kRebalance);
    Configuration configuration = kept(seed % 4 < 2);
    configuration.set("execution.checkpointing.interval", "1 s");
    RecoveryWorld world(seed);
    const JobResult result = world.run(pipeline.job(), configuration, static_cast<int>(seed % 5) * 200, 1);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    int64_t sum = 0;
    for (const auto& [checkpoint, part] : outside->totals) sum += part;
    EXPECT_EQ(sum, kCount * (kCount - 1) / 2) << "seed " << seed;
  }
}

TEST(RecoveryWithFaults, WithoutIntervalsNobodyWaitsForACheckpoint) {
  const auto outside = std::make_shared<Outside>();
  Pipeline pipeline(numbers(10));
  auto make = [outside] { return std::make_unique<Committing>(outside); };
  pipeline.then("commit", std::make_shared<MadeBy<decltype(make)>>(std::move(make)));
  EXPECT_EQ(RecoveryWorld(1).run(pipeline.job(), {}, 0, 0).status, JobStatus::kFinished);
  EXPECT_TRUE(outside->totals.empty());
}

// The same with lanes, off-load threads and the master's own, for the thread sanitizer. One task only sums,
// so that what is outside has one user.
class RecoveryOnThreads : public testing::TestWithParam<Alignment> {};
INSTANTIATE_TEST_SUITE_P(Barriers, RecoveryOnThreads,
                         testing::Values(Alignment::kAligned, Alignment::kUnaligned));

TEST_P(RecoveryOnThreads, EveryRecordCountsOnce) {
  constexpr int64_t kCount = 200'000;
  const auto real = std::shared_ptr<RealEnv>(makeRealEnv({.log = {.level = LogLevel::kOff}}));
  const Env env = real->env();
  EmbeddedJob::MakeScheduler make = [&env](int lanes, const Configuration&) {
    return makeThreadedScheduler(env, {.lanes = lanes});
  };
  const auto outside = std::make_shared<Outside>();
  outside->untilCrash = kCount / 2;
  Configuration configuration;
  configuration.set("execution.checkpointing.interval", "10 ms");
  configuration.set("flott.lanes", "3");
  align(configuration, GetParam());
  const JobShape shape{.sources = 3, .sums = 1, .handout = Handout::kOnRequest};
  EmbeddedJob job(summing(kCount, shape, outside), configuration, env, real, make,
                  [](const Error&, int64_t) { return RestartDecision::in(Duration::millis(1)); });
  job.start();
  std::atomic<int> read{0};
  while (!job.waitFor(Duration::millis(1))) {
    if (job.status() == JobStatus::kRunning && read == 0) {
      ++read;
      job.readCheckpoints([&read](CheckpointStatistics) { --read; });
    }
    EXPECT_GE(job.progress().recordsIn, 0) << "may be asked between two attempts as well";
  }
  const JobResult result = job.result();
  ASSERT_EQ(result.status, JobStatus::kFinished) << result.error->what();
  EXPECT_EQ(result.restarts, 1);
  EXPECT_EQ(outside->totals, expected(kCount));
}

}  // namespace
}  // namespace flott
