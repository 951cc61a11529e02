// Whole jobs on real lanes with the smallest channels there are: a lost wake-up is a job that never ends.
//
// Everything is bounded by its input; nothing sleeps. Meant for the thread sanitizer, too.
#include <gtest/gtest.h>

#include "flott/base/options.h"
#include "flott/env/posix/real_env.h"
#include "flott/master/embedded_job.h"
#include "flott/runtime/tests/test_job.h"

namespace flott {
namespace {

// Two records for each, in batches of one, and stops as soon as the output is full; yields now and then.
class TwiceSingly final : public Operator {
 public:
  void open(OperatorContext& context) override { pool_ = &rowsPool<int64_t>(context.pools()); }
  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    return resume(output);
  }
  Step resume(Output& output) override {
    while (next_ < 2 * batch_.size()) {
      Batch one = pool_->acquire();
      one.rows<int64_t>().emplace(batch_.rows<int64_t>()[next_++ / 2]);
      output.emit(std::move(one));
      if (output.full() || next_ % 37 == 0) return Step::kMore;
    }
    batch_.reset();
    return Step::kDone;
  }

 private:
  BatchPool* pool_ = nullptr;
  Batch batch_;
  size_t next_ = 0;
};

std::shared_ptr<const OperatorFactory> twiceSingly() {
  auto make = [] { return std::make_unique<TwiceSingly>(); };
  return std::make_shared<MadeBy<decltype(make)>>(make);
}

// A diamond over `lanes` lanes: every edge crosses lanes, and the two ways meet in one sink.
void run(int lanes, int64_t capacity, int64_t each) {
  SCOPED_TRACE("lanes " + std::to_string(lanes) + ", capacity " + std::to_string(capacity));
  const auto real = std::shared_ptr<RealEnv>(makeRealEnv({.log = {.level = LogLevel::kOff}}));
  const Env env = real->env();
  const auto kept = std::make_shared<Kept>();
  Pipeline pipeline(numbers(each), 2);
  pipeline.then("twice", twiceSingly(), 3, PartitionKind::kRebalance)
      .then("left", passOn(), 2, PartitionKind::kShuffle)
      .then("right", twiceSingly(), 3, PartitionKind::kRebalance)
      .then("sink", keepIn(kept), 2, PartitionKind::kRebalance);
  auto& nodes = pipeline.graph.nodes;
  nodes[3].inputs[0].from = 2;
  StreamEdge second = nodes[4].inputs[0];
  second.from = 3;
  nodes[4].inputs.push_back(second);
  pipeline.graph.bufferTimeout = Duration::millis(capacity == 1 ? 0 : 100);
  Configuration configuration;
  configuration.set(kLanes, lanes);
  configuration.set(kBuffersPerChannel, capacity);
  EmbeddedJob::MakeScheduler make = [env](int count, const Configuration&) {
    return makeThreadedScheduler(env, {.lanes = count});
  };
  EmbeddedJob job(pipeline.job(), std::move(configuration), env, real, make);
  job.start();
  ASSERT_TRUE(job.waitFor(Duration::seconds(120))) << "a task sleeps for ever";
  EXPECT_EQ(job.result().status, JobStatus::kFinished);
  std::vector<int64_t> expected;  // left: each twice, right: four times
  for (int64_t i = 0; i < 2 * each; ++i) expected.insert(expected.end(), 6, i);
  EXPECT_EQ(kept->all(), expected);
}

TEST(Stress, NoTaskSleepsForEverWithTheSmallestChannels) {
  for (int round = 0; round < 6; ++round) {
    for (const int64_t capacity : {1, 2}) {
      for (const int lanes : {2, 3}) run(lanes, capacity, 2000);
    }
  }
}

}  // namespace
}  // namespace flott
