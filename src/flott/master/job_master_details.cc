// What the master tells about its job.
#include <algorithm>

#include "flott/master/job_master.h"

namespace flott {

void JobMaster::readDetails(MoveFunction<void(JobDetails)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { reply(details()); });
}

void JobMaster::whenEnded(MoveFunction<void(JobDetails, Accumulators)> then) {
  if (!whenEnded_) {
    whenEnded_ = std::move(then);
    return;
  }
  whenEnded_ = [first = std::move(whenEnded_), then = std::move(then)](JobDetails last,
                                                                       Accumulators accumulators) mutable {
    first(last, accumulators.clone());
    then(std::move(last), std::move(accumulators));
  };
}

void JobMaster::setStatus(JobStatus status) {
  since_[static_cast<size_t>(status)] = now_.wall;
  status_.store(status, std::memory_order_release);
}

void JobMaster::noteFailure(const Error& error, std::optional<TaskId> task) {
  failures_.push_front({.at = now_.wall, .kind = error.kind(), .text = error.what(), .task = task});
  while (failures_.size() > options_.failureHistory) {
    failures_.pop_back();
    failuresForgotten_ = true;
  }
}

JobDetails JobMaster::details() const {
  JobDetails all;
  all.status = status();
  all.since = since_;
  all.restarts = std::max(attempt_, 0);
  all.attemptBegan = attemptBegan_;
  all.failures.assign(failures_.begin(), failures_.end());
  all.failuresForgotten = failuresForgotten_;
  all.checkpoints = checkpoints_.statistics();
  all.restores = restores_;
  all.restored = restored_;
  for (const auto& [key, task] : tasks_) {
    TaskDetails& mine = all.tasks.emplace_back();
    mine.id = task->id();
    mine.state = task->state();
    if (const auto end = ended_.find(key); end != ended_.end()) {
      mine.state = end->second.state;
      mine.ended = end->second.at;
    }
    TaskReadings readings = task->readMetrics(now_.nanos - startedNanos_);
    mine.operators = std::move(readings.operators);
    mine.metrics = std::move(readings.task);
    mine.worker = task->worker();
  }
  return all;
}

}  // namespace flott
