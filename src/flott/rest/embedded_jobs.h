// The jobs whose masters are in this process, for its REST server: those of a program that runs them itself,
// and the one of a master whose workers are elsewhere.
//
// The program's threads list jobs before they start; the server's threads ask. A question is mail to the
// job's master, and its answer wakes who asked: of each kind one is under way for a job at most, whoever
// asks. When a job ends, its master leaves its last word here, and the job is not touched again: so it may be
// destroyed as soon as it has ended, and is still shown until web.history newer ones have ended.
//
//   jobs.list(job);
//   job.start();
#pragma once

#include <memory>

#include "flott/env/env.h"
#include "flott/master/embedded_job.h"
#include "flott/rest/job_board.h"

namespace flott {

class EmbeddedJobs final : public JobBoard {
 public:
  /// `env` outlives it. `history`: how many jobs that have ended are kept.
  EmbeddedJobs(const Env& env, size_t history);
  ~EmbeddedJobs() override;

  /// Before job.start(), which must follow, or forget().
  void list(EmbeddedJob& job);
  /// Before the master's first step, which must follow, or forget(). The master lives until it has ended;
  /// JobMaster::whenEnded() may have been called already.
  void list(JobMaster& master, const JobId& id, const JobGraph& graph, const Configuration& configuration);
  /// The job was not started.
  void forget(const JobId& id);
  void forget(const EmbeddedJob& job) { forget(job.id()); }

  // JobBoard
  ClusterSummary cluster() override;
  std::vector<ListedJob> jobs() override;
  std::optional<ListedJob> find(const JobId& id) override;
  std::optional<std::vector<TaskAccumulators>> accumulators(const JobId& id) override;
  std::optional<WatermarkReport> watermarks(const JobId& id) override;
  AskOutcome cancel(const JobId& id) override;
  AskOutcome triggerSavepoint(const JobId& id, SavepointOrder order,
                              MoveFunction<void(CheckpointOutcome)> reply) override;
  AskOutcome triggerCheckpoint(const JobId& id, MoveFunction<void(CheckpointOutcome)> reply) override;

 private:
  struct Entry;
  struct List;
  class Asked;
  template <typename Job>
  class AskedJob;
  template <typename T>
  struct Question;

  template <typename Job>
  void listAny(Job& job, JobDescription description);
  template <typename Ask>
  AskOutcome trigger(const JobId& id, bool cancels, MoveFunction<void(CheckpointOutcome)> reply, Ask ask);
  std::vector<std::shared_ptr<Entry>> entries();
  std::shared_ptr<Entry> entry(const JobId& id);
  template <typename T, typename Ask>
  std::shared_ptr<const T> answerTo(const std::shared_ptr<Entry>& entry, Question<T> Entry::*which, Ask ask);
  std::shared_ptr<const JobDetails> detailsOf(const std::shared_ptr<Entry>& entry);

  const Env env_;
  const size_t history_;
  const std::unique_ptr<List> list_;
};

}  // namespace flott
