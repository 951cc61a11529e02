#include "flott/cluster/processes.h"

#include <memory>
#include <optional>
#include <utility>

#include "flott/base/metric_options.h"
#include "flott/base/options.h"
#include "flott/cluster/data_plane.h"
#include "flott/cluster/distributed_job.h"
#include "flott/cluster/manager/manager_messages.h"
#include "flott/cluster/manager/notice.h"
#include "flott/cluster/manager/unknown_end.h"
#include "flott/cluster/message_loop.h"
#include "flott/cluster/whole_files.h"
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

}  // namespace

struct MasterProcess::Parts {
  Parts(JobGraph graph, Configuration given, const Env& world, const MasterProcessOptions& options)
      : env(world),
        managed(options.managed),
        oneProgram(options.oneProgram),
        configuration(begun(std::move(given))),
        network(makeAsyncNetwork(env.clock)),
        scheduler(
            makeThreadedScheduler(env, {.lanes = 1, .blockedWarning = configuration.get(kBlockedWarning)})),
        loop(*network, env.log),
        job(std::move(graph), configuration, env, jobOptions()) {}

  Configuration begun(Configuration given) const {
    if (managed.recovers) beginWhereItWas(given, managed.jobId, env);
    return given;
  }
  DistributedJobOptions jobOptions() {
    DistributedJobOptions options{.id = parseJobId(managed.jobId),
                                  .restarts = restartPolicy(configuration, env.random),
                                  .oneProgram = oneProgram};
    if (managed.managerPort == 0) return options;
    options.endPatience = kEndPatience;
    options.onNewWorker = [this](const std::string& worker) {
      tellManager(manager_messages::WorkerRegistered{managed.jobId, worker});
    };
    options.onLostWorker = [this](const std::string& worker) {
      tellManager(manager_messages::LostWorker{managed.jobId, worker});
    };
    return options;
  }
  void tellManager(const ToJobManager& message) {
    sendNotice(loop, managed.managerAddress, managed.managerPort, encodeFrame(message));
  }
  /// A master that is killed from now on has ended its job all the same.
  bool leaveFirstArchive(JobStatus status, const std::optional<Error>& why) {
    try {
      replaceFile(env.files, managed.archive,
                  archiveOfUnknownEnd(env, job.id(), job.graph().jobName, status,
                                      why.value_or(Error(ErrorKind::kBug, "")), began, env.clock.wallTime()));
      return true;
    } catch (const Error& error) {
      env.log.error("cluster", std::string("how the job has ended cannot be kept: ") + error.what());
      return false;
    }
  }
  /// The last who looks at the job.
  void end() {
    if (std::exchange(ended, true)) return;
    thread.reset();
    try {
      if (documents && !managed.archive.empty())
        replaceFile(env.files, managed.archive, documents->archiveOf(job.id()));
    } catch (const Error& error) {  // the first archive, or another master, tells how the job has ended
      env.log.error("cluster", std::string("the documents of the job cannot be kept: ") + error.what());
    }
    documents.reset();
  }

  Env env;
  const ProgramRole::Managed managed;
  const bool oneProgram;
  const Timestamp began = env.clock.wallTime();
  const Configuration configuration;
  const std::unique_ptr<AsyncNetwork> network;
  const std::unique_ptr<Scheduler> scheduler;
  MessageLoop loop;
  DistributedJob job;
  std::optional<LocalServer> documents;
  std::optional<MessageLoopThread> thread;
  bool ended = false;
};

MasterProcess::MasterProcess(JobGraph graph, Configuration configuration, Env env,
                             MasterProcessOptions options)
    : parts_(std::make_unique<Parts>(std::move(graph), std::move(configuration), env, options)) {
  DistributedJob& job = parts_->job;
  if (options.managed.serves || job.configuration().find(kPrometheusPort)) {
    parts_->documents.emplace(env, forDocuments(job.configuration()), options.managed.serves);
    parts_->documents->jobs().list(job.master(), job.id(), job.graph(), job.configuration());
  }
  const uint16_t port = parts_->loop.listen(options.managed.address, options.port,
                                            [&job](auto peer) { job.accept(std::move(peer)); });
  if (!options.managed.archive.empty()) {
    job.master().whenDecided([parts = parts_.get()](JobStatus status, const std::optional<Error>& why) {
      return parts->leaveFirstArchive(status, why);
    });
  }
  job.addTo(*parts_->scheduler, 0);
  parts_->thread.emplace(parts_->loop, *parts_->network, parts_->env);
  if (options.onListening) {
    options.onListening({.jobId = toString(job.id()),
                         .jobName = job.graph().jobName,
                         .port = port,
                         .restPort = static_cast<uint16_t>(parts_->documents ? parts_->documents->port() : 0),
                         .slots = job.graph().slots});
  }
  parts_->scheduler->start();
}

MasterProcess::~MasterProcess() {
  if (parts_->ended) return;
  parts_->job.master().cancel();
  wait();
}

DistributedJob& MasterProcess::job() { return parts_->job; }

void MasterProcess::wait() {
  if (parts_->ended) return;
  parts_->scheduler->join();
  parts_->end();
}

bool MasterProcess::waitFor(Duration timeout) {
  if (!parts_->ended && !parts_->scheduler->joinFor(timeout)) return false;
  parts_->end();
  return true;
}

JobResult runMaster(JobGraph graph, Configuration configuration, Env env, MasterProcessOptions options) {
  MasterProcess process(std::move(graph), std::move(configuration), env, std::move(options));
  const auto signals = env.signals.watch([&process](int) { process.job().master().cancel(); });
  process.wait();
  return process.job().master().result();
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
                     .dataPlane = dataPlane.get(),
                     .localFolder = options.localFolder},
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
