#include "flott/cluster/processes.h"

#include <memory>
#include <optional>
#include <utility>

#include "flott/base/options.h"
#include "flott/cluster/data_plane.h"
#include "flott/cluster/distributed_job.h"
#include "flott/cluster/manager/manager_messages.h"
#include "flott/cluster/manager/notice.h"
#include "flott/cluster/message_loop.h"
#include "flott/cluster/worker_agent.h"
#include "flott/env/posix/async_network.h"
#include "flott/master/job_options.h"
#include "flott/master/restart_strategy.h"
#include "flott/rest/local_server.h"
#include "flott/runtime/scheduler.h"
#include "flott/state/newest_checkpoint.h"

namespace flott {

namespace {

// Longer than whoever has started a worker takes to see its end.
constexpr Duration kEndPatience = Duration(300);

/// Where an earlier master of the job has left a checkpoint, this one begins there.
void beginWhereItWas(Configuration& configuration, const std::string& jobId, const Env& env) {
  const std::optional<std::string> newest =
      newestCheckpoint(env.files, env.stores, checkpointStorageOptions(configuration, jobId));
  if (!newest) return;
  configuration.set(std::string(kRecoveryPath.key), *newest, "flott");
  configuration.set(std::string(kClaimMode.key), "CLAIM", "flott");
}

/// On this machine alone, wherever the program's own pages were to be.
Configuration forDocuments(Configuration configuration) {
  configuration.set(std::string(kRestBindAddress.key), "127.0.0.1", "flott");
  configuration.set(std::string(kRestBindPort.key), "0", "flott");
  return configuration;
}

void leaveArchive(const Env& env, const std::string& path, const std::string& text) {
  const auto writer = env.files.create(path + ".new", WriteMode::kCreate);
  writer->write(text);
  writer->sync();
  writer->close();
  env.files.rename(path + ".new", path);
}

}  // namespace

JobResult runMaster(JobGraph graph, Configuration configuration, Env env, MasterProcessOptions options) {
  const ProgramRole::Managed& managed = options.managed;
  const bool isManaged = managed.managerPort != 0;
  const std::optional<JobId> id = parseJobId(managed.jobId);
  if (managed.recovers && id) beginWhereItWas(configuration, managed.jobId, env);
  const std::unique_ptr<AsyncNetwork> network = makeAsyncNetwork(env.clock);
  const std::unique_ptr<Scheduler> scheduler =
      makeThreadedScheduler(env, {.lanes = 1, .blockedWarning = configuration.get(kBlockedWarning)});
  MessageLoop loop(*network, env.log);
  DistributedJobOptions jobOptions{.id = id, .restarts = restartPolicy(configuration, env.random)};
  if (isManaged) {
    jobOptions.endPatience = kEndPatience;
    jobOptions.onLostWorker = [&](const std::string& worker) {
      sendNotice(loop, managed.managerAddress, managed.managerPort,
                 encodeFrame(ToJobManager(manager_messages::LostWorker{managed.jobId, worker})));
    };
  }
  DistributedJob job(std::move(graph), std::move(configuration), env, std::move(jobOptions));
  std::optional<LocalServer> documents;
  if (managed.serves) {
    documents.emplace(env, forDocuments(job.configuration()));
    documents->jobs().list(job.master(), job.id(), job.graph(), job.configuration());
  }
  const uint16_t port =
      loop.listen(managed.address, options.port, [&job](auto peer) { job.accept(std::move(peer)); });
  job.addTo(*scheduler, 0);
  {
    const auto signals = env.signals.watch([&job](int) { job.master().cancel(); });
    const MessageLoopThread thread(loop, *network, env);
    if (options.onListening) {
      options.onListening({.jobId = toString(job.id()),
                           .jobName = job.graph().jobName,
                           .port = port,
                           .restPort = documents ? static_cast<uint16_t>(documents->port()) : uint16_t{0},
                           .slots = job.graph().slots});
    }
    scheduler->start();
    scheduler->join();
  }
  if (documents && !managed.archive.empty())
    leaveArchive(env, managed.archive, documents->archiveOf(job.id()));
  return job.master().result();
}

void runWorker(const JobGraph& graph, Env env, const WorkerProcessOptions& options) {
  const std::unique_ptr<AsyncNetwork> network = makeAsyncNetwork(env.clock);
  const std::unique_ptr<Scheduler> scheduler = makeThreadedScheduler(env, {.lanes = options.lanes + 1});
  MessageLoop loop(*network, env.log);
  const std::unique_ptr<DataPlane> dataPlane = makeDataPlane(env, options.dataAddress);
  WorkerAgent agent(graph,
                    {.name = options.name,
                     .slots = options.slots,
                     .lanes = options.lanes,
                     .registrationTimeout = options.timeout,
                     .dataPlane = dataPlane.get()},
                    env, *scheduler, loop.connect(options.address, options.port, options.timeout));
  scheduler->add(options.lanes, agent);
  {
    const MessageLoopThread thread(loop, *network, env);
    scheduler->start();
    scheduler->join();
  }
  if (agent.error()) throw Error(*agent.error());
}

}  // namespace flott
