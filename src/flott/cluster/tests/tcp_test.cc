// The same jobs over TCP: on simulated wires, where bytes come in pieces and connections break, and on real
// sockets and threads.
#include <gtest/gtest.h>

#include "flott/cluster/data_plane.h"
#include "flott/cluster/message_loop.h"
#include "flott/cluster/tests/cluster_world.h"
#include "flott/env/posix/async_network.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/simulated_async_network.h"

namespace flott::tcp_test {
namespace {

constexpr int64_t kCount = 800;
constexpr Duration kTimeout = Duration::seconds(5);

// A process with a link of its own.
struct TcpWorker {
  TcpWorker(std::unique_ptr<AsyncNetwork> host, Env& environment, JobGraph program, Scheduler& scheduler,
            const std::string& name, uint16_t port)
      : network(std::move(host)),
        env(environment),
        graph(std::move(program)),
        loop(*network, env.log),
        agent(graph, {.name = name, .slots = 2}, env, scheduler, loop.connect("10.0.0.1", port, kTimeout)) {
    scheduler.add(0, agent);
    scheduler.add(0, loop);
  }
  std::unique_ptr<AsyncNetwork> network;
  Env env;
  const JobGraph graph;
  MessageLoop loop;
  WorkerAgent agent;
};

class TcpWorld {
 public:
  explicit TcpWorld(uint64_t seed, int restarts = 0)
      : sim(seed),
        env(sim.env()),
        scheduler(sim, 1, {.seed = seed, .maxSteps = 5'000'000}),
        wires(sim.clock(), sim.random().fork("wires")),
        network(wires.addHost("10.0.0.1")),
        loop(*network, env.log),
        job(twoParts(kCount, outside), kept(), env, {.restarts = [restarts](const Error&, int64_t) mutable {
              return restarts-- > 0 ? RestartDecision::in(Duration()) : RestartDecision();
            }}) {
    loop.listen("10.0.0.1", 6123, [this](auto peer) { job.accept(std::move(peer)); });
    scheduler.add(0, loop);
    job.addTo(scheduler, 0);
  }

  TcpWorker& addWorker(int number, uint16_t port = 6123) {
    return *workers.emplace_back(std::make_unique<TcpWorker>(
        wires.addHost("10.0.0." + std::to_string(number)), env, twoParts(kCount, outside), scheduler,
        "w" + std::to_string(number), port));
  }
  JobResult end() {
    for (int i = 0; i < 1000 && !isFinal(job.master().status()); ++i)
      pass(scheduler, sim, Duration::seconds(1));
    pass(scheduler, sim, Duration::seconds(60));  // all have heard of it
    loop.stop();
    for (const auto& worker : workers) worker->loop.stop();
    scheduler.join();
    return job.master().result();
  }

  SimulatedEnv sim;
  Env env;
  DeterministicScheduler scheduler;
  SimulatedWires wires;
  std::unique_ptr<AsyncNetwork> network;
  MessageLoop loop;
  const std::vector<std::shared_ptr<Outside>> outside{std::make_shared<Outside>(),
                                                      std::make_shared<Outside>()};
  DistributedJob job;
  std::vector<std::unique_ptr<TcpWorker>> workers;
};

TEST(Tcp, CarriesAJob) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    TcpWorld world(seed);
    world.addWorker(2);
    world.addWorker(3);
    EXPECT_EQ(world.end().status, JobStatus::kFinished) << seed;
    for (const auto& part : world.outside) EXPECT_EQ(part->totals, expected(kCount)) << seed;
    for (const auto& worker : world.workers) EXPECT_EQ(worker->agent.error(), std::nullopt);
  }
}

TEST(Tcp, ConnectionsThatBreakAndHostsThatArePartedAreWorkersLost) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    TcpWorld world(seed, 6);
    for (const int number : {2, 3, 4, 5}) world.addWorker(number);
    world.outside[0]->untilCrash = 200 + static_cast<int64_t>(seed) * 50;
    world.outside[0]->onCrash = [&] { world.wires.cut("10.0.0.1", "10.0.0.2"); };
    world.outside[1]->untilCrash = 300;
    world.outside[1]->onCrash = [&] { world.wires.part("10.0.0.1", "10.0.0.3"); };
    const JobResult result = world.end();
    EXPECT_EQ(result.status, JobStatus::kFinished) << seed << (result.error ? result.error->what() : "");
    for (const auto& part : world.outside) EXPECT_EQ(part->totals, expected(kCount)) << seed;
  }
}

TEST(Tcp, AWorkerThatFindsNobodySaysSo) {
  TcpWorld world(1);
  TcpWorker& lost = world.addWorker(2, 6124);
  pass(world.scheduler, world.sim, Duration::seconds(20));
  world.job.master().cancel();
  EXPECT_EQ(world.end().status, JobStatus::kCancelled);
  ASSERT_TRUE(lost.agent.error());
  EXPECT_EQ(
      std::string(lost.agent.error()->what()).find("worker 'w2' has lost its master at 10.0.0.1:6124: "), 0u)
      << lost.agent.error()->what();
}

struct Ear final : MessagePort::Receiver {
  void onFrame(std::string frame) override { frames.push_back(std::move(frame)); }
  void onClosed(std::string_view why) override { closed = std::string(why); }
  std::vector<std::string> frames;
  std::optional<std::string> closed;
};

// Two loops and a link between them.
struct Pair {
  explicit Pair(uint64_t seed) : sim(seed) {
    right.listen("10.0.0.2", 7000, [this](auto peer) { atRight = std::move(peer); });
    atLeft = left.connect("10.0.0.2", 7000, kTimeout);
    scheduler.add(0, left);
    scheduler.add(0, right);
    pass(Duration::millis(10));
    atLeft->open(earAtLeft);
    atRight->open(earAtRight);
  }
  void pass(Duration time) { flott::pass(scheduler, sim, time); }

  SimulatedEnv sim;
  DeterministicScheduler scheduler{sim, 1, {}};
  SimulatedWires wires{sim.clock(), sim.random().fork("wires")};
  std::unique_ptr<AsyncNetwork> leftHost = wires.addHost("10.0.0.1");
  std::unique_ptr<AsyncNetwork> rightHost = wires.addHost("10.0.0.2");
  Ear earAtLeft, earAtRight;
  MessageLoop left{*leftHost, sim.log(), {.mostWaitingBytes = 4 << 20}};
  MessageLoop right{*rightHost, sim.log()};
  std::unique_ptr<MessagePort> atLeft, atRight;
};

// Frames larger than what is on its way at a time; the last one is sent as the link is closed, while the
// other side is still sending.
TEST(Tcp, WhatWasSentBeforeTheCloseArrives) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Pair pair(seed);
    std::vector<std::string> sent;
    for (int i = 0; i < 3; ++i) {
      sent.push_back(
          frameOf(messages::Refused{std::string(size_t{100'000} * static_cast<size_t>(i) + 1, 'x')}));
      pair.atLeft->send(sent.back());
      pair.atRight->send(frameOf(ToMaster(messages::Heartbeat())));
    }
    pair.atLeft->close();
    for (int i = 0; i < 20; ++i) {
      pair.atRight->send(frameOf(ToMaster(messages::Heartbeat())));
      pair.pass(Duration::millis(1));
    }
    pair.pass(Duration::seconds(1));
    EXPECT_EQ(pair.earAtRight.frames, sent);
    EXPECT_EQ(pair.earAtRight.closed, "");
    EXPECT_EQ(pair.earAtLeft.closed, std::nullopt) << "it has closed itself";
  }
}

TEST(Tcp, AnotherServicesBytesAreHandedOverToBeRefused) {
  Pair pair(1);
  pair.atLeft->send("GET / HTTP/1.1\r\nHost: flott.example.org\r\n\r\n");
  pair.pass(Duration::millis(10));
  ASSERT_EQ(pair.earAtRight.frames.size(), 1u);
  EXPECT_THROW(decodeToMaster(pair.earAtRight.frames.front()), Error);
}

TEST(Tcp, AnOtherSideThatTakesNothingIsClosed) {
  Pair pair(1);
  pair.wires.part("10.0.0.1", "10.0.0.2");
  for (int i = 0; i < 6; ++i) pair.atLeft->send(std::string(1 << 20, 'x'));
  pair.pass(Duration::millis(10));
  EXPECT_EQ(pair.earAtLeft.closed, "the other side does not take what it is sent");
}

// A process with threads of its own.
struct RealWorker {
  RealWorker(Env& environment, JobGraph program, const std::string& name, uint16_t port)
      : env(environment),
        network(makeAsyncNetwork(env.clock)),
        lanes(makeThreadedScheduler(env, {.lanes = 2})),
        graph(std::move(program)),
        loop(*network, env.log),
        dataPlane(makeDataPlane(env, "127.0.0.1")),
        agent(graph, {.name = name, .slots = 2, .dataPlane = dataPlane.get()}, env, *lanes,
              loop.connect("127.0.0.1", port, kTimeout)),
        thread(loop, *network, env) {
    lanes->add(1, agent);
    lanes->start();
  }
  Env env;
  const std::unique_ptr<AsyncNetwork> network;
  const std::unique_ptr<Scheduler> lanes;
  const JobGraph graph;
  MessageLoop loop;
  const std::unique_ptr<DataPlane> dataPlane;
  WorkerAgent agent;
  const MessageLoopThread thread;
};

// With threads: for the sanitizer. What the sums of one worker tell is told on one thread.
TEST(Tcp, CarriesAJobAndItsRecordsOnRealSockets) {
  const auto real = makeRealEnv({.log = {.level = LogLevel::kWarn}});
  Env env = real->env();
  const auto graph = [](const auto& outside) { return summing(kCount, {.sources = 2, .sums = 4}, outside); };
  const auto network = makeAsyncNetwork(env.clock);
  DistributedJob job(graph(std::make_shared<Outside>()), {}, env);
  MessageLoop loop(*network, env.log);
  const uint16_t port = loop.listen("127.0.0.1", 0, [&](auto peer) { job.accept(std::move(peer)); });
  const auto lanes = makeThreadedScheduler(env, {.lanes = 1});
  job.addTo(*lanes, 0);
  std::map<int64_t, int64_t> totals;
  {
    const MessageLoopThread thread(loop, *network, env);
    lanes->start();
    const std::vector<std::shared_ptr<Outside>> outside{std::make_shared<Outside>(),
                                                        std::make_shared<Outside>()};
    RealWorker left(env, graph(outside[0]), "left", port);
    RealWorker right(env, graph(outside[1]), "right", port);
    lanes->join();
    for (RealWorker* worker : {&left, &right}) {
      worker->lanes->join();
      EXPECT_EQ(worker->agent.error(), std::nullopt);
    }
    for (const auto& part : outside) {
      EXPECT_FALSE(part->totals.empty());
      totals.insert(part->totals.begin(), part->totals.end());
    }
  }
  EXPECT_EQ(job.master().result().status, JobStatus::kFinished);
  EXPECT_EQ(totals, expected(kCount));
}

}  // namespace
}  // namespace flott::tcp_test
