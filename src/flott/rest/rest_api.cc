#include "flott/rest/rest_api.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "flott/rest/built_in.h"
#include "flott/rest/documents.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr size_t kMostSegments = 8;

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

Refusal unreadable(std::string_view kind, std::string_view parameter, std::string_view value) {
  return {400, "cannot read the " + std::string(kind) + " parameter '" + std::string(parameter) + "' from '" +
                   std::string(value.substr(0, 64)) + "'"};
}

template <typename T>
T numberFrom(std::string_view kind, std::string_view parameter, std::string_view text) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) throw unreadable(kind, parameter, text);
  return number;
}

bool isHexId(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string lowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::vector<std::string> listFrom(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) list.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

Refusal notFor(const RestRequest& request, const std::string& allowed) {
  return {
      405,
      request.method.substr(0, 16) + " is not for " + request.path.substr(0, 256) + "; there is " + allowed,
      allowed};
}

}  // namespace

// One request on its way through a route; `at` are the parts of the path that the route leaves open.
struct RestApi::Call {
  const RestApi& api;
  const RestRequest& request;
  std::vector<std::string_view> at;

  std::optional<std::string> parameter(const std::string& name) const { return request.parameter(name); }
  std::optional<std::vector<std::string>> get() const {
    const std::optional<std::string> ids = parameter("get");
    return ids ? std::optional(listFrom(*ids)) : std::nullopt;
  }
  Timestamp now() const { return api.clock_.wallTime(); }

  JobId jobId() const {
    const std::optional<JobId> id = parseJobId(at[0]);
    if (!id) throw unreadable("path", "jobid", at[0]);
    return *id;
  }
  Refusal noJob() const { return {404, "there is no job " + lowerCase(at[0])}; }
  template <typename T>
  T known(std::optional<T> value) const {
    if (!value) throw noJob();
    return *std::move(value);
  }
  ListedJob job() const { return known(api.board_.find(jobId())); }
  const JobDescription::Vertex& vertex(const ListedJob& job, size_t place = 1) const {
    if (!isHexId(at[place])) throw unreadable("path", "vertexid", at[place]);
    const JobDescription::Vertex* found = job.job->find(lowerCase(at[place]));
    if (found == nullptr) throw Refusal{404, "the job has no vertex " + lowerCase(at[place])};
    return *found;
  }
  const CheckpointRecord& checkpoint(const ListedJob& job) const {
    const auto id = numberFrom<uint64_t>("path", "checkpointid", at[1]);
    for (const CheckpointRecord& record : job.details.checkpoints.history)
      if (record.id.value == id) return record;
    throw Refusal{404, "nothing is known of a checkpoint " + std::to_string(id) +
                           ": there was none, or web.checkpoints.history newer ones"};
  }

  std::string exceptions() const {
    const auto most = parameter("maxExceptions");
    const size_t count = most ? numberFrom<uint32_t>("query", "maxExceptions", *most) : 20;
    return exceptionsDocument(job(), count);
  }
  std::string checkpointSubtasks() const {
    const ListedJob of = job();
    std::optional<std::string> document = checkpointSubtasksDocument(*of.job, checkpoint(of), vertex(of, 2));
    if (!document) throw Refusal{404, "no subtask of vertex " + lowerCase(at[2]) + " has acknowledged it"};
    return *std::move(document);
  }
  std::string cancel() const {
    const std::string mode = parameter("mode").value_or("cancel");
    if (mode != "cancel") throw unreadable("query", "mode", mode);
    switch (api.board_.cancel(jobId())) {
      case CancelOutcome::kAccepted:
        return "{}";
      case CancelOutcome::kTooLate:
        throw Refusal{409,
                      "the job cannot be cancelled: it is " + std::string(toString(job().details.status))};
      case CancelOutcome::kUnknown:
        break;
    }
    throw noJob();
  }
};

// The first part of the path that is a ':' is Call::at[0], and so on.
struct RestApi::Route {
  const char* method;
  const char* path;
  std::string (*document)(const Call& call);
  int status = 200;
};

const RestApi::Route* RestApi::routes() {
  static constexpr Route kRoutes[] = {
      {"GET", "/config", [](const Call& c) { return webConfigDocument(c.api.options_.refreshInterval); }},
      {"GET", "/overview",
       [](const Call& c) { return overviewDocument(c.api.board_.cluster(), c.api.board_.jobs()); }},
      {"GET", "/jobs", [](const Call& c) { return jobIdsDocument(c.api.board_.jobs()); }},
      {"GET", "/jobs/overview",
       [](const Call& c) { return jobsOverviewDocument(c.api.board_.jobs(), c.now()); }},
      {"GET", "/jobs/:", [](const Call& c) { return jobDocument(c.job(), c.now()); }},
      {"PATCH", "/jobs/:", [](const Call& c) { return c.cancel(); }, 202},
      {"GET", "/jobs/:/status", [](const Call& c) { return jobStatusDocument(c.job()); }},
      {"GET", "/jobs/:/config", [](const Call& c) { return jobConfigDocument(*c.job().job); }},
      {"GET", "/jobs/:/plan", [](const Call& c) { return planDocument(*c.job().job); }},
      {"GET", "/jobs/:/accumulators",
       [](const Call& c) { return accumulatorsDocument(c.known(c.api.board_.accumulators(c.jobId()))); }},
      {"GET", "/jobs/:/exceptions", [](const Call& c) { return c.exceptions(); }},
      {"GET", "/jobs/:/metrics",
       [](const Call& c) { return metricsDocument(jobMetrics(c.job(), c.now()), c.get()); }},
      {"GET", "/jobs/:/watermarks",
       [](const Call& c) { return watermarksDocument(c.known(c.api.board_.watermarks(c.jobId()))); }},
      {"GET", "/jobs/:/checkpoints", [](const Call& c) { return checkpointsDocument(c.job()); }},
      {"GET", "/jobs/:/checkpoints/config",
       [](const Call& c) { return checkpointConfigDocument(*c.job().job); }},
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
      {"GET", "/jobs/:/vertices/:/watermarks",
       [](const Call& c) {
         const ListedJob job = c.job();
         const std::vector<NamedMetric> metrics = vertexWatermarks(job, c.vertex(job));
         std::vector<std::string> all;
         all.reserve(metrics.size());
         for (const NamedMetric& metric : metrics) all.push_back(metric.id);
         return metricsDocument(metrics, all);
       }},
      {nullptr, nullptr, nullptr}};
  return kRoutes;
}

RestResponse RestApi::routed(const RestRequest& request) const {
  // A server sends no body to a HEAD.
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  const std::vector<std::string_view> segments = segmentsOf(request.path);
  if (segments.empty() || (segments.size() == 1 && segments[0] == "index.html")) {
    if (method != "GET") throw notFor(request, "GET");
    return {.contentType = "text/html; charset=UTF-8", .body = std::string(webPage())};
  }
  std::string allowed;
  std::string_view found;  // the first path that fits, which no less exact one replaces
  for (const Route* route = routes(); route->path != nullptr; ++route) {
    if (!found.empty() && found != route->path) continue;
    const std::vector<std::string_view> pattern = segmentsOf(route->path);
    Call call{*this, request, {}};
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
