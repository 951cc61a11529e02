// A master and its workers in one simulated world, for tests of jobs in several processes.
//
//   ClusterWorld world(seed, [] { return summing(…); });
//   world.start(configuration);
//   world.addWorker("w1", 2);
//   EXPECT_EQ(world.end().status, JobStatus::kFinished);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/cluster/data_plane.h"
#include "flott/cluster/distributed_job.h"
#include "flott/cluster/simulated_wire.h"
#include "flott/cluster/tests/simulated_process.h"
#include "flott/cluster/worker_agent.h"
#include "flott/env/simulated_async_network.h"
#include "flott/master/tests/summing_job.h"

namespace flott {

/// Two parts that nothing connects, each of which sums the numbers below `count` by key, in two slots.
inline JobGraph twoParts(int64_t count, const std::vector<std::shared_ptr<Outside>>& outside) {
  StreamGraph graph;
  graph.jobName = "two parts";
  for (size_t part = 0; part < 2; ++part) {
    const std::string name = part == 0 ? "left" : "right";
    StreamNode source{
        .id = static_cast<int>(2 * part) + 1, .kind = NodeKind::kSource, .name = "numbers " + name};
    source.source = sourceOf(Ranges(count), "numbers").factory;
    source.outputPool = &rowsPool<int64_t>;
    source.parallelism = 2;
    StreamNode sum{.id = source.id + 1, .kind = NodeKind::kSink, .name = "sum " + name};
    auto make = [outside = outside[part]] { return std::make_unique<SumByKey>(outside); };
    sum.op = std::make_shared<MadeBy<decltype(make)>>(std::move(make));
    sum.parallelism = 2;
    sum.inputs.push_back(
        {.from = source.id,
         .kind = PartitionKind::kHash,
         .partitioning = {.kind = PartitionKind::kHash, .hasher = std::make_shared<ByRest>()}});
    graph.nodes.push_back(std::move(source));
    graph.nodes.push_back(std::move(sum));
  }
  return compile(graph);
}

/// Lets so much time pass; whether all is done.
inline bool pass(DeterministicScheduler& scheduler, SimulatedEnv& sim, Duration time) {
  const int64_t end = deadlineAfter(sim.clock(), time);
  while (!scheduler.runUntilIdle()) {
    const int64_t next = std::min(scheduler.nextDeadline(), end);
    sim.clock().advanceTo(next);
    if (next == end) break;
  }
  return scheduler.runUntilIdle();
}

/// Links that a process steps, each over a network of its own.
class SimulatedDataPlane final : public DataPlane {
 public:
  SimulatedDataPlane(SimulatedWires& wires, std::string address, SimulatedProcess& process)
      : wires_(wires), address_(std::move(address)), process_(process) {}

  std::unique_ptr<OpenedLinks> open(LinkOptions options) override {
    if (onOpen) onOpen();
    options.address = address_;
    return std::make_unique<Opened>(wires_.addHost(address_), std::move(options), process_);
  }
  const std::string& address() const override { return address_; }

  MoveFunction<void()> onOpen = {};

 private:
  class Opened final : public OpenedLinks {
   public:
    Opened(std::unique_ptr<AsyncNetwork> network, LinkOptions options, SimulatedProcess& process)
        : network_(std::move(network)),
          process_(process),
          links_(std::move(options), *network_, process.env()) {}
    WorkerLinks& links() override { return links_; }
    void start() override { process_.add(0, links_); }
    void end() override { process_.remove(links_); }

   private:
    const std::unique_ptr<AsyncNetwork> network_;
    SimulatedProcess& process_;
    WorkerLinks links_;
  };

  SimulatedWires& wires_;
  const std::string address_;
  SimulatedProcess& process_;
};

class ClusterWorld {
 public:
  using MakeGraph = MoveFunction<JobGraph()>;

  ClusterWorld(uint64_t seed, MakeGraph makeGraph)
      : sim(seed),
        wires(sim.clock(), sim.random().fork("wires"), {.roomBytes = 3000}),
        scheduler(sim, 1, {.seed = seed, .maxSteps = 5'000'000}),
        makeGraph_(std::move(makeGraph)) {}

  bool oneProgram = false;
  /// Of all workers.
  std::string localFolder = {};
  void start(const Configuration& configuration = kept(), int restarts = 0) {
    job.emplace(makeGraph_(), configuration, sim.env(),
                DistributedJobOptions{.restarts =
                                          [restarts](const Error&, int64_t) mutable {
                                            return restarts-- > 0 ? RestartDecision::in(Duration())
                                                                  : RestartDecision();
                                          },
                                      .oneProgram = oneProgram});
    job->addTo(scheduler, 0);
  }

  struct Worker {
    std::unique_ptr<SimulatedWire> wire;
    std::unique_ptr<SimulatedProcess> process;
    std::unique_ptr<SimulatedDataPlane> dataPlane;
    std::shared_ptr<WorkerAgent> agent;
    void kill() {
      agent.reset();
      process->kill();
    }
  };
  /// Is at 10.0.0.n for others, the n-th. `graph`: of another program.
  Worker& addWorker(const std::string& name, int slots, std::optional<JobGraph> graph = {}) {
    Worker& worker = workers[name];
    worker.wire = std::make_unique<SimulatedWire>(sim, name);
    worker.process = std::make_unique<SimulatedProcess>(sim, name);
    worker.dataPlane = std::make_unique<SimulatedDataPlane>(wires, "10.0.0." + std::to_string(workers.size()),
                                                            *worker.process);
    auto content = std::make_shared<Content>(
        graph ? *std::move(graph) : makeGraph_(),
        WorkerAgentOptions{
            .name = name, .slots = slots, .dataPlane = worker.dataPlane.get(), .localFolder = localFolder},
        worker);
    worker.agent = {content, &content->agent};
    worker.process->add(1, content->agent);
    worker.process->keep(std::move(content));
    scheduler.add(0, *worker.wire);
    scheduler.add(0, *worker.process);
    job->accept(worker.wire->end(0));
    return worker;
  }

  /// That runs now.
  Worker& running() {
    const auto found = std::find_if(workers.begin(), workers.end(),
                                    [](const auto& entry) { return entry.second.process->stepping(); });
    EXPECT_NE(found, workers.end());
    return found->second;
  }

  /// `then` at so many moments that the seed chooses.
  void atMoments(int count, MoveFunction<void()> then) {
    atMoments(count, std::make_shared<MoveFunction<void()>>(std::move(then)));
  }
  void after(Duration delay, MoveFunction<void()> then) {
    timers_.push_back(std::make_unique<Timer>(deadlineAfter(sim.clock(), delay), std::move(then)));
    scheduler.add(0, *timers_.back());
  }

  JobResult end() {
    scheduler.join();
    return job->master().result();
  }
  std::string logged(const std::string& part) {
    for (const std::string& line : sim.log().lines()) {
      if (line.find(part) != std::string::npos) return line;
    }
    return "not logged: " + part;
  }

  SimulatedEnv sim;
  SimulatedWires wires;
  DeterministicScheduler scheduler;

 private:
  struct Content {
    Content(JobGraph program, WorkerAgentOptions options, Worker& worker)
        : graph(std::move(program)),
          env(worker.process->env()),
          agent(graph, std::move(options), env, *worker.process, worker.wire->end(1)) {}
    const JobGraph graph;
    Env env;
    WorkerAgent agent;
  };

  class Timer final : public Runnable {
   public:
    Timer(int64_t due, MoveFunction<void()> then) : due_(due), then_(std::move(then)) {}
    Progress step(StepTime now) override {
      if (now.nanos < due_) return Progress::kIdle;
      then_();
      return Progress::kDone;
    }
    int64_t deadlineNanos() const override { return due_; }
    std::string where() const override { return "timer"; }

   private:
    const int64_t due_;
    MoveFunction<void()> then_;
  };

  void atMoments(int count, const std::shared_ptr<MoveFunction<void()>>& then) {
    if (count == 0) return;
    ASSERT_TRUE(sim.offload().submit("moment", [this, count, then] {
      (*then)();
      atMoments(count - 1, then);
    }));
  }

  MakeGraph makeGraph_;
  std::vector<std::unique_ptr<Timer>> timers_;

 public:
  std::map<std::string, Worker> workers;
  std::optional<DistributedJob> job;
};

}  // namespace flott
