// A task: one parallel instance of a chain, as an explicit state machine with a bounded step.
//
// It is fed by its channels and by its mailbox (split assignments, completed off-loaded work, cancel), and
// tells the master what becomes of it. All work happens in step(), on the task's lane; the other public calls
// may come from any thread and only post mail.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/operators/accumulators.h"
#include "flott/operators/source.h"
#include "flott/runtime/chain.h"
#include "flott/runtime/input_gate.h"
#include "flott/runtime/mailbox.h"
#include "flott/runtime/mailbox_latency.h"
#include "flott/runtime/master_gateway.h"
#include "flott/runtime/runnable.h"
#include "flott/runtime/task_activity.h"
#include "flott/runtime/task_checkpoints.h"
#include "flott/runtime/task_gateway.h"
#include "flott/runtime/task_id.h"

namespace flott {

class Task final : public Runnable, public TaskGateway, public ChainHost {
 public:
  struct Wiring {
    InputGate gate;
    std::vector<std::unique_ptr<Exchange>> exchanges;  // by JobEdge index
    RestoredTask restored;
  };

  Task(TaskId id, ChainOptions options, CheckpointStorage& checkpoints, Env& env, BatchPools& pools,
       MasterGateway& master);
  ~Task() override;

  /// Before the first step; the channels have this task's waker.
  void wire(Wiring wiring);

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override { return deadline_; }
  std::string where() const override;

  // TaskGateway. Any thread.
  const TaskId& id() const override { return id_; }
  TaskState state() const override { return state_.load(std::memory_order_acquire); }
  TaskReadings readMetrics(int64_t elapsedNanos) const override;
  void cancel() override;
  void assignSplits(std::vector<SourceSplit> splits) override;
  void signalNoMoreSplits() override;
  void deliverSourceEvent(std::string event) override;
  void setWatermarkLimit(Timestamp limit) override;
  void triggerCheckpoint(Barrier barrier) override;
  void endCheckpoint(CheckpointId checkpoint, bool completed) override;
  void drain() override;
  /// Replies on the task's lane.
  void readTimes(MoveFunction<void(TaskTimes)> reply) override;
  void readAccumulators(MoveFunction<void(Accumulators)> reply) override;

  /// What it needs from outside is lost: ends as if it had thrown this. Any thread.
  void fail(Error error);
  /// Metrics of each operator of the chain. Empty before the task runs. Any thread.
  std::vector<OperatorChain::NodeMetrics> metrics() const;

 private:
  struct OffloadedWork;
  struct Fetch;

  // ChainHost
  StepTime now() const override { return now_; }
  int64_t availableNanos() const override {
    return (heldUpSince_ == 0 ? now_.nanos : heldUpSince_) - heldUpNanos_;
  }
  void offload(std::string what, MoveFunction<void()> work,
               MoveFunction<void(std::optional<Error>)> done) override;
  void requestSplit() override;
  void sendSourceEvent(std::string event) override;
  void reportWatermark(Timestamp time) override;
  void post(MoveFunction<void()> mail) override;

  bool fetched();
  void fetchInto(std::vector<RestoredOperator>& operators);
  void openChain();
  Progress stepped();
  struct Counted;
  std::vector<Counted> counted(const OperatorChain::Traffic& traffic) const;
  std::vector<int64_t> counters(const OperatorChain::Traffic& traffic) const;
  void sample();
  void addRates(TaskReadings& readings) const;
  void addActivity(const TaskActivity::Rates& rates, int64_t nowNanos,
                   std::vector<MetricReading>& task) const;
  Progress run();
  Progress passEndOn();
  /// Its operators are open and take what the master sends.
  bool working() const { return state() == TaskState::kRunning && !endedBefore_; }
  bool takeInput();
  bool barrierCanGoOn() const;
  void cutFinal();
  void reportEnd();
  bool finished() const {
    return (stopped_ || chain_->finished()) && !checkpoints_.unstored() && !finalCheckpoint_.awaited &&
           !chain_->lingers();
  }
  bool pollSource();
  void noteBackPressure(bool heldUp);
  void sendMarkers();
  void submitOffloaded();
  void computeDeadline();
  Progress end(TaskState state, std::optional<Error> error);
  Progress closing();

  const TaskId id_;
  const ChainOptions options_;
  const std::string deed_;  // before it has operators
  Env& env_;
  BatchPools& pools_;
  CheckpointStorage& storage_;
  MasterGateway& master_;
  Mailbox mailbox_;
  std::optional<Wiring> wiring_;
  std::shared_ptr<Fetch> fetch_;  // null: nothing is fetched
  FileBytesRead restored_;
  std::unique_ptr<OperatorChain> chain_;
  TaskCheckpoints checkpoints_;
  std::atomic<TaskState> state_{TaskState::kCreated};
  StepTime now_;
  TaskActivity activity_;
  MailboxLatency mailLatency_;
  std::atomic<int64_t> openNanos_{0};  // from its first step until its operators were open; 0: they are not
  int64_t firstNanos_ = 0;
  int64_t deadline_ = kNoDeadline;
  int64_t markerNanos_ = 0;  // between latency markers; 0: none
  int64_t nextMarker_ = kNoDeadline;
  int64_t heldUpSince_ = 0;  // by back-pressure; 0: it is not
  int64_t heldUpNanos_ = 0;  // in all, without the time since then
  std::atomic<bool> cancelled_{false};
  bool sourceIdle_ = false;
  bool sourceEnded_ = false;
  bool draining_ = false;
  bool stopped_ = false;  // by a savepoint that is complete
  /// That of operators which must not end without one.
  struct FinalCheckpoint {
    bool awaited = false;
    bool reported = false;          // that nothing but it is missing
    std::deque<Barrier> triggered;  // since the input ended
    std::set<CheckpointId> cut;     // after the end of all operators
  };
  FinalCheckpoint finalCheckpoint_;
  // A barrier that has come while a cut was under way: to finish that at once would take the lane, and memory
  // for all of it. Waits, with all input behind it, until the cut is encoded.
  std::optional<InputGate::Event> held_;
  bool endedBefore_ = false;                             // restored as finished: it has no operators
  std::deque<std::shared_ptr<OffloadedWork>> toSubmit_;  // the pool's queue was full
  int offloaded_ = 0;                                    // handed to the pool, reply not yet here
  TaskState endState_ = TaskState::kFinished;
  std::optional<Error> endError_;
  std::atomic<bool> hasChain_{false};  // publishes chain_ to other threads
};

}  // namespace flott
