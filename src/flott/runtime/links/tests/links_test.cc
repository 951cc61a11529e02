// Two workers of a job with a network between them: the same results as in one, or a failure that says why.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "flott/env/posix/async_network.h"
#include "flott/env/simulated_async_network.h"
#include "flott/runtime/in_flight.h"
#include "flott/runtime/links/worker_links.h"
#include "flott/runtime/tests/counting_job.h"
#include "flott/runtime/tests/threads.h"

namespace flott {
namespace {

class ReaderThatWaits final : public ReaderWithoutSplits {
 public:
  Poll poll(Output&) override { return Poll::kIdle; }
};

constexpr const char* kAddress[] = {"10.0.0.1", "10.0.0.2"};
constexpr const char* kName[] = {"left", "right"};

LinkOptions optionsOf(int side, int attempt = 0, FrameOptions frames = {}) {
  return {.job = "job-1",
          .attempt = attempt,
          .worker = kName[side],
          .address = kAddress[side],
          .connectTimeout = Duration::seconds(5),
          .frames = frames};
}

// Every second task of each vertex is elsewhere.
int sideOf(int vertex, int subtask) { return (vertex + subtask) % 2; }

struct Ends final : public MasterGateway {
  explicit Ends(const JobGraph& job) : graph(job) {}
  void onTaskEnded(TaskId task, TaskState state, std::optional<Error> error, Accumulators) override {
    std::string text = graph.vertices[static_cast<size_t>(task.vertex)].name + " " +
                       std::to_string(task.subtask.value + 1) + " " + std::string(toString(state));
    if (error) text += ": " + std::string(error->what());
    ends.push_back(std::move(text));
  }
  void reportDamaged(TaskId, Error) override {}
  void requestSplit(TaskId) override {}
  void sendSourceEvent(TaskId, std::string) override {}
  void reportWatermark(TaskId, Timestamp) override {}
  void acknowledgeCheckpoint(TaskId task, CheckpointId checkpoint, TaskSnapshot snapshot) override {
    acknowledged[checkpoint].emplace(std::pair(task.vertex, task.subtask.value), std::move(snapshot));
  }
  void awaitFinalCheckpoint(TaskId) override {}
  void declineCheckpoint(TaskId, CheckpointId, Error) override {}

  size_t count(const std::string& part) const {
    return static_cast<size_t>(std::count_if(ends.begin(), ends.end(), [&](const std::string& end) {
      return end.find(part) != std::string::npos;
    }));
  }

  const JobGraph& graph;
  std::vector<std::string> ends;
  std::map<CheckpointId, std::map<std::pair<int, int>, TaskSnapshot>> acknowledged;
};

/// What both workers have to know.
struct Places {
  explicit Places(const JobGraph& job) {
    for (const JobVertex& vertex : job.vertices) {
      placement.laneOf.emplace_back(static_cast<size_t>(vertex.parallelism), 0);
      for (int subtask = 0; subtask < vertex.parallelism; ++subtask) {
        places[{vertex.id, subtask}] = kName[sideOf(vertex.id, subtask)];
        tasks[sideOf(vertex.id, subtask)].insert({vertex.id, subtask});
      }
    }
  }
  Placement placement;
  std::map<std::pair<int, int>, std::string> places;
  std::set<std::pair<int, int>> tasks[2];
};

class TwoWorkers {
 public:
  explicit TwoWorkers(JobGraph graph, uint64_t seed, WorkerOptions options = {}, FrameOptions frames = {},
                      int rightAttempt = 0)
      : sim(seed),
        wires(sim.clock(), sim.random().fork("wires"), {.roomBytes = 3000}),
        job(std::move(graph)),
        master(job),
        env_(sim.env()),
        scheduler(sim, 1, {.seed = seed, .maxSteps = 5'000'000}) {
    for (int side = 0; side < 2; ++side) {
      networks_[side] = wires.addHost(kAddress[side]);
      links[side].emplace(optionsOf(side, side == 1 ? rightAttempt : 0, frames), *networks_[side], env_);
    }
    Places places(job);
    for (int side = 0; side < 2; ++side) {
      links[side]->setPeers({{kName[1 - side], {kAddress[1 - side], links[1 - side]->port()}}},
                            places.places);
      options.tasks = places.tasks[side];
      options.remote = &*links[side];
      workers[side].emplace(job, configuration_, places.placement, options, env_, master);
      scheduler.add(0, *links[side]);
      workers[side]->deploy(scheduler);
    }
  }
  /// Off-loaded work, at a moment that the seed chooses.
  void later(std::function<void()> work) {
    ASSERT_TRUE(sim.offload().submit("later", [work = std::move(work)] { work(); }));
  }
  void stop() {
    for (auto& worker : workers) worker->cancel();
    for (auto& link : links) link->stop();
    scheduler.join();
  }

  SimulatedEnv sim;
  SimulatedWires wires;
  const JobGraph job;
  Ends master;

 private:
  Env env_;
  const Configuration configuration_;
  std::unique_ptr<AsyncNetwork> networks_[2];

 public:
  DeterministicScheduler scheduler;
  std::optional<WorkerLinks> links[2];
  std::optional<Worker> workers[2];
};

JobGraph spreadJob(int64_t each, const std::shared_ptr<Kept>& kept,
                   PartitionKind kind = PartitionKind::kHash) {
  Pipeline pipeline(numbers(each), 3);
  pipeline.then("spread", passOn(), 4, kind, {.kind = kind, .hasher = std::make_shared<ByRecord>()})
      .then("keep", keepIn(kept), 3, PartitionKind::kHash,
            {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByRecord>()});
  return pipeline.job();
}

// The sum over sinks is order-free: who got what.
std::vector<std::vector<int64_t>> sorted(Kept& kept) {
  for (auto& part : kept.bySubtask) std::sort(part.begin(), part.end());
  return kept.bySubtask;
}

TEST(WorkerLinks, ResultsAreThoseOfOneWorker) {
  for (const PartitionKind kind : {PartitionKind::kHash, PartitionKind::kRebalance, PartitionKind::kBroadcast,
                                   PartitionKind::kRescale}) {
    auto expected = std::make_shared<Kept>();
    TestWorker(spreadJob(2000, expected, kind)).scheduler.join();
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      auto kept = std::make_shared<Kept>();
      TwoWorkers two(spreadJob(2000, kept, kind), seed, {.channelCapacity = size_t{1} << seed % 4},
                     {.compression = static_cast<FrameCompression>(seed % 3)});
      EXPECT_TRUE(two.scheduler.joinFor(Duration::seconds(4)))
          << "something went on with the next sign of life";
      EXPECT_EQ(two.master.count("FINISHED"), 10u) << seed;
      EXPECT_EQ(sorted(*kept), sorted(*expected)) << seed;
      for (auto& worker : two.workers) EXPECT_EQ(worker->batchesAlive(), 0u);
    }
  }
}

int64_t recordsIn(const TaskSnapshot& snapshot) {
  int64_t count = 0;
  BatchPools pools;
  for (const InFlightSequence& sequence : decodeInFlight(snapshot.channels.inlined)) {
    InFlightReader in(sequence.elements, &rowsPool<int64_t>(pools));
    while (std::optional<Element> element = in.next()) {
      if (const auto* batch = std::get_if<Batch>(&*element)) count += static_cast<int64_t>(batch->size());
    }
  }
  return count;
}

// Positions read by the sources = records counted + records on their way, in each checkpoint that is whole.
TEST(WorkerLinks, CheckpointsHoldEveryRecordOnce) {
  int whole = 0;
  int64_t onTheWay = 0;
  for (const bool overtaking : {false, true}) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      TwoWorkers two(countingJob(3000, 2, 3), seed, {.channelCapacity = 4, .overtakingBarriers = overtaking});
      uint64_t triggered = 0;
      for (int i = 0; i < (overtaking ? 1 : 3); ++i) {  // one at a time overtakes
        two.later([&two, &triggered, overtaking] {
          const Barrier barrier{.checkpoint = CheckpointId(++triggered),
                                .triggered = two.sim.clock().wallTime(),
                                .overtakesFrom = overtaking ? Timestamp::min() : Timestamp::max()};
          for (auto& worker : two.workers) {
            for (const auto& task : worker->tasks()) task->triggerCheckpoint(barrier);
          }
        });
      }
      two.scheduler.join();
      for (const auto& [id, tasks] : two.master.acknowledged) {
        if (tasks.size() != 5) continue;
        ++whole;
        int64_t read = 0;
        int64_t held = 0;
        for (const auto& [task, snapshot] : tasks) {
          if (task.first == 0) read += positionIn(snapshot.operators[0].operatorState);
          if (task.first == 1) held += countedIn(snapshot.operators[0].keyed);
          held += recordsIn(snapshot);
          onTheWay += recordsIn(snapshot);
        }
        EXPECT_EQ(held, read) << "seed " << seed << ", checkpoint " << id.value;
      }
    }
  }
  EXPECT_GT(whole, 40);
  EXPECT_GT(onTheWay, 0);
}

TEST(WorkerLinks, ACutFailsTheTasksOfBothEndsByName) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    auto kept = std::make_shared<Kept>();
    TwoWorkers two(spreadJob(1'000'000, kept), seed);
    EXPECT_FALSE(two.scheduler.joinFor(Duration::millis(50)));
    two.wires.cut(kAddress[0], kAddress[1]);
    two.scheduler.join();
    EXPECT_EQ(two.master.count("FAILED"), 10u);
    EXPECT_GT(two.master.count("the connection between worker 'left' and worker 'right' is lost: "), 0u);
    EXPECT_GT(two.master.count("the connection between worker 'right' and worker 'left' is lost: "), 0u);
    EXPECT_EQ(two.master.count("connection reset by peer"), 10u) << two.master.ends.front();
  }
}

TEST(WorkerLinks, SilenceCountsAsLost) {
  auto kept = std::make_shared<Kept>();
  TwoWorkers two(spreadJob(1'000'000, kept), 1);
  EXPECT_FALSE(two.scheduler.joinFor(Duration::millis(50)));
  two.wires.part(kAddress[0], kAddress[1]);
  EXPECT_FALSE(two.scheduler.joinFor(Duration::seconds(19)));
  EXPECT_EQ(two.master.ends.size(), 0u);
  EXPECT_TRUE(two.scheduler.joinFor(Duration::seconds(2)));
  EXPECT_EQ(two.master.count("the other worker has not been heard of for 20 s"), 10u);
}

TEST(WorkerLinks, WorkersThatHaveNothingToSayStayConnected) {
  Pipeline pipeline(readBy(ReaderThatWaits()), 2);
  pipeline.then("spread", passOn(), 2, PartitionKind::kRebalance);
  TwoWorkers two(pipeline.job(), 1);
  EXPECT_FALSE(two.scheduler.joinFor(Duration::seconds(3600)));
  EXPECT_EQ(two.master.ends.size(), 0u);
  two.stop();
  EXPECT_EQ(two.master.count("CANCELED"), 4u);
}

TEST(WorkerLinks, AWorkerOfAnotherAttemptIsRefused) {
  auto kept = std::make_shared<Kept>();
  TwoWorkers two(spreadJob(1'000'000, kept), 1, {}, {}, 4);
  two.scheduler.join();
  EXPECT_EQ(two.master.count("FAILED"), 10u);
  EXPECT_GT(
      two.master.count("the connection between worker 'left' and worker 'right' is lost: the other worker "
                       "refuses it: worker 'right' runs attempt 4 of job job-1, and was called as worker "
                       "'right' of attempt 0 of job job-1"),
      0u);
  EXPECT_GT(two.master.count("the other worker has not connected within 5 s"), 0u);
  EXPECT_EQ(two.sim.log().lines().size(), 1u);
}

TEST(WorkerLinks, ARecordThatIsTooLargeFailsItsSender) {
  auto kept = std::make_shared<Kept>();
  TwoWorkers two(spreadJob(1000, kept), 1, {}, {.limitBytes = 100});
  EXPECT_FALSE(two.scheduler.joinFor(Duration::seconds(1)));
  EXPECT_GT(two.master.count("more than the 100 that may go to another worker at once"), 0u);
  two.stop();
}

TEST(WorkerLinks, TakeNothingBeyondTheirCredits) {
  auto kept = std::make_shared<Kept>();
  for (const bool stranger : {false, true}) {
    SimulatedEnv sim(5);
    SimulatedWires wires(sim.clock(), sim.random().fork("wires"));
    Env env = sim.env();
    const JobGraph job = spreadJob(1, kept);
    Ends master(job);
    const Configuration configuration;
    auto leftNetwork = wires.addHost(kAddress[0]);
    auto network = wires.addHost(kAddress[1]);
    WorkerLinks links(optionsOf(1), *network, env);
    const Places places(job);
    links.setPeers({{kName[0], {kAddress[0], 1}}}, places.places);
    Worker worker(job, configuration, places.placement,
                  {.channelCapacity = 2, .tasks = places.tasks[1], .remote = &links}, env, master);
    DeterministicScheduler scheduler(sim, 1, {});
    scheduler.add(0, links);  // the tasks are not stepped: nothing is worked off
    auto connection = leftNetwork->connect(kAddress[1], links.port(), Duration::seconds(5));
    EXPECT_FALSE(scheduler.joinFor(Duration::millis(10)));
    std::string bytes;
    FrameWriter writer({});
    if (stranger) {
      bytes = "GET / HTTP/1.1\r\nHost: 10.0.0.2\r\n\r\n";
    } else {
      writer.hello({.job = "job-1", .attempt = 0, .from = "left", .to = "right"}, bytes);
      for (int i = 0; i < 3; ++i) writer.element(0, Watermark{Timestamp(i)}, bytes);
    }
    for (std::string_view rest = bytes; !rest.empty();)
      rest.remove_prefix(connection->write({&rest, 1}).bytes);
    EXPECT_EQ(scheduler.joinFor(Duration::seconds(1)), !stranger);
    worker.deploy(scheduler);
    if (stranger) {
      ASSERT_EQ(sim.log().lines().size(), 1u);
      EXPECT_EQ(sim.log().lines()[0],
                "WARN [links] a peer of 10.0.0.2:" + std::to_string(links.port()) +
                    " was turned away: byte 0 of the connection: no frame begins here: the other end is no "
                    "worker of Flott, or it is damaged");
      worker.cancel();
      links.stop();
    }
    scheduler.join();
    const size_t lost = master.count("the other worker sends more than it has credit for, on channel 0");
    EXPECT_EQ(lost > 0, !stranger);
  }
}

TEST(WorkerLinks, AreMadeAsTheConfigurationSays) {
  Configuration configuration;
  EXPECT_EQ(linkOptions(configuration).frames.limitBytes, size_t{64} << 20);
  EXPECT_EQ(linkOptions(configuration).frames.compression, FrameCompression::kNone);
  configuration.set("flott.network.compression", "LZ4");
  configuration.set("flott.network.max-frame-size", "1 mb");
  configuration.set("flott.network.silence-timeout", "8 s");
  configuration.set("flott.network.connect-timeout", "2 s");
  const LinkOptions options = linkOptions(configuration);
  EXPECT_EQ(options.frames.limitBytes, size_t{1} << 20);
  EXPECT_EQ(options.frames.compression, FrameCompression::kLz4);
  configuration.set("flott.network.compression", "ZSTD");
  EXPECT_EQ(linkOptions(configuration).frames.compression, FrameCompression::kZstd);
  EXPECT_EQ(options.silence, Duration::seconds(8));
  EXPECT_EQ(options.connectTimeout, Duration::seconds(2));
}

// Real threads and sockets.
TEST(WorkerLinks, RunOverLoopback) {
  auto expected = std::make_shared<Kept>();
  TestWorker(spreadJob(20'000, expected)).scheduler.join();
  const auto real = quietRealEnv();
  Env env = real->env();
  auto kept = std::make_shared<Kept>();
  const JobGraph job = spreadJob(20'000, kept);
  struct Locked final : public MasterGateway {
    void onTaskEnded(TaskId, TaskState state, std::optional<Error>, Accumulators) override {
      if (state == TaskState::kFinished) finished.fetch_add(1);
    }
    void reportDamaged(TaskId, Error) override {}
    void requestSplit(TaskId) override {}
    void sendSourceEvent(TaskId, std::string) override {}
    void reportWatermark(TaskId, Timestamp) override {}
    void acknowledgeCheckpoint(TaskId, CheckpointId, TaskSnapshot) override {}
    void awaitFinalCheckpoint(TaskId) override {}
    void declineCheckpoint(TaskId, CheckpointId, Error) override {}
    std::atomic<int> finished{0};
  } master;
  const Configuration configuration;
  const Places places(job);
  std::unique_ptr<AsyncNetwork> networks[2];
  std::optional<WorkerLinks> links[2];
  std::optional<Worker> workers[2];
  for (int side = 0; side < 2; ++side) {
    networks[side] = makeAsyncNetwork(env.clock);
    LinkOptions options = optionsOf(side);
    options.address = "127.0.0.1";
    links[side].emplace(options, *networks[side], env);
  }
  const auto scheduler = makeThreadedScheduler(env, {.lanes = 2});
  for (int side = 0; side < 2; ++side) {
    Placement placement = places.placement;
    placement.lanes = 2;
    for (auto& lanes : placement.laneOf) std::fill(lanes.begin(), lanes.end(), side);
    links[side]->setPeers({{kName[1 - side], {"127.0.0.1", links[1 - side]->port()}}}, places.places);
    workers[side].emplace(job, configuration, placement,
                          WorkerOptions{.tasks = places.tasks[side], .remote = &*links[side]}, env, master);
    workers[side]->deploy(*scheduler);
  }
  {
    LinkThread left(env, *networks[0], *links[0]);
    LinkThread right(env, *networks[1], *links[1]);
    scheduler->start();
    scheduler->join();
    left.join();
    right.join();
  }
  EXPECT_EQ(master.finished.load(), 10);
  EXPECT_EQ(sorted(*kept), sorted(*expected));
}

}  // namespace
}  // namespace flott
