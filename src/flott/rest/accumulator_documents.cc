// Documents about what functions count: accumulators of a job, a vertex, a subtask.
#include <nlohmann/json.hpp>
#include <string>

#include "flott/rest/documents.h"
#include "flott/rest/task_json.h"

namespace flott {
namespace {

using namespace documents;

std::string typeOf(const Accumulator& accumulator) {
  if (dynamic_cast<const IntCounter*>(&accumulator) != nullptr) return "IntCounter";
  if (dynamic_cast<const LongCounter*>(&accumulator) != nullptr) return "LongCounter";
  if (dynamic_cast<const DoubleCounter*>(&accumulator) != nullptr) return "DoubleCounter";
  if (dynamic_cast<const HistogramAccumulator*>(&accumulator) != nullptr) return "Histogram";
  return "Accumulator";
}

Json listJson(const Accumulators& accumulators) {
  Json list = Json::array();
  for (const auto& [name, accumulator] : accumulators.all())
    list.push_back({{"name", name}, {"type", typeOf(*accumulator)}, {"value", accumulator->text()}});
  return list;
}

bool isSubtask(const TaskId& one, const TaskId& other) {
  return one.vertex == other.vertex && one.subtask.value == other.subtask.value;
}

// Empty for a task that has not told any.
Json listJson(const TaskDetails& task, std::span<const TaskAccumulators> all) {
  for (const TaskAccumulators& one : all)
    if (isSubtask(one.task, task.id)) return listJson(one.values);
  return Json::array();
}

}  // namespace

std::string accumulatorsDocument(std::span<const TaskAccumulators> all) {
  Accumulators together;
  for (const TaskAccumulators& one : all) together.merge(one.values);
  return render({{"job-accumulators", Json::array()},
                 {"user-task-accumulators", listJson(together)},
                 {"serialized-user-task-accumulators", Json::object()}});
}

std::string vertexAccumulatorsDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                       std::span<const TaskAccumulators> all) {
  const auto index = static_cast<int>(&vertex - job.job->vertices.data());
  Accumulators together;
  for (const TaskAccumulators& one : all)
    if (one.task.vertex == index) together.merge(one.values);
  return render({{"id", vertex.id}, {"user-accumulators", listJson(together)}});
}

std::string subtaskAccumulatorsDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                        std::span<const TaskAccumulators> all) {
  Json subtasks = Json::array();
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    subtasks.push_back({{"subtask", task->id.subtask.value},
                        {"attempt", task->id.attempt},
                        {"endpoint", endpointOf(*task)},
                        {"user-accumulators", listJson(*task, all)}});
  }
  return render({{"id", vertex.id}, {"parallelism", vertex.parallelism}, {"subtasks", std::move(subtasks)}});
}

std::string attemptAccumulatorsDocument(const TaskDetails& task, std::span<const TaskAccumulators> all) {
  return render({{"subtask", task.id.subtask.value},
                 {"attempt", task.id.attempt},
                 {"id", "(unassigned)"},
                 {"user-accumulators", listJson(task, all)}});
}

}  // namespace flott
