// Documents about the subtasks of a vertex.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "flott/rest/documents.h"
#include "flott/rest/task_json.h"

namespace flott {
namespace {

using namespace documents;

// Of at least one value.
Json spreadJson(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const int64_t sum = std::accumulate(values.begin(), values.end(), int64_t{0});
  const auto count = static_cast<int64_t>(values.size());
  const auto at = [&](int64_t percent) {
    return values[static_cast<size_t>((count * percent + 99) / 100 - 1)];
  };
  const int64_t median =
      (values[static_cast<size_t>((count - 1) / 2)] + values[static_cast<size_t>(count / 2)]) / 2;
  return {{"p25", at(25)},    {"min", values.front()}, {"avg", sum / count},
          {"median", median}, {"max", values.back()},  {"sum", sum},
          {"p95", at(95)},    {"p75", at(75)}};
}

Json subtaskJson(const ListedJob& job, const JobDescription::Vertex& vertex, const TaskDetails& task,
                 Timestamp now) {
  const Timestamp began = job.details.attemptBegan;
  return {{"subtask", task.id.subtask.value},
          {"status", nameOf(executionOf(task.state, job.details.status))},
          {"attempt", task.id.attempt},
          {"endpoint", endpointOf(task)},
          {"start-time", millisOr(began, -1)},
          {"end-time", millisOr(task.ended, -1)},
          {"duration", durationOf(began, task.ended, now)},
          {"metrics", trafficJson(trafficOf(task, vertex))},
          {"taskmanager-id", taskManagerOf(task)},
          {"status-duration", Json::object()},
          {"start_time", millisOr(began, -1)}};
}

Json aggregatedJson(const JobDescription::Vertex& vertex, const std::vector<const TaskDetails*>& tasks) {
  std::vector<int64_t> read;
  std::vector<int64_t> written;
  for (const TaskDetails* task : tasks) {
    const Traffic traffic = trafficOf(*task, vertex);
    read.push_back(traffic.read);
    written.push_back(traffic.written);
  }
  Json spread = Json::object();
  if (!read.empty()) spread = {{"read-records", spreadJson(read)}, {"write-records", spreadJson(written)}};
  return {{"metrics", std::move(spread)}, {"status-duration", Json::object()}};
}

}  // namespace

std::string vertexDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  Json subtasks = Json::array();
  for (const TaskDetails* task : tasksOf(job, vertex))
    subtasks.push_back(subtaskJson(job, vertex, *task, now));
  return render({{"id", vertex.id},
                 {"name", vertex.name},
                 {"parallelism", vertex.parallelism},
                 {"maxParallelism", vertex.maxParallelism},
                 {"now", now.ms},
                 {"subtasks", std::move(subtasks)},
                 {"aggregated", aggregatedJson(vertex, tasksOf(job, vertex))}});
}

std::string subtaskDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                            const TaskDetails& task, Timestamp now) {
  return render(subtaskJson(job, vertex, task, now));
}

// When a task got into which state is known for running and for its end alone.
std::string subtaskTimesDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  Json subtasks = Json::array();
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    const Timestamp began = job.details.attemptBegan;
    const Execution state = executionOf(task->state, job.details.status);
    Json times;
    for (size_t i = 0; i < kExecutions; ++i) {
      const auto one = static_cast<Execution>(i);
      int64_t at = 0;
      if (one == Execution::kRunning) at = millisOr(began, 0);
      if (one == state && task->ended != Timestamp::min()) at = task->ended.ms;
      times[nameOf(one)] = at;
    }
    subtasks.push_back({{"subtask", task->id.subtask.value},
                        {"endpoint", endpointOf(*task)},
                        {"duration", durationOf(began, task->ended, now)},
                        {"timestamps", std::move(times)}});
  }
  return render(
      {{"id", vertex.id}, {"name", vertex.name}, {"now", now.ms}, {"subtasks", std::move(subtasks)}});
}

std::string vertexTaskManagersDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                       Timestamp now) {
  std::map<std::string, std::vector<const TaskDetails*>> workers;
  for (const TaskDetails* task : tasksOf(job, vertex)) workers[endpointOf(*task)].push_back(task);
  Json places = Json::array();
  for (const auto& [worker, tasks] : workers) {
    const Together all = togetherOf(job, vertex, tasks);
    places.push_back({{"endpoint", worker},
                      {"status", nameOf(all.counts.together())},
                      {"start-time", millisOr(all.began, -1)},
                      {"end-time", millisOr(all.ended, -1)},
                      {"duration", durationOf(all.began, all.ended, now)},
                      {"metrics", trafficJson(all.traffic)},
                      {"status-counts", all.counts.upperCase()},
                      {"taskmanager-id", taskManagerOf(*tasks.front())},
                      {"aggregated", aggregatedJson(vertex, tasks)}});
  }
  return render(
      {{"id", vertex.id}, {"name", vertex.name}, {"now", now.ms}, {"taskmanagers", std::move(places)}});
}

// Flink's bounds.
static const char* backPressureLevel(double share) {
  if (share <= 0.1) return "ok";
  return share <= 0.5 ? "low" : "high";
}

// "deprecated" is what Flink says while it knows nothing.
std::string backPressureDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  Json subtasks = Json::array();
  double most = 0;
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    const auto share = [task](const char* name) { return metricOf(*task, name).value_or(0) / 1000; };
    if (!metricOf(*task, "backPressuredTimeMsPerSecond")) continue;
    const double heldUp = share("backPressuredTimeMsPerSecond");
    most = std::max(most, heldUp);
    subtasks.push_back({{"subtask", task->id.subtask.value},
                        {"attempt-number", task->id.attempt},
                        {"backpressureLevel", backPressureLevel(heldUp)},
                        {"ratio", heldUp},
                        {"idleRatio", share("idleTimeMsPerSecond")},
                        {"busyRatio", share("busyTimeMsPerSecond")},
                        {"backpressure-level", backPressureLevel(heldUp)}});
  }
  if (subtasks.empty()) return render({{"status", "deprecated"}});
  return render({{"status", "ok"},
                 {"backpressureLevel", backPressureLevel(most)},
                 {"end-timestamp", now.ms},
                 {"subtasks", std::move(subtasks)},
                 {"backpressure-level", backPressureLevel(most)}});
}

}  // namespace flott
