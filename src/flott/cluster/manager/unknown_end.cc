#include "flott/cluster/manager/unknown_end.h"

#include <memory>
#include <utility>

#include "flott/rest/job_archive.h"
#include "flott/rest/job_board.h"
#include "flott/rest/rest_api.h"

namespace flott {
namespace {

class OneJob final : public JobBoard {
 public:
  explicit OneJob(ListedJob job) : job_(std::move(job)) {}

  const ListedJob& job() const { return job_; }
  ClusterSummary cluster() override { return {}; }
  std::vector<ListedJob> jobs() override { return {job_}; }
  std::optional<ListedJob> find(const JobId&) override { return job_; }
  std::optional<std::vector<TaskAccumulators>> accumulators(const JobId&) override {
    return std::vector<TaskAccumulators>();
  }
  std::optional<WatermarkReport> watermarks(const JobId&) override { return WatermarkReport(); }
  AskOutcome cancel(const JobId&) override { return AskOutcome::kTooLate; }
  AskOutcome triggerSavepoint(const JobId&, SavepointOrder, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kTooLate;
  }
  AskOutcome triggerCheckpoint(const JobId&, MoveFunction<void(CheckpointOutcome)>) override {
    return AskOutcome::kTooLate;
  }

 private:
  const ListedJob job_;
};

}  // namespace

std::string archiveOfUnknownEnd(const Env& env, const JobId& id, const std::string& name, JobStatus status,
                                const Error& why, Timestamp began, Timestamp ended) {
  JobDescription description;
  description.id = id;
  description.name = name;
  JobDetails details;
  details.status = status;
  details.since.fill(Timestamp::min());
  details.since[static_cast<size_t>(JobStatus::kCreated)] = began;
  details.since[static_cast<size_t>(status)] = ended;
  if (status == JobStatus::kFailed)
    details.failures.push_back({.at = ended, .kind = why.kind(), .text = why.what(), .task = {}});
  OneJob board({std::make_shared<const JobDescription>(std::move(description)), std::move(details)});
  RestApi api(board, {}, env);
  return archiveOf(api, board.job());
}

}  // namespace flott
