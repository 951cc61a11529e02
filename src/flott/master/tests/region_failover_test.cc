// Parts of a job that no channel connects with what failed run on, and no record is lost or comes twice.
#include <gtest/gtest.h>

#include <numeric>

#include "flott/master/failover_regions.h"
#include "flott/master/tests/recovery_world.h"
#include "flott/state/operator_state.h"

namespace flott {
namespace {

/// Outside of the job: survives its attempts.
struct Outside {
  std::map<int, std::vector<int64_t>> kept;  // by subtask, as last told
  std::map<int, int> opens;                  // by subtask
  std::vector<int64_t> crashes;              // records seen by all, after which one fails
  int64_t seen = 0;
  std::function<void()> onCrash = {};

  std::vector<int64_t> all() const {
    std::vector<int64_t> records;
    for (const auto& [subtask, some] : kept) records.insert(records.end(), some.begin(), some.end());
    std::sort(records.begin(), records.end());
    return records;
  }
  int allOpens() const {
    return std::accumulate(opens.begin(), opens.end(), 0,
                           [](int sum, const auto& one) { return sum + one.second; });
  }
};

// Has all records of its subtask in its state, and tells them at the end.
class KeepInState final : public Operator {
 public:
  explicit KeepInState(std::shared_ptr<Outside> outside) : outside_(std::move(outside)) {}
  void open(OperatorContext& context) override {
    subtask_ = context.info().subtask.value;
    ++outside_->opens[subtask_];
    kept_ = &context.operatorState().list<int64_t>("kept");
    counted_ = &context.accumulators().get<LongCounter>("counted");
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      const auto crash = std::find(outside_->crashes.begin(), outside_->crashes.end(), ++outside_->seen);
      if (crash != outside_->crashes.end()) {
        if (outside_->onCrash) outside_->onCrash();
        throw Error(ErrorKind::kTransient, "crash " + std::to_string(outside_->seen));
      }
      kept_->add(record);
      counted_->add(1);
    }
    return Step::kDone;
  }
  Step onEndOfInput(int, Output&) override {
    outside_->kept[subtask_] = kept_->get();
    return Step::kDone;
  }

 private:
  std::shared_ptr<Outside> outside_;
  int subtask_ = 0;
  OperatorListState<int64_t>* kept_ = nullptr;
  LongCounter* counted_ = nullptr;
};

// Pipelines side by side: two tasks each.
JobGraph pipelines(int count, int64_t records, Handout handout, const std::shared_ptr<Outside>& outside) {
  Pipeline pipeline(sourceOf(Ranges(records, handout), "numbers").factory, count);
  auto make = [outside] { return std::make_unique<KeepInState>(outside); };
  pipeline.then("keep", std::make_shared<MadeBy<decltype(make)>>(std::move(make)), count,
                PartitionKind::kForward);
  pipeline.graph.nodes.back().chaining = ChainingStrategy::kHead;
  return pipeline.job();
}

std::vector<int64_t> upTo(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(FailoverRegions, AreWhatChannelsConnect) {
  const auto outside = std::make_shared<Outside>();
  const FailoverRegions side(pipelines(3, 100, Handout::kOnRequest, outside));
  EXPECT_EQ(side.count(), 3u);
  for (int subtask = 0; subtask < 3; ++subtask) {
    EXPECT_EQ(side.tasks(side.of({0, subtask})), (TaskSet{{0, subtask}, {1, subtask}}));
    EXPECT_EQ(side.of({0, subtask}), side.of({1, subtask}));
  }
  Pipeline mixed(sourceOf(Ranges(1), "numbers").factory, 4);
  mixed.then("halves", passOn(), 2, PartitionKind::kRescale)
      .then("keep", passOn(), 2, PartitionKind::kForward);
  EXPECT_EQ(FailoverRegions(mixed.job()).count(), 2u);
  Pipeline dealt(sourceOf(Ranges(1), "numbers").factory, 4);
  dealt.then("dealt", passOn(), 3, PartitionKind::kRebalance);
  const FailoverRegions one(dealt.job());
  EXPECT_EQ(one.count(), 1u);
  EXPECT_EQ(one.tasks(0).size(), 7u);
}

TEST(RegionFailover, EveryRecordCountsOnceAndOtherRegionsRunOn) {
  int64_t completed = 0;
  int fromCheckpoint = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const int count = static_cast<int>(2 + random.below(3));
    const auto records = static_cast<int64_t>(500 + random.below(2000));
    const auto outside = std::make_shared<Outside>();
    const auto crashes = 1 + random.below(3);
    for (uint64_t i = 0; i < crashes; ++i)
      outside->crashes.push_back(1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(records))));
    std::sort(outside->crashes.begin(), outside->crashes.end());
    outside->crashes.erase(std::unique(outside->crashes.begin(), outside->crashes.end()),
                           outside->crashes.end());
    RecoveryWorld world(seed);
    JobResult result = world.run(
        pipelines(count, records, random.below(2) == 0 ? Handout::kOnRequest : Handout::kEvenly, outside),
        kept(random.below(2) == 0), 2000, 3);
    ASSERT_EQ(result.status, JobStatus::kFinished) << "seed " << seed << ": " << result.error->what();
    EXPECT_EQ(outside->all(), upTo(records)) << "seed " << seed;
    // Accumulators are of the attempts that ended the job: those of a region that began anew count from
    // there.
    const int64_t counted = result.accumulators.get<LongCounter>("counted").value();
    int64_t undisturbed = 0;
    for (const auto& [subtask, some] : outside->kept)
      undisturbed += outside->opens[subtask] == 1 ? static_cast<int64_t>(some.size()) : 0;
    EXPECT_LE(counted, records) << "seed " << seed;
    EXPECT_GE(counted, undisturbed) << "seed " << seed;
    EXPECT_EQ(result.restarts, static_cast<int>(outside->crashes.size())) << "seed " << seed;
    EXPECT_EQ(outside->allOpens(), count + result.restarts)
        << "seed " << seed << ": a task of another region began anew";
    completed += result.checkpoints.completed;
    for (const std::string& line : world.sim->log().lines())
      fromCheckpoint += line.find("2 tasks run again, from checkpoint") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(completed, 400) << "hardly a checkpoint was made";
  EXPECT_GT(fromCheckpoint, 100) << "most began from nothing";
}

TEST(RegionFailover, FullRestartsAll) {
  const auto outside = std::make_shared<Outside>();
  outside->crashes = {700};
  RecoveryWorld world(5);
  Configuration configuration = kept();
  configuration.set("jobmanager.execution.failover-strategy", "full");
  const JobResult result =
      world.run(pipelines(3, 2000, Handout::kOnRequest, outside), configuration, 2000, 1);
  ASSERT_EQ(result.status, JobStatus::kFinished) << result.error->what();
  EXPECT_EQ(outside->all(), upTo(2000));
  EXPECT_EQ(outside->allOpens(), 6);
}

TEST(RegionFailover, StateThatCannotBeReadRestartsAllFromACheckpointBefore) {
  int went = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const auto outside = std::make_shared<Outside>();
    outside->crashes = {1500};
    RecoveryWorld world(seed);
    outside->onCrash = [&] {
      for (const FileInfo& file : world.sim->files().listFiles("/checkpoints")) {
        if (file.path.find("/task-") != std::string::npos) world.sim->files().put(file.path, "torn");
      }
    };
    const JobResult result = world.run(pipelines(2, 3000, Handout::kOnRequest, outside), kept(), 2000, 3);
    const std::vector<std::string>& lines = world.sim->log().lines();
    if (std::none_of(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("begins anew as a whole, since the state of a part of it cannot be read: ") !=
                 std::string::npos;
        }))
      continue;
    ++went;
    // No other one is there.
    ASSERT_EQ(result.status, JobStatus::kFailed) << "seed " << seed;
    EXPECT_NE(std::string(result.error->what()).find("file '/checkpoints/chk-"), std::string::npos)
        << result.error->what();
  }
  EXPECT_GT(went, 20);
}

TEST(RegionFailover, AFailureTooManyEndsTheJob) {
  const auto outside = std::make_shared<Outside>();
  outside->crashes = {300, 1900};
  RecoveryWorld world(2);
  const JobResult result = world.run(pipelines(3, 2000, Handout::kOnRequest, outside), kept(), 2000, 1);
  ASSERT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(std::string(result.error->what()).find("crash 1900"), std::string::npos) << result.error->what();
  EXPECT_EQ(result.restarts, 1);
}

TEST(RegionFailover, AJobThatIsCancelledMeanwhileEnds) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const auto outside = std::make_shared<Outside>();
    outside->crashes = {400, 800, 1200};
    RecoveryWorld world(seed);
    world.atEachMoment = [&, left = static_cast<int>(Random(seed).below(60))](EmbeddedJob& job) mutable {
      job.triggerCheckpoint([](CheckpointOutcome) {});
      if (outside->seen > 300 && --left == 0) job.cancel();
    };
    const JobResult result = world.run(pipelines(3, 2000, Handout::kEvenly, outside), kept(), 2000, 3);
    EXPECT_NE(result.status, JobStatus::kFailed) << "seed " << seed;
  }
}

}  // namespace
}  // namespace flott
