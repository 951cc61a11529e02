// The master alone, with tasks that do nothing but what the test makes them do.
#include "flott/master/job_master.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/master/tests/told_task.h"
#include "flott/runtime/tests/test_job.h"

namespace flott {
namespace {

class IdleSource final : public SourceFactory {
 public:
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoEnumerator>();
  }
  std::unique_ptr<SourceReader> createReader() const override { return nullptr; }
};

// Two pipelines side by side, of a source and an operator.
class MasterAlone : public testing::Test, private TaskDeployer {
 protected:
  static constexpr TaskKey kSourceOfFirst{0, 0};
  static constexpr TaskKey kFirst{1, 0};
  static constexpr TaskKey kSourceOfSecond{0, 1};
  static constexpr TaskKey kSecond{1, 1};

  MasterAlone() : graph_(pipelines()) {}

  static JobGraph pipelines() {
    Pipeline pipeline(std::make_shared<IdleSource>(), 2);
    pipeline.then("keep", passOn(), 2, PartitionKind::kForward);
    pipeline.graph.nodes.back().chaining = ChainingStrategy::kHead;
    return pipeline.job();
  }
  // Until it has nothing more to do at this moment.
  void step() {
    do {
      progress = master.step({world_.clock().monotonicNanos(), world_.clock().wallTime()});
    } while (progress != Runnable::Progress::kDone &&
             (world_.offload().runOne() || progress == Runnable::Progress::kMore ||
              master.deadlineNanos() <= world_.clock().monotonicNanos()));
  }
  void pass(Duration time) {
    world_.clock().advance(time);
    step();
  }
  void end(TaskKey task, TaskState state, std::optional<Error> error = {}) {
    master.onTaskEnded(tasks.at(task)->id(), state, std::move(error), {});
    step();
  }

 private:
  std::map<TaskKey, TaskGateway*> deploy(int attempt, RestoredJob, const TaskSet& some) override {
    std::map<TaskKey, TaskGateway*> deployed;
    for (const JobVertex& vertex : graph_.vertices) {
      for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
        const TaskKey key{vertex.id, subtask};
        if (!some.empty() && !some.contains(key)) continue;
        all_.push_back(std::make_unique<ToldTask>(TaskId{vertex.id, SubtaskIndex(subtask), attempt}));
        tasks[key] = all_.back().get();
        deployed[key] = all_.back().get();
      }
    }
    return deployed;
  }

  SimulatedEnv world_{1};
  Env env_ = world_.env();
  const JobGraph graph_;
  CheckpointStorage storage_{env_.files, {}};
  std::vector<std::unique_ptr<ToldTask>> all_;

 protected:
  std::map<TaskKey, ToldTask*> tasks;  // the newest
  JobMaster master{graph_,
                   {.cancellationTimeout = Duration::seconds(60),
                    .cancellationInterval = Duration::seconds(10),
                    .jobId = "0123456789abcdef",
                    .checkpoints = {}},
                   [](const Error&, int64_t) { return RestartDecision::in(Duration()); },
                   storage_,
                   env_,
                   *this};
  Runnable::Progress progress = Runnable::Progress::kIdle;
};

TEST_F(MasterAlone, ARegionBeginsAnewOnceItsTasksHaveEnded) {
  step();
  end(kFirst, TaskState::kFailed, Error(ErrorKind::kTransient, "lost"));
  EXPECT_EQ(tasks.at(kSourceOfFirst)->cancelled, 1);
  EXPECT_EQ(tasks.at(kSecond)->cancelled, 0);
  EXPECT_EQ(master.status(), JobStatus::kRestarting);
  ToldTask* const before = tasks.at(kFirst);
  end(kSourceOfFirst, TaskState::kCancelled);
  pass(Duration::millis(1));
  EXPECT_EQ(master.status(), JobStatus::kRunning);
  EXPECT_NE(tasks.at(kFirst), before);
  EXPECT_EQ(tasks.at(kFirst)->id().attempt, 1);
  EXPECT_EQ(tasks.at(kSecond)->id().attempt, 0);
  for (const TaskKey& task : {kSourceOfFirst, kFirst, kSourceOfSecond}) end(task, TaskState::kFinished);
  EXPECT_NE(progress, Runnable::Progress::kDone);
  end(kSecond, TaskState::kFinished);
  EXPECT_EQ(progress, Runnable::Progress::kDone);
  EXPECT_EQ(master.result().status, JobStatus::kFinished);
}

TEST_F(MasterAlone, ATaskOfARegionThatDoesNotEndFailsTheJobOnceTheOthersHaveEnded) {
  step();
  end(kFirst, TaskState::kFailed, Error(ErrorKind::kTransient, "lost"));
  for (int reminder = 0; reminder < 5; ++reminder) pass(Duration::seconds(10));
  EXPECT_EQ(master.status(), JobStatus::kRestarting);
  EXPECT_EQ(tasks.at(kSecond)->cancelled, 0) << "its time is not over";
  pass(Duration::seconds(11));
  EXPECT_EQ(master.status(), JobStatus::kFailing);
  EXPECT_EQ(tasks.at(kSecond)->cancelled, 1);
  EXPECT_EQ(tasks.at(kSourceOfSecond)->cancelled, 1);
  end(kSecond, TaskState::kCancelled);
  end(kSourceOfSecond, TaskState::kCancelled);
  EXPECT_NE(progress, Runnable::Progress::kDone);
  pass(Duration::seconds(61));
  ASSERT_EQ(progress, Runnable::Progress::kDone);
  EXPECT_TRUE(master.abandonedTasks());
  ASSERT_EQ(master.result().status, JobStatus::kFailed);
  EXPECT_NE(std::string(master.result().error->what())
                .find("did not react to cancellation for 61 s: a user function or an off-loaded call "
                      "blocks; it is left behind (task 0/0). Make it return, or raise "
                      "task.cancellation.timeout"),
            std::string::npos)
      << master.result().error->what();
}

}  // namespace
}  // namespace flott
