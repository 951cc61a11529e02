// What tasks do for a checkpoint: the cut is one moment of the whole job, and is stored before they end.
#include <gtest/gtest.h>

#include "flott/runtime/tests/counting_job.h"

namespace flott {
namespace {

TEST(TaskCheckpoints, TheCutHoldsWhatCameBeforeItAndNothingElse) {
  int beforeTheEnd = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const auto parallelism = static_cast<int>(1 + seed % 3);
    TestWorker test(countingJob(500, 2, parallelism), seed, {.channelCapacity = 1 + seed % 2});
    triggerSome(test, 4);
    test.scheduler.join();
    EXPECT_EQ(test.declined, std::vector<std::string>());
    for (const auto& [checkpoint, tasks] : test.acknowledged) {
      int64_t read = 0;
      int64_t counted = 0;
      for (const auto& [task, snapshot] : tasks) {
        if (task.first == 0) {
          ASSERT_EQ(snapshot.operators.size(), 2u);
          read += positionIn(snapshot.operators[0].operatorState);
        } else {
          counted += countedIn(snapshot.operators[0].keyed);
        }
      }
      for (int source = 0; source < 2; ++source) {
        if (!tasks.contains({0, source})) read += 500;  // it had finished before the cut
      }
      if (tasks.size() != 2u + static_cast<size_t>(parallelism)) continue;
      ++beforeTheEnd;
      EXPECT_EQ(counted, read) << "seed " << seed << ", checkpoint " << checkpoint.value;
    }
  }
  EXPECT_GT(beforeTheEnd, 50) << "few checkpoints were cut while everything ran";
}

// Keeps a long text for each record.
class KeepTexts : public Operator {
 public:
  static std::string textOf(int64_t record) {
    return std::string(1000, static_cast<char>('a' + record % 26));
  }
  void open(OperatorContext& context) override {
    state_ = &context.keyedState(typeOps<int64_t>());
    text_ = state_->state(ValueStateDescriptor<std::string>("text"));
  }
  Step onBatch(int, Batch batch, Output&) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      state_->setCurrentKey(hashKey(record), record);
      text_.set(textOf(record));
    }
    return Step::kDone;
  }

 private:
  KeyedStateBackend* state_ = nullptr;
  ValueState<std::string> text_;
};

// What is larger than a part goes to a file of its own, part by part, while records are worked off.
TEST(TaskCheckpoints, LargeStateIsWrittenInParts) {
  int large = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SimulatedEnv world(seed);
    CheckpointStorage storage(world.files(), {.folder = "/checkpoints", .inlineThreshold = 0});
    Pipeline pipeline(readBy(PositionReader(6000)));
    pipeline.then("texts", make<KeepTexts>(), 1, PartitionKind::kRebalance);
    TestWorker test(pipeline.job(), seed, {.channelCapacity = 2, .checkpoints = &storage});
    triggerSome(test, 4);
    test.scheduler.join();
    EXPECT_EQ(test.declined, std::vector<std::string>());
    for (const auto& [checkpoint, tasks] : test.acknowledged) {
      if (tasks.size() != 2u) continue;
      const StateHandle& keyed = tasks.at({1, 0}).operators[0].keyed;
      const std::string folder = storage.folderOf(checkpoint);
      const int64_t position = [&, handle = tasks.at({0, 0}).operators[0].operatorState] {
        StateHandle read;
        read.inlined = storage.read(folder, handle);
        return positionIn(read);
      }();
      EXPECT_EQ(keyed.file, keyed.length >= size_t{1} << 20 ? "task-1-0-0" : "task-1-0");
      large += keyed.file == "task-1-0-0" ? 1 : 0;
      RestoredKeyedState restored;
      restored.add(storage.read(folder, keyed), {0, 128});
      KeyedStateBackend backend(typeOps<int64_t>(), {}, std::move(restored));
      int64_t found = 0;
      backend.applyToAllKeys<int64_t>(ValueStateDescriptor<std::string>("text"),
                                      [&](int64_t key, ValueState<std::string>& text) {
                                        EXPECT_EQ(text.get(), KeepTexts::textOf(key));
                                        ++found;
                                      });
      EXPECT_EQ(found, position);
    }
  }
  EXPECT_GT(large, 5);
}

// Calls a function at a record.
class KeepTextsAndCall final : public KeepTexts {
 public:
  struct At {
    int64_t record = 0;
    MoveFunction<void()> call;
    int64_t records = 0;  // seen so far
  };
  explicit KeepTextsAndCall(std::shared_ptr<At> at) : at_(std::move(at)) {}
  Step onBatch(int input, Batch batch, Output& output) override {
    for (const int64_t record : batch.rows<int64_t>()) {
      if (record == at_->record) at_->call();
      ++at_->records;
    }
    return KeepTexts::onBatch(input, std::move(batch), output);
  }

 private:
  std::shared_ptr<At> at_;
};

// All of the cut before would have to be encoded at once, and held in memory.
TEST(TaskCheckpoints, ABarrierWaitsUntilTheCutBeforeItIsEncoded) {
  SimulatedEnv world(1);
  CheckpointStorage storage(world.files(), {.folder = "/checkpoints", .inlineThreshold = 0});
  auto at = std::make_shared<KeepTextsAndCall::At>();
  at->record = 8000;
  Pipeline pipeline(readBy(PositionReader(9000)));
  auto create = [at] { return std::make_unique<KeepTextsAndCall>(at); };
  pipeline.then("texts", std::make_shared<MadeBy<decltype(create)>>(create), 1, PartitionKind::kRebalance);
  TestWorker test(pipeline.job(), 1, {.channelCapacity = 2, .checkpoints = &storage});
  at->call = [&test] {
    test.sim.offload().setCapacity(0);  // nothing is written
    for (uint64_t id = 1; id <= 2; ++id) {
      for (const auto& task : test.worker->tasks()) task->triggerCheckpoint({.checkpoint = CheckpointId(id)});
    }
  };
  EXPECT_FALSE(test.scheduler.runUntilIdle());
  EXPECT_LT(at->records, 9000) << "what is behind the second barrier waits with it";
  test.sim.offload().setCapacity(8);
  test.scheduler.join();
  EXPECT_EQ(at->records, 9000);
  EXPECT_EQ(test.acknowledged[CheckpointId(1)].size(), 2u);
  EXPECT_EQ(test.acknowledged[CheckpointId(2)].size(), 2u);
  EXPECT_EQ(test.ends.size(), 2u);
}

TEST(TaskCheckpoints, AtLeastOnceNothingIsMissing) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    TestWorker test(countingJob(500, 3, 2), seed, {.channelCapacity = 1, .alignedBarriers = false});
    triggerSome(test, 1);
    test.scheduler.join();
    int64_t read = 0;
    int64_t counted = 0;
    const auto& tasks = test.acknowledged[CheckpointId(1)];
    if (tasks.size() != 5u) continue;
    for (const auto& [task, snapshot] : tasks) {
      read += task.first == 0 ? positionIn(snapshot.operators[0].operatorState) : 0;
      counted += task.first == 1 ? countedIn(snapshot.operators[0].keyed) : 0;
    }
    EXPECT_GE(counted, read) << "seed " << seed;
  }
}

TEST(TaskCheckpoints, ATaskDoesNotEndBeforeItsCutIsStored) {
  TestWorker test(countingJob(10, 1, 1));
  for (const auto& task : test.worker->tasks()) task->triggerCheckpoint({.checkpoint = CheckpointId(1)});
  test.sim.offload().setCapacity(0);
  EXPECT_FALSE(test.scheduler.runUntilIdle());
  EXPECT_EQ(test.ends, std::vector<std::string>());
  EXPECT_TRUE(test.acknowledged.empty());
  test.sim.offload().setCapacity(8);
  test.scheduler.join();
  EXPECT_EQ(test.acknowledged[CheckpointId(1)].size(), 2u);
  EXPECT_EQ(test.ends.size(), 2u);
}

TEST(TaskCheckpoints, WhatCannotBeWrittenIsDeclined) {
  SimulatedEnv world(1);
  world.files().put("/in-the-way", "a file");
  CheckpointStorage storage(world.files(), {.folder = "/in-the-way/checkpoints", .inlineThreshold = 0});
  TestWorker test(countingJob(10, 1, 1), 1, {.checkpoints = &storage});
  for (const auto& task : test.worker->tasks()) task->triggerCheckpoint({.checkpoint = CheckpointId(3)});
  test.scheduler.join();
  ASSERT_EQ(test.declined.size(), 2u);
  EXPECT_NE(test.declined[0].find("3: "), std::string::npos);
  EXPECT_NE(test.declined[0].find("/in-the-way"), std::string::npos) << test.declined[0];
  for (const std::string& end : test.ends) EXPECT_NE(end.find("FINISHED"), std::string::npos) << end;
}

TEST(TaskCheckpoints, AVoidCheckpointIsDroppedWhereverItIs) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    TestWorker test(countingJob(300, 2, 2), seed, {.channelCapacity = 1});
    triggerSome(test, 3);
    ASSERT_TRUE(test.sim.offload().submit("abort", [&test] {
      for (const auto& task : test.worker->tasks()) task->endCheckpoint(CheckpointId(1), false);
    }));
    test.scheduler.join();
    EXPECT_EQ(test.ends.size(), 4u) << "seed " << seed;
    for (const std::string& end : test.ends) EXPECT_NE(end.find("FINISHED"), std::string::npos) << end;
  }
}

TEST(TaskCheckpoints, TasksThatHadFinishedOnlyPassTheEndOn) {
  RestoredJob restored(2);
  for (auto& vertex : restored) vertex.resize(2);
  for (RestoredTask& task : restored[0]) task.finished = true;
  TestWorker sourcesDone(countingJob(300, 2, 2), 1, {}, {}, std::move(restored));
  sourcesDone.scheduler.join();
  EXPECT_EQ(sourcesDone.ends.size(), 4u);
  for (const std::string& end : sourcesDone.ends) EXPECT_NE(end.find("FINISHED"), std::string::npos) << end;
  for (const auto& task : sourcesDone.worker->tasks()) {
    for (const OperatorChain::NodeMetrics& node : task->metrics()) {
      EXPECT_EQ(node.metrics.count("numRecordsIn"), 0);
    }
  }
}

}  // namespace
}  // namespace flott
