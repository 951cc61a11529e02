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
  std::optional<std::vector<TaskAccumulators>> accumulators(const JobId& id) override {
    return id == job.job->id ? std::optional(cloned(counted)) : std::nullopt;
  }
  std::optional<WatermarkReport> watermarks(const JobId& id) override {
    return id == job.job->id ? std::optional(WatermarkReport()) : std::nullopt;
  }
  AskOutcome cancel(const JobId& id) override {
    ++cancels;
    return id == job.job->id ? outcome : AskOutcome::kUnknown;
  }

  AskOutcome triggerSavepoint(const JobId& id, SavepointOrder order,
                              MoveFunction<void(CheckpointOutcome)> reply) override {
    orders.push_back(std::move(order));
    return take(id, std::move(reply));
  }
  AskOutcome triggerCheckpoint(const JobId& id, MoveFunction<void(CheckpointOutcome)> reply) override {
    return take(id, std::move(reply));
  }
  AskOutcome take(const JobId& id, MoveFunction<void(CheckpointOutcome)> reply) {
    if (id != job.job->id) return AskOutcome::kUnknown;
    if (outcome == AskOutcome::kAccepted) replies.push_back(std::move(reply));
    return outcome;
  }

  ListedJob job = runningJob();
  std::vector<TaskAccumulators> counted;
  std::vector<SavepointOrder> orders;
  std::vector<MoveFunction<void(CheckpointOutcome)>> replies;
  bool silent = false;
  AskOutcome outcome = AskOutcome::kAccepted;
  int cancels = 0;
};

}  // namespace flott
