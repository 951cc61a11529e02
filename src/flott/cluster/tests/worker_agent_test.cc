// What a master says that a worker cannot do. The test is the master.
#include "flott/cluster/worker_agent.h"

#include <gtest/gtest.h>

#include "flott/cluster/tests/cluster_world.h"

namespace flott {
namespace {

class FakeMaster final : private MessagePort::Receiver {
 public:
  explicit FakeMaster(bool withDataPlane = true) {
    port_->open(*this);
    scheduler_.add(0, wire_);
    scheduler_.add(0, process_);
    process_.add(
        1, agent_.emplace(graph_,
                          WorkerAgentOptions{
                              .name = "w1", .slots = 2, .dataPlane = withDataPlane ? &dataPlane_ : nullptr},
                          env_, process_, wire_.end(1)));
    say(messages::Welcome{"00ff", {}});
  }
  void say(const ToWorker& message) {
    port_->send(frameOf(message));
    pass(scheduler_, sim_, Duration::millis(20));
  }
  std::string error() const { return agent_->error() ? agent_->error()->what() : "none"; }
  const ToMaster& last() const { return heard_.back(); }

 private:
  void onFrame(std::string frame) override { heard_.push_back(decodeToMaster(frame)); }
  void onClosed(std::string_view) override {}

  SimulatedEnv sim_{1};
  SimulatedWires wires_{sim_.clock(), sim_.random().fork("wires")};
  DeterministicScheduler scheduler_{sim_, 1, {}};
  SimulatedWire wire_{sim_, "w1"};
  SimulatedProcess process_{sim_, "w1"};
  SimulatedDataPlane dataPlane_{wires_, "10.0.0.1", process_};
  const JobGraph graph_ = summing(10, {.sources = 2, .sums = 2}, std::make_shared<Outside>());
  Env env_ = process_.env();
  const std::unique_ptr<MessagePort> port_ = wire_.end(0);
  std::vector<ToMaster> heard_;
  std::optional<WorkerAgent> agent_;
};

messages::Deploy firstSlot(uint64_t links, std::vector<messages::Peer> peers) {
  return {.attempt = 0,
          .region = 0,
          .isRestored = false,
          .tasks = {{0, 0, {}}, {1, 0, {}}},
          .links = links,
          .peers = std::move(peers)};
}
const messages::Peer kOther{"w2", "10.0.0.2", 7000, {{0, 1}, {1, 1}}};
const std::string kLost = "worker 'w1' has lost its master at w1: ";

TEST(WorkerAgent, TakesNoTasksWhoseChannelsLeadNowhere) {
  FakeMaster master;
  master.say(firstSlot(0, {}));
  EXPECT_EQ(master.error(), kLost +
                                "it does not say where a task is that this one has a channel with: task "
                                "'Source: source -> pass'");
}

TEST(WorkerAgent, TakesNoTasksWithLinksThatWereNotAskedFor) {
  FakeMaster master;
  master.say(messages::OpenLinks{7, 0});
  EXPECT_GT(std::get<messages::LinksOpened>(master.last()).port, 0);
  master.say(messages::CloseLinks{7});
  master.say(firstSlot(7, {kOther}));
  EXPECT_EQ(master.error(), kLost + "it deploys tasks with links that it has not asked for");
}

TEST(WorkerAgent, SaysThatItHasNoNetworkToOthers) {
  FakeMaster master(false);
  master.say(messages::OpenLinks{7, 0});
  const auto& answer = std::get<messages::LinksOpened>(master.last());
  ASSERT_TRUE(answer.failure);
  EXPECT_STREQ(answer.failure->error().what(), "it was started without a network to other workers");
  EXPECT_EQ(master.error(), "none");
}

}  // namespace
}  // namespace flott
