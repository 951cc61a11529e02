#include "flott/cluster/manager/cluster_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "flott/base/error.h"
#include "flott/rest/json_body.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

// Of one call of output().
constexpr uint64_t kMostOutput = 1 << 20;

/// Of an answer that is a document. Null where it has no such field.
Json fieldOf(const HttpClient::Answer& answer, const char* name) {
  const Json json = Json::parse(answer.body, nullptr, false);
  return json.is_object() && json.contains(name) ? json[name] : Json();
}

std::string textOf(const HttpClient::Answer& answer, const char* name) {
  const Json field = fieldOf(answer, name);
  if (field.is_string()) return field.get<std::string>();
  throw Error(ErrorKind::kTransient,
              std::string("the answer has no '") + name + "': is this a cluster of Flott?");
}

}  // namespace

HttpClient::Answer ClusterClient::ask(const HttpClient::Request& request) const {
  HttpClient::Answer answer = http_.request(request);
  if (answer.ok()) return answer;
  throw Error(ErrorKind::kUser, answer.errorText());
}

std::string ClusterClient::upload(const std::vector<LocalFile>& files) const {
  Json description = {{"files", Json::array()}};
  for (const LocalFile& local : files) {
    description["files"].push_back(
        {{"name", local.file.name}, {"hash", local.file.hash}, {"bytes", local.file.bytes}});
  }
  const HttpClient::Request describe{
      .method = "POST", .path = "/programs", .contentType = "application/json", .body = render(description)};
  HttpClient::Answer answer = ask(describe);
  const Json missing = fieldOf(answer, "missing");
  if (!missing.is_array() || missing.empty()) return textOf(answer, "id");
  for (const LocalFile& local : files) {
    if (std::find(missing.begin(), missing.end(), local.file.hash) == missing.end()) continue;
    ask({.method = "PUT",
         .path = "/blobs/" + local.file.hash,
         .contentType = "application/octet-stream",
         .bodyFile = local.path});
  }
  answer = ask(describe);
  if (!fieldOf(answer, "missing").empty())
    throw Error(ErrorKind::kTransient, "the cluster does not keep what it is sent: look at its log");
  return textOf(answer, "id");
}

std::string ClusterClient::run(const std::string& program, const ProgramRun& run) const {
  const Json body = {{"programArgsList", run.arguments}, {"flinkConfiguration", run.options}};
  return textOf(ask({.method = "POST",
                     .path = "/jars/" + urlEncoded(program) + "/run",
                     .contentType = "application/json",
                     .body = render(body)}),
                "jobid");
}

void ClusterClient::cancel(const std::string& job) const {
  ask({.method = "PATCH", .path = "/jobs/" + job + "?mode=cancel"});
}

std::optional<JobEnd> ClusterClient::ended(const std::string& job) const {
  const Json result = fieldOf(ask({.path = "/jobs/" + job + "/execution-result"}), "status");
  if (!result.is_object() || result.value("id", "") != "COMPLETED") return std::nullopt;
  JobEnd end{.status = textOf(ask({.path = "/jobs/" + job}), "state"), .failure = {}};
  if (end.status != "FAILED") return end;
  const Json history = fieldOf(ask({.path = "/jobs/" + job + "/exceptions"}), "exceptionHistory");
  const Json entries = history.is_object() ? history.value("entries", Json()) : Json();
  if (entries.is_array() && !entries.empty()) end.failure = entries.front().value("stacktrace", "");
  return end;
}

std::string ClusterClient::output(const std::string& job, uint64_t offset) const {
  return ask({.path = "/jobmanager/logs/job-" + job + "-master.out?offset=" + std::to_string(offset) +
                      "&length=" + std::to_string(kMostOutput)})
      .body;
}

int ClusterClient::taskManagers() const {
  const Json count = fieldOf(ask({.path = "/overview"}), "taskmanagers");
  return count.is_number_integer() ? count.get<int>() : 0;
}

void ClusterClient::shutdown() const { ask({.method = "DELETE", .path = "/cluster"}); }

}  // namespace flott
