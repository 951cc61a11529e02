#include "flott/cluster/processes.h"

#include <memory>
#include <utility>

#include "flott/base/options.h"
#include "flott/cluster/data_plane.h"
#include "flott/cluster/distributed_job.h"
#include "flott/cluster/message_loop.h"
#include "flott/cluster/worker_agent.h"
#include "flott/env/posix/async_network.h"
#include "flott/master/restart_strategy.h"
#include "flott/runtime/scheduler.h"

namespace flott {

JobResult runMaster(JobGraph graph, Configuration configuration, Env env, MasterProcessOptions options) {
  const Duration blockedWarning = configuration.get(kBlockedWarning);
  RestartPolicy restarts = restartPolicy(configuration, env.random);
  const std::unique_ptr<AsyncNetwork> network = makeAsyncNetwork(env.clock);
  const std::unique_ptr<Scheduler> scheduler =
      makeThreadedScheduler(env, {.lanes = 1, .blockedWarning = blockedWarning});
  DistributedJob job(std::move(graph), std::move(configuration), env, std::move(restarts));
  MessageLoop loop(*network, env.log);
  const uint16_t port =
      loop.listen(options.address, options.port, [&job](auto peer) { job.accept(std::move(peer)); });
  job.addTo(*scheduler, 0);
  const auto signals = env.signals.watch([&job](int) { job.master().cancel(); });
  const MessageLoopThread thread(loop, *network, env);
  if (options.onListening) options.onListening(port);
  scheduler->start();
  scheduler->join();
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
