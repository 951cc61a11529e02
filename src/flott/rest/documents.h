// The documents of Flink's REST, as JSON text: what they say about jobs, made from values alone.
//
// Field names are Flink's. Where Flott has no value, a field has what Flink writes for "unknown": -1, 0 with
// `…-complete: false`, "NaN", null, "(unassigned)". Pure functions without I/O; any thread.
//
//   response.body = jobDocument(listed, env.clock.wallTime());
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/time.h"
#include "flott/rest/job_board.h"

namespace flott {

/// {"errors": [text]}: what every refused request gets.
std::string errorDocument(const std::string& text);

// /config, /jobmanager/environment, /overview
/// `submits`: programs can be uploaded and run.
std::string webConfigDocument(Duration refreshInterval, bool submits = false);
/// Which machine it is, and that there is no JVM.
std::string environmentDocument();
std::string overviewDocument(const ClusterSummary& cluster, std::span<const ListedJob> jobs);
// /jobs, /jobs/overview
std::string jobIdsDocument(std::span<const ListedJob> jobs);
std::string jobsOverviewDocument(std::span<const ListedJob> jobs, Timestamp now);

// /jobs/:jobid and below
std::string jobDocument(const ListedJob& job, Timestamp now);
std::string jobStatusDocument(const ListedJob& job);
std::string jobConfigDocument(const JobDescription& job);
/// A list of keys and values; those of secrets are hidden.
std::string jobManagerConfigDocument(const JobDescription& job);
/// Tasks are not scheduled with fewer subtasks than they have.
std::string resourceRequirementsDocument(const JobDescription& job);
std::string executionResultDocument(const ListedJob& job);
std::string planDocument(const JobDescription& job);
std::string accumulatorsDocument(std::span<const TaskAccumulators> all);
std::string vertexAccumulatorsDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                       std::span<const TaskAccumulators> all);
std::string subtaskAccumulatorsDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                        std::span<const TaskAccumulators> all);
std::string attemptAccumulatorsDocument(const TaskDetails& task, std::span<const TaskAccumulators> all);
/// The newest `most` failures.
std::string exceptionsDocument(const ListedJob& job, size_t most);
std::string vertexDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now);
std::string subtaskDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                            const TaskDetails& task, Timestamp now);
std::string subtaskTimesDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now);
std::string vertexTaskManagersDocument(const ListedJob& job, const JobDescription::Vertex& vertex,
                                       Timestamp now);
/// Which share of the last seconds its tasks were held up, idle and busy.
std::string backPressureDocument(const ListedJob& job, const JobDescription::Vertex& vertex, Timestamp now);
/// Flott's own: why event time does not rise.
std::string watermarksDocument(const WatermarkReport& report);

// /jobs/:jobid/checkpoints and below
std::string checkpointsDocument(const ListedJob& job);
std::string checkpointConfigDocument(const JobDescription& job);
std::string checkpointDocument(const JobDescription& job, const CheckpointRecord& checkpoint);
/// Nothing when no task of the vertex has acknowledged it.
std::optional<std::string> checkpointSubtasksDocument(const JobDescription& job,
                                                      const CheckpointRecord& checkpoint,
                                                      const JobDescription::Vertex& vertex);

/// A metric under the name that `?get=` asks for.
struct NamedMetric {
  std::string id;
  std::string value;
};
/// Of the job: numRestarts, lastCheckpointDuration, …
std::vector<NamedMetric> jobMetrics(const ListedJob& job, Timestamp now);
/// Of all subtasks: "0.numRecordsIn", "0.<operator>.numRecordsIn", …
std::vector<NamedMetric> vertexMetrics(const ListedJob& job, const JobDescription::Vertex& vertex);
/// "0.currentInputWatermark" of all subtasks that have one.
std::vector<NamedMetric> vertexWatermarks(const ListedJob& job, const JobDescription::Vertex& vertex);
/// Without `get` the ids alone; else values, of those that are there.
std::string metricsDocument(std::span<const NamedMetric> metrics,
                            const std::optional<std::vector<std::string>>& get);
/// Those of such a document; entries without a value have an empty one. Nothing for what is none.
std::vector<NamedMetric> metricsIn(std::string_view document);
/// Those of one subtask, whose number the ids lose.
std::vector<NamedMetric> ofSubtask(std::span<const NamedMetric> metrics, int subtask);
/// Metrics of several jobs or subtasks by name: without `get` the names; else of each what `modes` says, of
/// "min", "max", "sum", "avg" and "skew" (by how many percent of the average they differ from it, on
/// average). Values that are no numbers do not count.
std::string aggregatedDocument(std::span<const std::vector<NamedMetric>> all,
                               const std::optional<std::vector<std::string>>& get,
                               const std::vector<std::string>& modes);

// Operations that clients ask about later.
std::string triggerDocument(const std::string& triggerId);
/// {"status":{"id":"IN_PROGRESS"},"operation":null}
std::string inProgressDocument();
std::string savepointResultDocument(const std::string& location, const std::optional<Error>& error);
std::string checkpointResultDocument(uint64_t checkpoint, const std::optional<Error>& error);
std::string disposalResultDocument(const std::optional<Error>& error);

}  // namespace flott
