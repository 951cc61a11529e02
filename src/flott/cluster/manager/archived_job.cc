#include "flott/cluster/manager/archived_job.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "flott/rest/documents.h"
#include "flott/rest/metric_query.h"
#include "flott/rest/refusal.h"
#include "flott/rest/router.h"

namespace flott {
namespace {

std::string pathOf(const std::vector<std::string_view>& parts, size_t count) {
  std::string path;
  for (size_t i = 0; i < std::min(count, parts.size()); ++i) path.append("/").append(parts[i]);
  return path;
}

[[noreturn]] void refuseMissing(const std::string& path) {
  throw Refusal{404, "the job has ended, and has left no '" + path.substr(0, 200) + "'"};
}

std::string found(const JobArchive& archive, const std::string& path) {
  std::optional<std::string> document = archive.find(path);
  if (!document) refuseMissing(path);
  return *std::move(document);
}

std::string aggregatedSubtasks(const std::vector<NamedMetric>& metrics, const RestRequest& request) {
  const std::optional<std::set<int>> chosen = chosenSubtasks(request);
  std::set<int> subtasks;
  for (const NamedMetric& metric : metrics)
    if (const int number = subtaskNumber(metric.id.substr(0, metric.id.find('.'))); number >= 0)
      subtasks.insert(number);
  std::vector<std::vector<NamedMetric>> all;
  for (const int subtask : subtasks)
    if (!chosen || chosen->contains(subtask)) all.push_back(ofSubtask(metrics, subtask));
  return aggregatedDocument(all, chosenMetrics(request), chosenAggregations(request));
}

}  // namespace

// Below /jobs/:jobid/vertices/:vertexid, which are four parts, there are metrics in four ways.
std::string archivedDocument(const JobArchive& archive, const RestRequest& request) {
  const std::vector<std::string_view> parts = pathParts(request.path);
  const std::string path = pathOf(parts, parts.size());
  constexpr size_t kOfJob = 3;
  constexpr size_t kOfVertex = 5;
  constexpr size_t kOfSubtasks = 6;
  constexpr size_t kOfSubtask = 7;
  const bool ofVertex = parts.size() >= kOfVertex && parts[2] == "vertices";
  if (ofVertex && parts.size() == kOfVertex && parts.back() == "jm-operator-metrics") {
    found(archive, pathOf(parts, kOfVertex - 1));
    return metricsDocument({}, chosenMetrics(request));
  }
  if (parts.back() != "metrics") return found(archive, path);
  if (parts.size() == kOfJob || (ofVertex && parts.size() == kOfVertex))
    return metricsDocument(metricsIn(found(archive, path)), chosenMetrics(request));
  if (!ofVertex || parts[4] != "subtasks") refuseMissing(path);
  const std::vector<NamedMetric> metrics =
      metricsIn(found(archive, pathOf(parts, kOfVertex - 1) + "/metrics"));
  if (parts.size() == kOfSubtasks) return aggregatedSubtasks(metrics, request);
  if (parts.size() != kOfSubtask) refuseMissing(path);
  found(archive, pathOf(parts, kOfSubtask - 1));
  return metricsDocument(ofSubtask(metrics, subtaskNumber(parts[kOfSubtasks - 1])), chosenMetrics(request));
}

}  // namespace flott
