#include "flott/rest/documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "flott/base/secret_keys.h"
#include "flott/env/executables.h"
#include "flott/rest/built_in.h"
#include "flott/rest/java_throwable.h"
#include "flott/rest/task_json.h"

namespace flott {
namespace {

using namespace documents;

Json vertexJson(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now) {
  const Together all = togetherOf(job, vertex);
  return {{"id", vertex.id},
          {"slotSharingGroupId", vertex.slotSharingGroup},
          {"name", vertex.name},
          {"maxParallelism", vertex.maxParallelism},
          {"parallelism", vertex.parallelism},
          {"status", nameOf(all.counts.together())},
          {"start-time", millisOr(all.began, -1)},
          {"end-time", millisOr(all.ended, -1)},
          {"duration", durationOf(all.began, all.ended, now)},
          {"tasks", all.counts.upperCase()},
          {"metrics", trafficJson(all.traffic)}};
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

// As Flink writes what went wrong.
Json failureCauseJson(ErrorKind kind, const std::string& text) {
  return {{"class", "flott::Error (" + std::string(toString(kind)) + ")"},
          {"stack-trace", text},
          {"serialized-throwable", javaThrowable(text)}};
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

std::string operationDocument(Json operation) {
  return render({{"status", {{"id", "COMPLETED"}}}, {"operation", std::move(operation)}});
}

Json failureCauseJson(const Error& error) { return failureCauseJson(error.kind(), error.what()); }

}  // namespace

std::string triggerDocument(const std::string& triggerId) { return render({{"request-id", triggerId}}); }

std::string inProgressDocument() {
  return render({{"status", {{"id", "IN_PROGRESS"}}}, {"operation", nullptr}});
}

std::string savepointResultDocument(const std::string& location, const std::optional<Error>& error) {
  if (error) return operationDocument({{"failure-cause", failureCauseJson(*error)}});
  return operationDocument({{"location", location}});
}

std::string checkpointResultDocument(uint64_t checkpoint, const std::optional<Error>& error) {
  if (error) return operationDocument({{"failureCause", failureCauseJson(*error)}});
  return operationDocument({{"checkpointId", checkpoint}});
}

std::string disposalResultDocument(const std::optional<Error>& error) {
  if (error) return operationDocument({{"failure-cause", failureCauseJson(*error)}});
  return operationDocument(Json::object());
}

std::string errorDocument(const std::string& text) { return render({{"errors", Json::array({text})}}); }

std::string webConfigDocument(Duration refreshInterval, bool submits) {
  return render(
      {{"refresh-interval", refreshInterval.ms},
       {"timezone-name", "UTC"},
       {"timezone-offset", 0},
       {"flink-version", "Flott " + std::string(flottVersion())},
       {"flink-revision", "<unknown>"},
       {"features",
        {{"web-submit", submits}, {"web-cancel", true}, {"web-rescale", false}, {"web-history", false}}}});
}

std::string environmentDocument() {
  return render({{"jvm",
                  {{"version", "none: Flott " + std::string(flottVersion())},
                   {"arch", thisMachine()},
                   {"options", Json::array()}}},
                 {"classpath", Json::array()}});
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

std::string jobManagerConfigDocument(const JobDescription& job) {
  Json list = Json::array();
  for (const auto& [key, value] : job.configuration)
    list.push_back({{"key", key}, {"value", isSecretKey(key) ? std::string(kHiddenValue) : value}});
  return render(list);
}

std::string resourceRequirementsDocument(const JobDescription& job) {
  Json vertices = Json::object();
  for (const JobDescription::Vertex& vertex : job.vertices)
    vertices[vertex.id] = {
        {"parallelism", {{"lowerBound", vertex.parallelism}, {"upperBound", vertex.parallelism}}}};
  return render(vertices);
}

std::string executionResultDocument(const ListedJob& job) {
  const JobDetails& details = job.details;
  if (!isFinal(details.status)) return render({{"status", {{"id", "IN_PROGRESS"}}}});
  const char* status = details.status == JobStatus::kFinished    ? "SUCCEEDED"
                       : details.status == JobStatus::kCancelled ? "CANCELED"
                                                                 : "FAILED";
  Json result{{"id", toString(job.job->id)},
              {"application-status", status},
              {"accumulator-results", Json::object()},
              {"net-runtime", durationOf(details.started(), details.ended(), details.ended())}};
  if (details.status == JobStatus::kFailed && !details.failures.empty()) {
    const JobFailure& failure = details.failures.front();
    result["failure-cause"] = failureCauseJson(failure.kind, failure.text);
  }
  return render({{"status", {{"id", "COMPLETED"}}}, {"job-execution-result", std::move(result)}});
}

std::string planDocument(const JobDescription& job) { return render({{"plan", planJson(job)}}); }

std::string exceptionsDocument(const ListedJob& job, size_t most) {
  const std::vector<JobFailure>& failures = job.details.failures;
  Json entries = Json::array();
  for (size_t i = 0; i < std::min(most, failures.size()); ++i)
    entries.push_back(failureJson(failures[i], *job.job));
  const bool truncated = job.details.failuresForgotten || failures.size() > most;
  // The first four are those of Flink 1; the history has all of it.
  return render({{"root-exception", failures.empty() ? Json() : Json(failures.front().text)},
                 {"timestamp", failures.empty() ? Json() : Json(failures.front().at.ms)},
                 {"all-exceptions", Json::array()},
                 {"truncated", truncated},
                 {"exceptionHistory", {{"entries", std::move(entries)}, {"truncated", truncated}}}});
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
