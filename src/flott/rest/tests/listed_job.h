// A job with two vertices as documents see it: made by hand, every value known.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "flott/rest/documents.h"

namespace flott {

inline constexpr Timestamp kBegan{1'700'000'000'000};
inline constexpr const char* kJobText = "00000000000000010000000000000002";
inline constexpr const char* kSourceId = "00000000000000000000000000000a01";
inline constexpr const char* kSinkId = "00000000000000000000000000000b02";

inline Timestamp after(int64_t millis) { return kBegan + Duration::millis(millis); }

inline JobDescription describedJob() {
  JobDescription job{.id = {.high = 1, .low = 2}, .name = "clicks", .slots = 2};
  job.vertices.push_back({.id = kSourceId,
                          .name = "Source: lines -> split",
                          .description = "Source: lines <text>\n+- split & \"trim\"",
                          .parallelism = 1,
                          .maxParallelism = 128,
                          .slotSharingGroup = "default",
                          .chain = {{.name = "lines", .source = true, .sends = false},
                                    {.name = "split", .source = false, .sends = true}},
                          .inputs = {}});
  job.vertices.push_back({.id = kSinkId,
                          .name = "count: by word",
                          .description = "count",
                          .parallelism = 2,
                          .maxParallelism = 128,
                          .slotSharingGroup = "default",
                          .chain = {{.name = "count: by word", .source = false, .sends = false}},
                          .inputs = {{.from = 0, .number = 0, .shipStrategy = "HASH"}}});
  job.userConfig = {{"input", "a.txt"}, {"dbPassword", "xyzzy"}};
  job.parallelism = 2;
  job.restartStrategy = "fixed-delay";
  job.stateBackend = "hashmap";
  job.checkpointFolder = "/cp";
  job.checkpoints.interval = Duration::seconds(10);
  job.configuration = {{"parallelism.default", "2"}, {"s3.secret-key", "xyzzy"}};
  return job;
}

inline OperatorReadings readings(const char* name, int64_t in, int64_t out, const char* watermark) {
  OperatorReadings op;
  op.info.name = name;
  const auto counter = [](const char* metric, int64_t value) {
    return MetricReading{metric, std::to_string(value), static_cast<double>(value), MetricKind::kCounter, {}};
  };
  op.metrics = {counter("numRecordsIn", in), counter("numRecordsOut", out)};
  op.metrics.push_back({"currentInputWatermark", watermark, 0, MetricKind::kGauge, {}});
  return op;
}

/// Runs since kBegan; its counting tasks have 30 and 12 records.
inline ListedJob runningJob() {
  JobDetails details{.status = JobStatus::kRunning};
  details.since[static_cast<size_t>(JobStatus::kCreated)] = kBegan;
  details.since[static_cast<size_t>(JobStatus::kRunning)] = after(5);
  details.attemptBegan = after(5);
  const auto task = [](int vertex, int subtask) {
    return TaskDetails{.id = {.vertex = vertex, .subtask = SubtaskIndex(subtask)},
                       .state = TaskState::kRunning};
  };
  details.tasks = {task(0, 0), task(1, 0), task(1, 1)};
  details.tasks[0].operators = {readings("lines", 0, 20, "-9223372036854775808"),
                                readings("split", 20, 42, "7")};
  details.tasks[1].operators = {readings("count: by word", 30, 0, "100")};
  details.tasks[2].operators = {readings("count: by word", 12, 0, "90")};
  return {std::make_shared<const JobDescription>(describedJob()), std::move(details)};
}

inline CheckpointRecord completedCheckpoint() {
  CheckpointRecord record{.id = CheckpointId(7),
                          .status = CheckpointStatus::kCompleted,
                          .triggered = after(100),
                          .duration = Duration::millis(40),
                          .stateBytes = 3000,
                          .sharedBytes = 500,
                          .folder = "/cp/job/chk-7"};
  record.tasks.push_back(
      {.vertex = 0, .subtask = SubtaskIndex(0), .acknowledgedAfter = Duration::millis(10)});
  record.tasks.push_back({.vertex = 1,
                          .subtask = SubtaskIndex(1),
                          .durations = {.startDelayNanos = 5'000'000,
                                        .alignmentNanos = 2'000'000,
                                        .syncNanos = 1'000'000,
                                        .asyncNanos = 20'000'000},
                          .stateBytes = 2000,
                          .sharedBytes = 500,
                          .acknowledgedAfter = Duration::millis(38)});
  record.tasks.push_back({.vertex = 1,
                          .subtask = SubtaskIndex(0),
                          .durations = {},
                          .stateBytes = 1000,
                          .acknowledgedAfter = Duration::millis(30)});
  return record;
}

inline nlohmann::ordered_json parsed(const std::string& text) { return nlohmann::ordered_json::parse(text); }

}  // namespace flott
