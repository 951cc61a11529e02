// A job whose tasks run in other processes: its master and what keeps its workers, on one lane.
//
// The counterpart of EmbeddedJob. Made in the process of the master; whoever listens for workers hands over
// their connections. The job begins at once and waits for workers with enough slots. When it has ended its
// workers are dismissed, and both runnables are done.
//
//   DistributedJob job(compile(graph), configuration, env);
//   job.addTo(scheduler, 0);
//   job.accept(port);           // from any thread, any number of times
//   scheduler.join();
//   JobResult result = job.master().result();
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "flott/base/config.h"
#include "flott/base/function.h"
#include "flott/cluster/distributed_deployer.h"
#include "flott/cluster/message_port.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_id.h"
#include "flott/master/job_master.h"
#include "flott/runtime/scheduler.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

struct DistributedJobOptions {
  /// Drawn where it is given none.
  std::optional<JobId> id = {};
  RestartPolicy restarts = {};
  /// As those of DistributedDeployerOptions.
  Duration endPatience = Duration();
  MoveFunction<void(const std::string&)> onNewWorker = {};
  MoveFunction<void(const std::string&)> onLostWorker = {};
  /// All processes are started from the same file with the same arguments: when their graphs differ, the
  /// program is at fault, and the job fails.
  bool oneProgram = false;
};

class DistributedJob {
 public:
  /// Throws Error(kUser) for options that do not fit each other or the job. What `env` refers to outlives the
  /// job.
  DistributedJob(JobGraph graph, Configuration configuration, Env env, DistributedJobOptions options = {});
  ~DistributedJob();

  /// Once. The scheduler is joined before the job dies.
  void addTo(Scheduler& scheduler, int lane);
  /// Any thread. After the end of the job the port is only closed.
  void accept(std::unique_ptr<MessagePort> port) { deployer_.accept(std::move(port)); }

  /// For all that JobMaster takes from any thread.
  JobMaster& master() { return master_; }
  /// Checkpoints of the job lie in a folder of this name.
  const JobId& id() const { return id_; }
  const JobGraph& graph() const { return graph_; }
  const Configuration& configuration() const { return configuration_; }

 private:
  Env env_;
  const Configuration configuration_;
  const JobGraph graph_;
  const JobId id_;
  CheckpointStorage checkpoints_;
  DistributedDeployer deployer_;
  JobMaster master_;
};

}  // namespace flott
