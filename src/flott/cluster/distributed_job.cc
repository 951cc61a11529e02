#include "flott/cluster/distributed_job.h"

#include "flott/base/cluster_options.h"
#include "flott/base/options.h"
#include "flott/master/job_options.h"

namespace flott {
namespace {

DistributedDeployerOptions deployerOptions(const Configuration& configuration, const std::string& jobId,
                                           DistributedJobOptions& job, JobMaster& master) {
  DistributedDeployerOptions options{
      .heartbeatInterval = configuration.get(kHeartbeatInterval),
      .heartbeatTimeout = configuration.get(kHeartbeatTimeout),
      .slotRequestTimeout = configuration.get(kSlotRequestTimeout),
      .slotSpread = configuration.get(kEvenlySpreadOutSlots) ? SlotSpread::kEven : SlotSpread::kPacked,
      .endPatience = job.endPatience,
      .onNewWorker = std::move(job.onNewWorker),
      .onLostWorker = std::move(job.onLostWorker),
      .welcome = {.jobId = jobId, .configuration = {}}};
  if (job.oneProgram) options.onUnlikePrograms = [&master](Error why) { master.giveUp(std::move(why)); };
  for (const auto& [key, entry] : configuration.entries())
    options.welcome.configuration.emplace(key, entry.value);
  return options;
}

}  // namespace

DistributedJob::DistributedJob(JobGraph graph, Configuration configuration, Env env,
                               DistributedJobOptions options)
    : env_(env),
      configuration_(std::move(configuration)),
      graph_(std::move(graph)),
      id_(options.id ? *options.id : drawJobId(graph_.jobName, env_)),
      checkpoints_(env_.files, checkpointStorageOptions(configuration_, toString(id_)), &env_.stores),
      deployer_(graph_, deployerOptions(configuration_, toString(id_), options, master_), env_),
      master_(graph_, masterOptions(configuration_, toString(id_)), std::move(options.restarts), checkpoints_,
              env_, deployer_) {
  deployer_.reportTo(master_);
  checkJobOptions(configuration_, graph_);
  master_.whenEnded(
      [this](const JobDetails&, const std::vector<TaskAccumulators>&) { deployer_.jobEnded(); });
}

DistributedJob::~DistributedJob() = default;

void DistributedJob::addTo(Scheduler& scheduler, int lane) {
  scheduler.add(lane, master_);
  scheduler.add(lane, deployer_);
}

}  // namespace flott
