// The jobs of a program that runs them in its own process, for its REST server.
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
  /// The job was not started.
  void forget(const EmbeddedJob& job);

  // JobBoard
  ClusterSummary cluster() override;
  std::vector<ListedJob> jobs() override;
  std::optional<ListedJob> find(const JobId& id) override;
  std::optional<Accumulators> accumulators(const JobId& id) override;
  std::optional<WatermarkReport> watermarks(const JobId& id) override;
  CancelOutcome cancel(const JobId& id) override;

 private:
  struct Entry;
  struct List;
  template <typename T>
  struct Question;

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
