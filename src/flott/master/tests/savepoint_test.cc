// Savepoints: whose they are, what becomes of those that fail, and what they leave alone.
#include <gtest/gtest.h>

#include <regex>

#include "flott/base/tests/error_text.h"
#include "flott/master/tests/checkpointed_job.h"

namespace flott {
namespace {

// Asks for a savepoint; the outcome is there when it has one.
std::shared_ptr<std::optional<CheckpointOutcome>> askForSavepoint(CheckpointedJob& job,
                                                                  const std::string& dir = "/savepoints") {
  auto outcome = std::make_shared<std::optional<CheckpointOutcome>>();
  job.run.job->triggerSavepoint(dir, [outcome](CheckpointOutcome done) { *outcome = std::move(done); });
  job.advance(Duration::millis(10));
  return outcome;
}

std::string failureOf(const std::shared_ptr<std::optional<CheckpointOutcome>>& outcome) {
  return outcome->has_value() && (*outcome)->error ? (*outcome)->error->what() : "no failure";
}

std::vector<std::string> filesIn(CheckpointedJob& job, const std::string& folder) {
  std::vector<std::string> names;
  if (!job.run.sim->files().stat(folder)) return names;
  for (const FileInfo& file : job.run.sim->files().listFiles(folder)) names.push_back(file.path);
  return names;
}

Configuration inFiles(std::initializer_list<std::pair<const char*, const char*>> more = {}) {
  Configuration configuration = settings(more);
  configuration.set("execution.checkpointing.data-inline-threshold", "0 b");
  return configuration;
}

TEST(Savepoints, AreMadeWithoutAnIntervalInAFolderOfTheirOwn) {
  CheckpointedJob job(inFiles());
  job.advance(Duration::seconds(1));
  const auto outcome = askForSavepoint(job, "file:///savepoints/");
  ASSERT_TRUE(*outcome);
  ASSERT_FALSE((*outcome)->error) << failureOf(outcome);
  const std::string folder = (*outcome)->folder;
  EXPECT_TRUE(std::regex_match(folder, std::regex("/savepoints/savepoint-[0-9a-f]{6}-[0-9a-f]{12}")))
      << folder;
  const CheckpointMetadata metadata = CheckpointStorage(job.run.sim->files(), {}).readMetadata(folder);
  EXPECT_EQ(metadata.kind, CheckpointKind::kSavepoint);
  EXPECT_EQ(metadata.operators.size(), 2u);
  EXPECT_EQ(filesIn(job, "/savepoints"),
            (std::vector<std::string>{folder + "/_metadata", folder + "/task-0-0", folder + "/task-0-1"}));
  const CheckpointStatistics statistics = job.statistics();
  EXPECT_EQ(statistics.completed, 1);
  EXPECT_EQ(statistics.history.at(0).kind, CheckpointKind::kSavepoint);
  EXPECT_EQ(statistics.history.at(0).folder, folder);
  const auto second = askForSavepoint(job, "/savepoints");
  ASSERT_TRUE(*second);
  EXPECT_NE((*second)->folder, folder);
  EXPECT_EQ((*second)->id, CheckpointId(2));
  const JobResult result = job.end();
  EXPECT_EQ(result.accumulators.find("completed 1"), nullptr) << "nothing may be published with a savepoint";
  EXPECT_NE(result.accumulators.find("void 1"), nullptr);
  EXPECT_EQ(filesIn(job, "/savepoints").size(), 6u) << "the job has ended, and they stay";
}

TEST(Savepoints, AFolderIsGivenOrConfigured) {
  CheckpointedJob job({});
  job.advance(Duration::millis(100));
  EXPECT_EQ(failureOf(askForSavepoint(job, "")),
            "no savepoint was triggered: nothing says where to. Give triggerSavepoint() a folder, or set "
            "execution.checkpointing.savepoint-dir");
  EXPECT_EQ(failureOf(askForSavepoint(job, "ftp://host/path")),
            errorText([] { locatedFolder("ftp://host/path"); }));
  CheckpointedJob configured(settings({{"execution.checkpointing.savepoint-dir", "/configured"}}));
  configured.advance(Duration::millis(100));
  const auto outcome = askForSavepoint(configured, "");
  EXPECT_TRUE((*outcome)->folder.starts_with("/configured/savepoint-")) << (*outcome)->folder;
  EXPECT_EQ(configured.end().status, JobStatus::kFinished);
  EXPECT_EQ(filesIn(configured, "/configured"), std::vector<std::string>{(*outcome)->folder + "/_metadata"})
      << "small state is in the metadata";
}

TEST(Savepoints, DoNotDisturbCheckpoints) {
  CheckpointedJob job(inFiles({{"execution.checkpointing.interval", "1 s"},
                               {"execution.checkpointing.dir", "/checkpoints"},
                               {"execution.checkpointing.create-subdir", "false"}}));
  job.advance(Duration::millis(1500));
  // Beside the checkpoints, so that sweeps see it.
  const auto outcome = askForSavepoint(job, "/checkpoints");
  ASSERT_TRUE(*outcome && !(*outcome)->error) << failureOf(outcome);
  const std::string savepoint = (*outcome)->folder;
  std::vector<std::string> folders;
  const auto list = [&] {
    folders.clear();
    for (const FileInfo& folder : job.run.sim->files().listFolder("/checkpoints"))
      folders.push_back(folder.path);
    return folders;
  };
  EXPECT_EQ(list(), (std::vector<std::string>{"/checkpoints/chk-1", savepoint})) << "1 is still retained";
  job.advance(Duration::seconds(3));
  EXPECT_EQ(list(), (std::vector<std::string>{"/checkpoints/chk-5", savepoint}));
  EXPECT_EQ(job.statistics().triggered, 5);
  EXPECT_EQ(job.end().status, JobStatus::kFinished);
  EXPECT_EQ(list(), std::vector<std::string>{savepoint}) << "it outlives the job";
}

// Its barriers keep their place, and must not be overtaken by those of a checkpoint, nor stand in their way.
TEST(Savepoints, WaitForACheckpointWhoseBarriersOvertake) {
  CheckpointedJob job(inFiles(
      {{"execution.checkpointing.interval", "1 s"}, {"execution.checkpointing.unaligned.enabled", "true"}}));
  *job.passes = false;
  job.advance(Duration::millis(1500));
  const auto outcome = askForSavepoint(job);
  EXPECT_EQ(job.statistics().inProgress, 1);
  EXPECT_EQ(failureOf(askForSavepoint(job)),
            "no savepoint was triggered: one is under way already. Wait for its end");
  job.advance(Duration::seconds(3));
  EXPECT_EQ(job.statistics().triggered, 1) << "the next checkpoint waits for both";
  *job.passes = true;
  job.advance(Duration::millis(20));
  ASSERT_TRUE(*outcome);
  EXPECT_FALSE((*outcome)->error) << failureOf(outcome);
  EXPECT_EQ((*outcome)->id, CheckpointId(2));
  EXPECT_EQ(job.end().status, JobStatus::kFinished);
}

TEST(Savepoints, ThatWaitForACheckpointAreNotMadeWhenTheJobEnds) {
  CheckpointedJob job(inFiles(
      {{"execution.checkpointing.interval", "1 s"}, {"execution.checkpointing.unaligned.enabled", "true"}}));
  *job.passes = false;
  job.advance(Duration::millis(1500));
  const auto outcome = askForSavepoint(job);
  job.run.job->cancel();
  EXPECT_EQ(job.end().status, JobStatus::kCancelled);
  EXPECT_NE(failureOf(outcome).find("no savepoint was made: "), std::string::npos) << failureOf(outcome);
}

TEST(Savepoints, DoNotWaitForCheckpointsUnderWay) {
  CheckpointedJob job(inFiles({{"execution.checkpointing.interval", "1 s"}}));
  *job.passes = false;
  job.advance(Duration::millis(1500));
  const auto outcome = askForSavepoint(job);
  EXPECT_EQ(job.statistics().inProgress, 2) << "max-concurrent-checkpoints is no limit for it";
  EXPECT_EQ(failureOf(askForSavepoint(job)),
            "no savepoint was triggered: one is under way already. Wait for its end");
  *job.passes = true;
  job.advance(Duration::millis(20));
  ASSERT_TRUE(*outcome);
  EXPECT_FALSE((*outcome)->error) << failureOf(outcome);
}

TEST(Savepoints, OneThatFailsLeavesNothingAndTheJobGoesOn) {
  CheckpointedJob job(inFiles({{"execution.checkpointing.interval", "1 s"},
                               {"execution.checkpointing.timeout", "500 ms"},
                               {"execution.checkpointing.tolerable-failed-checkpoints", "0"}}));
  job.advance(Duration::millis(1100));
  *job.passes = false;
  const auto outcome = askForSavepoint(job);
  EXPECT_FALSE(filesIn(job, "/savepoints").empty()) << "the source's part is written";
  job.advance(Duration::millis(600));
  EXPECT_EQ(
      failureOf(outcome),
      "savepoint 2: not complete after 500 ms: 1 tasks have not acknowledged it, among them 'Sink: gate' 1. "
      "See what holds them up, or raise execution.checkpointing.timeout");
  *job.passes = true;
  job.advance(Duration::millis(500));
  EXPECT_EQ(filesIn(job, "/savepoints"), std::vector<std::string>());
  EXPECT_EQ(job.run.job->status(), JobStatus::kRunning) << "its failure is not that of a checkpoint";
  EXPECT_EQ(job.statistics().history.at(1).kind, CheckpointKind::kSavepoint);
  EXPECT_EQ(job.statistics().history.at(1).status, CheckpointStatus::kFailed);
  EXPECT_EQ(job.end().status, JobStatus::kFinished);
}

TEST(Savepoints, AFullDiskVoidsThem) {
  CheckpointedJob job(inFiles());
  job.advance(Duration::millis(100));
  job.run.sim->files().setFreeBytes(10);
  const auto outcome = askForSavepoint(job);
  EXPECT_NE(failureOf(outcome).find("savepoint 1: task 'Source: source' "), std::string::npos)
      << failureOf(outcome);
  EXPECT_EQ(filesIn(job, "/savepoints"), std::vector<std::string>());
  job.run.sim->files().setFreeBytes(1 << 20);
  const auto again = askForSavepoint(job);
  EXPECT_FALSE((*again)->error) << failureOf(again);
  EXPECT_EQ(job.end().status, JobStatus::kFinished);
}

TEST(Savepoints, AnObjectStoreThatIsAwayForAWhileKeepsNothingOfThem) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CheckpointedJob job(inFiles({{"execution.checkpointing.timeout", "500 ms"}}), seed);
    SimulatedStores& stores = job.run.sim->stores();
    job.advance(Duration::millis(100));
    *job.passes = false;
    const auto outcome = askForSavepoint(job, "s3://bucket/savepoints");
    EXPECT_FALSE(stores.objects().empty()) << "the source's part is written";
    stores.fail("s3://", "NETWORK_CONNECTION");
    job.advance(Duration::millis(600));
    EXPECT_NE(failureOf(outcome), "no failure");
    *job.passes = true;
    job.advance(Duration::millis(10));
    stores.fail("s3://", "");
    const auto again = askForSavepoint(job, "s3://bucket/savepoints");
    ASSERT_TRUE(*again && !(*again)->error) << failureOf(again);
    job.advance(Duration::millis(10));
    for (const auto& [name, content] : stores.objects()) {
      EXPECT_TRUE(name.starts_with((*again)->folder + "/")) << "left: " << name;
    }
    EXPECT_EQ(job.end().status, JobStatus::kFinished);
    EXPECT_EQ(stores.objects().size(), 3u);
  }
}

TEST(Savepoints, NoneIsMadeOfAJobThatHasEnded) {
  CheckpointedJob job({});
  job.advance(Duration::millis(100));
  job.run.job->cancel();
  const auto outcome = askForSavepoint(job);
  EXPECT_EQ(failureOf(outcome), "no savepoint was triggered: the job does not run");
}

}  // namespace
}  // namespace flott
