// Metrics under the names that Flink's REST gives them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "flott/rest/documents.h"
#include "flott/rest/task_json.h"

namespace flott {
namespace {

using namespace documents;

// Commas part the ids in `?get=`, and dots the parts of an id.
std::string inId(const std::string& name) {
  std::string text = name;
  for (char& c : text) {
    if (std::string_view(" .,:;=?'\"<>&#").find(c) != std::string_view::npos) c = '_';
  }
  return text;
}

std::string numberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::abs(value) < 0x1p53 && value == std::trunc(value))
    return std::to_string(static_cast<int64_t>(value));
  return Json(value).dump();
}

// What one metric gives: a histogram several, a meter its rate.
void add(std::vector<NamedMetric>& all, const std::string& id, const MetricReading& reading) {
  switch (reading.kind) {
    case MetricKind::kHistogram:
      for (const auto& [part, value] : reading.parts)
        all.push_back({id + "_" + std::string(part), numberText(value)});
      return;
    case MetricKind::kMeter:
      all.push_back({id, numberText(reading.value)});
      return;
    case MetricKind::kCounter:
    case MetricKind::kGauge:
    case MetricKind::kText:
      all.push_back({id, reading.text});
  }
}

const MetricReading* find(const OperatorReadings& op, std::string_view name) {
  for (const MetricReading& reading : op.metrics)
    if (reading.name == name) return &reading;
  return nullptr;
}

// Sources have no input.
const MetricReading* inputWatermark(const TaskDetails& task, const JobDescription::Vertex& vertex) {
  if (task.operators.empty() || vertex.chain.front().source) return nullptr;
  return find(task.operators.front(), "currentInputWatermark");
}

// The first operator's input is the task's; its output is what leaves it. For one that does not tell so.
void addTraffic(std::vector<NamedMetric>& all, const std::string& subtask, const TaskDetails& task,
                const JobDescription::Vertex& vertex) {
  int64_t sent = 0;
  for (size_t i = 0; i < std::min(task.operators.size(), vertex.chain.size()); ++i) {
    const MetricReading* out = find(task.operators[i], "numRecordsOut");
    if (vertex.chain[i].sends && out != nullptr) sent += static_cast<int64_t>(out->value);
  }
  if (const MetricReading* in = find(task.operators.front(), "numRecordsIn"))
    all.push_back({subtask + "numRecordsIn", in->text});
  all.push_back({subtask + "numRecordsOut", std::to_string(sent)});
}

void addTaskMetrics(std::vector<NamedMetric>& all, const TaskDetails& task,
                    const JobDescription::Vertex& vertex) {
  const std::string subtask = std::to_string(task.id.subtask.value) + ".";
  for (const MetricReading& reading : task.metrics) add(all, subtask + reading.name, reading);
  if (task.metrics.empty() && !task.operators.empty()) addTraffic(all, subtask, task, vertex);
  if (const MetricReading* in = inputWatermark(task, vertex))
    all.push_back({subtask + "currentInputWatermark", in->text});
}

std::optional<double> numberOf(const std::string& text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return {};
  return number;
}

double aggregate(const std::vector<double>& values, const std::string& mode) {
  if (mode == "min") return *std::min_element(values.begin(), values.end());
  if (mode == "max") return *std::max_element(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  if (mode == "sum") return sum;
  const double average = sum / static_cast<double>(values.size());
  if (mode == "avg") return average;
  double apart = 0;
  for (const double value : values) apart += std::abs(value - average);
  return average == 0 ? 0 : 100 * apart / static_cast<double>(values.size()) / std::abs(average);
}

}  // namespace

std::vector<NamedMetric> jobMetrics(const ListedJob& job, Timestamp now) {
  const JobDetails& details = job.details;
  const CheckpointStatistics& checkpoints = details.checkpoints;
  const Timestamp ended = details.ended();
  const bool running = details.status == JobStatus::kRunning;
  const int64_t upTime = running ? (now - details.sinceStatus(JobStatus::kRunning)).ms : 0;
  std::vector<NamedMetric> all{
      {"numRestarts", std::to_string(details.restarts)},
      {"uptime", std::to_string(ended == Timestamp::min() ? std::max<int64_t>(upTime, 0) : -1)},
      {"totalNumberOfCheckpoints", std::to_string(checkpoints.triggered)},
      {"numberOfInProgressCheckpoints", std::to_string(checkpoints.inProgress)},
      {"numberOfCompletedCheckpoints", std::to_string(checkpoints.completed)},
      {"numberOfFailedCheckpoints", std::to_string(checkpoints.failed)},
      {"lastCheckpointRestoreTimestamp", std::to_string(details.restored ? details.restored->at.ms : -1)}};
  const CheckpointRecord* last = checkpoints.latest(CheckpointStatus::kCompleted);
  const std::string bytes = last == nullptr ? "-1" : std::to_string(last->stateBytes);
  const std::string written = last == nullptr ? "-1" : std::to_string(last->stateBytes - last->sharedBytes);
  all.push_back({"lastCheckpointSize", written});
  all.push_back({"lastCheckpointFullSize", bytes});
  all.push_back({"lastCheckpointDuration", std::to_string(last == nullptr ? -1 : last->duration.ms)});
  all.push_back({"lastCompletedCheckpointId", last == nullptr ? "-1" : std::to_string(last->id.value)});
  all.push_back({"lastCheckpointCompletedTimestamp",
                 std::to_string(last == nullptr ? -1 : (last->triggered + last->duration).ms)});
  all.push_back(
      {"lastCheckpointExternalPath", last == nullptr || last->folder.empty() ? "n/a" : last->folder});
  return all;
}

std::vector<NamedMetric> vertexMetrics(const ListedJob& job, const JobDescription::Vertex& vertex) {
  std::vector<NamedMetric> all;
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    addTaskMetrics(all, *task, vertex);
    for (const OperatorReadings& op : task->operators) {
      const std::string prefix = std::to_string(task->id.subtask.value) + "." + inId(op.info.name) + ".";
      for (const MetricReading& reading : op.metrics) add(all, prefix + inId(reading.name), reading);
    }
  }
  return all;
}

std::vector<NamedMetric> vertexWatermarks(const ListedJob& job, const JobDescription::Vertex& vertex) {
  std::vector<NamedMetric> all;
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    if (const MetricReading* in = inputWatermark(*task, vertex))
      all.push_back({std::to_string(task->id.subtask.value) + ".currentInputWatermark", in->text});
  }
  return all;
}

std::string metricsDocument(std::span<const NamedMetric> metrics,
                            const std::optional<std::vector<std::string>>& get) {
  Json list = Json::array();
  const std::set<std::string> wanted =
      get ? std::set<std::string>(get->begin(), get->end()) : std::set<std::string>();
  for (const NamedMetric& metric : metrics) {
    if (!get) {
      list.push_back({{"id", metric.id}});
    } else if (wanted.contains(metric.id)) {
      list.push_back({{"id", metric.id}, {"value", metric.value}});
    }
  }
  return render(list);
}

std::vector<NamedMetric> metricsIn(std::string_view document) {
  const Json json = Json::parse(document, nullptr, false);
  std::vector<NamedMetric> metrics;
  if (!json.is_array()) return metrics;
  const auto text = [](const Json& entry, const char* name) {
    const auto found = entry.find(name);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const Json& entry : json) {
    if (!entry.is_object()) continue;
    NamedMetric metric{.id = text(entry, "id"), .value = text(entry, "value")};
    if (!metric.id.empty()) metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::vector<NamedMetric> ofSubtask(std::span<const NamedMetric> metrics, int subtask) {
  const std::string prefix = std::to_string(subtask) + ".";
  std::vector<NamedMetric> some;
  for (const NamedMetric& metric : metrics)
    if (metric.id.starts_with(prefix)) some.push_back({metric.id.substr(prefix.size()), metric.value});
  return some;
}

std::string aggregatedDocument(std::span<const std::vector<NamedMetric>> all,
                               const std::optional<std::vector<std::string>>& get,
                               const std::vector<std::string>& modes) {
  std::map<std::string, std::vector<double>> values;
  for (const std::vector<NamedMetric>& metrics : all) {
    for (const NamedMetric& metric : metrics)
      if (const std::optional<double> value = numberOf(metric.value)) values[metric.id].push_back(*value);
  }
  const std::set<std::string> wanted =
      get ? std::set<std::string>(get->begin(), get->end()) : std::set<std::string>();
  Json list = Json::array();
  for (const auto& [id, numbers] : values) {
    if (get && !wanted.contains(id)) continue;
    Json json{{"id", id}};
    if (get)
      for (const std::string& mode : modes) json[mode] = aggregate(numbers, mode);
    list.push_back(std::move(json));
  }
  return render(list);
}

}  // namespace flott
