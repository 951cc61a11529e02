#include "flott/api/client_job.h"

#include <utility>

#include "flott/api/execution_host.h"
#include "flott/master/embedded_job.h"
#include "flott/master/restart_strategy.h"
#include "flott/rest/embedded_jobs.h"

namespace flott {
namespace {

class JobHere final : public ClientJob {
 public:
  JobHere(std::shared_ptr<ExecutionHost> host, JobGraph graph, const Configuration& configuration,
          EmbeddedJobs* listing)
      : host_(std::move(host)),
        makeScheduler_([host = host_](int lanes, const Configuration& settings) {
          return host->makeScheduler(lanes, settings);
        }),
        job_(std::move(graph), configuration, host_->env(), host_, makeScheduler_,
             restartPolicy(configuration, host_->env().random)) {
    if (listing != nullptr) listing->list(job_);
    try {
      job_.start();
    } catch (...) {
      if (listing != nullptr) listing->forget(job_);
      throw;
    }
  }

  JobMaster& master() override { return job_.master(); }
  const JobId& id() const override { return job_.id(); }
  const JobGraph& graph() const override { return job_.graph(); }
  JobProgress progress() override { return job_.progress(); }
  void wait() override { job_.wait(); }
  bool waitFor(Duration timeout) override { return job_.waitFor(timeout); }
  JobResult result() override { return job_.result(); }

 private:
  const std::shared_ptr<ExecutionHost> host_;
  EmbeddedJob::MakeScheduler makeScheduler_;
  EmbeddedJob job_;
};

}  // namespace

std::unique_ptr<ClientJob> startHere(std::shared_ptr<ExecutionHost> host, JobGraph graph,
                                     const Configuration& configuration, EmbeddedJobs* listing) {
  return std::make_unique<JobHere>(std::move(host), std::move(graph), configuration, listing);
}

}  // namespace flott
