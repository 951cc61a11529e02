// A board with the one job of listed_job.h.
#pragma once

#include "flott/rest/job_board.h"
#include "flott/rest/tests/listed_job.h"

namespace flott {

class OneJob final : public JobBoard {
 public:
  ClusterSummary cluster() override { return {.workers = 1, .slots = 2, .freeSlots = 0}; }
  std::vector<ListedJob> jobs() override { return {job}; }
  std::optional<ListedJob> find(const JobId& id) override {
    if (silent) throw Error(ErrorKind::kTransient, "the job 'clicks' does not answer: ask again");
    return id == job.job->id ? std::optional(job) : std::nullopt;
  }
  std::optional<Accumulators> accumulators(const JobId& id) override {
    return id == job.job->id ? std::optional(Accumulators()) : std::nullopt;
  }
  std::optional<WatermarkReport> watermarks(const JobId& id) override {
    return id == job.job->id ? std::optional(WatermarkReport()) : std::nullopt;
  }
  CancelOutcome cancel(const JobId& id) override {
    ++cancels;
    return id == job.job->id ? outcome : CancelOutcome::kUnknown;
  }

  ListedJob job = runningJob();
  bool silent = false;
  CancelOutcome outcome = CancelOutcome::kAccepted;
  int cancels = 0;
};

}  // namespace flott
