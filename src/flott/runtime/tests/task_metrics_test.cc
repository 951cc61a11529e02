// What tasks say of themselves: bytes, queues, mail, barriers, and the keyed state of their operators.
#include <gtest/gtest.h>

#include "flott/base/config.h"
#include "flott/env/simulated.h"
#include "flott/runtime/state_metrics.h"
#include "flott/runtime/tests/counting_job.h"
#include "flott/state/keyed_backend.h"

namespace flott {
namespace {

std::map<std::string, MetricReading> byName(const std::vector<MetricReading>& readings) {
  std::map<std::string, MetricReading> all;
  for (const MetricReading& reading : readings) all.emplace(reading.name, reading);
  return all;
}

double valueOf(const Task& task, const std::string& name) {
  const auto all = byName(task.readMetrics(1).task);
  const auto found = all.find(name);
  EXPECT_NE(found, all.end()) << name;
  return found == all.end() ? -1 : found->second.value;
}

double sumOver(TestWorker& test, int vertex, const std::string& name) {
  double sum = 0;
  for (const auto& task : test.worker->tasks())
    if (task->id().vertex == vertex) sum += valueOf(*task, name);
  return sum;
}

Batch textsOf(BatchPools& pools, size_t count, size_t length) {
  Batch batch = rowsPool<std::string>(pools).acquire();
  for (size_t i = 0; i < count; ++i) batch.rows<std::string>().emplace(length, 'x');
  return batch;
}

TEST(BatchCounter, IsExactWhereRecordsAreOfOneSizeAndLooksAtFewBatchesWhereTheyAreNot) {
  BatchPools pools;
  BatchCounter numbers;
  for (int64_t size = 1; size <= 100; ++size) {
    Batch batch = rowsPool<int64_t>(pools).acquire();
    for (int64_t i = 0; i < size; ++i) batch.rows<int64_t>().emplace(i);
    numbers.add(numbers.weigh(batch));
  }
  EXPECT_EQ(numbers.batches(), 100);
  EXPECT_EQ(numbers.bytes(), 8 * 5050);
  BatchCounter texts;
  const Batch large = textsOf(pools, 1, 1000);
  const Batch small = textsOf(pools, 10, 1);
  EXPECT_EQ(texts.weigh(large), static_cast<int64_t>(large->bytes()));
  EXPECT_EQ(texts.weigh(small), static_cast<int64_t>(10 * large->bytes())) << "taken for as large";
  for (int i = 2; i < 16; ++i) (void)texts.weigh(small);
  EXPECT_EQ(texts.weigh(small), static_cast<int64_t>(small->bytes())) << "the 16th is looked at again";
}

TEST(ChannelFill, IsAShare) {
  EXPECT_EQ(ChannelFill{}.share(), 0);
  EXPECT_EQ((ChannelFill{.waiting = 3, .capacity = 4}.share()), 0.75);
  EXPECT_EQ((ChannelFill{.waiting = 9, .capacity = 4}.share()), 1)
      << "what the rings did not take waits, too";
}

TEST(MailboxLatency, IsHowLongMailThatCameAsAStepBeganWouldWait) {
  constexpr int64_t kMilli = 1'000'000;
  MailboxLatency latency;
  latency.beginStep(5 * kMilli);
  latency.rest(9 * kMilli);  // the step took 4 ms, then mail would have had its turn
  latency.beginStep(20 * kMilli);
  EXPECT_EQ(latency.millis().count(), 1) << "one in a second";
  latency.beginStep(1005 * kMilli);
  latency.beginStep(1012 * kMilli);  // it had more to do, and others had their turn
  EXPECT_EQ(latency.millis().count(), 2);
  EXPECT_EQ(latency.millis().min(), 4);
  EXPECT_EQ(latency.millis().max(), 7);
}

TEST(TaskMetrics, CountBytesAndBatchesThatGoFromTaskToTask) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestWorker test(countingJob(500, 2, 3), seed, {.channelCapacity = 1});
    test.scheduler.join();
    EXPECT_EQ(sumOver(test, 0, "numBytesOut"), 2 * 500 * 8);
    EXPECT_EQ(sumOver(test, 1, "numBytesIn"), 2 * 500 * 8);
    EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.numBytesInLocal"), 2 * 500 * 8);
    EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.numBytesInRemote"), 0);
    EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.numBuffersInLocal"), sumOver(test, 0, "numBuffersOut"));
    EXPECT_GT(sumOver(test, 0, "numBuffersOut"), 2);
    EXPECT_EQ(sumOver(test, 0, "numBytesIn"), 0) << "a source has no input";
    EXPECT_EQ(sumOver(test, 1, "numBytesOut"), 0) << "a sink has no output";
    EXPECT_GE(sumOver(test, 1, "numBytesInPerSecond"), 0);
  }
}

// Takes nothing, until it may.
struct Gatekeeper {
  bool open = false;
};

TEST(TaskMetrics, SayHowFullChannelsAre) {
  const auto gate = std::make_shared<Gatekeeper>();
  Pipeline pipeline(numbers(5000));
  pipeline.then(
      "slow", batchOperator([gate](const Batch&, Output&) { return gate->open ? Step::kDone : Step::kWait; }),
      1, PartitionKind::kRebalance);
  TestWorker test(pipeline.job(), 1, {.channelCapacity = 4});
  EXPECT_FALSE(test.scheduler.runUntilIdle());
  EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.Buffers.inputQueueLength"), 4);
  EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.Buffers.inPoolUsage"), 1);
  EXPECT_GT(sumOver(test, 0, "Shuffle.Netty.Output.Buffers.outputQueueLength"), 4)
      << "what the ring does not take is in the queue, too";
  EXPECT_EQ(sumOver(test, 0, "Shuffle.Netty.Output.Buffers.outPoolUsage"), 1);
  EXPECT_EQ(sumOver(test, 0, "isBackPressured"), 1);
  EXPECT_EQ(sumOver(test, 0, "Shuffle.Netty.Input.Buffers.inPoolUsage"), 0) << "it has no channels";
  test.worker->cancel();
  test.scheduler.join();
  EXPECT_EQ(sumOver(test, 1, "Shuffle.Netty.Input.Buffers.inputQueueLength"), 4) << "what was never taken";
}

TEST(TaskMetrics, SayHowLongMailWaits) {
  TestWorker test(countingJob(500, 1, 1));
  test.scheduler.join();
  for (const auto& task : test.worker->tasks()) {
    const auto all = byName(task->readMetrics(1).task);
    ASSERT_TRUE(all.contains("mailboxLatencyMs"));
    const MetricReading& latency = all.at("mailboxLatencyMs");
    EXPECT_EQ(latency.kind, MetricKind::kHistogram);
    EXPECT_EQ(latency.parts.at(0), (std::pair<std::string_view, double>("count", 1)));
  }
}

TEST(TaskMetrics, SayWhatTheLastBarrierTook) {
  TestWorker test(countingJob(3000, 2, 1), 1, {.channelCapacity = 1});
  ASSERT_TRUE(test.sim.offload().submit("trigger", [&test] {
    const Barrier barrier{.checkpoint = CheckpointId(1),
                          .triggered = test.sim.clock().wallTime() - Duration::seconds(2)};
    for (const auto& task : test.worker->tasks()) task->triggerCheckpoint(barrier);
  }));
  test.scheduler.join();
  ASSERT_EQ(test.acknowledged[CheckpointId(1)].size(), 3u);
  for (const auto& [task, snapshot] : test.acknowledged[CheckpointId(1)]) {
    const Task& at = test.worker->task(task.first, SubtaskIndex(task.second));
    EXPECT_GE(valueOf(at, "checkpointStartDelayNanos"), 2e9);
    EXPECT_EQ(valueOf(at, "checkpointStartDelayNanos"),
              static_cast<double>(snapshot.durations.startDelayNanos));
    EXPECT_EQ(valueOf(at, "checkpointAlignmentTime"), static_cast<double>(snapshot.durations.alignmentNanos));
  }
}

// Without these options there is nothing to be paid for.
std::map<std::string, MetricReading> ofCounter(const Configuration& configuration) {
  TestWorker test(countingJob(500, 1, 1), 1, {}, configuration);
  test.scheduler.join();
  return byName(test.worker->task(1, SubtaskIndex(0)).readMetrics(1).operators.at(0).metrics);
}

TEST(StateMetrics, SayHowMuchThereIs) {
  const auto all = ofCounter({});
  EXPECT_EQ(all.at("state_name.count.numEntries").value, 10);
  EXPECT_GE(all.at("state_name.count.memoryBytes").value, 10 * 16);
  for (const auto& [name, reading] : all) EXPECT_EQ(name.find("Latency"), std::string::npos) << name;
}

TEST(StateMetrics, LeaveNamesThatTheProgramUsesToIt) {
  SimulatedEnv sim{1};
  MetricGroup metrics;
  metrics.counter("state_name.count.numEntries").add(7);
  metrics.counter("state_name.count.valueStateGetLatency").add(8);
  Configuration configuration;
  configuration.set("state.latency-track.keyed-state-enabled", "true");
  StateMetrics state(configuration, metrics, sim.clock());
  KeyedStateBackend backend(typeOps<int64_t>(), {});
  backend.table<int64_t, int64_t>("count").findOrInsert(hashKey<int64_t>(1), 1);
  state.publish(backend);
  state.timesOf("count")->end(StateAccess::kValueGet, 0);
  const auto all = byName(metrics.read(1));
  EXPECT_EQ(all.size(), 3u);
  EXPECT_EQ(all.at("state_name.count.numEntries").value, 7);
  EXPECT_EQ(all.at("state_name.count.valueStateGetLatency").value, 8);
  EXPECT_GT(all.at("state_name.count.memoryBytes").value, 0);
}

TEST(StateMetrics, SayHowLongAccessesTake) {
  Configuration configuration;
  configuration.set("state.latency-track.keyed-state-enabled", "true");
  configuration.set("state.latency-track.sample-interval", "5");
  const auto all = ofCounter(configuration);
  for (const char* name :
       {"state_name.count.valueStateGetLatency", "state_name.count.valueStateUpdateLatency"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(all.at(name).parts.at(0), (std::pair<std::string_view, double>("count", 100)))
        << "of 500 accesses each fifth";
  }
  configuration.set("state.latency-track.state-name-as-variable", "false");
  EXPECT_TRUE(ofCounter(configuration).contains("count.valueStateGetLatency"));
}

}  // namespace
}  // namespace flott
