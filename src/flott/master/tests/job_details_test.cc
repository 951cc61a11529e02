// What a job tells about itself, and its id.
#include <gtest/gtest.h>

#include "flott/master/job_id.h"
#include "flott/master/tests/simulated_job.h"

namespace flott {
namespace {

JobDetails detailsOf(Simulated& run) {
  std::optional<JobDetails> details;
  run.job->readDetails([&details](JobDetails answer) { details = std::move(answer); });
  run.scheduler->runUntilIdle();
  EXPECT_TRUE(details) << "no answer";
  return details ? *std::move(details) : JobDetails();
}

// Passes on, but fails so many times, each time at its first batch.
std::shared_ptr<const OperatorFactory> failsFirst(int times) {
  auto left = std::make_shared<int>(times);
  return batchOperator([left](Batch batch, Output& output) {
    if (--*left >= 0) throw std::runtime_error("cannot, " + std::to_string(*left) + " to go");
    output.emit(std::move(batch));
  });
}

RestartPolicy inASecond() {
  return [](const Error&, int64_t) { return RestartDecision::in(Duration::seconds(1)); };
}

// Fails when the second checkpoint comes by, once.
class FailsAtTheSecond final : public Operator {
 public:
  explicit FailsAtTheSecond(std::shared_ptr<bool> failed) : failed_(std::move(failed)) {}
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
  Step beforeBarrier(CheckpointId id, Output&) override {
    if (id.value == 2 && !std::exchange(*failed_, true)) throw std::runtime_error("not this one");
    return Step::kDone;
  }

 private:
  const std::shared_ptr<bool> failed_;
};

CheckpointOutcome checkpoint(Simulated& run) {
  std::optional<CheckpointOutcome> outcome;
  run.job->triggerCheckpoint([&outcome](CheckpointOutcome made) { outcome = std::move(made); });
  run.scheduler->runUntilIdle();
  EXPECT_TRUE(outcome) << "no answer";
  return outcome ? *std::move(outcome) : CheckpointOutcome();
}

TEST(JobDetails, OfARunningJobHaveItsTasksAndWhatTheyCount) {
  Pipeline pipeline(readBy(IdleReader()), 2);
  pipeline.then("sink", passOn(), 3, PartitionKind::kRebalance);
  Simulated run(pipeline.job());
  const Timestamp began = run.sim->env().clock.wallTime();
  run.scheduler->runUntilIdle();
  const JobDetails details = detailsOf(run);
  EXPECT_EQ(details.status, JobStatus::kRunning);
  EXPECT_EQ(details.started(), began);
  EXPECT_EQ(details.sinceStatus(JobStatus::kRunning), began);
  EXPECT_EQ(details.sinceStatus(JobStatus::kFailed), Timestamp::min());
  EXPECT_EQ(details.ended(), Timestamp::min());
  EXPECT_EQ(details.attemptBegan, began);
  ASSERT_EQ(details.tasks.size(), 5u);
  EXPECT_EQ(details.tasks[3].id.vertex, 1);
  EXPECT_EQ(details.tasks[3].id.subtask.value, 1);
  for (const TaskDetails& task : details.tasks) {
    EXPECT_EQ(task.state, TaskState::kRunning);
    EXPECT_EQ(task.ended, Timestamp::min());
    ASSERT_EQ(task.operators.size(), 1u);
    EXPECT_EQ(task.operators[0].metrics[0].name, "numRecordsIn");
  }
  run.job->cancel();
  run.end();
}

TEST(JobDetails, NameFailuresWithTheTaskNewestFirstAndForgetTheOldest) {
  Configuration configuration;
  configuration.set(kExceptionHistory, 2);
  Pipeline pipeline(numbers(10));
  pipeline.then("failing", failsFirst(3), 1, PartitionKind::kRebalance).then("sink", passOn());
  Simulated run(pipeline.job(), 1, configuration, inASecond());
  std::optional<JobDetails> last;
  std::vector<JobStatus> others;
  run.job->whenEnded(
      [&others](JobDetails details, std::vector<TaskAccumulators>) { others.push_back(details.status); });
  run.job->whenEnded(
      [&last](JobDetails details, std::vector<TaskAccumulators>) { last = std::move(details); });
  run.job->whenEnded(
      [&others](JobDetails details, std::vector<TaskAccumulators>) { others.push_back(details.status); });
  EXPECT_EQ(run.end().status, JobStatus::kFinished);
  ASSERT_TRUE(last);
  EXPECT_EQ(others, (std::vector<JobStatus>{JobStatus::kFinished, JobStatus::kFinished})) << "all are told";
  EXPECT_EQ(last->restarts, 3);
  ASSERT_EQ(last->failures.size(), 2u);
  EXPECT_TRUE(last->failuresForgotten);
  EXPECT_NE(last->failures[0].text.find("operator 'failing', subtask 1/1: cannot, 0 to go"),
            std::string::npos)
      << last->failures[0].text;
  EXPECT_NE(last->failures[1].text.find("cannot, 1 to go"), std::string::npos);
  ASSERT_TRUE(last->failures[0].task);
  EXPECT_EQ(last->failures[0].task->vertex, 1);
  EXPECT_EQ(last->failures[0].task->attempt, 2);
  EXPECT_LT(last->failures[1].at, last->failures[0].at) << "a second of delay lies between them";
  EXPECT_EQ(last->sinceStatus(JobStatus::kRestarting), last->failures[0].at);
}

TEST(JobDetails, TheLastWordComesOnceBeforeTheStatusSaysSo) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = std::make_shared<Kept>();
    Pipeline pipeline(numbers(100), 2);
    pipeline.then("sink", keepIn(kept), 2, PartitionKind::kRebalance);
    Simulated run(pipeline.job(), seed);
    int calls = 0;
    run.job->whenEnded([&](JobDetails details, std::vector<TaskAccumulators>) {
      ++calls;
      EXPECT_FALSE(isFinal(run.job->status()));
      EXPECT_EQ(details.status, JobStatus::kFinished);
      EXPECT_NE(details.ended(), Timestamp::min());
      EXPECT_FALSE(details.failuresForgotten);
      int64_t in = 0;
      for (const TaskDetails& task : details.tasks) {
        EXPECT_EQ(task.state, TaskState::kFinished);
        EXPECT_NE(task.ended, Timestamp::min());
        if (task.id.vertex == 1) in += static_cast<int64_t>(task.operators[0].metrics[0].value);
      }
      EXPECT_EQ(in, 200);
    });
    run.end();
    EXPECT_EQ(calls, 1);
  }
}

TEST(JobDetails, SayWhichCheckpointAnAttemptBeganWith) {
  auto make = [failed = std::make_shared<bool>(false)] { return std::make_unique<FailsAtTheSecond>(failed); };
  Pipeline pipeline(readBy(IdleReader()));
  pipeline.then("sink", std::make_shared<MadeBy<decltype(make)>>(make));
  Simulated run(pipeline.job(), 1, {}, inASecond());
  run.scheduler->runUntilIdle();
  EXPECT_FALSE(checkpoint(run).error);
  JobDetails details = detailsOf(run);
  EXPECT_EQ(details.checkpoints.completed, 1);
  EXPECT_EQ(details.restores, 0);
  EXPECT_FALSE(details.restored);

  EXPECT_TRUE(checkpoint(run).error);
  EXPECT_EQ(detailsOf(run).status, JobStatus::kRestarting);
  EXPECT_EQ(detailsOf(run).tasks.size(), 1u) << "of the attempt that failed";
  run.sim->clock().advance(Duration::seconds(1));
  run.scheduler->runUntilIdle();
  details = detailsOf(run);
  EXPECT_EQ(details.status, JobStatus::kRunning);
  EXPECT_EQ(details.restores, 1);
  ASSERT_TRUE(details.restored);
  EXPECT_EQ(details.restored->id, CheckpointId(1));
  EXPECT_EQ(details.restored->at, details.attemptBegan);
  EXPECT_EQ(details.tasks[0].id.attempt, 1);
  run.job->cancel();
  run.end();
}

TEST(JobId, IsThirtyTwoHexadecimalDigits) {
  const JobId id{.high = 0x0123456789abcdef, .low = 7};
  EXPECT_EQ(toString(id), "0123456789abcdef0000000000000007");
  EXPECT_EQ(parseJobId(toString(id)), id);
  EXPECT_EQ(parseJobId("0123456789ABCDEF0000000000000007"), id);
  for (const char* wrong : {"", "7", "0123456789abcdef000000000000000", "0123456789abcdef00000000000000070",
                            "0123456789abcdeg0000000000000007", "-123456789abcdef0000000000000007",
                            "0123456789abcdef 000000000000007"})
    EXPECT_FALSE(parseJobId(wrong)) << wrong;
}

TEST(JobId, IsAnotherForEachJobAndNamesItsFolder) {
  SimulatedEnv sim(1);
  const JobId first = drawJobId("job", sim.env());
  EXPECT_EQ(drawJobId("job", sim.env()), first) << "of one name at one moment there is one";
  EXPECT_NE(drawJobId("other", sim.env()), first);
  sim.clock().advance(Duration::millis(1));
  EXPECT_NE(drawJobId("job", sim.env()), first);

  Configuration configuration;
  configuration.set(kCheckpointDir, "/checkpoints");
  Pipeline pipeline(readBy(IdleReader()));
  pipeline.then("sink", passOn());
  Simulated run(pipeline.job(), 1, configuration);
  run.scheduler->runUntilIdle();
  EXPECT_EQ(checkpoint(run).folder, "/checkpoints/" + toString(run.job->id()) + "/chk-1");
  run.job->cancel();
  run.end();
}

}  // namespace
}  // namespace flott
