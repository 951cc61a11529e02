#include "flott/rest/job_archive.h"

#include <nlohmann/json.hpp>

#include "flott/base/error.h"
#include "flott/rest/documents.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> pathsOf(const ListedJob& listed) {
  const std::string job = "/jobs/" + toString(listed.job->id);
  std::vector<std::string> paths{job};
  for (const char* part : {"/status", "/config", "/jobmanager/config", "/jobmanager/environment", "/plan",
                           "/accumulators", "/exceptions", "/execution-result", "/metrics", "/watermarks",
                           "/checkpoints", "/checkpoints/config", "/resource-requirements"})
    paths.push_back(job + part);
  for (const JobDescription::Vertex& vertex : listed.job->vertices) {
    const std::string path = job + "/vertices/" + vertex.id;
    paths.push_back(path);
    for (const char* part : {"/accumulators", "/backpressure", "/metrics", "/subtasks/accumulators",
                             "/subtasktimes", "/taskmanagers", "/watermarks"})
      paths.push_back(path + part);
    for (int i = 0; i < vertex.parallelism; ++i) paths.push_back(path + "/subtasks/" + std::to_string(i));
  }
  for (const TaskDetails& task : listed.details.tasks) {
    const std::string path =
        job + "/vertices/" + listed.job->vertices[static_cast<size_t>(task.id.vertex)].id + "/subtasks/" +
        std::to_string(task.id.subtask.value) + "/attempts/" + std::to_string(task.id.attempt);
    paths.push_back(path);
    paths.push_back(path + "/accumulators");
  }
  for (const CheckpointRecord& checkpoint : listed.details.checkpoints.history) {
    const std::string path = job + "/checkpoints/details/" + std::to_string(checkpoint.id.value);
    paths.push_back(path);
    for (const JobDescription::Vertex& vertex : listed.job->vertices)
      paths.push_back(path + "/subtasks/" + vertex.id);
  }
  return paths;
}

/// The list of jobs with nothing but this one, as in Flink's archives. Null when it is not there.
Json overviewOf(RestHandler& api, const std::string& id) {
  const Json all = Json::parse(api.answer({.method = "GET", .path = "/jobs/overview"}).body, nullptr, false);
  if (!all.is_object() || !all.contains("jobs")) return {};
  for (const Json& job : all["jobs"]) {
    if (job.value("jid", "") == id) return {{"jobs", Json::array({job})}};
  }
  return {};
}

/// A document of metrics has names alone, unless values are asked for.
RestRequest requestFor(RestHandler& api, const std::string& path) {
  RestRequest request{.method = "GET", .path = path};
  if (!path.ends_with("/metrics")) return request;
  std::string ids;
  for (const NamedMetric& metric : metricsIn(api.answer(request).body))
    ids += (ids.empty() ? "" : ",") + metric.id;
  request.query.emplace("get", std::move(ids));
  return request;
}

}  // namespace

std::string archiveOf(RestHandler& api, const ListedJob& job, std::span<const std::string> morePaths) {
  Json documents = Json::array();
  const Json overview = overviewOf(api, toString(job.job->id));
  if (!overview.is_null()) documents.push_back({{"path", "/jobs/overview"}, {"json", overview.dump()}});
  std::vector<std::string> paths = pathsOf(job);
  paths.insert(paths.end(), morePaths.begin(), morePaths.end());
  for (const std::string& path : paths) {
    RestResponse response = api.answer(requestFor(api, path));
    if (response.status == 200) documents.push_back({{"path", path}, {"json", std::move(response.body)}});
  }
  return Json{{"archive", std::move(documents)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

JobArchive JobArchive::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("archive") || !json["archive"].is_array())
    throw Error(ErrorKind::kCorruption, "this is no archive of a job: it has no list 'archive'");
  if (json["archive"].size() > kDocuments)
    throw Error(ErrorKind::kCorruption, "the archive of a job has " + std::to_string(json["archive"].size()) +
                                            " documents; at most " + std::to_string(kDocuments) +
                                            " are read");
  JobArchive archive;
  for (const Json& document : json["archive"]) {
    if (!document.is_object() || !document.contains("path") || !document["path"].is_string() ||
        !document.contains("json") || !document["json"].is_string())
      throw Error(ErrorKind::kCorruption, "a document in the archive of a job is not {path, json}");
    archive.documents_.insert_or_assign(document["path"].get<std::string>(),
                                        document["json"].get<std::string>());
  }
  return archive;
}

std::optional<std::string> JobArchive::find(std::string_view path) const {
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto found = documents_.find(path);
  return found == documents_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace flott
