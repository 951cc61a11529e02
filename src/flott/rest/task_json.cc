#include "flott/rest/task_json.h"

#include <algorithm>

namespace flott::documents {
namespace {

constexpr std::array<const char*, kExecutions> kNames{"SCHEDULED",   "RUNNING",  "DEPLOYING",    "CANCELED",
                                                      "FINISHED",    "FAILED",   "INITIALIZING", "CREATED",
                                                      "RECONCILING", "CANCELING"};

bool stopsTasks(JobStatus status) {
  return status == JobStatus::kFailing || status == JobStatus::kRestarting ||
         status == JobStatus::kCancelling;
}

int64_t metricOf(const OperatorReadings& op, std::string_view name) {
  for (const MetricReading& reading : op.metrics)
    if (reading.name == name) return static_cast<int64_t>(reading.value);
  return 0;
}

}  // namespace

int64_t millisOr(Timestamp time, int64_t otherwise) { return time == Timestamp::min() ? otherwise : time.ms; }

int64_t durationOf(Timestamp from, Timestamp to, Timestamp now) {
  if (from == Timestamp::min()) return -1;
  const Timestamp until = to == Timestamp::min() ? now : to;
  return until <= from ? 0 : until.ms - from.ms;
}

const char* nameOf(Execution state) { return kNames[static_cast<size_t>(state)]; }

Execution executionOf(TaskState state, JobStatus job) {
  switch (state) {
    case TaskState::kCreated:
      return stopsTasks(job) ? Execution::kCanceling : Execution::kCreated;
    case TaskState::kRunning:
    case TaskState::kClosing:
      return stopsTasks(job) ? Execution::kCanceling : Execution::kRunning;
    case TaskState::kFinished:
      return Execution::kFinished;
    case TaskState::kFailed:
      return Execution::kFailed;
    case TaskState::kCancelled:
      return Execution::kCanceled;
  }
  return Execution::kCreated;
}

Execution Counts::together() const {
  const Counts& mine = *this;
  for (const Execution state : {Execution::kFailed, Execution::kCanceling, Execution::kCanceled})
    if (mine[state] > 0) return state;
  if (mine[Execution::kFinished] > 0 && mine[Execution::kFinished] == total()) return Execution::kFinished;
  if (mine[Execution::kRunning] > 0 || mine[Execution::kFinished] > 0) return Execution::kRunning;
  return Execution::kCreated;
}

Json Counts::upperCase() const {
  Json json;
  for (size_t i = 0; i < by.size(); ++i) json[kNames[i]] = by[i];
  return json;
}

std::vector<const TaskDetails*> tasksOf(const ListedJob& job, const JobDescription::Vertex& vertex) {
  std::vector<const TaskDetails*> tasks;
  const auto index = static_cast<int>(&vertex - job.job->vertices.data());
  for (const TaskDetails& task : job.details.tasks)
    if (task.id.vertex == index) tasks.push_back(&task);
  return tasks;
}

Counts countTasks(const ListedJob& job, const JobDescription::Vertex& vertex) {
  Counts counts;
  const std::vector<const TaskDetails*> tasks = tasksOf(job, vertex);
  for (const TaskDetails* task : tasks) ++counts[executionOf(task->state, job.details.status)];
  counts[Execution::kCreated] += vertex.parallelism - static_cast<int>(tasks.size());
  return counts;
}

std::optional<double> metricOf(const TaskDetails& task, std::string_view name) {
  for (const MetricReading& reading : task.metrics)
    if (reading.name == name) return reading.value;
  return std::nullopt;
}

Traffic& Traffic::operator+=(const Traffic& other) {
  read += other.read;
  written += other.written;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  known &= other.known;
  bytesKnown &= other.bytesKnown;
  if (!spent || !other.spent) {
    spent.reset();
  } else {
    spent->backPressured += other.spent->backPressured;
    spent->idle += other.spent->idle;
    spent->busy += other.spent->busy;
  }
  return *this;
}

static std::optional<Spent> spentOf(const TaskDetails& task) {
  const auto backPressured = metricOf(task, "accumulateBackPressuredTimeMs");
  const auto idle = metricOf(task, "accumulateIdleTimeMs");
  const auto busy = metricOf(task, "accumulateBusyTimeMs");
  if (!backPressured || !idle || !busy) return std::nullopt;
  return Spent{.backPressured = static_cast<int64_t>(*backPressured),
               .idle = static_cast<int64_t>(*idle),
               .busy = static_cast<int64_t>(*busy)};
}

Traffic trafficOf(const TaskDetails& task, const JobDescription::Vertex& vertex) {
  Traffic traffic{.known = !task.operators.empty(), .spent = spentOf(task)};
  for (size_t i = 0; i < std::min(task.operators.size(), vertex.chain.size()); ++i) {
    if (i == 0 && !vertex.chain[i].source) traffic.read = metricOf(task.operators[i], "numRecordsIn");
    if (vertex.chain[i].sends) traffic.written += metricOf(task.operators[i], "numRecordsOut");
  }
  const std::optional<double> bytesIn = metricOf(task, "numBytesIn");
  const std::optional<double> bytesOut = metricOf(task, "numBytesOut");
  traffic.bytesKnown = bytesIn && bytesOut;
  traffic.bytesRead = static_cast<int64_t>(bytesIn.value_or(0));
  traffic.bytesWritten = static_cast<int64_t>(bytesOut.value_or(0));
  return traffic;
}

Json trafficJson(const Traffic& traffic) {
  return {{"read-bytes", traffic.bytesRead},
          {"read-bytes-complete", traffic.bytesKnown},
          {"write-bytes", traffic.bytesWritten},
          {"write-bytes-complete", traffic.bytesKnown},
          {"read-records", traffic.read},
          {"read-records-complete", traffic.known},
          {"write-records", traffic.written},
          {"write-records-complete", traffic.known},
          {"accumulated-backpressured-time", traffic.spent ? traffic.spent->backPressured : -1},
          {"accumulated-idle-time", traffic.spent ? traffic.spent->idle : -1},
          {"accumulated-busy-time", traffic.spent ? Json(traffic.spent->busy) : Json("NaN")}};
}

std::string endpointOf(const TaskDetails& task) { return task.worker.empty() ? kUnassigned : task.worker; }

std::string taskManagerOf(const TaskDetails& task) {
  const std::string worker = endpointOf(task);
  return worker.substr(0, worker.find('/'));
}

Together togetherOf(const ListedJob& job, const JobDescription::Vertex& vertex) {
  Together all = togetherOf(job, vertex, tasksOf(job, vertex));
  all.counts = countTasks(job, vertex);
  return all;
}

Together togetherOf(const ListedJob& job, const JobDescription::Vertex& vertex,
                    const std::vector<const TaskDetails*>& tasks) {
  Together all{.traffic = {.known = !tasks.empty(), .bytesKnown = !tasks.empty()}, .counts = {}};
  for (const TaskDetails* task : tasks) {
    ++all.counts[executionOf(task->state, job.details.status)];
    all.began = job.details.attemptBegan;
    all.ended = std::max(all.ended, task->ended);
    all.traffic += trafficOf(*task, vertex);
  }
  const bool over = std::all_of(tasks.begin(), tasks.end(),
                                [](const TaskDetails* task) { return task->ended != Timestamp::min(); });
  if (!over) all.ended = Timestamp::min();
  return all;
}

}  // namespace flott::documents
