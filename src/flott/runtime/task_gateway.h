// A task as the master sees it: what it is told and asked, wherever it runs.
//
// Task is one that runs in this process. Another may stand for a task in another process, and pass each call
// on. All calls come from the master's lane and only post; what a task has to say comes by the MasterGateway.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/data/element.h"
#include "flott/operators/accumulators.h"
#include "flott/operators/metrics.h"
#include "flott/operators/operator.h"
#include "flott/operators/source.h"
#include "flott/runtime/task_id.h"
#include "flott/runtime/task_times.h"

namespace flott {

enum class TaskState : uint8_t {
  kCreated,    // its operators are not open: not yet stepped, or fetching what they are restored from
  kRunning,    // operators are open
  kClosing,    // operators are closed; off-loaded work is still under way
  kFinished,   // all input worked off
  kFailed,     // threw; the master has the error
  kCancelled,  // stopped on request
};

std::string_view toString(TaskState state);

/// What one operator instance counts.
struct OperatorReadings {
  OperatorInfo info;
  std::vector<MetricReading> metrics;
};

/// What a task counts, and its operators.
struct TaskReadings {
  std::vector<OperatorReadings> operators = {};  // of its chain, in order; empty before it runs
  std::vector<MetricReading> task = {};          // of itself
};

class TaskGateway {
 public:
  virtual ~TaskGateway() = default;

  virtual const TaskId& id() const = 0;
  virtual TaskState state() const = 0;
  /// "operator 'count', subtask 1/2".
  virtual std::string where() const = 0;
  /// The name of the worker that has it; empty: it runs in this process, or has no place yet.
  virtual std::string worker() const { return {}; }
  /// Rates of meters are over `elapsedNanos`.
  virtual TaskReadings readMetrics(int64_t elapsedNanos) const = 0;

  virtual void cancel() = 0;
  virtual void assignSplits(std::vector<SourceSplit> splits) = 0;
  virtual void signalNoMoreSplits() = 0;
  virtual void deliverSourceEvent(std::string event) = 0;
  /// For sources with watermark alignment.
  virtual void setWatermarkLimit(Timestamp limit) = 0;
  /// At a source the barrier begins here; other tasks need to know only where no channel is left to bring it.
  virtual void triggerCheckpoint(Barrier barrier) = 0;
  /// The checkpoint is complete, or void; a savepoint that is complete counts as void, since nothing may be
  /// published with it.
  virtual void endCheckpoint(CheckpointId checkpoint, bool completed) = 0;
  /// Ends as if its source had no more, but not before a checkpoint that was cut after that is complete.
  virtual void drain() = 0;
  /// Calls `reply`, on any thread; not at all once the task has ended.
  virtual void readTimes(MoveFunction<void(TaskTimes)> reply) = 0;
  /// With a copy of its accumulators; as readTimes().
  virtual void readAccumulators(MoveFunction<void(Accumulators)> reply) = 0;
};

}  // namespace flott
