// The jobs that a REST server tells about: what the documents are made from, and the calls behind them.
//
// Whoever serves jobs implements JobBoard: embedded_jobs.h for a program that runs them in its own process.
// All calls come from the server's threads, several at once, and may block for a bounded time; values are
// copies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/function.h"
#include "flott/data/checkpoint_properties.h"
#include "flott/graph/job_graph.h"
#include "flott/master/checkpoint_options.h"
#include "flott/master/job_details.h"
#include "flott/master/job_id.h"
#include "flott/master/task_accumulators.h"
#include "flott/master/watermark_report.h"

namespace flott {

/// What does not change while a job runs. Holds no code of the program, so it may outlive the job.
struct JobDescription {
  struct Operator {
    std::string name;
    bool source = false;
    bool sends = false;  // its main output leaves the vertex
  };
  struct Input {
    int from = 0;  // vertex
    int number = 0;
    std::string shipStrategy;
  };
  struct Vertex {
    /// As Flink's JobVertexID, 32 hexadecimal digits: the id of the first operator, with zeros before it.
    std::string id;
    std::string name;
    std::string description;
    int parallelism = 1;
    int maxParallelism = 128;
    std::string slotSharingGroup;
    std::vector<Operator> chain;
    std::vector<Input> inputs;
  };

  JobId id;
  std::string name;
  int slots = 1;
  std::vector<Vertex> vertices;  // as JobGraph::vertices
  std::map<std::string, std::string> userConfig;
  int64_t parallelism = 1;
  bool objectReuse = false;
  std::string restartStrategy;
  std::string stateBackend;
  std::string checkpointFolder;  // empty: checkpoints are in the master's memory
  bool exactlyOnce = true;
  CheckpointOptions checkpoints;
  std::map<std::string, std::string> configuration;

  const Vertex* find(std::string_view vertexId) const;
};

JobDescription describeJob(const JobId& id, const JobGraph& graph, const Configuration& configuration);

struct ListedJob {
  std::shared_ptr<const JobDescription> job;
  JobDetails details;
};

struct ClusterSummary {
  int workers = 0;
  int slots = 0;
  int freeSlots = 0;
};

enum class AskOutcome : uint8_t {
  kAccepted,  // it is under way; or being cancelled, or cancelled already
  kTooLate,   // the job has ended, for cancel() in another way
  kUnknown,   // no such job
};

struct SavepointOrder {
  std::string folder;               // that it is made in; empty: where the job's configuration says
  StopMode stop = StopMode::kGoOn;  // what becomes of the job
  bool cancels = false;             // the job, once the savepoint is there
};

class JobBoard {
 public:
  virtual ~JobBoard() = default;
  virtual ClusterSummary cluster() = 0;
  /// Running ones and the last that have ended, newest first. One that has never answered has empty details.
  virtual std::vector<ListedJob> jobs() = 0;
  /// Nothing when there is no such job. These throw Error(kTransient) when the job does not answer in time.
  virtual std::optional<ListedJob> find(const JobId& id) = 0;
  /// By task, of the last attempt of each.
  virtual std::optional<std::vector<TaskAccumulators>> accumulators(const JobId& id) = 0;
  /// Without operators once the job has ended.
  virtual std::optional<WatermarkReport> watermarks(const JobId& id) = 0;
  virtual AskOutcome cancel(const JobId& id) = 0;
  /// `reply` is called once when it is accepted, from any thread; it is destroyed without a call when the job
  /// ends before. Does not wait.
  virtual AskOutcome triggerSavepoint(const JobId& id, SavepointOrder order,
                                      MoveFunction<void(CheckpointOutcome)> reply) = 0;
  /// The same for a checkpoint of the job's own.
  virtual AskOutcome triggerCheckpoint(const JobId& id, MoveFunction<void(CheckpointOutcome)> reply) = 0;
};

}  // namespace flott
