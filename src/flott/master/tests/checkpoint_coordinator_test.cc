// When checkpoints are made, what completes and what voids them, and what of them stays.
#include "flott/master/checkpoint_coordinator.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/master/tests/checkpointed_job.h"

namespace flott {
namespace {

TEST(CheckpointCoordinator, TriggersAtIntervals) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"}}));
  job.advance(Duration::millis(4500));
  const CheckpointStatistics statistics = job.statistics();
  EXPECT_EQ(statistics.triggered, 4);
  EXPECT_EQ(statistics.completed, 4);
  ASSERT_EQ(statistics.history.size(), 4u);
  EXPECT_EQ(statistics.history[0].id, CheckpointId(4)) << "the newest comes first";
  EXPECT_EQ((statistics.history[0].triggered - statistics.history[3].triggered), Duration::seconds(3));
  EXPECT_EQ(statistics.history[0].tasks.size(), 3u);
  EXPECT_GT(statistics.history[0].stateBytes, 0u);
  EXPECT_TRUE(statistics.history[1].discarded);
  const JobResult result = job.end();
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.checkpoints.completed, 4);
  EXPECT_NE(result.accumulators.find("completed 4"), nullptr);
}

/// Works off a backlog until ten seconds after its start.
class BacklogEnumerator final : public NoEnumerator {
 public:
  void start(SplitEnumeratorContext& context) override {
    context.setIsProcessingBacklog(true);
    context.callAfter(Duration::seconds(10), [&context] { context.setIsProcessingBacklog(false); });
  }
};

TEST(CheckpointCoordinator, TriggersMoreRarelyDuringABacklog) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                {"execution.checkpointing.interval-during-backlog", "4 s"}}),
                      BacklogEnumerator());
  job.advance(Duration::millis(9900));
  EXPECT_EQ(job.statistics().triggered, 2);
  job.advance(Duration::millis(1000));
  EXPECT_EQ(job.statistics().triggered, 2) << "the next is a second after the backlog's end";
  job.advance(Duration::millis(1600));
  EXPECT_EQ(job.statistics().triggered, 4);
}

TEST(CheckpointCoordinator, MayTriggerNoneDuringABacklog) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                {"execution.checkpointing.interval-during-backlog", "0 ms"}}),
                      BacklogEnumerator());
  job.advance(Duration::millis(10'900));
  EXPECT_EQ(job.statistics().triggered, 0);
  job.advance(Duration::millis(1600));
  EXPECT_EQ(job.statistics().triggered, 2);
}

TEST(CheckpointCoordinator, IntervalStaysDuringABacklogWithoutAnother) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"}}), BacklogEnumerator());
  job.advance(Duration::millis(3500));
  EXPECT_EQ(job.statistics().triggered, 3);
}

TEST(CheckpointCoordinator, AnIntervalDuringABacklogIsNoShorter) {
  EXPECT_EQ(
      errorText([] {
        checkpointOptions(settings({{"execution.checkpointing.interval", "10 s"},
                                    {"execution.checkpointing.interval-during-backlog", "1 s"}}));
      }),
      "execution.checkpointing.interval-during-backlog is 1 s, less than "
      "execution.checkpointing.interval, 10 s: raise it, or set it to 0 ms for no checkpoints meanwhile");
}

TEST(CheckpointCoordinator, MakesOneWhenAsked) {
  CheckpointedJob job({});
  job.advance(Duration::seconds(2));
  EXPECT_EQ(job.statistics().triggered, 0) << "without an interval";
  std::optional<CheckpointOutcome> outcome;
  job.run.job->triggerCheckpoint([&](CheckpointOutcome done) { outcome = std::move(done); });
  job.advance(Duration::millis(10));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->error);
  EXPECT_EQ(outcome->id, CheckpointId(1));
  EXPECT_EQ(job.end().checkpoints.completed, 1);
}

TEST(CheckpointCoordinator, WaitsForTheOneUnderWay) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"}}));
  *job.passes = false;
  job.advance(Duration::millis(3500));
  EXPECT_EQ(job.statistics().triggered, 1);
  EXPECT_EQ(job.statistics().inProgress, 1);
  std::optional<CheckpointOutcome> refused;
  job.run.job->triggerCheckpoint([&](CheckpointOutcome done) { refused = std::move(done); });
  job.advance(Duration::millis(10));
  ASSERT_TRUE(refused && refused->error);
  EXPECT_EQ(refused->error->message(),
            "no checkpoint was triggered: 1 under way already. Wait for its end, or raise "
            "execution.checkpointing.max-concurrent-checkpoints");
  *job.passes = true;
  job.advance(Duration::millis(10));
  EXPECT_EQ(job.statistics().completed, 2) << "that which was due follows at once";
  const CheckpointRecord first = job.statistics().history[1];
  EXPECT_GE(first.duration, Duration::millis(2500));
}

TEST(CheckpointCoordinator, ManyMayBeUnderWay) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                {"execution.checkpointing.max-concurrent-checkpoints", "3"}}));
  *job.passes = false;
  job.advance(Duration::millis(5500));
  EXPECT_EQ(job.statistics().inProgress, 3);
  *job.passes = true;
  job.advance(Duration::millis(20));
  EXPECT_EQ(job.statistics().completed, 4);
}

TEST(CheckpointCoordinator, PausesBetweenTwo) {
  CheckpointedJob job(settings(
      {{"execution.checkpointing.interval", "1 s"}, {"execution.checkpointing.min-pause", "700 ms"}}));
  *job.passes = false;
  job.advance(Duration::millis(1500));  // the first is triggered at 1 s
  *job.passes = true;
  job.advance(Duration::millis(5));  // and complete at 1.5 s
  job.advance(Duration::millis(650));
  EXPECT_EQ(job.statistics().triggered, 1) << "not at 2 s";
  job.advance(Duration::millis(100));
  EXPECT_EQ(job.statistics().triggered, 2);
}

TEST(CheckpointCoordinator, OneThatTakesTooLongIsVoidAndFailsTheJob) {
  CheckpointedJob job(
      settings({{"execution.checkpointing.interval", "1 s"}, {"execution.checkpointing.timeout", "500 ms"}}));
  *job.passes = false;
  job.advance(Duration::millis(1700));
  *job.passes = true;
  const JobResult result = job.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  ASSERT_TRUE(result.error);
  EXPECT_STREQ(
      result.error->what(),
      "checkpoint 1: not complete after 500 ms: 1 tasks have not acknowledged it, among them 'Sink: gate' "
      "1. See what holds them up, or raise execution.checkpointing.timeout "
      "(execution.checkpointing.tolerable-failed-checkpoints: 0)");
  ASSERT_EQ(result.checkpoints.failed, 1);
  EXPECT_NE(result.checkpoints.history[0].failure.find("not complete after 500 ms"), std::string::npos);
}

TEST(CheckpointCoordinator, SomeFailuresInARowAreTolerated) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                {"execution.checkpointing.timeout", "500 ms"},
                                {"execution.checkpointing.tolerable-failed-checkpoints", "2"}}));
  *job.passes = false;
  job.advance(Duration::millis(2800));
  EXPECT_EQ(job.statistics().failed, 2);
  *job.passes = true;
  job.advance(Duration::millis(500));
  EXPECT_EQ(job.statistics().completed, 1);
  *job.passes = false;
  job.advance(Duration::millis(2400));
  EXPECT_EQ(job.statistics().failed, 4) << "one that is complete begins the row anew";
  EXPECT_EQ(job.run.job->status(), JobStatus::kRunning);
  job.advance(Duration::millis(1500));
  *job.passes = true;
  EXPECT_EQ(job.end().status, JobStatus::kFailed);
}

class CheckpointFiles : public testing::TestWithParam<const char*> {};

std::vector<std::string> filesOf(SimulatedEnv& sim) {
  std::vector<std::string> names;
  if (!sim.files().stat("/checkpoints")) return names;
  for (const FileInfo& file : sim.files().listFiles("/checkpoints")) names.push_back(file.path);
  return names;
}

TEST_P(CheckpointFiles, ThoseThatAreRetainedStay) {
  CheckpointedJob job(
      settings({{"execution.checkpointing.interval", "1 s"},
                {"execution.checkpointing.dir", "file:///checkpoints"},
                {"execution.checkpointing.create-subdir", "false"},
                {"execution.checkpointing.data-inline-threshold", GetParam()},
                {"execution.checkpointing.num-retained", "2"},
                {"execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"}}));
  job.advance(Duration::millis(4500));
  std::vector<std::string> folders;
  for (const FileInfo& folder : job.run.sim->files().listFolder("/checkpoints"))
    folders.push_back(folder.path);
  EXPECT_EQ(folders, (std::vector<std::string>{"/checkpoints/chk-3", "/checkpoints/chk-4"}));
  EXPECT_EQ(CheckpointStorage(job.run.sim->files(), {}).readMetadata("/checkpoints/chk-4").operators.size(),
            2u);
  job.run.job->cancel();
  EXPECT_EQ(job.run.end().status, JobStatus::kCancelled);
  EXPECT_TRUE(job.run.sim->files().stat("/checkpoints/chk-4/_metadata"));
  EXPECT_EQ(job.run.logged("leaves"), "INFO [checkpoints] 'job' leaves checkpoint 4 in /checkpoints/chk-4");
}

TEST_P(CheckpointFiles, NothingIsLeftOfAJobThatFinished) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                  {"execution.checkpointing.dir", "/checkpoints"},
                                  {"execution.checkpointing.data-inline-threshold", GetParam()},
                                  {"execution.checkpointing.timeout", "300 ms"},
                                  {"execution.checkpointing.tolerable-failed-checkpoints", "9"}}),
                        seed);
    job.advance(Duration::millis(2500));
    *job.passes = false;
    job.advance(Duration::millis(1600));  // one is void
    EXPECT_EQ(job.statistics().failed, 1);
    *job.passes = true;
    EXPECT_EQ(job.end().status, JobStatus::kFinished);
    EXPECT_EQ(filesOf(*job.run.sim), std::vector<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Inlined, CheckpointFiles, testing::Values("20 kb"));
INSTANTIATE_TEST_SUITE_P(InFiles, CheckpointFiles, testing::Values("0 b"));

TEST(CheckpointCoordinator, AFullDiskVoidsTheCheckpoint) {
  CheckpointedJob job(settings({{"execution.checkpointing.interval", "1 s"},
                                {"execution.checkpointing.dir", "/checkpoints/in/a/file"},
                                {"execution.checkpointing.data-inline-threshold", "0 b"}}));
  job.run.sim->files().put("/checkpoints", "in the way");
  job.advance(Duration::millis(1500));
  const JobResult result = job.end();
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(std::string(result.error->what()).find("checkpoint 1: task 'Source: source' "), std::string::npos)
      << result.error->what();
}

// Of a job whose checkpoints may fail as often as they like.
Configuration tolerant(const char* dir) {
  return settings({{"execution.checkpointing.interval", "1 s"},
                   {"execution.checkpointing.timeout", "500 ms"},
                   {"execution.checkpointing.dir", dir},
                   {"execution.checkpointing.create-subdir", "false"},
                   {"execution.checkpointing.data-inline-threshold", "0 b"},
                   {"execution.checkpointing.tolerable-failed-checkpoints", "1000"}});
}

TEST(CheckpointFaults, ADiskThatIsFullForAWhile) {
  CheckpointedJob job(tolerant("/checkpoints"));
  job.run.sim->files().setFreeBytes(10);
  job.advance(Duration::millis(1500));
  EXPECT_EQ(job.statistics().failed, 1);
  EXPECT_NE(job.statistics().history[0].failure.find("/checkpoints/chk-1/task-"), std::string::npos)
      << job.statistics().history[0].failure;
  EXPECT_EQ(filesOf(*job.run.sim), std::vector<std::string>());
  job.run.sim->files().setFreeBytes(1 << 20);
  job.advance(Duration::seconds(1));
  EXPECT_EQ(job.statistics().completed, 1);
  EXPECT_EQ(job.run.job->status(), JobStatus::kRunning);
}

TEST(CheckpointFaults, ASlowDiskHoldsUpCheckpointsAndNotTheJob) {
  CheckpointedJob job(tolerant("/checkpoints"));
  job.run.sim->offload().hold("write checkpoint");
  job.advance(Duration::millis(3700));
  EXPECT_EQ(job.statistics().failed, 3);
  EXPECT_EQ(job.run.job->status(), JobStatus::kRunning);
  job.run.sim->offload().hold("");
  job.advance(Duration::seconds(1));
  EXPECT_EQ(job.statistics().completed, 1);
  for (const std::string& file : filesOf(*job.run.sim)) {
    EXPECT_TRUE(file.starts_with("/checkpoints/chk-4/")) << "written late, of a void checkpoint: " << file;
  }
}

TEST(CheckpointFaults, AFolderThatVanishes) {
  CheckpointedJob job(tolerant("/checkpoints"));
  job.advance(Duration::millis(1500));
  EXPECT_EQ(job.statistics().completed, 1);
  FolderStore(job.run.sim->files()).removeFolder("/checkpoints");
  job.run.sim->files().put("/checkpoints", "a file where the folder was");
  job.advance(Duration::seconds(1));
  EXPECT_EQ(job.statistics().failed, 1);
  EXPECT_NE(job.statistics().history[0].failure.find("'/checkpoints"), std::string::npos)
      << job.statistics().history[0].failure;
  EXPECT_EQ(job.run.job->status(), JobStatus::kRunning);
  job.run.sim->files().remove("/checkpoints");
  job.advance(Duration::seconds(1));
  EXPECT_EQ(job.statistics().completed, 2);
  EXPECT_TRUE(job.run.sim->files().stat("/checkpoints/chk-3/_metadata"));
}

TEST(CheckpointFaults, AnObjectStoreThatIsAwayForAWhile) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CheckpointedJob job(tolerant("s3://bucket/job"), seed);
    SimulatedStores& stores = job.run.sim->stores();
    stores.objects()["s3://bucket/job/chk-7/task-0-0"] = "of a process that died";
    job.advance(Duration::millis(1500));
    EXPECT_EQ(job.statistics().history[0].id, CheckpointId(8)) << "no file is written over";
    EXPECT_EQ(job.statistics().completed, 1);
    stores.fail("s3://", "NETWORK_CONNECTION");
    job.advance(Duration::seconds(2));
    EXPECT_EQ(job.statistics().failed, 2);
    EXPECT_NE(
        job.statistics().history[0].failure.find(
            "could not be written: NETWORK_CONNECTION. See that the store runs and that s3.endpoint is"),
        std::string::npos)
        << job.statistics().history[0].failure;
    stores.objects()["s3://bucket/job/chk-9/task-0-0"] = "written, but not acknowledged";
    stores.fail("s3://", "");
    job.advance(Duration::seconds(1));
    EXPECT_EQ(job.statistics().completed, 2);
    for (const auto& [name, content] : stores.objects()) {
      EXPECT_TRUE(name.starts_with("s3://bucket/job/chk-11/")) << "left: " << name;
    }
    EXPECT_EQ(stores.objects().count("s3://bucket/job/chk-11/_metadata"), 1u);
    EXPECT_EQ(job.end().status, JobStatus::kFinished);
    EXPECT_TRUE(stores.objects().empty()) << stores.objects().begin()->first;
  }
}

class Forgetful final : public Operator {
 public:
  static constexpr std::string_view kRefusesCheckpoints = "it keeps everything to itself";
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
};

TEST(CheckpointCoordinator, AJobThatWouldLoseStateIsRefused) {
  const auto graph = [] {
    Pipeline pipeline(numbers(10));
    pipeline.then("forgetful", operatorFactory<Forgetful>());
    return pipeline.job();
  };
  const std::string refusal =
      "operator 'forgetful' cannot be checkpointed: it keeps everything to itself. Run the job without "
      "execution.checkpointing.interval, or use a window that ends";
  EXPECT_EQ(errorText([&] {
              Simulated(graph(), 1, settings({{"execution.checkpointing.interval", "1 s"}}));
            }),
            refusal);
  Simulated run(graph());
  std::optional<CheckpointOutcome> outcome;
  run.job->triggerCheckpoint([&](CheckpointOutcome done) { outcome = std::move(done); });
  EXPECT_EQ(run.end().status, JobStatus::kFinished);
  ASSERT_TRUE(outcome && outcome->error);
  EXPECT_EQ(outcome->error->message(), refusal);
}

TEST(CheckpointOptions, BarriersOvertakeOnlyExactlyOnceAndOneAtATime) {
  const auto refusal = [](const char* key, const char* value) {
    return errorText([&] {
      checkpointOptions(settings({{"execution.checkpointing.unaligned.enabled", "true"}, {key, value}}));
    });
  };
  EXPECT_EQ(refusal("execution.checkpointing.mode", "AT_LEAST_ONCE"),
            "execution.checkpointing.unaligned.enabled is true, but execution.checkpointing.mode is "
            "AT_LEAST_ONCE, in which nothing waits for barriers: set one or the other back");
  EXPECT_EQ(refusal("execution.checkpointing.max-concurrent-checkpoints", "2"),
            "execution.checkpointing.unaligned.enabled is true, but "
            "execution.checkpointing.max-concurrent-checkpoints is 2: barriers that overtake would overtake "
            "each other; set it to 1");
  EXPECT_EQ(refusal("execution.checkpointing.min-pause", "1 s"), "nothing was thrown");
  const CheckpointOptions options =
      checkpointOptions(settings({{"execution.checkpointing.unaligned.enabled", "true"},
                                  {"execution.checkpointing.aligned-checkpoint-timeout", "30 s"}}));
  EXPECT_TRUE(options.unaligned);
  EXPECT_EQ(options.alignedFor, Duration::seconds(30));
}

TEST(CheckpointOptions, RetentionNeedsAFolder) {
  EXPECT_EQ(
      errorText([] {
        checkpointOptions(settings(
            {{"execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"}}));
      }),
      "execution.checkpointing.externalized-checkpoint-retention is RETAIN_ON_CANCELLATION, but checkpoints "
      "are kept in memory, which ends with the job: set execution.checkpointing.dir to a folder");
}

}  // namespace
}  // namespace flott
