// What the master tells about its job.
#include <algorithm>

#include "flott/master/job_master.h"

namespace flott {

void JobMaster::readDetails(MoveFunction<void(JobDetails)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { reply(details()); });
}

void JobMaster::whenEnded(MoveFunction<void(JobDetails, std::vector<TaskAccumulators>)> then) {
  if (!whenEnded_) {
    whenEnded_ = std::move(then);
    return;
  }
  whenEnded_ = [first = std::move(whenEnded_), then = std::move(then)](
                   JobDetails last, std::vector<TaskAccumulators> accumulators) mutable {
    first(last, cloned(accumulators));
    then(std::move(last), std::move(accumulators));
  };
}

void JobMaster::readAccumulators(MoveFunction<void(Accumulators)> reply) {
  readTaskAccumulators(
      [reply = std::move(reply)](const std::vector<TaskAccumulators>& all) mutable { reply(merged(all)); });
}

void JobMaster::readTaskAccumulators(MoveFunction<void(std::vector<TaskAccumulators>)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { startQuery(std::move(reply)); });
}

std::map<TaskKey, Accumulators> JobMaster::endedAccumulators() const {
  std::map<TaskKey, Accumulators> all;
  for (const auto& [key, end] : ended_) all.emplace(key, end.accumulators.clone());
  return all;
}

std::vector<TaskAccumulators> JobMaster::named(std::map<TaskKey, Accumulators>&& parts) const {
  std::vector<TaskAccumulators> all;
  for (auto& [key, values] : parts) {
    const auto task = tasks_.find(key);
    if (task != tasks_.end()) all.push_back({task->second->id(), std::move(values)});
  }
  return all;
}

// A task either sends a copy of its accumulators or, when it has ended meanwhile, the last word about them.
void JobMaster::startQuery(MoveFunction<void(std::vector<TaskAccumulators>)> reply) {
  if (running_.empty()) return reply(named(endedAccumulators()));
  const auto query = queries_.insert(queries_.end(), {endedAccumulators(), running_, std::move(reply)});
  for (const TaskKey& key : running_) {
    task(key.first, SubtaskIndex(key.second)).readAccumulators([this, query, key](Accumulators copy) {
      mailbox_.post([this, query, key, copy = std::move(copy)] {
        if (running_.contains(key)) addToQuery(query, key, copy);
      });
    });
  }
}

void JobMaster::addToQuery(std::list<AccumulatorQuery>::iterator query, TaskKey task,
                           const Accumulators& part) {
  if (query->waitingFor.erase(task) == 0) return;
  query->parts.insert_or_assign(task, part.clone());
  if (!query->waitingFor.empty()) return;
  query->reply(named(std::move(query->parts)));
  queries_.erase(query);
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
