#include "flott/rest/rest_api.h"

#include <algorithm>
#include <vector>

#include "flott/rest/built_in.h"
#include "flott/rest/documents.h"
#include "flott/rest/refusal.h"
#include "flott/rest/rest_call.h"

namespace flott {
namespace {

constexpr size_t kMostSegments = 9;

std::vector<std::string_view> segmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) segments.push_back(path.substr(0, end));
    if (segments.size() > kMostSegments) return {"-"};  // no path of ours
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!segments.empty() && segments.front() == "v1") segments.erase(segments.begin());
  return segments;
}

Refusal notFor(const RestRequest& request, const std::string& allowed) {
  return {
      405,
      request.method.substr(0, 16) + " is not for " + request.path.substr(0, 256) + "; there is " + allowed,
      allowed};
}

[[noreturn]] std::string refuseRescaling() {
  throw Refusal{501,
                "a job is not rescaled while it runs: stop it with a savepoint, and start it from there with "
                "another parallelism"};
}

}  // namespace

// The first part of the path that is a ':' is RestCall::at[0], and so on.
struct RestApi::Route {
  const char* method;
  const char* path;
  std::string (*document)(const RestCall& call);
  int status = 200;
};

const RestApi::Route* RestApi::routes() {
  using Call = RestCall;
  static constexpr Route kRoutes[] = {
      {"GET", "/config", [](const Call& c) { return webConfigDocument(c.world.options.refreshInterval); }},
      {"GET", "/overview",
       [](const Call& c) { return overviewDocument(c.world.board.cluster(), c.world.board.jobs()); }},
      {"GET", "/jobs", [](const Call& c) { return jobIdsDocument(c.world.board.jobs()); }},
      {"GET", "/jobs/overview",
       [](const Call& c) { return jobsOverviewDocument(c.world.board.jobs(), c.now()); }},
      {"GET", "/jobs/metrics", [](const Call& c) { return c.aggregatedJobMetrics(); }},
      {"GET", "/jobs/:", [](const Call& c) { return jobDocument(c.job(), c.now()); }},
      {"PATCH", "/jobs/:", [](const Call& c) { return c.cancel(); }, 202},
      {"GET", "/jobs/:/yarn-cancel", [](const Call& c) { return c.cancelByGet(); }, 202},
      {"GET", "/jobs/:/status", [](const Call& c) { return jobStatusDocument(c.job()); }},
      {"GET", "/jobs/:/config", [](const Call& c) { return jobConfigDocument(*c.job().job); }},
      {"GET", "/jobs/:/jobmanager/config",
       [](const Call& c) { return jobManagerConfigDocument(*c.job().job); }},
      {"GET", "/jobs/:/plan", [](const Call& c) { return planDocument(*c.job().job); }},
      {"GET", "/jobs/:/execution-result", [](const Call& c) { return executionResultDocument(c.job()); }},
      {"GET", "/jobs/:/accumulators",
       [](const Call& c) { return accumulatorsDocument(c.known(c.world.board.accumulators(c.jobId()))); }},
      {"GET", "/jobs/:/exceptions", [](const Call& c) { return c.exceptions(); }},
      {"GET", "/jobs/:/metrics",
       [](const Call& c) { return metricsDocument(jobMetrics(c.job(), c.now()), c.get()); }},
      {"GET", "/jobs/:/watermarks",
       [](const Call& c) { return watermarksDocument(c.known(c.world.board.watermarks(c.jobId()))); }},
      {"GET", "/jobs/:/resource-requirements",
       [](const Call& c) { return resourceRequirementsDocument(*c.job().job); }},
      {"PUT", "/jobs/:/resource-requirements", [](const Call&) { return refuseRescaling(); }},
      {"PATCH", "/jobs/:/rescaling", [](const Call&) { return refuseRescaling(); }},
      {"POST", "/jobs/:/savepoints", [](const Call& c) { return c.triggerSavepoint(); }, 202},
      {"GET", "/jobs/:/savepoints/:", [](const Call& c) { return c.savepointStatus(); }},
      {"POST", "/jobs/:/stop", [](const Call& c) { return c.stop(); }, 202},
      {"GET", "/jobs/:/checkpoints", [](const Call& c) { return checkpointsDocument(c.job()); }},
      {"POST", "/jobs/:/checkpoints", [](const Call& c) { return c.triggerCheckpoint(); }, 202},
      {"GET", "/jobs/:/checkpoints/config",
       [](const Call& c) { return checkpointConfigDocument(*c.job().job); }},
      {"GET", "/jobs/:/checkpoints/:", [](const Call& c) { return c.checkpointStatus(); }},
      {"GET", "/jobs/:/checkpoints/details/:",
       [](const Call& c) {
         const ListedJob job = c.job();
         return checkpointDocument(*job.job, c.checkpoint(job));
       }},
      {"GET",
       "/jobs/:/checkpoints/details/:/subtasks/:", [](const Call& c) { return c.checkpointSubtasks(); }},
      {"GET", "/jobs/:/vertices/:",
       [](const Call& c) {
         const ListedJob job = c.job();
         return vertexDocument(job, c.vertex(job), c.now());
       }},
      {"GET", "/jobs/:/vertices/:/metrics",
       [](const Call& c) {
         const ListedJob job = c.job();
         return metricsDocument(vertexMetrics(job, c.vertex(job)), c.get());
       }},
      {"GET", "/jobs/:/vertices/:/watermarks", [](const Call& c) { return c.vertexWatermarkMetrics(); }},
      {"GET", "/jobs/:/vertices/:/backpressure",
       [](const Call& c) {
         const ListedJob job = c.job();
         return backPressureDocument(job, c.vertex(job), c.now());
       }},
      {"GET", "/jobs/:/vertices/:/flamegraph",
       [](const Call&) -> std::string {
         throw Refusal{501, "there are no flame graphs: look at the process with perf"};
       }},
      {"GET", "/jobs/:/vertices/:/jm-operator-metrics",
       [](const Call& c) {
         const ListedJob job = c.job();
         c.vertex(job);
         return metricsDocument({}, c.get());  // what coordinates a source counts nothing
       }},
      {"GET", "/jobs/:/vertices/:/subtasktimes",
       [](const Call& c) {
         const ListedJob job = c.job();
         return subtaskTimesDocument(job, c.vertex(job), c.now());
       }},
      {"GET", "/jobs/:/vertices/:/taskmanagers",
       [](const Call& c) {
         const ListedJob job = c.job();
         return vertexTaskManagersDocument(job, c.vertex(job), c.now());
       }},
      {"GET", "/jobs/:/vertices/:/subtasks/metrics",
       [](const Call& c) { return c.aggregatedSubtaskMetrics(); }},
      {"GET", "/jobs/:/vertices/:/subtasks/:",
       [](const Call& c) {
         const ListedJob job = c.job();
         const JobDescription::Vertex& vertex = c.vertex(job);
         return subtaskDocument(job, vertex, c.subtask(job, vertex, false), c.now());
       }},
      {"GET", "/jobs/:/vertices/:/subtasks/:/metrics", [](const Call& c) { return c.subtaskMetrics(); }},
      {"GET", "/jobs/:/vertices/:/subtasks/:/attempts/:",
       [](const Call& c) {
         const ListedJob job = c.job();
         const JobDescription::Vertex& vertex = c.vertex(job);
         return subtaskDocument(job, vertex, c.subtask(job, vertex, true), c.now());
       }},
      {"POST", "/savepoint-disposal", [](const Call& c) { return c.disposeSavepoint(); }, 202},
      {"GET", "/savepoint-disposal/:", [](const Call& c) { return c.disposalStatus(); }},
      {nullptr, nullptr, nullptr}};
  return kRoutes;
}

RestApi::RestApi(JobBoard& board, RestApiOptions options, const Env& env)
    : board_(board), options_(std::move(options)), env_(env), operations_(env, options_.operations) {}

RestResponse RestApi::routed(const RestRequest& request) {
  // A server sends no body to a HEAD.
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  const std::vector<std::string_view> segments = segmentsOf(request.path);
  if (segments.empty() || (segments.size() == 1 && segments[0] == "index.html")) {
    if (method != "GET") throw notFor(request, "GET");
    return {.contentType = "text/html; charset=UTF-8", .body = std::string(webPage())};
  }
  if (segments.size() == 1 && segments[0] == "openapi.yml") {
    if (method != "GET") throw notFor(request, "GET");
    return {.contentType = "application/yaml; charset=UTF-8", .body = std::string(openApi())};
  }
  const RestWorld world{board_, options_, env_, operations_};
  std::string allowed;
  std::string_view found;  // the first path that fits, which no less exact one replaces
  for (const Route* route = routes(); route->path != nullptr; ++route) {
    if (!found.empty() && found != route->path) continue;
    const std::vector<std::string_view> pattern = segmentsOf(route->path);
    RestCall call{world, request, {}};
    bool fits = pattern.size() == segments.size();
    for (size_t i = 0; fits && i < pattern.size(); ++i) {
      if (pattern[i] == ":") {
        call.at.push_back(segments[i]);
      } else {
        fits = pattern[i] == segments[i];
      }
    }
    if (!fits) continue;
    found = route->path;
    if (method == route->method) return RestResponse::json(route->document(call), route->status);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route->method);
  }
  if (!allowed.empty()) throw notFor(request, allowed);
  throw Refusal{404, "there is nothing at " + request.path.substr(0, 256)};
}

RestResponse RestApi::answer(const RestRequest& request) {
  try {
    return routed(request);
  } catch (...) {
    return responseToCurrentError();
  }
}

}  // namespace flott
