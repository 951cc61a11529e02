#include "flott/master/source_coordinator.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/master/tests/told_task.h"

namespace flott {
namespace {

constexpr SubtaskIndex kReader{0};
constexpr CheckpointId kNone{0};

// Gives each request the next number.
class Numbers final : public SourceFactory {
 public:
  class Enumerator final : public SplitEnumerator {
   public:
    explicit Enumerator(std::vector<std::string>& back) : back_(back) {}
    void start(SplitEnumeratorContext& context) override { context_ = &context; }
    void addReader(SubtaskIndex) override {}
    void handleSplitRequest(SubtaskIndex reader) override {
      context_->assign(reader, {.id = std::to_string(next_++), .state = {}});
    }
    void addSplitsBack(std::vector<SourceSplit> splits, SubtaskIndex) override {
      for (SourceSplit& split : splits) back_.push_back(std::move(split.id));
    }
    std::string snapshot() const override { return {}; }

   private:
    std::vector<std::string>& back_;
    SplitEnumeratorContext* context_ = nullptr;
    int next_ = 0;
  };

  explicit Numbers(std::vector<std::string>& back) : back_(back) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<Enumerator>(back_);
  }
  std::unique_ptr<SourceReader> createReader() const override { return nullptr; }

 private:
  std::vector<std::string>& back_;
};

class SourceCoordinatorTest : public testing::Test, private CoordinatorHost {
 protected:
  SourceCoordinatorTest() {
    vertex_.chain.push_back({.id = {}, .name = "numbers", .uid = {}, .op = {}, .outputs = {}});
    vertex_.chain.front().source = std::make_shared<Numbers>(back);
    coordinator.start({}, {false});
  }
  void give(size_t count) {
    for (size_t i = 0; i < count; ++i) coordinator.handleSplitRequest(kReader);
  }
  void restart(CheckpointId from) {
    coordinator.readerDown(kReader);
    coordinator.restartReader(kReader, from, false);
  }

 private:
  void callAsync(std::string, MoveFunction<void()>, MoveFunction<void()>) override {}
  void callAfter(Duration, MoveFunction<void()>) override {}
  void backlogChanged() override {}
  TaskGateway& task(int, SubtaskIndex) override { return reader; }

  SimulatedEnv world_{1};
  Env env_ = world_.env();
  JobVertex vertex_;

 protected:
  ToldTask reader{TaskId{}};
  std::vector<std::string> back;
  SourceCoordinator coordinator{vertex_, true, kNone, env_, *this};
};

TEST_F(SourceCoordinatorTest, SplitsThatTheReadersStateHasNotGoBack) {
  give(2);  // 0, 1
  coordinator.snapshot(CheckpointId(1));
  give(2);  // 2, 3
  coordinator.snapshot(CheckpointId(2));
  give(1);  // 4
  EXPECT_EQ(reader.splits.size(), 5u);
  coordinator.checkpointCompleted(CheckpointId(1));
  restart(CheckpointId(1));
  EXPECT_EQ(back, (std::vector<std::string>{"2", "3", "4"}));
  back.clear();
  give(1);  // 5
  restart(CheckpointId(1));
  EXPECT_EQ(back, (std::vector<std::string>{"5"})) << "those of before are the enumerator's again";
}

TEST_F(SourceCoordinatorTest, WhatADownReaderIsGivenGoesBackToo) {
  coordinator.readerDown(kReader);
  give(1);
  EXPECT_TRUE(reader.splits.empty());
  coordinator.restartReader(kReader, kNone, false);
  EXPECT_EQ(back, (std::vector<std::string>{"0"}));
}

TEST_F(SourceCoordinatorTest, TooManySplitsForMemoryAreForgottenUntilACheckpointHasThem) {
  give(SourceCoordinator::kRememberedSplits);
  EXPECT_FALSE(coordinator.forgotSplitsOf(kReader));
  give(1);
  EXPECT_TRUE(coordinator.forgotSplitsOf(kReader));
  coordinator.snapshot(CheckpointId(1));
  give(1);
  coordinator.snapshot(CheckpointId(2));
  EXPECT_TRUE(coordinator.forgotSplitsOf(kReader)) << "no checkpoint is complete";
  coordinator.checkpointCompleted(CheckpointId(1));
  EXPECT_FALSE(coordinator.forgotSplitsOf(kReader));
  restart(CheckpointId(1));
  EXPECT_EQ(back, (std::vector<std::string>{std::to_string(SourceCoordinator::kRememberedSplits + 1)}))
      << "what was given after the first checkpoint";
}

}  // namespace
}  // namespace flott
