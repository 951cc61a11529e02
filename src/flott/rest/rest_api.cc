#include "flott/rest/rest_api.h"

#include <utility>
#include <vector>

#include "flott/rest/built_in.h"
#include "flott/rest/documents.h"
#include "flott/rest/refusal.h"
#include "flott/rest/rest_call.h"

namespace flott {
namespace {

[[noreturn]] std::string refuseRescaling() {
  throw Refusal{501,
                "a job is not rescaled while it runs: stop it with a savepoint, and start it from there with "
                "another parallelism"};
}

}  // namespace

// The first part of the path in braces is RestCall::at[0], and so on.
struct RestApi::Route {
  RoutePattern pattern;
  std::string (*document)(const RestCall& call);
  int status = 200;
  const char* contentType = "application/json; charset=UTF-8";
};

const std::vector<RestApi::Route>& RestApi::routes() {
  using Call = RestCall;
  static const std::vector<Route> kRoutes = {
      {{"GET", "/"}, [](const Call&) { return std::string(webPage()); }, 200, "text/html; charset=UTF-8"},
      {{"GET", "/index.html"},
       [](const Call&) { return std::string(webPage()); },
       200,
       "text/html; charset=UTF-8"},
      {{"GET", "/openapi.yml"},
       [](const Call&) { return std::string(openApi()); },
       200,
       "application/yaml; charset=UTF-8"},
      {{"GET", "/config"}, [](const Call& c) { return webConfigDocument(c.world.options.refreshInterval); }},
      {{"GET", "/overview"},
       [](const Call& c) { return overviewDocument(c.world.board.cluster(), c.world.board.jobs()); }},
      {{"GET", "/jobs"}, [](const Call& c) { return jobIdsDocument(c.world.board.jobs()); }},
      {{"GET", "/jobs/overview"},
       [](const Call& c) { return jobsOverviewDocument(c.world.board.jobs(), c.now()); }},
      {{"GET", "/jobs/metrics"}, [](const Call& c) { return c.aggregatedJobMetrics(); }},
      {{"GET", "/jobs/{jobid}"}, [](const Call& c) { return jobDocument(c.job(), c.now()); }},
      {{"PATCH", "/jobs/{jobid}"}, [](const Call& c) { return c.cancel(); }, 202},
      {{"GET", "/jobs/{jobid}/yarn-cancel"}, [](const Call& c) { return c.cancelByGet(); }, 202},
      {{"GET", "/jobs/{jobid}/status"}, [](const Call& c) { return jobStatusDocument(c.job()); }},
      {{"GET", "/jobs/{jobid}/config"}, [](const Call& c) { return jobConfigDocument(*c.job().job); }},
      {{"GET", "/jobs/{jobid}/jobmanager/config"},
       [](const Call& c) { return jobManagerConfigDocument(*c.job().job); }},
      {{"GET", "/jobs/{jobid}/plan"}, [](const Call& c) { return planDocument(*c.job().job); }},
      {{"GET", "/jobs/{jobid}/execution-result"},
       [](const Call& c) { return executionResultDocument(c.job()); }},
      {{"GET", "/jobs/{jobid}/accumulators"},
       [](const Call& c) { return accumulatorsDocument(c.accumulators()); }},
      {{"GET", "/jobs/{jobid}/exceptions"}, [](const Call& c) { return c.exceptions(); }},
      {{"GET", "/jobs/{jobid}/metrics"},
       [](const Call& c) { return metricsDocument(jobMetrics(c.job(), c.now()), c.get()); }},
      {{"GET", "/jobs/{jobid}/watermarks"},
       [](const Call& c) { return watermarksDocument(c.known(c.world.board.watermarks(c.jobId()))); }},
      {{"GET", "/jobs/{jobid}/resource-requirements"},
       [](const Call& c) { return resourceRequirementsDocument(*c.job().job); }},
      {{"PUT", "/jobs/{jobid}/resource-requirements"}, [](const Call&) { return refuseRescaling(); }},
      {{"PATCH", "/jobs/{jobid}/rescaling"}, [](const Call&) { return refuseRescaling(); }},
      {{"POST", "/jobs/{jobid}/savepoints"}, [](const Call& c) { return c.triggerSavepoint(); }, 202},
      {{"GET", "/jobs/{jobid}/savepoints/{triggerid}"}, [](const Call& c) { return c.savepointStatus(); }},
      {{"POST", "/jobs/{jobid}/stop"}, [](const Call& c) { return c.stop(); }, 202},
      {{"GET", "/jobs/{jobid}/checkpoints"}, [](const Call& c) { return checkpointsDocument(c.job()); }},
      {{"POST", "/jobs/{jobid}/checkpoints"}, [](const Call& c) { return c.triggerCheckpoint(); }, 202},
      {{"GET", "/jobs/{jobid}/checkpoints/config"},
       [](const Call& c) { return checkpointConfigDocument(*c.job().job); }},
      {{"GET", "/jobs/{jobid}/checkpoints/{triggerid}"}, [](const Call& c) { return c.checkpointStatus(); }},
      {{"GET", "/jobs/{jobid}/checkpoints/details/{checkpointid}"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return checkpointDocument(*job.job, c.checkpoint(job));
       }},
      {{"GET", "/jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}"},
       [](const Call& c) { return c.checkpointSubtasks(); }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return vertexDocument(job, c.vertex(job), c.now());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/metrics"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return metricsDocument(vertexMetrics(job, c.vertex(job)), c.get());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/watermarks"},
       [](const Call& c) { return c.vertexWatermarkMetrics(); }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/accumulators"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return vertexAccumulatorsDocument(job, c.vertex(job), c.accumulators());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/accumulators"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return subtaskAccumulatorsDocument(job, c.vertex(job), c.accumulators());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/attempts/{attempt}/accumulators"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return attemptAccumulatorsDocument(c.subtask(job, c.vertex(job), true), c.accumulators());
       }},
      {{"GET", "/jobs/{jobid}/jobmanager/environment"},
       [](const Call& c) {
         c.job();
         return environmentDocument();
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/backpressure"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return backPressureDocument(job, c.vertex(job), c.now());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/flamegraph"},
       [](const Call&) -> std::string {
         throw Refusal{501, "there are no flame graphs: look at the process with perf"};
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/jm-operator-metrics"},
       [](const Call& c) {
         const ListedJob job = c.job();
         c.vertex(job);
         return metricsDocument({}, c.get());  // what coordinates a source counts nothing
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasktimes"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return subtaskTimesDocument(job, c.vertex(job), c.now());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/taskmanagers"},
       [](const Call& c) {
         const ListedJob job = c.job();
         return vertexTaskManagersDocument(job, c.vertex(job), c.now());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/metrics"},
       [](const Call& c) { return c.aggregatedSubtaskMetrics(); }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}"},
       [](const Call& c) {
         const ListedJob job = c.job();
         const JobDescription::Vertex& vertex = c.vertex(job);
         return subtaskDocument(job, vertex, c.subtask(job, vertex, false), c.now());
       }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/metrics"},
       [](const Call& c) { return c.subtaskMetrics(); }},
      {{"GET", "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/attempts/{attempt}"},
       [](const Call& c) {
         const ListedJob job = c.job();
         const JobDescription::Vertex& vertex = c.vertex(job);
         return subtaskDocument(job, vertex, c.subtask(job, vertex, true), c.now());
       }},
      {{"POST", "/savepoint-disposal"}, [](const Call& c) { return c.disposeSavepoint(); }, 202},
      {{"GET", "/savepoint-disposal/{triggerid}"}, [](const Call& c) { return c.disposalStatus(); }},
  };
  return kRoutes;
}

RestApi::RestApi(JobBoard& board, RestApiOptions options, const Env& env)
    : board_(board), options_(std::move(options)), env_(env), operations_(env, options_.operations) {}

std::vector<RoutePattern> RestApi::patterns() {
  std::vector<RoutePattern> all;
  for (const Route& route : routes()) all.push_back(route.pattern);
  return all;
}

RestResponse RestApi::routed(const RestRequest& request) {
  static const Router kRouter(patterns());
  Router::Found found = kRouter.find(request.method, request.path);
  const Route& route = routes()[found.route];
  const RestWorld world{board_, options_, env_, operations_};
  RestResponse response =
      RestResponse::json(route.document(RestCall{world, request, std::move(found.open)}), route.status);
  response.contentType = route.contentType;
  return response;
}

RestResponse RestApi::answer(const RestRequest& request) {
  try {
    return routed(request);
  } catch (...) {
    return responseToCurrentError();
  }
}

}  // namespace flott
