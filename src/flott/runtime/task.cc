#include "flott/runtime/task.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "flott/base/options.h"
#include "flott/env/deed.h"
#include "flott/env/job_scope.h"
#include "flott/runtime/state_backend.h"

namespace flott {
namespace {

// Elements or polls worked off in a step before other tasks of the lane get their turn.
constexpr int kStepBudget = 16;
// How soon a full off-load queue is tried again.
constexpr int64_t kOffloadRetryNanos = 1'000'000;

double wholeMillis(int64_t nanos) {
  const int64_t millis = nanos / 1'000'000;
  return static_cast<double>(millis);
}

}  // namespace

std::string_view toString(TaskState state) {
  switch (state) {
    case TaskState::kCreated:
      return "CREATED";
    case TaskState::kRunning:
      return "RUNNING";
    case TaskState::kClosing:
      return "CLOSING";
    case TaskState::kFinished:
      return "FINISHED";
    case TaskState::kFailed:
      return "FAILED";
    case TaskState::kCancelled:
      return "CANCELED";
  }
  return "UNKNOWN";
}

struct Task::OffloadedWork {
  std::string what;
  MoveFunction<void()> work;
  MoveFunction<void(std::optional<Error>)> done;
  std::optional<Error> error;
};

/// What the task starts from comes in files. Not by mail, none of which is read before the task is open.
struct Task::Fetch {
  bool submitted = false;
  std::atomic<bool> done{false};
  std::optional<Error> error;
};

Task::Task(TaskId id, ChainOptions options, CheckpointStorage& checkpoints, Env& env, BatchPools& pools,
           MasterGateway& master)
    : id_(id),
      options_(std::move(options)),
      deed_("vertex '" + options_.vertex->name + "', subtask " + std::to_string(id_.subtask.value + 1) + "/" +
            std::to_string(options_.vertex->parallelism)),
      env_(env),
      pools_(pools),
      storage_(checkpoints),
      master_(master),
      mailbox_(waker()),
      checkpoints_(id, checkpoints, env, master) {}

Task::~Task() = default;

void Task::wire(Wiring wiring) { wiring_ = std::move(wiring); }

std::string Task::where() const {
  if (hasChain_.load(std::memory_order_acquire)) return chain_->where();
  return "operator '" + options_.vertex->name + "', subtask " + std::to_string(id_.subtask.value + 1) + "/" +
         std::to_string(options_.vertex->parallelism);
}

void Task::cancel() {
  cancelled_.store(true, std::memory_order_release);
  waker().wake();
}

void Task::fail(Error error) {
  mailbox_.post([this, error = std::move(error)]() mutable {
    if (state() == TaskState::kRunning) throw std::move(error);
  });
}

void Task::assignSplits(std::vector<SourceSplit> splits) {
  mailbox_.post([this, splits = std::move(splits)]() mutable {
    if (!working()) return;
    sourceIdle_ = false;
    chain_->enterReader().addSplits(std::move(splits));
  });
}

void Task::signalNoMoreSplits() {
  mailbox_.post([this] {
    if (!working()) return;
    sourceIdle_ = false;
    chain_->enterReader().onNoMoreSplits();
  });
}

void Task::deliverSourceEvent(std::string event) {
  mailbox_.post([this, event = std::move(event)] {
    if (!working()) return;
    sourceIdle_ = false;
    chain_->enterReader().handleSourceEvent(event);
  });
}

void Task::setWatermarkLimit(Timestamp limit) {
  mailbox_.post([this, limit] {
    if (!working()) return;
    sourceIdle_ = false;
    chain_->enterReader().onWatermarkLimit(limit);
  });
}

void Task::triggerCheckpoint(Barrier barrier) {
  mailbox_.post([this, barrier = std::move(barrier)] {
    if (!working()) return;
    if (chain_->inputEnded()) {
      if (finalCheckpoint_.awaited || chain_->lingers()) finalCheckpoint_.triggered.push_back(barrier);
      return;
    }
    if (!chain_->hasReader()) return wiring_->gate.expectBarrier(barrier);
    // It cannot wait for the cut before it: splits that come by later mail do not belong to it.
    checkpoints_.begin(*chain_, barrier, now_, {});
    chain_->injectBarrier(barrier);
  });
}

void Task::endCheckpoint(CheckpointId checkpoint, bool completed) {
  mailbox_.post([this, checkpoint, completed] {
    if (!working()) return;
    checkpoints_.end(checkpoint, completed);
    if (std::optional<MoveFunction<void()>> rest = checkpoints_.cleanUpOfCopies(checkpoint, completed))
      offload("remove local copies of state", *std::move(rest), [](const std::optional<Error>&) {});
    if (!completed) wiring_->gate.abandonBarrier(checkpoint);
    std::erase_if(finalCheckpoint_.triggered,
                  [checkpoint](const Barrier& barrier) { return barrier.checkpoint == checkpoint; });
    const bool suspended = chain_->suspended() && chain_->suspendedBy() == checkpoint;
    chain_->endCheckpoint(checkpoint, completed);
    if (suspended && completed) stopped_ = true;
    if (suspended && !completed) sourceIdle_ = false;
    if (stopped_) finalCheckpoint_.awaited = false;
    finalCheckpoint_.reported = false;
    if (finalCheckpoint_.cut.erase(checkpoint) > 0 && completed) finalCheckpoint_.awaited = false;
  });
}

void Task::drain() {
  mailbox_.post([this] {
    if (!working()) return;
    draining_ = true;
    finalCheckpoint_.awaited = true;
  });
}

void Task::readTimes(MoveFunction<void(TaskTimes)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable {
    if (state() != TaskState::kRunning) return;
    TaskTimes times;
    times.nowNanos = now_.nanos;
    times.heldUpSinceNanos = heldUpSince_;
    times.nodes = chain_->times();
    times.inputs = wiring_->gate.times();
    reply(std::move(times));
  });
}

void Task::readAccumulators(MoveFunction<void(Accumulators)> reply) {
  mailbox_.post([this, reply = std::move(reply)]() mutable {
    if (state() == TaskState::kRunning) reply(chain_->accumulators().clone());
  });
}

TaskReadings Task::readMetrics(int64_t elapsedNanos) const {
  TaskReadings readings;
  for (const OperatorChain::NodeMetrics& node : metrics())
    readings.operators.push_back({node.info, node.metrics.read(elapsedNanos)});
  addRates(readings);
  return readings;
}

/// A counter of the task, and its name in metrics.
struct Task::Counted {
  const char* name;
  int64_t value;
};

std::vector<Task::Counted> Task::counted(const OperatorChain::Traffic& traffic) const {
  const auto& [local, remote] = wiring_->gate.received();
  return {{"numRecordsIn", traffic.nodes.empty() ? 0 : traffic.nodes.front().first},
          {"numRecordsOut", traffic.recordsOut},
          {"numBytesIn", local.bytes() + remote.bytes()},
          {"numBytesOut", traffic.bytesOut},
          {"numBuffersOut", traffic.batchesOut},
          {"Shuffle.Netty.Input.numBytesInLocal", local.bytes()},
          {"Shuffle.Netty.Input.numBytesInRemote", remote.bytes()},
          {"Shuffle.Netty.Input.numBuffersInLocal", local.batches()},
          {"Shuffle.Netty.Input.numBuffersInRemote", remote.batches()}};
}

/// What rates are made of: of each operator, then of the task, its mail last.
std::vector<int64_t> Task::counters(const OperatorChain::Traffic& traffic) const {
  std::vector<int64_t> all;
  for (const auto& [in, out] : traffic.nodes) all.insert(all.end(), {in, out});
  for (const Counted& counter : counted(traffic)) all.push_back(counter.value);
  all.push_back(mailbox_.read());
  return all;
}

// Not at each change: that would cost records something.
void Task::sample() {
  activity_.sample(now_.nanos, counters(chain_->traffic()));
  chain_->publishStateSizes();
}

void Task::addRates(TaskReadings& readings) const {
  const int64_t now = env_.clock.monotonicNanos();
  const OperatorChain::Traffic traffic =
      readings.operators.empty() ? OperatorChain::Traffic() : chain_->traffic();
  const TaskActivity::Rates rates = activity_.rates(now, counters(traffic));
  for (size_t i = 0; i < readings.operators.size(); ++i) {
    std::vector<MetricReading>& metrics = readings.operators[i].metrics;
    metrics.push_back(gaugeReading("numRecordsInPerSecond", rates.perSecond[2 * i]));
    metrics.push_back(gaugeReading("numRecordsOutPerSecond", rates.perSecond[2 * i + 1]));
  }
  std::vector<MetricReading>& task = readings.task;
  addActivity(rates, now, task);
  task.push_back(gaugeReading("mailboxQueueSize", static_cast<double>(mailbox_.size())));
  task.push_back(gaugeReading("mailboxMailsPerSecond", rates.perSecond.back()));
  task.push_back(histogramReading("mailboxLatencyMs", mailLatency_.millis()));
  if (readings.operators.empty()) return;
  task.push_back(gaugeReading("initializationTime", wholeMillis(openNanos_.load())));
  const double* rate = rates.perSecond.data() + 2 * readings.operators.size();
  for (const Counted& counter : counted(traffic)) {
    task.push_back(counterReading(counter.name, counter.value));
    task.push_back(gaugeReading(counter.name + std::string("PerSecond"), *rate++));
  }
  const ChannelFill in = wiring_->gate.fill();
  const auto addFill = [&task](const std::string& name, const ChannelFill& fill, const char* usage) {
    task.push_back(gaugeReading(name + "QueueLength", static_cast<double>(fill.waiting)));
    task.push_back(gaugeReading(usage, fill.share()));
  };
  addFill("Shuffle.Netty.Input.Buffers.input", in, "Shuffle.Netty.Input.Buffers.inPoolUsage");
  addFill("Shuffle.Netty.Output.Buffers.output", traffic.out, "Shuffle.Netty.Output.Buffers.outPoolUsage");
  task.push_back(gaugeReading("checkpointAlignmentTime", static_cast<double>(checkpoints_.lastAlignment())));
  task.push_back(
      gaugeReading("checkpointStartDelayNanos", static_cast<double>(checkpoints_.lastStartDelay())));
  const int64_t fromCopies = restored_.fromCopies.load(std::memory_order_relaxed);
  const int64_t fromStorage = restored_.fromStorage.load(std::memory_order_relaxed);
  if (fromCopies + fromStorage == 0) return;
  task.push_back(gaugeReading("restoredLocalBytes", static_cast<double>(fromCopies)));
  task.push_back(gaugeReading("restoredRemoteBytes", static_cast<double>(fromStorage)));
}

void Task::addActivity(const TaskActivity::Rates& rates, int64_t nowNanos,
                       std::vector<MetricReading>& task) const {
  const TaskActivity::Spent spent = activity_.spent(nowNanos);
  const auto inState = [&](TaskActivity::State state, const std::string& name, const std::string& total) {
    task.push_back(gaugeReading(name, std::round(rates.share[state] * 1000)));
    task.push_back(gaugeReading(total, wholeMillis(spent[state])));
  };
  inState(TaskActivity::kBusy, "busyTimeMsPerSecond", "accumulateBusyTimeMs");
  inState(TaskActivity::kIdle, "idleTimeMsPerSecond", "accumulateIdleTimeMs");
  inState(TaskActivity::kBackPressured, "backPressuredTimeMsPerSecond", "accumulateBackPressuredTimeMs");
  const bool heldUp = activity_.state() == TaskActivity::kBackPressured;
  task.push_back(gaugeReading("isBackPressured", heldUp ? 1 : 0));
}

std::vector<OperatorChain::NodeMetrics> Task::metrics() const {
  if (!hasChain_.load(std::memory_order_acquire)) return {};
  return chain_->metrics();
}

void Task::requestSplit() { master_.requestSplit(id_); }
void Task::sendSourceEvent(std::string event) { master_.sendSourceEvent(id_, std::move(event)); }
void Task::reportWatermark(Timestamp time) { master_.reportWatermark(id_, time); }

void Task::post(MoveFunction<void()> mail) {
  mailbox_.post([this, mail = std::move(mail)]() mutable {
    if (state() == TaskState::kRunning) mail();
  });
}

void Task::offload(std::string what, MoveFunction<void()> work,
                   MoveFunction<void(std::optional<Error>)> done) {
  toSubmit_.push_back(std::make_shared<OffloadedWork>(
      OffloadedWork{.what = std::move(what), .work = std::move(work), .done = std::move(done), .error = {}}));
  submitOffloaded();
}

// The task outlives its off-loaded work: it does not end before every reply is here. The reply takes all that
// the closures hold with it, since it may be batches, which must not outlive the task's pools in another
// thread.
void Task::submitOffloaded() {
  while (!toSubmit_.empty()) {
    const std::string& what = toSubmit_.front()->what;
    const bool taken = env_.offload.submit(what, [this, work = toSubmit_.front()]() mutable {
      try {
        work->work();
      } catch (...) {
        work->error = currentError();
      }
      mailbox_.post([this, work = std::move(work)] {
        --offloaded_;
        if (!working()) return;
        sourceIdle_ = false;
        work->done(std::move(work->error));
      });
    });
    if (!taken) return;
    ++offloaded_;
    toSubmit_.pop_front();
  }
}

Runnable::Progress Task::step(StepTime now) {
  const Deed deed(deed_.c_str());
  const JobScope job(options_.jobId.c_str());
  now_ = now;
  if (firstNanos_ == 0) firstNanos_ = now.nanos;
  if (chain_ != nullptr && activity_.sampleDue(now.nanos)) sample();
  activity_.begin(now.nanos);
  mailLatency_.beginStep(now.nanos);
  const Progress progress = stepped();
  if (progress == Progress::kDone) {
    activity_.end(env_.clock.monotonicNanos());
  } else if (progress == Progress::kIdle) {
    const int64_t rested = env_.clock.monotonicNanos();
    activity_.rest(heldUpSince_ != 0 ? TaskActivity::kBackPressured : TaskActivity::kIdle, rested);
    mailLatency_.rest(rested);
  }
  return progress;
}

Runnable::Progress Task::stepped() {
  Progress progress;
  try {
    if (state() == TaskState::kCreated) {
      if (!fetched()) return Progress::kIdle;
      if (!cancelled_.load(std::memory_order_acquire)) openChain();
    }
    mailbox_.drain();
    progress = run();
  } catch (...) {
    progress = end(TaskState::kFailed, chain_ ? chain_->located() : currentError().at(where()));
  }
  computeDeadline();
  return progress;
}

/// True when there is nothing to fetch, or all is here. What was begun is waited for, also when the task was
/// cancelled.
bool Task::fetched() {
  std::vector<RestoredOperator>& operators = wiring_->restored.operators;
  if (fetch_ == nullptr) {
    const bool any = std::any_of(operators.begin(), operators.end(),
                                 [](const RestoredOperator& op) { return op.toFetch(); });
    if (!any) return true;
    fetch_ = std::make_shared<Fetch>();
  }
  if (!fetch_->submitted) {
    if (cancelled_.load(std::memory_order_acquire)) return true;
    const auto work = [this, &operators, fetch = fetch_] {
      try {
        fetchInto(operators);
      } catch (...) {
        fetch->error = currentError();
      }
      fetch->done.store(true, std::memory_order_release);
      waker().wake();
    };
    deadline_ = now_.nanos + kOffloadRetryNanos;
    fetch_->submitted = env_.offload.submit("fetch state of " + where(), work);
    if (fetch_->submitted) deadline_ = kNoDeadline;
    return false;
  }
  if (!fetch_->done.load(std::memory_order_acquire)) return false;
  if (!fetch_->error || cancelled_.load(std::memory_order_acquire)) return true;
  if (fetch_->error->kind() == ErrorKind::kCorruption) master_.reportDamaged(id_, *fetch_->error);
  throw std::move(*fetch_->error);
}

/// On an off-load thread.
void Task::fetchInto(std::vector<RestoredOperator>& operators) {
  const JobVertex& vertex = *options_.vertex;
  const Configuration defaults;
  const Configuration& configuration = options_.configuration != nullptr ? *options_.configuration : defaults;
  CheckpointStorage storage = storage_.countingIn(restored_);
  for (size_t i = 0; i < operators.size(); ++i) {
    const OperatorInfo info{.jobName = options_.jobName,
                            .name = vertex.chain[i].name,
                            .uid = vertex.chain[i].uid,
                            .id = vertex.chain[i].id,
                            .subtask = id_.subtask,
                            .parallelism = vertex.parallelism,
                            .maxParallelism = vertex.maxParallelism};
    try {
      if (operators[i].toFetch()) fetchState(storage, configuration, info, options_.coldMemory, operators[i]);
    } catch (Error& error) {
      throw std::move(error).at("state of operator '" + info.name + "'");
    }
  }
}

// Before any mail is read: what the master sends is for a running task.
void Task::openChain() {
  ChainOptions options = options_;
  chain_ =
      std::make_unique<OperatorChain>(std::move(options), env_, pools_, *this, std::move(wiring_->exchanges));
  hasChain_.store(true, std::memory_order_release);
  state_.store(TaskState::kRunning, std::memory_order_release);
  endedBefore_ = wiring_->restored.finished;
  if (endedBefore_) return;
  for (size_t i = 0; i < wiring_->restored.operators.size(); ++i) {
    const ColdStates& cold = wiring_->restored.operators[i].cold;
    if (!cold.files.empty()) checkpoints_.hasStored(cold.checkpoint, i, cold.files);
  }
  chain_->open(std::move(wiring_->restored));
  openNanos_.store(env_.clock.monotonicNanos() - firstNanos_);
  finalCheckpoint_.awaited =
      options_.configuration->find(kCheckpointInterval).has_value() && chain_->awaitsFinalCheckpoint();
  if (chain_->makesWatermarks()) reportWatermark(Timestamp::min());
  const Duration interval = options_.configuration->get(kLatencyInterval);
  if (!chain_->hasReader() || interval == Duration()) return;
  markerNanos_ = interval.ms * 1'000'000;
  nextMarker_ = now_.nanos;
}

// A source that back-pressure holds up sends none; what its markers would wait for is not yet in a channel.
void Task::sendMarkers() {
  if (now_.nanos < nextMarker_ || chain_->blocked() || chain_->suspended()) return;
  nextMarker_ = sourceEnded_ ? kNoDeadline : now_.nanos + markerNanos_;
  if (!sourceEnded_) chain_->emitMarker();
}

Runnable::Progress Task::run() {
  if (state() == TaskState::kClosing) return closing();
  if (cancelled_.load(std::memory_order_acquire)) return end(TaskState::kCancelled, std::nullopt);
  if (endedBefore_) return passEndOn();
  submitOffloaded();
  chain_->beginStep();
  wiring_->gate.beginStep(now_);
  sendMarkers();
  bool more = true;
  bool stalled = false;
  for (int budget = kStepBudget; more && budget > 0; --budget) {
    chain_->hurry(wiring_->gate.overtakingDue() || chain_->overtakingInside());
    chain_->drain();
    chain_->runDue();
    stalled = chain_->blocked();
    more = !stalled && (chain_->hasReader() ? pollSource() : takeInput());
  }
  chain_->drain();
  if (stalled && !chain_->blocked()) more = true;  // room has come meanwhile: nobody will wake us for it
  noteBackPressure(stalled);
  cutFinal();
  reportEnd();
  if (checkpoints_.step(*chain_, wiring_->gate, *this) || barrierCanGoOn()) more = true;
  if (finished()) return end(TaskState::kFinished, std::nullopt);
  chain_->endStep();
  if (finished()) return end(TaskState::kFinished, std::nullopt);
  return more || chain_->canGoOn() || !mailbox_.empty() ? Progress::kMore : Progress::kIdle;
}

/// One that had to wait for the cut before it.
bool Task::barrierCanGoOn() const {
  return !chain_->cutting() && (held_ || (!finalCheckpoint_.triggered.empty() && chain_->finished()));
}

// The barrier goes nowhere: those behind have got their last element.
void Task::cutFinal() {
  std::deque<Barrier>& triggered = finalCheckpoint_.triggered;
  while (!triggered.empty() && chain_->finished() && !chain_->cutting()) {
    checkpoints_.begin(*chain_, triggered.front(), now_, {});
    chain_->cutEnded(triggered.front());
    finalCheckpoint_.cut.insert(triggered.front().checkpoint);
    triggered.pop_front();
  }
}

void Task::reportEnd() {
  if (!finalCheckpoint_.awaited || finalCheckpoint_.reported || !chain_->finished()) return;
  finalCheckpoint_.reported = true;
  master_.awaitFinalCheckpoint(id_);
}

// What comes are ends, too: of tasks that were restored as finished as this one was.
Runnable::Progress Task::passEndOn() {
  while (wiring_->gate.next()) {
  }
  if (!wiring_->gate.ended()) return Progress::kIdle;
  if (!chain_->inputEnded()) chain_->endWithoutOperators();
  chain_->drain();
  return chain_->finished() ? end(TaskState::kFinished, std::nullopt) : Progress::kIdle;
}

void Task::noteBackPressure(bool heldUp) {
  if (heldUp == (heldUpSince_ != 0)) return;
  if (!heldUp) heldUpNanos_ += now_.nanos - heldUpSince_;
  heldUpSince_ = heldUp ? now_.nanos : 0;
}

bool Task::takeInput() {
  InputGate& gate = wiring_->gate;
  if (held_) {
    if (chain_->cutting()) return false;
    std::optional<InputGate::Event> event = std::exchange(held_, std::nullopt);
    chain_->deliver(event->input, std::move(event->element));
    return true;
  }
  std::optional<InputGate::Event> event = gate.next();
  if (!event) return false;
  if (const auto* barrier = std::get_if<Barrier>(&event->element)) {
    if (chain_->inputEnded()) return true;
    checkpoints_.begin(*chain_, *barrier, now_,
                       {.nanos = gate.alignmentNanos(),
                        .bytes = gate.alignmentBytes(),
                        .overtook = gate.captures(barrier->checkpoint)});
    if (chain_->cutting()) {
      held_ = std::move(event);
      return false;
    }
  }
  chain_->deliver(event->input, std::move(event->element));
  return true;
}

bool Task::pollSource() {
  if (chain_->suspended()) return false;
  if (draining_ && !sourceEnded_) {
    sourceEnded_ = true;
    chain_->endSource();
    return true;
  }
  if (chain_->takeReaderCall()) sourceIdle_ = false;
  if (sourceEnded_ || sourceIdle_) return false;
  switch (chain_->poll()) {
    case Poll::kMore:
      return true;
    case Poll::kIdle:
      sourceIdle_ = true;
      return false;
    case Poll::kEnd:
      sourceEnded_ = true;
      chain_->endSource();
      return true;
  }
  return false;
}

void Task::computeDeadline() {
  deadline_ = kNoDeadline;
  if (state() != TaskState::kRunning) return;
  deadline_ = std::min(
      {chain_->deadlineNanos(now_), wiring_->gate.deadlineNanos(now_), checkpoints_.deadlineNanos(now_)});
  if (heldUpSince_ == 0) deadline_ = std::min(deadline_, nextMarker_);
  if (!toSubmit_.empty()) deadline_ = std::min(deadline_, now_.nanos + kOffloadRetryNanos);
}

Runnable::Progress Task::end(TaskState state, std::optional<Error> error) {
  endState_ = state;
  endError_ = std::move(error);
  if (chain_) {
    chain_->publishStateSizes();
    chain_->close();
  }
  toSubmit_.clear();
  state_.store(TaskState::kClosing, std::memory_order_release);
  return closing();
}

Runnable::Progress Task::closing() {
  // A failing letter leaves those behind it in the box, and nobody wakes the task for them again.
  if (offloaded_ > 0) return mailbox_.empty() ? Progress::kIdle : Progress::kMore;
  if (!mailbox_.settled()) return Progress::kMore;
  if (chain_) chain_->releaseState();
  wiring_->restored = {};
  state_.store(endState_, std::memory_order_release);
  master_.onTaskEnded(id_, endState_, std::move(endError_),
                      chain_ ? chain_->accumulators().clone() : Accumulators());
  return Progress::kDone;
}

}  // namespace flott
