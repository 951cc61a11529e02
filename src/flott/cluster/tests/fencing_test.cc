// What a worker says that it should not: of earlier attempts, in the wrong order, in another version. The
// test is the worker.
#include <gtest/gtest.h>

#include <cstring>

#include "flott/base/hash.h"
#include "flott/cluster/tests/cluster_world.h"

namespace flott {
namespace {

class FakeWorker final : private MessagePort::Receiver {
 public:
  explicit FakeWorker(ClusterWorld& world, const std::string& name = "fake")
      : world_(world), wire_(world.sim, name), port_(wire_.end(1)) {
    port_->open(*this);
    world.scheduler.add(0, wire_);
    world.job->accept(wire_.end(0));
  }

  void say(const ToMaster& message) { sayBytes(frameOf(message)); }
  /// Until everybody has heard it.
  void sayBytes(std::string frame) {
    port_->send(std::move(frame));
    pass(Duration::millis(20));
  }
  void pass(Duration time) { flott::pass(world_.scheduler, world_.sim, time); }
  /// Those of one kind that have come.
  template <typename Message>
  std::vector<Message*> heard() {
    std::vector<Message*> all;
    for (ToWorker& message : heard_) {
      if (auto* one = std::get_if<Message>(&message)) all.push_back(one);
    }
    return all;
  }
  bool closed() const { return closed_; }

 private:
  void onFrame(std::string frame) override { heard_.push_back(decodeToWorker(frame)); }
  void onClosed(std::string_view) override { closed_ = true; }

  ClusterWorld& world_;
  SimulatedWire wire_;
  std::unique_ptr<MessagePort> port_;
  std::vector<ToWorker> heard_;
  bool closed_ = false;
};

JobGraph oneTask() { return Pipeline(readBy(IdleReader())).then("sink", passOn()).job(); }

TaskId ofAttempt(int attempt) { return {0, SubtaskIndex(0), attempt}; }

messages::TaskEnded ended(int attempt, TaskState state) {
  messages::TaskEnded message{{ofAttempt(attempt), state, {}}, {}, {}};
  if (state == TaskState::kFailed) message.failure = messages::Failure{ErrorKind::kUser, "crash", {}};
  return message;
}

class Fencing : public testing::Test {
 public:
  Fencing() { world.start({}, 5); }
  FakeWorker& registered() {
    worker.emplace(world);
    worker->say(messages::Register{"fake", 1, digestOf(oneTask())});
    return *worker;
  }
  JobStatus status() { return world.job->master().status(); }

  ClusterWorld world{1, [] { return oneTask(); }};
  std::optional<FakeWorker> worker;
};

TEST_F(Fencing, WhatAnEarlierAttemptStillSaysChangesNothing) {
  FakeWorker& fake = registered();
  ASSERT_EQ(fake.heard<messages::Deploy>().size(), 1u);
  std::optional<CheckpointOutcome> outcome;
  fake.say(ended(0, TaskState::kFailed));
  ASSERT_EQ(fake.heard<messages::Deploy>().size(), 2u);
  EXPECT_EQ(fake.heard<messages::Deploy>().back()->attempt, 1);
  world.job->master().triggerCheckpoint([&](CheckpointOutcome made) { outcome = std::move(made); });
  fake.pass(Duration::millis(20));
  ASSERT_EQ(fake.heard<messages::Trigger>().size(), 1u);
  const CheckpointId checkpoint = fake.heard<messages::Trigger>().front()->barrier.checkpoint;

  const messages::Failure failure{ErrorKind::kUser, "late", {}};
  TaskSnapshot snapshot;
  snapshot.operators.resize(oneTask().vertices.front().chain.size());
  fake.say(messages::Acknowledgement{ofAttempt(0), checkpoint, snapshot});
  fake.say(messages::Decline{ofAttempt(0), checkpoint, failure});
  fake.say(messages::Damaged{ofAttempt(0), failure});
  fake.say(messages::LinksOpened{7, "10.0.0.9", 7000, failure});
  fake.say(ended(0, TaskState::kFinished));
  fake.say(ended(0, TaskState::kFailed));
  fake.say(ended(7, TaskState::kFailed));
  EXPECT_EQ(status(), JobStatus::kRunning);
  EXPECT_EQ(outcome, std::nullopt);

  fake.say(messages::Acknowledgement{ofAttempt(1), checkpoint, snapshot});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error, std::nullopt);
  fake.say(ended(1, TaskState::kFinished));
  EXPECT_EQ(status(), JobStatus::kFinished);
  EXPECT_EQ(world.end().restarts, 1);
  EXPECT_EQ(fake.heard<messages::Dismiss>().size(), 1u);
  EXPECT_TRUE(fake.closed());
}

TEST_F(Fencing, AWorkerOfAnotherVersionIsToldBoth) {
  FakeWorker fake(world);
  std::string frame = frameOf(messages::Register{"fake", 1, digestOf(oneTask())});
  const uint32_t version = kProtocolVersion + 4;
  std::memcpy(frame.data() + 4, &version, sizeof version);
  const auto checksum = static_cast<uint32_t>(hashBytes(std::string_view(frame).substr(0, 24)));
  std::memcpy(frame.data() + 24, &checksum, sizeof checksum);
  fake.sayBytes(frame);
  ASSERT_EQ(fake.heard<messages::Refused>().size(), 1u);
  const std::string why = fake.heard<messages::Refused>().front()->why;
  EXPECT_NE(why.find("version " + std::to_string(version)), std::string::npos) << why;
  EXPECT_NE(why.find("version " + std::to_string(kProtocolVersion)), std::string::npos) << why;
  EXPECT_TRUE(fake.closed());
  EXPECT_EQ(world.logged("worker 'at fake' was refused: " + why),
            "WARN [cluster] worker 'at fake' was refused: " + why);
}

TEST_F(Fencing, WhoDoesNotSayWhoItIsIsRefused) {
  FakeWorker fake(world);
  fake.say(messages::SplitRequest{ofAttempt(0)});
  ASSERT_EQ(fake.heard<messages::Refused>().size(), 1u);
  FakeWorker silent(world, "silent");
  silent.pass(Duration::seconds(51));
  EXPECT_TRUE(silent.closed());
}

// Its tasks go to the process that has taken its place.
TEST_F(Fencing, AWorkerThatSendsDamagedBytesOrComesTwiceIsLost) {
  FakeWorker& fake = registered();
  fake.sayBytes("what is this?");
  EXPECT_TRUE(fake.closed());
  FakeWorker second(world, "second");
  second.say(messages::Register{"fake", 1, digestOf(oneTask())});
  ASSERT_EQ(second.heard<messages::Deploy>().size(), 1u);
  FakeWorker third(world, "third");
  third.say(messages::Register{"fake", 1, digestOf(oneTask())});
  EXPECT_TRUE(second.closed());
  ASSERT_EQ(third.heard<messages::Deploy>().size(), 1u);
  EXPECT_EQ(third.heard<messages::Deploy>().front()->attempt, 2);
  EXPECT_EQ(status(), JobStatus::kRunning);
  third.say(ended(2, TaskState::kFinished));
  EXPECT_EQ(status(), JobStatus::kFinished);
}

// Both have built the same job, so it must be out of its mind.
TEST_F(Fencing, AWorkerThatSpeaksOfWhatTheJobDoesNotHaveIsLost) {
  FakeWorker& fake = registered();
  fake.say(messages::Acknowledgement{ofAttempt(0), CheckpointId(1), {}});
  EXPECT_TRUE(fake.closed());
  EXPECT_EQ(
      world.logged("worker 'fake' is lost"),
      "WARN [cluster] worker 'fake' is lost: it has state of another number of operators: task 'Source: "
      "source -> Sink: sink'");
}

}  // namespace
}  // namespace flott
