#include "flott/master/job_master.h"

#include <algorithm>

#include "flott/env/job_scope.h"

namespace flott {
namespace {

// A task answers within a step, unless user code blocks its lane.
constexpr Duration kWatermarkAnswerTime = Duration::seconds(5);
// How soon a full off-load queue is tried again.
constexpr int64_t kWriteRetryNanos = 1'000'000;

}  // namespace

std::string_view toString(JobStatus status) {
  switch (status) {
    case JobStatus::kCreated:
      return "CREATED";
    case JobStatus::kRunning:
      return "RUNNING";
    case JobStatus::kFailing:
      return "FAILING";
    case JobStatus::kRestarting:
      return "RESTARTING";
    case JobStatus::kFailed:
      return "FAILED";
    case JobStatus::kCancelling:
      return "CANCELLING";
    case JobStatus::kCancelled:
      return "CANCELED";
    case JobStatus::kFinished:
      return "FINISHED";
  }
  return "UNKNOWN";
}

JobMaster::JobMaster(const JobGraph& graph, JobMasterOptions options, RestartPolicy restarts,
                     CheckpointStorage& checkpoints, Env& env, TaskDeployer& deployer)
    : graph_(graph),
      options_(std::move(options)),
      restarts_(std::move(restarts)),
      env_(env),
      deployer_(deployer),
      storage_(checkpoints),
      mailbox_(waker()),
      regions_(graph),
      checkpoints_(graph, options_.checkpoints, checkpoints, env, *this),
      savepointNames_(env.random.fork("savepoints of " + options_.jobId)) {}

JobMaster::~JobMaster() = default;

Runnable::Progress JobMaster::step(StepTime now) {
  const JobScope job(options_.jobId.c_str());
  now_ = now;
  try {
    if (startedNanos_ == 0) start();
    mailbox_.drain();
    runTimers();
  } catch (...) {
    fail(currentError());
  }
  advanceRegions();
  submitWrites();
  watchCancellation();
  const bool ended = windUp();
  if (abandoned_ || (ended && mailbox_.settled())) {
    finish();
    return Progress::kDone;
  }
  return mailbox_.empty() && !ended ? Progress::kIdle : Progress::kMore;
}

int64_t JobMaster::deadlineNanos() const {
  int64_t deadline = std::min(nextReminder_, timers_.empty() ? kNoDeadline : timers_.begin()->first);
  if (!toWrite_.empty()) deadline = std::min(deadline, now_.nanos + kWriteRetryNanos);
  return deadline;
}

// A checkpoint that is nearly complete still becomes so; what is not wanted any more goes.
bool JobMaster::windUp() {
  const auto busy = [this] {
    return !running_.empty() || !restarting_.empty() || asyncCalls_ > 0 || writing_ > 0 || !toWrite_.empty();
  };
  if (waitsForAttempt_ || busy()) return false;
  if (!std::exchange(attemptEnded_, true)) endAttempt();
  if (waitsForAttempt_ || busy()) return false;
  if (!std::exchange(jobEnded_, true)) {
    if (!whenDecided_ || whenDecided_(finalStatus(), error_)) checkpoints_.endJob(finalStatus());
  }
  submitWrites();
  return !busy();
}

JobStatus JobMaster::finalStatus() const {
  return error_ ? JobStatus::kFailed : cancelled_ ? JobStatus::kCancelled : JobStatus::kFinished;
}

void JobMaster::start() {
  startedNanos_ = now_.nanos;
  setStatus(JobStatus::kCreated);
  lookForLeftOvers();
}

void JobMaster::runTimers() {
  while (!timers_.empty() && timers_.begin()->first <= now_.nanos) {
    MoveFunction<void()> then = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    if (!cancelling_) then();
  }
}

// The first cause is kept; what fails because others were cancelled adds nothing.
void JobMaster::fail(Error error, std::optional<TaskId> task) {
  if (error_ || cancelling_ || cancelled_) return;
  noteFailure(error, task);
  RestartDecision decision;
  if (const std::string& savepoint = checkpoints_.stoppedWith(); savepoint.empty()) {
    decision = decideAfter(error);
  } else {
    error.at(
        "stopping with the savepoint in '" + savepoint +
        "', which is complete; what sinks have not published of it they publish when a job starts from it");
  }
  if (decision.after && task && !triesAnother_ && mayRestartRegion(regions_.of(keyOf(*task)))) {
    env_.log.warn("job", "'" + graph_.jobName + "' begins " +
                             std::to_string(regions_.tasks(regions_.of(keyOf(*task))).size()) + " of its " +
                             std::to_string(tasks_.size()) + " tasks anew in " + toString(*decision.after) +
                             ", since one of them failed: " + error.what());
    return restartRegion(regions_.of(keyOf(*task)), *decision.after);
  }
  restartAfter_ = decision.after;
  if (restartAfter_) {
    env_.log.warn("job", "'" + graph_.jobName + "' begins anew in " + toString(*restartAfter_) +
                             ", since it failed: " + error.what());
    setStatus(JobStatus::kRestarting);
  } else {
    if (!decision.whyNot.empty()) {
      error.at("after " + std::to_string(attempt_) + (attempt_ == 1 ? " restart (" : " restarts (") +
               decision.whyNot + ")");
    }
    env_.log.error("job", "'" + graph_.jobName + "' failed: " + error.what());
    error_ = std::move(error);
    setStatus(JobStatus::kFailing);
  }
  cancelTasks();
}

// What a function throws may be the world's fault as well as the program's, which its kind cannot tell: it
// restarts the job, too, unless it comes again from the same checkpoint at the same record.
RestartDecision JobMaster::decideAfter(const Error& error) {
  if (triesAnother_) return RestartDecision::in(Duration());
  if (attempt_ < 0 || !restarts_) return {};
  if (error.kind() == ErrorKind::kCorruption) return RestartDecision::no("stored state is damaged");
  const auto isRecord = [](const std::string& place) { return place.starts_with("record "); };
  const bool atRecord = std::any_of(error.context().begin(), error.context().end(), isRecord);
  const CheckpointId from = checkpoints_.latest() != nullptr ? checkpoints_.latest()->id : CheckpointId();
  const bool again = atRecord && lastFailure_.text == error.what() && lastFailure_.checkpoint == from;
  lastFailure_ = {error.what(), from};
  if (again) return RestartDecision::no("the same record failed in the same way after the restart before");
  return restarts_(error, now_.nanos);
}

void JobMaster::cancelTasks() {
  cancelling_ = true;
  cancelledAt_ = now_.nanos;
  nextReminder_ = now_.nanos + options_.cancellationInterval.ms * 1'000'000;
  if (options_.cancellationTimeout.ms > 0) {
    nextReminder_ = std::min(nextReminder_, now_.nanos + options_.cancellationTimeout.ms * 1'000'000);
  }
  waitsForAttempt_ = false;
  restarting_.clear();
  checkpoints_.abandonAttempt(cancelled_ ? "the job is being cancelled" : "the job has failed");
  timers_.clear();
  for (const TaskKey& key : running_) task(key.first, SubtaskIndex(key.second)).cancel();
}

void JobMaster::watchCancellation() {
  if (now_.nanos < nextReminder_) return;
  const auto isAskedToEnd = [this](const TaskKey& key) {
    return cancelling_ || restarting_.contains(regions_.of(key));
  };
  std::string waiting;
  for (const TaskKey& key : running_) {
    if (isAskedToEnd(key))
      waiting += (waiting.empty() ? "" : "; ") + task(key.first, SubtaskIndex(key.second)).where();
  }
  if (!cancelling_ && waiting.empty()) {
    nextReminder_ = kNoDeadline;
    return;
  }
  if (asyncCalls_ > 0) waiting += std::string(waiting.empty() ? "" : "; ") + "calls of split enumerators";
  if (writing_ > 0) waiting += std::string(waiting.empty() ? "" : "; ") + "files of checkpoints";
  const Duration since = Duration::millis((now_.nanos - cancelledAt_) / 1'000'000);
  if (options_.cancellationTimeout.ms > 0 && since >= options_.cancellationTimeout) {
    Error stuck(ErrorKind::kUser, "did not react to cancellation for " + toString(since) +
                                      ": a user function or an off-loaded call blocks; it is left behind (" +
                                      waiting + "). Make it return, or raise task.cancellation.timeout");
    env_.log.error("job", "'" + graph_.jobName + "' " + stuck.what());
    restartAfter_.reset();
    noteFailure(stuck, {});
    if (!error_) error_ = std::move(stuck);
    if (cancelling_) {
      abandoned_.store(true, std::memory_order_release);
    } else {  // of a region; the rest has to end first
      setStatus(JobStatus::kFailing);
      cancelTasks();
    }
    return;
  }
  env_.log.warn(
      "job", "'" + graph_.jobName + "': cancelled " + toString(since) + " ago, still waiting for " + waiting);
  nextReminder_ = now_.nanos + options_.cancellationInterval.ms * 1'000'000;
}

void JobMaster::finish() {
  endedNanos_ = now_.nanos;
  const JobStatus final = finalStatus();
  while (!watermarkQueries_.empty()) answerWatermarkQuery(watermarkQueries_.begin()->first);
  since_[static_cast<size_t>(final)] = now_.wall;
  if (whenEnded_) {
    JobDetails last = details();
    last.status = final;
    whenEnded_(std::move(last), named(endedAccumulators()));
  }
  setStatus(final);
  env_.log.info("job", "'" + graph_.jobName + "' is " + std::string(toString(final)));
}

void JobMaster::onTaskEnded(TaskId task, TaskState state, std::optional<Error> error,
                            Accumulators accumulators) {
  mailbox_.post(
      [this, task, state, error = std::move(error), accumulators = std::move(accumulators)]() mutable {
        taskEnded(task, state, std::move(error), std::move(accumulators));
      });
}

void JobMaster::taskEnded(TaskId task, TaskState state, std::optional<Error> error,
                          Accumulators accumulators) {
  running_.erase(keyOf(task));
  alignment_.report(task.vertex, task.subtask, Timestamp::max());
  for (auto query = watermarkQueries_.begin(); query != watermarkQueries_.end();) {
    auto& [id, asked] = *query++;
    if (asked.waitingFor.erase(keyOf(task)) > 0 && asked.waitingFor.empty()) answerWatermarkQuery(id);
  }
  for (auto query = queries_.begin(); query != queries_.end();)
    addToQuery(query++, keyOf(task), accumulators);
  ended_[keyOf(task)] = {.state = state, .at = now_.wall, .accumulators = std::move(accumulators)};
  if (regionTaskEnded(task)) return;
  if (state == TaskState::kFinished) checkpoints_.taskFinished(task);
  if (state == TaskState::kFailed) fail(std::move(*error), task);
}

void JobMaster::reportDamaged(TaskId task, Error what) {
  mailbox_.post([this, task, what = std::move(what)] {
    if (running_.contains(keyOf(task))) damaged(keyOf(task), what);
  });
}

TaskGateway& JobMaster::task(int vertex, SubtaskIndex subtask) { return *tasks_.at({vertex, subtask.value}); }

void JobMaster::requestSplit(TaskId task) {
  mailbox_.post([this, task] {
    if (!cancelling_) coordinators_.at(task.vertex)->handleSplitRequest(task.subtask);
  });
}

void JobMaster::sendSourceEvent(TaskId task, std::string event) {
  mailbox_.post([this, task, event = std::move(event)] {
    if (!cancelling_) coordinators_.at(task.vertex)->handleSourceEvent(task.subtask, event);
  });
}

void JobMaster::cancel() {
  mailbox_.post([this] {
    if (error_ || cancelled_ || isFinal(status())) return;
    env_.log.info("job", "'" + graph_.jobName + "' is being cancelled");
    setStatus(JobStatus::kCancelling);
    cancelled_ = true;
    if (!cancelling_) cancelTasks();
  });
}

void JobMaster::giveUp(Error why) {
  mailbox_.post([this, why = std::move(why)]() mutable {
    if (error_ || cancelled_ || isFinal(status())) return;
    restarts_ = {};
    triesAnother_ = false;
    if (!cancelling_) return fail(std::move(why));
    restartAfter_.reset();  // what runs ends already
    noteFailure(why, {});
    env_.log.error("job", "'" + graph_.jobName + "' failed: " + why.what());
    error_ = std::move(why);
    setStatus(JobStatus::kFailing);
  });
}

void JobMaster::explainWatermarks(MoveFunction<void(WatermarkReport)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable { startWatermarkQuery(std::move(reply)); });
}

void JobMaster::startWatermarkQuery(MoveFunction<void(WatermarkReport)> reply) {
  const int64_t id = ++lastWatermarkQuery_;
  watermarkQueries_[id] = {.times = {}, .waitingFor = running_, .reply = std::move(reply)};
  if (running_.empty()) return answerWatermarkQuery(id);
  for (const TaskKey& key : running_) {
    task(key.first, SubtaskIndex(key.second)).readTimes([this, id, key](TaskTimes times) {
      mailbox_.post([this, id, key, times = std::move(times)]() mutable {
        const auto query = watermarkQueries_.find(id);
        if (query == watermarkQueries_.end() || query->second.waitingFor.erase(key) == 0) return;
        query->second.times.emplace(key, std::move(times));
        if (query->second.waitingFor.empty()) answerWatermarkQuery(id);
      });
    });
  }
  callAfter(kWatermarkAnswerTime, [this, id] { answerWatermarkQuery(id); });
}

// Tasks that have ended, and those that do not answer because user code blocks their lane, are left out.
void JobMaster::answerWatermarkQuery(int64_t id) {
  auto query = watermarkQueries_.extract(id);
  if (query.empty()) return;
  query.mapped().reply(makeWatermarkReport(graph_, query.mapped().times, query.mapped().waitingFor));
}

void JobMaster::reportWatermark(TaskId task, Timestamp time) {
  mailbox_.post([this, task, time] {
    alignment_.report(task.vertex, task.subtask, time);
    if (options_.stallWarning == Duration() || std::exchange(watchesWatermarks_, true)) return;
    watchWatermarks();
  });
}

// Looks four times in the warning time, so that a stall is reported between 1 and 1.25 times of it.
void JobMaster::watchWatermarks() {
  callAfter(Duration::millis(std::max<int64_t>(1, options_.stallWarning.ms / 4)), [this] {
    startWatermarkQuery([this](const WatermarkReport& report) {
      for (const std::string& text : stalls_.news(report, options_.stallWarning)) {
        env_.log.warn("watermarks", "'" + graph_.jobName + "': " + text);
      }
      if (!cancelling_ && !running_.empty()) watchWatermarks();
    });
  });
}

void JobMaster::announceLimit(int vertex) {
  const Timestamp limit = alignment_.limit(vertex);
  if (const auto known = limits_.find(vertex); known == limits_.end() || known->second != limit) {
    limits_[vertex] = limit;
    for (const TaskKey& key : running_) {
      if (key.first == vertex) task(vertex, SubtaskIndex(key.second)).setWatermarkLimit(limit);
    }
  }
  callAfter(alignment_.of(vertex).updateInterval, [this, vertex] { announceLimit(vertex); });
}

void JobMaster::callAsync(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) {
  struct Call {
    MoveFunction<void()> work, done;
    std::optional<Error> error;
  };
  auto call = std::make_shared<Call>(Call{.work = std::move(work), .done = std::move(done), .error = {}});
  const bool taken = env_.offload.submit(what, [this, call]() mutable {
    try {
      call->work();
    } catch (...) {
      call->error = currentError();
    }
    mailbox_.post([this, call = std::move(call)] {
      --asyncCalls_;
      if (cancelling_) return;
      if (call->error) throw *call->error;
      call->done();
    });
  });
  if (taken) {
    ++asyncCalls_;
    return;
  }
  callAfter(Duration::millis(1), [this, what = std::move(what), call]() mutable {
    callAsync(std::move(what), std::move(call->work), std::move(call->done));
  });
}

void JobMaster::callAfter(Duration delay, MoveFunction<void()> then) {
  timers_.emplace(deadlineAfter(env_.clock, delay), std::move(then));
}

void JobMaster::backlogChanged() {
  checkpoints_.setBacklog(std::any_of(coordinators_.begin(), coordinators_.end(), [](const auto& source) {
    return source.second != nullptr && source.second->backlog();
  }));
}

JobResult JobMaster::result() const {
  FLOTT_CHECK(isFinal(status()), "the job has not ended");
  JobResult result{.jobName = graph_.jobName,
                   .status = status(),
                   .error = error_,
                   .runNanos = endedNanos_ - startedNanos_,
                   .restarts = std::max(attempt_, 0),
                   .accumulators = merged(named(endedAccumulators())),
                   .metrics = {},
                   .checkpoints = checkpoints_.statistics()};
  if (abandoned_) return result;  // a lost thread may still write metrics
  for (const auto& [key, task] : tasks_) {
    std::vector<OperatorReadings> readings = task->readMetrics(result.runNanos).operators;
    for (OperatorReadings& op : readings) {  // of an end there is no rate
      std::erase_if(op.metrics, [](const MetricReading& reading) {
        return reading.name == "numRecordsInPerSecond" || reading.name == "numRecordsOutPerSecond";
      });
      result.metrics.push_back(std::move(op));
    }
  }
  return result;
}

}  // namespace flott
