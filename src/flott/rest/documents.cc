#include "flott/rest/documents.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "flott/base/secret_keys.h"
#include "flott/rest/built_in.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUnassigned = "(unassigned)";

// A name that is not UTF-8 must not fail a document.
std::string render(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

int64_t millisOr(Timestamp time, int64_t otherwise) { return time == Timestamp::min() ? otherwise : time.ms; }

int64_t durationOf(Timestamp from, Timestamp to, Timestamp now) {
  if (from == Timestamp::min()) return -1;
  return std::max<int64_t>(0, (to == Timestamp::min() ? now : to).ms - from.ms);
}

// Flink's states of a task.
enum class Execution : uint8_t {
  kScheduled,
  kRunning,
  kDeploying,
  kCanceled,
  kFinished,
  kFailed,
  kInitializing,
  kCreated,
  kReconciling,
  kCanceling
};
constexpr std::array<const char*, 10> kExecutions{"SCHEDULED",   "RUNNING",  "DEPLOYING",    "CANCELED",
                                                  "FINISHED",    "FAILED",   "INITIALIZING", "CREATED",
                                                  "RECONCILING", "CANCELING"};

const char* nameOf(Execution state) { return kExecutions[static_cast<size_t>(state)]; }

bool stopsTasks(JobStatus status) {
  return status == JobStatus::kFailing || status == JobStatus::kRestarting ||
         status == JobStatus::kCancelling;
}

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

struct Counts {
  std::array<int, kExecutions.size()> by{};

  int& operator[](Execution state) { return by[static_cast<size_t>(state)]; }
  int operator[](Execution state) const { return by[static_cast<size_t>(state)]; }
  int total() const { return std::accumulate(by.begin(), by.end(), 0); }
  // The one that says most about all of them.
  Execution together() const {
    const Counts& mine = *this;
    for (const Execution state : {Execution::kFailed, Execution::kCanceling, Execution::kCanceled})
      if (mine[state] > 0) return state;
    if (mine[Execution::kFinished] > 0 && mine[Execution::kFinished] == total()) return Execution::kFinished;
    if (mine[Execution::kRunning] > 0 || mine[Execution::kFinished] > 0) return Execution::kRunning;
    return Execution::kCreated;
  }
  Json upperCase() const {
    Json json;
    for (size_t i = 0; i < by.size(); ++i) json[kExecutions[i]] = by[i];
    return json;
  }
};

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

int64_t metricOf(const OperatorReadings& op, std::string_view name) {
  for (const MetricReading& reading : op.metrics)
    if (reading.name == name) return static_cast<int64_t>(reading.value);
  return 0;
}

// Records that came from other vertices, and that went to some.
struct Traffic {
  int64_t read = 0;
  int64_t written = 0;
  bool known = false;  // the task has operators

  Traffic& operator+=(const Traffic& other) {
    read += other.read;
    written += other.written;
    known &= other.known;
    return *this;
  }
};

Traffic trafficOf(const TaskDetails& task, const JobDescription::Vertex& vertex) {
  Traffic traffic{.known = !task.operators.empty()};
  for (size_t i = 0; i < std::min(task.operators.size(), vertex.chain.size()); ++i) {
    if (i == 0 && !vertex.chain[i].source) traffic.read = metricOf(task.operators[i], "numRecordsIn");
    if (vertex.chain[i].sends) traffic.written += metricOf(task.operators[i], "numRecordsOut");
  }
  return traffic;
}

// Bytes do not exist between tasks of a process; busy and idle times are not measured.
Json trafficJson(const Traffic& traffic) {
  return {{"read-bytes", 0},
          {"read-bytes-complete", false},
          {"write-bytes", 0},
          {"write-bytes-complete", false},
          {"read-records", traffic.read},
          {"read-records-complete", traffic.known},
          {"write-records", traffic.written},
          {"write-records-complete", traffic.known},
          {"accumulated-backpressured-time", -1},
          {"accumulated-idle-time", -1},
          {"accumulated-busy-time", "NaN"}};
}

Json vertexJson(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  const Counts counts = countTasks(job, vertex);
  const std::vector<const TaskDetails*> tasks = tasksOf(job, vertex);
  Timestamp began;
  Timestamp ended;
  Traffic traffic{.known = !tasks.empty()};
  for (const TaskDetails* task : tasks) {
    began = job.details.attemptBegan;
    ended = std::max(ended, task->ended);
    traffic += trafficOf(*task, vertex);
  }
  const bool over = std::all_of(tasks.begin(), tasks.end(),
                                [](const TaskDetails* task) { return task->ended != Timestamp::min(); });
  if (!over) ended = Timestamp::min();
  return {{"id", vertex.id},
          {"slotSharingGroupId", vertex.slotSharingGroup},
          {"name", vertex.name},
          {"maxParallelism", vertex.maxParallelism},
          {"parallelism", vertex.parallelism},
          {"status", nameOf(counts.together())},
          {"start-time", millisOr(began, -1)},
          {"end-time", millisOr(ended, -1)},
          {"duration", durationOf(began, ended, now)},
          {"tasks", counts.upperCase()},
          {"metrics", trafficJson(traffic)}};
}

// Flink's dashboard shows descriptions as HTML.
std::string asHtml(const std::string& text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\n':
        html += "<br/>";
        break;
      default:
        html += c;
    }
  }
  return html;
}

Json planJson(const JobDescription& job) {
  Json nodes = Json::array();
  for (const JobDescription::Vertex& vertex : job.vertices) {
    Json node{{"id", vertex.id},
              {"operator", ""},
              {"parallelism", vertex.parallelism},
              {"operator_strategy", ""},
              {"description", asHtml(vertex.description)},
              {"optimizer_properties", Json::object()}};
    for (const JobDescription::Input& input : vertex.inputs) {
      node["inputs"].push_back({{"id", job.vertices[static_cast<size_t>(input.from)].id},
                                {"num", input.number},
                                {"exchange", "pipelined_bounded"},
                                {"ship_strategy", input.shipStrategy}});
    }
    nodes.push_back(std::move(node));
  }
  return {{"jid", toString(job.id)}, {"name", job.name}, {"type", "STREAMING"}, {"nodes", std::move(nodes)}};
}

// Flink lists all of its states; those that Flott has not are 0.
Json timestampsJson(const JobDetails& details) {
  Json json;
  for (const char* state : {"INITIALIZING", "CREATED", "FAILING", "RESTARTING", "CANCELLING", "FINISHED",
                            "CANCELED", "RUNNING", "SUSPENDED", "RECONCILING", "FAILED"})
    json[state] = 0;
  for (size_t i = 0; i < kJobStatuses; ++i)
    json[std::string(toString(static_cast<JobStatus>(i)))] = millisOr(details.since[i], 0);
  return json;
}

std::string accumulatorType(const Accumulator& accumulator) {
  if (dynamic_cast<const IntCounter*>(&accumulator) != nullptr) return "IntCounter";
  if (dynamic_cast<const LongCounter*>(&accumulator) != nullptr) return "LongCounter";
  if (dynamic_cast<const DoubleCounter*>(&accumulator) != nullptr) return "DoubleCounter";
  if (dynamic_cast<const HistogramAccumulator*>(&accumulator) != nullptr) return "Histogram";
  return "Accumulator";
}

Json failureJson(const JobFailure& failure, const JobDescription& job) {
  Json json{{"exceptionName", "flott::Error (" + std::string(toString(failure.kind)) + ")"},
            {"stacktrace", failure.text},
            {"timestamp", failure.at.ms},
            {"failureLabels", Json::object()}};
  if (failure.task) {
    const JobDescription::Vertex& vertex = job.vertices[static_cast<size_t>(failure.task->vertex)];
    json["taskName"] = vertex.name + " (" + std::to_string(failure.task->subtask.value + 1) + "/" +
                       std::to_string(vertex.parallelism) + ") - execution #" +
                       std::to_string(failure.task->attempt);
    json["endpoint"] = kUnassigned;
    json["taskManagerId"] = kUnassigned;
  }
  json["concurrentExceptions"] = Json::array();
  return json;
}

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

Json placeJson(const WatermarkHold::Place& place) {
  return {{"operator", place.operatorName},
          {"subtask", place.subtask.value},
          {"parallelism", place.parallelism},
          {"source", place.source}};
}

const char* nameOf(HoldCause cause) {
  switch (cause) {
    case HoldCause::kEnded:
      return "ended";
    case HoldCause::kNoWatermarks:
      return "no-watermarks";
    case HoldCause::kNoData:
      return "no-data";
    case HoldCause::kQuiet:
      return "quiet";
    case HoldCause::kNotRising:
      return "not-rising";
    case HoldCause::kIdle:
      return "idle";
    case HoldCause::kNoSplit:
      return "no-split";
    case HoldCause::kQueued:
      return "queued";
    case HoldCause::kAlignment:
      return "alignment";
    case HoldCause::kBackPressure:
      return "back-pressure";
    case HoldCause::kBusy:
      return "busy";
    case HoldCause::kNoAnswer:
      return "no-answer";
  }
  return "unknown";
}

}  // namespace

std::string errorDocument(const std::string& text) { return render({{"errors", Json::array({text})}}); }

std::string webConfigDocument(Duration refreshInterval) {
  return render(
      {{"refresh-interval", refreshInterval.ms},
       {"timezone-name", "UTC"},
       {"timezone-offset", 0},
       {"flink-version", "Flott " + std::string(flottVersion())},
       {"flink-revision", "<unknown>"},
       {"features",
        {{"web-submit", false}, {"web-cancel", true}, {"web-rescale", false}, {"web-history", false}}}});
}

std::string overviewDocument(const ClusterSummary& cluster, std::span<const ListedJob> jobs) {
  int finished = 0;
  int cancelled = 0;
  int failed = 0;
  for (const ListedJob& job : jobs) {
    finished += job.details.status == JobStatus::kFinished;
    cancelled += job.details.status == JobStatus::kCancelled;
    failed += job.details.status == JobStatus::kFailed;
  }
  return render({{"taskmanagers", cluster.workers},
                 {"slots-total", cluster.slots},
                 {"slots-available", cluster.freeSlots},
                 {"jobs-running", static_cast<int>(jobs.size()) - finished - cancelled - failed},
                 {"jobs-finished", finished},
                 {"jobs-cancelled", cancelled},
                 {"jobs-failed", failed},
                 {"flink-version", "Flott " + std::string(flottVersion())},
                 {"flink-commit", "<unknown>"}});
}

std::string jobIdsDocument(std::span<const ListedJob> jobs) {
  Json list = Json::array();
  for (const ListedJob& job : jobs)
    list.push_back({{"id", toString(job.job->id)}, {"status", toString(job.details.status)}});
  return render({{"jobs", std::move(list)}});
}

std::string jobsOverviewDocument(std::span<const ListedJob> jobs, Timestamp now) {
  Json list = Json::array();
  for (const ListedJob& job : jobs) {
    Counts counts;
    for (const JobDescription::Vertex& vertex : job.job->vertices) {
      const Counts some = countTasks(job, vertex);
      for (size_t i = 0; i < some.by.size(); ++i) counts.by[i] += some.by[i];
    }
    const JobDetails& details = job.details;
    list.push_back(
        {{"jid", toString(job.job->id)},
         {"name", job.job->name},
         {"jobType", "STREAMING"},
         {"schedulerType", "Default"},
         {"start-time", millisOr(details.started(), -1)},
         {"end-time", millisOr(details.ended(), -1)},
         {"duration", durationOf(details.started(), details.ended(), now)},
         {"state", toString(details.status)},
         {"last-modification", millisOr(*std::max_element(details.since.begin(), details.since.end()), -1)},
         {"tasks",
          {{"running", counts[Execution::kRunning]},
           {"canceling", counts[Execution::kCanceling]},
           {"canceled", counts[Execution::kCanceled]},
           {"total", counts.total()},
           {"created", counts[Execution::kCreated]},
           {"scheduled", 0},
           {"deploying", 0},
           {"reconciling", 0},
           {"finished", counts[Execution::kFinished]},
           {"initializing", 0},
           {"failed", counts[Execution::kFailed]}}},
         {"pending-operators", 0}});
  }
  return render({{"jobs", std::move(list)}});
}

std::string jobDocument(const ListedJob& job, Timestamp now) {
  const JobDetails& details = job.details;
  Json vertices = Json::array();
  Counts statuses;
  for (const JobDescription::Vertex& vertex : job.job->vertices) {
    vertices.push_back(vertexJson(job, vertex, now));
    ++statuses[countTasks(job, vertex).together()];
  }
  return render({{"jid", toString(job.job->id)},
                 {"name", job.job->name},
                 {"isStoppable", false},
                 {"state", toString(details.status)},
                 {"job-type", "STREAMING"},
                 {"schedulerType", "Default"},
                 {"start-time", millisOr(details.started(), -1)},
                 {"end-time", millisOr(details.ended(), -1)},
                 {"duration", durationOf(details.started(), details.ended(), now)},
                 {"maxParallelism", -1},
                 {"now", now.ms},
                 {"timestamps", timestampsJson(details)},
                 {"vertices", std::move(vertices)},
                 {"status-counts", statuses.upperCase()},
                 {"plan", planJson(*job.job)},
                 {"pending-operators", 0}});
}

std::string jobStatusDocument(const ListedJob& job) {
  return render({{"status", toString(job.details.status)}});
}

std::string jobConfigDocument(const JobDescription& job) {
  Json user = Json::object();
  for (const auto& [key, value] : job.userConfig)
    user[key] = isSecretKey(key) ? std::string(kHiddenValue) : value;
  return render({{"jid", toString(job.id)},
                 {"name", job.name},
                 {"execution-config",
                  {{"restart-strategy", job.restartStrategy},
                   {"job-parallelism", job.parallelism},
                   {"object-reuse-mode", job.objectReuse},
                   {"user-config", std::move(user)}}}});
}

std::string planDocument(const JobDescription& job) { return render({{"plan", planJson(job)}}); }

std::string accumulatorsDocument(const Accumulators& accumulators) {
  Json list = Json::array();
  for (const auto& [name, accumulator] : accumulators.all())
    list.push_back({{"name", name}, {"type", accumulatorType(*accumulator)}, {"value", accumulator->text()}});
  return render({{"job-accumulators", Json::array()},
                 {"user-task-accumulators", std::move(list)},
                 {"serialized-user-task-accumulators", Json::object()}});
}

std::string exceptionsDocument(const ListedJob& job, size_t most) {
  const std::vector<JobFailure>& failures = job.details.failures;
  Json entries = Json::array();
  for (size_t i = 0; i < std::min(most, failures.size()); ++i)
    entries.push_back(failureJson(failures[i], *job.job));
  const bool truncated = job.details.failuresForgotten || failures.size() > most;
  return render({{"exceptionHistory", {{"entries", std::move(entries)}, {"truncated", truncated}}}});
}

std::string vertexDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  Json subtasks = Json::array();
  std::vector<int64_t> read;
  std::vector<int64_t> written;
  for (const TaskDetails* task : tasksOf(job, vertex)) {
    const Traffic traffic = trafficOf(*task, vertex);
    read.push_back(traffic.read);
    written.push_back(traffic.written);
    const Timestamp began = job.details.attemptBegan;
    subtasks.push_back({{"subtask", task->id.subtask.value},
                        {"status", nameOf(executionOf(task->state, job.details.status))},
                        {"attempt", task->id.attempt},
                        {"endpoint", kUnassigned},
                        {"start-time", millisOr(began, -1)},
                        {"end-time", millisOr(task->ended, -1)},
                        {"duration", durationOf(began, task->ended, now)},
                        {"metrics", trafficJson(traffic)},
                        {"taskmanager-id", kUnassigned},
                        {"status-duration", Json::object()},
                        {"start_time", millisOr(began, -1)}});
  }
  Json spread = Json::object();
  if (!read.empty()) spread = {{"read-records", spreadJson(read)}, {"write-records", spreadJson(written)}};
  return render({{"id", vertex.id},
                 {"name", vertex.name},
                 {"parallelism", vertex.parallelism},
                 {"maxParallelism", vertex.maxParallelism},
                 {"now", now.ms},
                 {"subtasks", std::move(subtasks)},
                 {"aggregated", {{"metrics", std::move(spread)}, {"status-duration", Json::object()}}}});
}

std::string watermarksDocument(const WatermarkReport& report) {
  Json operators = Json::array();
  for (const WatermarkHold& hold : report.operators) {
    Json way = Json::array();
    for (const WatermarkHold::Place& place : hold.way) way.push_back(placeJson(place));
    Json json = placeJson(hold.at);
    json["watermark"] = std::to_string(hold.watermark.ms);
    json["unmoved"] = hold.unmoved.ms;
    json["holder"] = placeJson(hold.holder);
    json["split"] = hold.split.empty() ? Json() : Json(hold.split);
    json["way"] = std::move(way);
    json["cause"] = nameOf(hold.cause);
    json["since"] = hold.since.ms;
    json["reason"] = hold.reason();
    operators.push_back(std::move(json));
  }
  return render({{"operators", std::move(operators)}});
}

}  // namespace flott
