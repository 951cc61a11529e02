// What the processes of a job run: the master, or a worker. Each serves one job and returns at its end.
//
// All processes run the same program, which builds the same graph; what makes one the master is the call.
// Addresses are numeric ones. Called on the main thread; threads, sockets and signals are real.
//
//   if (isMaster) return runMaster(graph, configuration, env, {.port = 6123});
//   runWorker(graph, env, {.name = "w1", .slots = 2, .port = 6123});
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flott/base/config.h"
#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/cluster/distributed_job.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_status.h"
#include "flott/master/program_role.h"

namespace flott {

struct MasterProcessOptions {
  ProgramRole::Managed managed = {};
  uint16_t port = 0;  // that it listens on for workers; 0: the system chooses
  /// As of DistributedJobOptions.
  bool oneProgram = false;
  /// Is told where it is, once workers may come.
  MoveFunction<void(const MasterAnswer&)> onListening = {};
};

/// The master of a job, from its start to its end. One thread.
class MasterProcess {
 public:
  /// Workers may come. Restarts are as the configuration says. Throws Error(kUser) for options that do not
  /// fit, and Error(kTransient) when it cannot listen.
  MasterProcess(JobGraph graph, Configuration configuration, Env env, MasterProcessOptions options);
  /// Cancels the job when it has not ended, and waits.
  ~MasterProcess();

  DistributedJob& job();
  void wait();
  /// The same, for so long at most; whether the job has ended.
  bool waitFor(Duration timeout);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

/// Until the job has ended. Ctrl-C and SIGTERM cancel it.
JobResult runMaster(JobGraph graph, Configuration configuration, Env env, MasterProcessOptions options);

struct WorkerProcessOptions {
  std::string name;
  int slots = 1;
  /// Threads that run tasks.
  int lanes = 1;
  /// Of the master.
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  /// Of this machine, by which other workers reach this one.
  std::string dataAddress = "127.0.0.1";
  /// As of WorkerAgentOptions.
  std::string localFolder = {};
  /// How long the way to the master, and its answer, may take.
  Duration timeout = Duration::seconds(10);
};

/// Until the master dismisses the worker. Throws Error(kTransient) when it is lost, Error(kUser) when it
/// refuses the worker.
void runWorker(const JobGraph& graph, Env env, const WorkerProcessOptions& options);

}  // namespace flott
