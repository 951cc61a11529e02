// The handle on a job that was started: its status, its end, a way to cancel it.
//
// From executeAsync(). Any one thread at a time; leaving it cancels the job, so keep it and wait.
//
// While the job runs, Ctrl-C and SIGTERM cancel it in order, and waiting calls return with its end; a second
// one ends the process at once. The first call that sees the end gives the signals back and lists the metrics
// in the log.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "flott/api/execution_host.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_status.h"
#include "flott/master/watermark_report.h"

namespace flott {

class ClientJob;
class JobMaster;

/// What execute() returns. Throws nothing by itself: execute() has thrown already when the job failed.
class JobExecutionResult {
 public:
  explicit JobExecutionResult(JobResult result);

  const std::string& jobName() const { return result_.jobName; }
  JobStatus status() const { return result_.status; }
  /// Net run time.
  Duration runTime() const { return Duration::millis(result_.runNanos / 1'000'000); }
  const Accumulators& accumulators() const { return result_.accumulators; }
  /// The value of a LongCounter, IntCounter, DoubleCounter or of a class of your own. Throws Error(kUser)
  /// when the job had no such accumulator.
  template <typename A>
  const A& accumulator(const std::string& name) const;
  /// Sum of a counter over all subtasks of all operators of that name; 0 when there is none.
  int64_t counter(const std::string& operatorName, const std::string& metric) const;
  /// All metrics of all operators, a line each.
  std::string metricsText() const;
  const JobResult& details() const { return result_; }

 private:
  const Accumulator& find(const std::string& name) const;
  [[noreturn]] static void failClass(const std::string& name);

  JobResult result_;
};

class JobClient {
 public:
  /// A job that was started.
  JobClient(std::shared_ptr<ExecutionHost> host, std::unique_ptr<ClientJob> job);
  /// Cancels the job when it has not ended, and waits.
  ~JobClient();
  JobClient(JobClient&&) noexcept;

  /// 32 hexadecimal digits: the job in REST paths, and its folder of checkpoints.
  std::string jobId() const;
  JobStatus status() const;
  JobProgress progress() const;
  /// Asks the job to stop; result() then returns with status kCancelled.
  void cancel();
  /// Waits so long at most; whether the job has ended.
  bool waitFor(Duration timeout);
  /// Waits for the end. Throws the first cause when the job failed.
  JobExecutionResult result();
  /// The accumulators as they are now, merged over all subtasks.
  Accumulators accumulators();
  /// How far event time is at each operator, and who holds it back: print its toString() when windows do not
  /// fire.
  WatermarkReport watermarks();
  /// Makes a checkpoint now and waits for it. Throws the reason when none came of it.
  CheckpointOutcome triggerCheckpoint();
  /// Makes a savepoint now, in a new folder below `dir`, or else below execution.checkpointing.savepoint-dir,
  /// and waits for it. The path to start from. Throws the reason when none came of it; the job goes on.
  std::string triggerSavepoint(const std::string& dir = {});
  /// Makes a savepoint as triggerSavepoint() does, publishes in sinks what it has, ends the job with status
  /// kFinished and waits for that. With `drain` all sources end before it, so that all windows and timers
  /// fire: for a job that is not to be gone on with. The path to start from. Throws the reason when no
  /// savepoint came of it, and the job goes on; or when publishing failed, which a start from the savepoint
  /// makes good.
  std::string stopWithSavepoint(const std::string& dir = {}, bool drain = false);
  /// Counts, and the last checkpoints with their sizes, durations and reasons of failure.
  CheckpointStatistics checkpoints();
  /// What it takes from any thread.
  JobMaster& master();

 private:
  template <typename T, typename Ask>
  std::optional<T> answerTo(Ask ask);
  void onEnd();

  std::shared_ptr<ExecutionHost> host_;
  std::unique_ptr<ClientJob> job_;
  std::unique_ptr<SignalWatch> watch_;  // while the end of the job was not seen
  bool ended_ = false;
};

class Program;
/// Compiles the program's graph, starts it as a job and leaves the program empty for the next. With --explain
/// it prints the plan instead and ends the process with status 0. `tasksHere`: the job makes no sense with
/// tasks in other processes.
JobClient startJob(Program& program, const std::string& jobName, bool tasksHere = false);

template <typename A>
const A& JobExecutionResult::accumulator(const std::string& name) const {
  const A* found = dynamic_cast<const A*>(&find(name));
  if (found == nullptr) failClass(name);
  return *found;
}

}  // namespace flott
