// The REST of a cluster: Flink's paths about the cluster itself, programs and logs, and those of jobs, which
// are handed to the job's master or answered from what it has left.
//
// Called by the server's threads, several at once. What it asks of others it waits for a bounded time.
//
//   ClusterApi api(env, processes, manager, programs, options);
//   HttpServer server(env, httpOptions, api);
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/time.h"
#include "flott/cluster/manager/job_manager.h"
#include "flott/cluster/manager/program_store.h"
#include "flott/env/env.h"
#include "flott/env/processes.h"
#include "flott/rest/rest_handler.h"
#include "flott/rest/router.h"

namespace flott {

class RestApi;

struct ClusterApiOptions {
  Configuration configuration;  // that is shown
  std::string logFolder;
  std::string logFile;  // of the JobManager itself, in that folder
  uint64_t uploadBytes = uint64_t{1} << 30;
  Duration refreshInterval = Duration::seconds(3);
  Duration programStartTimeout = Duration::seconds(60);
  /// Programs that are being started, each of which holds a thread of the server; more get status 503.
  int mostStarting = 4;
};

class ClusterApi final : public RestHandler {
 public:
  /// What is referred to outlives it.
  ClusterApi(const Env& env, Processes& processes, JobManager& manager, ProgramStore& programs,
             ClusterApiOptions options);
  ~ClusterApi() override;

  BodyPlan bodyPlan(const RestRequest& head) override;
  RestResponse answer(const RestRequest& request) override;

  /// All there are; what is left open at the end is answered by others.
  static std::vector<RoutePattern> patterns();

 private:
  struct Call;
  struct Route;
  static const std::vector<Route>& routes();

  RestResponse routed(const RestRequest& request);
  RestResponse jobsOverview() const;
  RestResponse jobMetrics(const Call& call) const;
  RestResponse taskManagerMetrics(const Call& call) const;
  RestResponse ofJob(const Call& call);
  std::shared_ptr<const ClusterView> viewWithout(const JobId& id, uint16_t masterPort) const;
  RestResponse ofJobWithoutMaster(const Call& call, const JobView& job);
  RestResponse ofTaskManager(const Call& call);
  RestResponse logFile(const std::string& name, const RestRequest& request) const;
  RestResponse programUpload(const Call& call);
  RestResponse describeProgram(const Call& call);
  RestResponse takeBlob(const Call& call);
  RestResponse run(const Call& call);
  RestResponse plan(const Call& call);
  RestResponse deleteProgram(const Call& call);
  StoredProgram programOf(std::string_view jar) const;
  Submission submitAndWait(JobRequest request);

  class NoJobs;

  const Env env_;
  Processes& processes_;
  JobManager& manager_;
  ProgramStore& programs_;
  const ClusterApiOptions options_;
  std::atomic<int> starting_{0};
  /// What needs no job: savepoints are removed here.
  const std::unique_ptr<NoJobs> noJobs_;
  const std::unique_ptr<RestApi> withoutJob_;
};

}  // namespace flott
