// Parts of documents about tasks, for the files that make documents: Flink's states of a task, and what tasks
// have read and written.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/rest/job_board.h"
#include "flott/rest/json_body.h"

namespace flott::documents {

using Json = nlohmann::ordered_json;

inline constexpr const char* kUnassigned = "(unassigned)";
/// The worker of a task; kUnassigned where that is not told.
std::string endpointOf(const TaskDetails& task);
/// The TaskManager that has started the worker: "t1" of "t1/w7".
std::string taskManagerOf(const TaskDetails& task);

int64_t millisOr(Timestamp time, int64_t otherwise);
/// -1: it has not begun.
int64_t durationOf(Timestamp from, Timestamp to, Timestamp now);

/// Flink's states of a task.
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
inline constexpr size_t kExecutions = static_cast<size_t>(Execution::kCanceling) + 1;
const char* nameOf(Execution state);
Execution executionOf(TaskState state, JobStatus job);

/// How many tasks are in each state.
struct Counts {
  std::array<int, kExecutions> by{};

  int& operator[](Execution state) { return by[static_cast<size_t>(state)]; }
  int operator[](Execution state) const { return by[static_cast<size_t>(state)]; }
  int total() const { return std::accumulate(by.begin(), by.end(), 0); }
  /// The one that says most about all of them.
  Execution together() const;
  Json upperCase() const;
};

std::vector<const TaskDetails*> tasksOf(const ListedJob& job, const JobDescription::Vertex& vertex);
Counts countTasks(const ListedJob& job, const JobDescription::Vertex& vertex);

/// The value of a task's own metric; nothing when it does not tell.
std::optional<double> metricOf(const TaskDetails& task, std::string_view name);

/// Milliseconds that tasks have spent.
struct Spent {
  int64_t backPressured = 0;
  int64_t idle = 0;
  int64_t busy = 0;
};

/// What came from other vertices, and what went to some; and the time it took.
struct Traffic {
  int64_t read = 0;
  int64_t written = 0;
  int64_t bytesRead = 0;
  int64_t bytesWritten = 0;
  bool known = false;       // the task has operators
  bool bytesKnown = false;  // … and counts bytes
  std::optional<Spent> spent = Spent();

  Traffic& operator+=(const Traffic& other);
};
Traffic trafficOf(const TaskDetails& task, const JobDescription::Vertex& vertex);
Json trafficJson(const Traffic& traffic);

/// All tasks of a vertex together: when they began and ended, what they have moved, their states.
struct Together {
  Timestamp began;
  Timestamp ended;  // min(): not all have
  Traffic traffic;
  Counts counts;
};
Together togetherOf(const ListedJob& job, const JobDescription::Vertex& vertex);
/// Of some of its tasks.
Together togetherOf(const ListedJob& job, const JobDescription::Vertex& vertex,
                    const std::vector<const TaskDetails*>& tasks);

}  // namespace flott::documents
