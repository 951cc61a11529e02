// Documents about checkpoints.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "flott/rest/documents.h"
#include "flott/rest/json_body.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

// Of no values everything is 0, and quantiles are unknown, as Flink writes it.
Json spreadJson(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<int64_t>(values.size());
  const int64_t sum = std::accumulate(values.begin(), values.end(), int64_t{0});
  Json json{{"min", values.empty() ? 0 : values.front()},
            {"max", values.empty() ? 0 : values.back()},
            {"avg", values.empty() ? 0 : sum / count}};
  static constexpr std::pair<const char*, int> kQuantiles[] = {
      {"p50", 500}, {"p90", 900}, {"p95", 950}, {"p99", 990}, {"p999", 999}};
  for (const auto& [name, share] : kQuantiles) {
    if (values.empty()) {
      json[name] = "NaN";
    } else {
      json[name] = static_cast<double>(values[static_cast<size_t>((count * share + 999) / 1000 - 1)]);
    }
  }
  return json;
}

int64_t millis(int64_t nanos) { return nanos / 1'000'000; }

struct Share {
  int acknowledged = 0;
  int tasks = 0;
  uint64_t bytes = 0;
  uint64_t written = 0;  // of these, those that no earlier checkpoint has stored
  uint64_t processedBytes = 0;
  uint64_t persistedBytes = 0;
  int64_t lastAfter = -1;  // the trigger, in milliseconds

  void add(const CheckpointRecord::Task& task) {
    ++acknowledged;
    bytes += task.stateBytes;
    written += task.stateBytes - task.sharedBytes;
    processedBytes += task.inFlight.processedBytes;
    persistedBytes += task.inFlight.persistedBytes;
    lastAfter = std::max(lastAfter, task.acknowledgedAfter.ms);
  }
};

const char* statusText(CheckpointStatus status) {
  switch (status) {
    case CheckpointStatus::kInProgress:
      return "IN_PROGRESS";
    case CheckpointStatus::kCompleted:
      return "COMPLETED";
    case CheckpointStatus::kFailed:
      return "FAILED";
  }
  return "IN_PROGRESS";
}

const char* className(CheckpointStatus status) {
  switch (status) {
    case CheckpointStatus::kInProgress:
      return "in_progress";
    case CheckpointStatus::kCompleted:
      return "completed";
    case CheckpointStatus::kFailed:
      return "failed";
  }
  return "in_progress";
}

// The fields that checkpoints have, as a whole and for each vertex.
void addShare(Json& json, const CheckpointRecord& checkpoint, const Share& share, int64_t duration) {
  json["latest_ack_timestamp"] = share.lastAfter < 0 ? -1 : checkpoint.triggered.ms + share.lastAfter;
  json["checkpointed_size"] = share.written;
  json["state_size"] = share.bytes;
  json["end_to_end_duration"] = duration;
  json["alignment_buffered"] = 0;
  json["processed_data"] = share.processedBytes;
  json["persisted_data"] = share.persistedBytes;
  json["num_subtasks"] = share.tasks;
  json["num_acknowledged_subtasks"] = share.acknowledged;
}

Share shareOf(const JobDescription& job, const CheckpointRecord& checkpoint) {
  Share share;
  for (const JobDescription::Vertex& vertex : job.vertices) share.tasks += vertex.parallelism;
  for (const CheckpointRecord::Task& task : checkpoint.tasks) share.add(task);
  share.bytes = checkpoint.stateBytes;
  share.written = checkpoint.stateBytes - checkpoint.sharedBytes;
  return share;
}

Json vertexShareJson(const CheckpointRecord& checkpoint, const Share& share) {
  const bool all = share.acknowledged == share.tasks;
  Json json{{"id", checkpoint.id.value}, {"status", all ? "COMPLETED" : statusText(checkpoint.status)}};
  addShare(json, checkpoint, share, share.lastAfter);
  return json;
}

// Without `tasks` as in a history.
Json checkpointJson(const JobDescription& job, const CheckpointRecord& checkpoint, bool tasks) {
  const Share share = shareOf(job, checkpoint);
  const bool savepoint = checkpoint.kind == CheckpointKind::kSavepoint;
  Json json{{"className", className(checkpoint.status)},
            {"id", checkpoint.id.value},
            {"status", statusText(checkpoint.status)},
            {"is_savepoint", savepoint},
            {"savepointFormat", savepoint ? Json("CANONICAL") : Json()},
            {"trigger_timestamp", checkpoint.triggered.ms}};
  const bool underWay = checkpoint.status == CheckpointStatus::kInProgress;
  addShare(json, checkpoint, share, underWay ? share.lastAfter : checkpoint.duration.ms);
  json["checkpoint_type"] = savepoint ? "SAVEPOINT" : "CHECKPOINT";
  json["tasks"] = Json::object();
  for (size_t i = 0; tasks && i < job.vertices.size(); ++i) {
    Share part{.tasks = job.vertices[i].parallelism};
    for (const CheckpointRecord::Task& task : checkpoint.tasks)
      if (static_cast<size_t>(task.vertex) == i) part.add(task);
    if (part.acknowledged > 0) json["tasks"][job.vertices[i].id] = vertexShareJson(checkpoint, part);
  }
  if (checkpoint.status == CheckpointStatus::kCompleted) {
    json["external_path"] = checkpoint.folder.empty() ? Json() : Json(checkpoint.folder);
    json["discarded"] = checkpoint.discarded;
  }
  if (checkpoint.status == CheckpointStatus::kFailed) {
    json["failure_timestamp"] = (checkpoint.triggered + checkpoint.duration).ms;
    json["failure_message"] = checkpoint.failure;
  }
  return json;
}

Json latestJson(const ListedJob& job, CheckpointStatus status, std::optional<CheckpointKind> kind = {}) {
  for (const CheckpointRecord& checkpoint : job.details.checkpoints.history)
    if (checkpoint.status == status && (!kind || checkpoint.kind == *kind))
      return checkpointJson(*job.job, checkpoint, false);
  return {};
}

// A folder of a savepoint is named so, wherever it lies.
bool isSavepoint(const std::string& folder) {
  const size_t slash = folder.find_last_of('/');
  return std::string_view(folder)
      .substr(slash == std::string::npos ? 0 : slash + 1)
      .starts_with("savepoint-");
}

}  // namespace

std::string checkpointsDocument(const ListedJob& job) {
  const CheckpointStatistics& all = job.details.checkpoints;
  std::vector<int64_t> sizes;
  std::vector<int64_t> written;
  std::vector<int64_t> durations;
  std::vector<int64_t> processed;
  std::vector<int64_t> persisted;
  Json history = Json::array();
  for (const CheckpointRecord& checkpoint : all.history) {
    history.push_back(checkpointJson(*job.job, checkpoint, false));
    if (checkpoint.status != CheckpointStatus::kCompleted) continue;
    sizes.push_back(static_cast<int64_t>(checkpoint.stateBytes));
    written.push_back(static_cast<int64_t>(checkpoint.stateBytes - checkpoint.sharedBytes));
    durations.push_back(checkpoint.duration.ms);
    const Share share = shareOf(*job.job, checkpoint);
    processed.push_back(static_cast<int64_t>(share.processedBytes));
    persisted.push_back(static_cast<int64_t>(share.persistedBytes));
  }
  Json restored;
  if (const auto& from = job.details.restored) {
    restored = {{"id", from->id.value},
                {"restore_timestamp", from->at.ms},
                {"is_savepoint", isSavepoint(from->folder)},
                {"external_path", from->folder.empty() ? Json() : Json(from->folder)}};
  }
  Json latest{{"completed", latestJson(job, CheckpointStatus::kCompleted, CheckpointKind::kCheckpoint)},
              {"savepoint", latestJson(job, CheckpointStatus::kCompleted, CheckpointKind::kSavepoint)},
              {"failed", latestJson(job, CheckpointStatus::kFailed)},
              {"restored", std::move(restored)}};
  return render({{"counts",
                  {{"restored", job.details.restores},
                   {"total", all.triggered},
                   {"in_progress", all.inProgress},
                   {"completed", all.completed},
                   {"failed", all.failed}}},
                 {"summary",
                  {{"checkpointed_size", spreadJson(written)},
                   {"state_size", spreadJson(sizes)},
                   {"end_to_end_duration", spreadJson(durations)},
                   {"alignment_buffered", spreadJson({})},
                   {"processed_data", spreadJson(processed)},
                   {"persisted_data", spreadJson(persisted)}}},
                 {"latest", std::move(latest)},
                 {"history", std::move(history)}});
}

std::string checkpointConfigDocument(const JobDescription& job) {
  const CheckpointOptions& options = job.checkpoints;
  const bool inMemory = job.checkpointFolder.empty();
  const bool rocksDb = job.stateBackend == "rocksdb";
  return render(
      {{"mode", job.exactlyOnce ? "exactly_once" : "at_least_once"},
       {"interval", options.interval == Duration() ? Duration::max().ms : options.interval.ms},
       {"timeout", options.timeout.ms},
       {"min_pause", options.minPause.ms},
       {"max_concurrent", options.maxConcurrent},
       {"externalization",
        {{"enabled", options.retention != CheckpointRetention::kNone},
         {"delete_on_cancellation", options.retention != CheckpointRetention::kOnCancellation}}},
       {"state_backend", rocksDb ? "EmbeddedRocksDBStateBackend" : "HashMapStateBackend"},
       {"checkpoint_storage", inMemory ? "JobManagerCheckpointStorage" : "FileSystemCheckpointStorage"},
       {"unaligned_checkpoints", options.unaligned},
       {"tolerable_failed_checkpoints", options.tolerableFailures},
       {"aligned_checkpoint_timeout", options.alignedFor.ms},
       {"checkpoints_after_tasks_finish", true},
       {"state_changelog_enabled", false},
       {"changelog_periodic_materialization_interval", -1},
       {"changelog_storage", nullptr}});
}

std::string checkpointDocument(const JobDescription& job, const CheckpointRecord& checkpoint) {
  return render(checkpointJson(job, checkpoint, true));
}

std::optional<std::string> checkpointSubtasksDocument(const JobDescription& job,
                                                      const CheckpointRecord& checkpoint,
                                                      const JobDescription::Vertex& vertex) {
  Share share{.tasks = vertex.parallelism};
  std::vector<int64_t> sizes;
  std::vector<int64_t> written;
  std::vector<int64_t> ends;
  std::vector<int64_t> syncs;
  std::vector<int64_t> asyncs;
  std::vector<int64_t> alignments;
  std::vector<int64_t> delays;
  std::vector<int64_t> processed;
  std::vector<int64_t> persisted;
  Json subtasks = Json::array();
  for (const CheckpointRecord::Task& task : checkpoint.tasks) {
    if (&job.vertices[static_cast<size_t>(task.vertex)] != &vertex) continue;
    const CheckpointDurations& times = task.durations;
    share.add(task);
    sizes.push_back(static_cast<int64_t>(task.stateBytes));
    written.push_back(static_cast<int64_t>(task.stateBytes - task.sharedBytes));
    ends.push_back(task.acknowledgedAfter.ms);
    syncs.push_back(millis(times.syncNanos));
    asyncs.push_back(millis(times.asyncNanos));
    alignments.push_back(millis(times.alignmentNanos));
    delays.push_back(millis(times.startDelayNanos));
    processed.push_back(static_cast<int64_t>(task.inFlight.processedBytes));
    persisted.push_back(static_cast<int64_t>(task.inFlight.persistedBytes));
    subtasks.push_back({{"className", "completed"},
                        {"index", task.subtask.value},
                        {"ack_timestamp", (checkpoint.triggered + task.acknowledgedAfter).ms},
                        {"end_to_end_duration", task.acknowledgedAfter.ms},
                        {"checkpointed_size", task.stateBytes - task.sharedBytes},
                        {"state_size", task.stateBytes},
                        {"checkpoint", {{"sync", syncs.back()}, {"async", asyncs.back()}}},
                        {"alignment",
                         {{"buffered", 0},
                          {"processed", processed.back()},
                          {"persisted", persisted.back()},
                          {"duration", alignments.back()}}},
                        {"start_delay", delays.back()},
                        {"unaligned_checkpoint", task.inFlight.unaligned},
                        {"aborted", false},
                        {"status", "completed"}});
  }
  if (subtasks.empty()) return {};
  Json json = vertexShareJson(checkpoint, share);
  json["summary"] = {{"checkpointed_size", spreadJson(written)},
                     {"state_size", spreadJson(sizes)},
                     {"end_to_end_duration", spreadJson(ends)},
                     {"checkpoint_duration", {{"sync", spreadJson(syncs)}, {"async", spreadJson(asyncs)}}},
                     {"alignment",
                      {{"buffered", spreadJson({})},
                       {"processed", spreadJson(processed)},
                       {"persisted", spreadJson(persisted)},
                       {"duration", spreadJson(alignments)}}},
                     {"start_delay", spreadJson(delays)}};
  json["subtasks"] = std::move(subtasks);
  return render(json);
}

}  // namespace flott
