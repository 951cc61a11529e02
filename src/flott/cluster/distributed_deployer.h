// Gives the tasks of a job to workers: who takes part, which tasks go where, who is lost.
//
// Tasks that channels connect are placed together, a failover region each: in one worker, or by slots in
// several (slot_assignment.h). Of those each is first asked to listen for the others; when all have said
// where, the tasks are deployed with that. Regions for which there are too few free slots wait; when they
// have waited too long their tasks fail, and the restart strategy decides. An actor on the lane of the job's
// master: the master calls deploy() in its steps, and all other calls but accept() are of that lane, too, so
// that nothing is locked.
//
//   DistributedDeployer deployer(graph, options, env);
//   deployer.reportTo(master);
//   scheduler.add(lane, master), scheduler.add(lane, deployer);
//   deployer.accept(listener.nextPort());
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/function.h"
#include "flott/cluster/message_port.h"
#include "flott/cluster/remote_task.h"
#include "flott/cluster/remote_worker.h"
#include "flott/cluster/slot_assignment.h"
#include "flott/env/env.h"
#include "flott/graph/graph_digest.h"
#include "flott/graph/job_graph.h"
#include "flott/master/failover_regions.h"
#include "flott/master/job_master.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/runnable.h"

namespace flott {

struct DistributedDeployerOptions {
  Duration heartbeatInterval = Duration::seconds(10);
  Duration heartbeatTimeout = Duration::seconds(50);
  Duration slotRequestTimeout = Duration::seconds(300);
  SlotSpread slotSpread = SlotSpread::kPacked;
  /// How long a worker whose connection has gone is not lost yet: somebody may say what has become of it.
  Duration endPatience = Duration();
  /// Are told the name of each worker that has registered, or is lost, on the lane of the deployer.
  MoveFunction<void(const std::string&)> onNewWorker = {};
  MoveFunction<void(const std::string&)> onLostWorker = {};
  /// Is told when one worker after the other was refused for the graph that it builds, on the lane of the
  /// deployer: so it will be with the next ones, if all are started from one program.
  MoveFunction<void(Error)> onUnlikePrograms = {};
  /// What each worker is told.
  messages::Welcome welcome = {};
};

class DistributedDeployer final : public Runnable, public TaskDeployer, private WorkerHost {
 public:
  /// What is referred to outlives the deployer. Throws Error(kUser) for heartbeats that are slower than their
  /// time-out.
  DistributedDeployer(const JobGraph& graph, DistributedDeployerOptions options, Env& env);
  ~DistributedDeployer() override;

  /// Before all else: who hears what becomes of the tasks.
  void reportTo(MasterGateway& master) { master_ = &master; }

  /// A connection of somebody who may become a worker. Any thread.
  void accept(std::unique_ptr<MessagePort> port);
  /// The master is about to take its last step: workers are dismissed.
  void jobEnded();

  // TaskDeployer
  std::map<TaskKey, TaskGateway*> deploy(int attempt, RestoredJob restored, const TaskSet& tasks) override;

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "workers of job '" + graph_.jobName + "'"; }

 private:
  // The tasks of a region that go to one worker.
  struct Part {
    std::shared_ptr<RemoteWorker> worker;
    TaskSet tasks;
    int slots = 0;
    std::optional<messages::LinksOpened> opened = {};  // what it has answered
  };
  // A region that is not deployed yet.
  struct Waiting {
    size_t region = 0;
    messages::Deploy message;  // as if it all went to one worker
    std::map<TaskKey, RemoteTask*> tasks;
    int64_t untilNanos = 0;
    std::vector<Part> parts = {};  // once there are several, that open links
    uint64_t links = 0;            // the number of these
  };
  // A region that several workers have.
  struct Spread {
    size_t region = 0;
    uint64_t links = 0;
    std::vector<std::shared_ptr<RemoteWorker>> workers;
  };
  struct Disconnected {
    std::shared_ptr<RemoteWorker> worker;
    std::string what;
    int64_t untilNanos = 0;
  };
  struct Made {
    std::unique_ptr<RemoteTask> newest;
    std::unique_ptr<RemoteTask> before;  // the master may still look at it
  };

  // WorkerHost
  void registered(RemoteWorker& worker, const messages::Register& about) override;
  void refuseUnlike(const std::string& name, const std::string& difference);
  void slotsChanged() override { waker().wake(); }
  void linksOpened(RemoteWorker& worker, messages::LinksOpened opened) override;
  void disconnected(RemoteWorker& worker, const std::string& what) override;
  void lost(const RemoteWorker& worker) override;
  void workerEnded(const messages::WorkerEnded& ended) override;

  Waiting prepare(size_t region, int attempt, RestoredJob& restored);
  std::vector<TaskSet> slotsOf(size_t region) const;
  void place();
  bool place(Waiting& waiting);
  std::vector<Part> partsOf(size_t region);
  void openLinks(Waiting& waiting);
  void giveUpLinks(Waiting& waiting);
  void deploy(Waiting& waiting);
  void loseDisconnected(int64_t now);
  void closeLinks();
  void endCancelled(Waiting& waiting);
  void fail(Waiting& waiting, const Error& why);
  Error noSlots(const Waiting& waiting) const;
  void beat();

  const JobGraph& graph_;
  DistributedDeployerOptions options_;
  Env& env_;
  MasterGateway* master_ = nullptr;
  const FailoverRegions regions_;
  const GraphDigest digest_;
  Mailbox mailbox_;
  std::vector<std::shared_ptr<RemoteWorker>> workers_;   // in the order of their connections; none is gone
  std::map<size_t, std::vector<std::string>> placedAt_;  // by region, of each slot the worker's name
  std::vector<Waiting> waiting_;                         // the oldest first
  std::vector<Spread> spread_;
  std::vector<Disconnected> disconnected_;
  uint64_t lastLinks_ = 0;
  int unlike_ = 0;  // workers in a row that build other graphs
  std::map<TaskKey, Made> tasks_;
  int64_t nextBeat_ = 0;
  bool jobEnded_ = false;
};

}  // namespace flott
