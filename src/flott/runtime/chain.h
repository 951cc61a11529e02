// A chain of operators inside one task: a tree in which each hands its batches to the next by a direct call.
//
// The chain owns the operators (or the source reader at its head), their contexts and outputs. It keeps
// back-pressure inside the chain: an operator that returned kMore, or whose output is full, is not called
// with new input; what its producer emits meanwhile waits in front of it, in order and capped. Owned by one
// task, called by its lane only.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/env/deed.h"
#include "flott/env/env.h"
#include "flott/graph/job_graph.h"
#include "flott/operators/operator.h"
#include "flott/operators/source.h"
#include "flott/runtime/chain_cut.h"
#include "flott/runtime/exchange.h"
#include "flott/runtime/runnable.h"
#include "flott/runtime/task_snapshot.h"
#include "flott/runtime/task_times.h"

namespace flott {

class ColdMemory;
class Configuration;
class KeyedStateBackend;
class OperatorChain;
class OperatorStateBackend;
class StateMetrics;

/// What the chain needs from the task around it.
class ChainHost {
 public:
  virtual ~ChainHost() = default;
  virtual StepTime now() const = 0;
  /// As OperatorContext::availableNanos().
  virtual int64_t availableNanos() const = 0;
  /// `done` gets what `work` threw.
  virtual void offload(std::string what, MoveFunction<void()> work,
                       MoveFunction<void(std::optional<Error>)> done) = 0;
  virtual void requestSplit() = 0;
  virtual void sendSourceEvent(std::string event) = 0;
  virtual void reportWatermark(Timestamp time) = 0;
  /// Any thread: runs `mail` on the task's lane, in a later step; not at all once the task has ended.
  virtual void post(MoveFunction<void()> mail) = 0;
};

struct ChainOptions {
  std::string jobName;
  const JobVertex* vertex = nullptr;
  SubtaskIndex subtask;
  int attempt = 0;
  std::string jobId = {};
  int headInputs = 1;  // inputs of the head operator that have channels
  const Configuration* configuration = nullptr;
  size_t overrunCapBytes = size_t{256} << 20;
  std::shared_ptr<ColdMemory> coldMemory = nullptr;  // what state on disk shares with other tasks
};

/// One operator with all that belongs to it.
class ChainNode final : public SourceReaderContext, public Output {
 public:
  ChainNode(OperatorChain& chain, const ChainedOperator& description);
  ~ChainNode() override;

  // OperatorContext
  const OperatorInfo& info() const override { return info_; }
  const Configuration& configuration() const override;
  Env& env() override;
  BatchPools& pools() override;
  MetricGroup& metrics() override { return metrics_; }
  Accumulators& accumulators() override;
  KeyedStateBackend& keyedState(const TypeOps& key) override;
  OperatorStateBackend& operatorState() override;
  Timestamp processingTime() const override;
  void setAlarm(Timestamp at) override { alarm_ = at; }
  int64_t monotonicNanos() const override;
  int64_t availableNanos() const override;
  void askToResume() override { resumeAsked_ = true; }
  void wakeAtNanos(int64_t nanos) override { wakeNanos_ = nanos; }
  MoveFunction<void()> resumeFromAnyThread() override;
  void offload(std::string what, MoveFunction<void()> work, MoveFunction<void()> done) override;
  void warn(const std::string& text) override;
  void requestSplit() override;
  void sendEvent(std::string event) override;
  void enterSplit(std::string_view) override {}
  void finishSplit(std::string_view) override {}
  void reportWatermark(Timestamp time) override;

  // Output
  void emit(Batch batch) override;
  void emitSide(SideOutputIndex side, Batch batch) override;
  bool reads(SideOutputIndex side) const override;
  void emitWatermark(Watermark watermark) override;
  void emitStatus(WatermarkStatus status) override;
  bool full() const override;

 private:
  friend class OperatorChain;
  struct Target {
    SideOutputIndex side;
    ChainNode* node = nullptr;
    Exchange* exchange = nullptr;
    bool full() const;
  };
  struct Queued {
    int input;
    Element element;
  };

  /// Otherwise it runs in the step that frees the way, which needs no alarm.
  bool canRunAlarm() const { return !more_ && !full(); }
  bool canResume() const { return more_ && (waiting_ ? resumeAsked_ : !yielded_) && !full(); }
  bool takesInput() const { return !more_ && queue_.empty() && !full(); }
  /// There is something to do for it right away.
  bool canGoOn() const;
  /// It gets no call any more but for ends of checkpoints.
  bool retired() const { return (ended_ || suspended_) && (op_ == nullptr || !op_->lingers()); }
  /// Of expired state, when it is due without a record.
  Timestamp cleanUpAt() const;
  void emitTo(SideOutputIndex side, Batch batch);
  void noteInput(int input, Watermark watermark);
  void noteOutput(Timestamp time);
  void noteLatency(const LatencyMarker& marker);
  void passOn(const LatencyMarker& marker);
  void emitControl(const Element& control);
  void emitBarrier(const Barrier& barrier);
  std::string encodeOperatorState();
  void restore(RestoredOperator restored);

  OperatorChain& chain_;
  OperatorInfo info_;
  const std::string where_;
  std::unique_ptr<Operator> op_;
  std::unique_ptr<SourceReader> reader_;
  std::vector<Target> targets_;
  std::deque<Queued> queue_;
  size_t queuedBytes_ = 0;
  bool more_ = false;               // returned kMore or kWait
  bool waiting_ = false;            // … kWait: only askToResume() ends it
  bool yielded_ = false;            // … kMore though there is room: goes on in the next step
  std::optional<Barrier> barrier_;  // leaves once it has no more
  bool ending_ = false;             // its last input has ended; ends itself once it has no more
  bool ended_ = false;
  bool suspended_ = false;  // cut by the savepoint that the job stops with
  bool resumeAsked_ = false;
  int inputsOpen_ = 1;
  std::vector<Timestamp> inputTimes_;
  Timestamp outputTime_;
  int64_t movedNanos_ = 0;  // when outputTime_ last rose
  Timestamp alarm_ = Timestamp::max();
  int64_t wakeNanos_ = kNoDeadline;
  MetricGroup metrics_;
  Counter* recordsIn_;
  Counter* recordsOut_;
  Gauge* watermarkIn_;
  Gauge* watermarkOut_;
  struct Latency {
    OperatorId source;
    SubtaskIndex subtask;
    Histogram* micros;
  };
  std::vector<Latency> latencies_;  // by the source, as far as metrics.latency.granularity tells them apart
  std::unique_ptr<StateMetrics> stateMetrics_;  // with keyedState_
  std::unique_ptr<KeyedStateBackend> keyedState_;
  std::unique_ptr<OperatorStateBackend> operatorState_;
  // Until the operator asks for its keyed state:
  RestoredKeyedState restoredKeyed_;
  ColdStates restoredCold_;
  std::vector<SourceSplit> restoredSplits_;  // until the reader is open
};

class OperatorChain {
 public:
  /// Exchanges by JobEdge index; those of other vertices are null.
  OperatorChain(ChainOptions options, Env& env, BatchPools& pools, ChainHost& host,
                std::vector<std::unique_ptr<Exchange>> exchanges);
  ~OperatorChain();

  /// Makes and opens the operators, from the end of the chain to its head.
  void open(RestoredTask restored = {});
  /// Instead of open(), where all had ended before a restore: passes on the last watermark and the end.
  void endWithoutOperators();
  /// From the head to the end; whatever was opened.
  void close() noexcept;
  /// Gives its memory back; after close(), when nothing that was off-loaded can still come.
  void releaseState();

  bool hasReader() const { return nodes_.front()->reader_ != nullptr; }
  /// The head's reader, for a call that is named after it should it fail.
  SourceReader& enterReader();
  /// Polls the head's reader once.
  Poll poll();
  /// Whether the reader's alarm is due or it asked to be polled; clears both.
  bool takeReaderCall();
  /// Before all else in a step of the task.
  void beginStep();
  /// An element for the head. Only when not blocked().
  void deliver(int input, Element element);
  /// Goes on with what waits in the chain and at its exchanges.
  void drain();
  /// Something waits: the head takes nothing new.
  bool blocked() const;
  /// Runs alarms that are due and operators that asked to resume.
  void runDue();
  void endStep();
  /// The head's source has ended: emits the last watermark and ends the chain.
  void endSource();
  /// Every operator has ended and everything was handed to the channels.
  bool finished() const;
  /// Monotonic deadline of alarms and buffer time-outs.
  int64_t deadlineNanos(StepTime now) const;
  /// Some operator has more to do right away.
  bool canGoOn() const;
  /// For the explanation of watermarks: one for each operator.
  std::vector<TaskTimes::Node> times() const;
  /// Some operator does not only pass its watermarks on.
  bool makesWatermarks() const;
  /// The head's source: sends a marker on its way.
  void emitMarker();

  // Checkpoints.

  /// At a source: cuts the reader and sends the barrier on its way, also while the chain is blocked.
  void injectBarrier(const Barrier& barrier);
  /// The head's last input has ended, so that no barrier follows.
  bool inputEnded() const { return nodes_.front()->inputsOpen_ == 0 || nodes_.front()->ended_; }
  /// After all operators have ended, where some of them wait for a checkpoint: cuts them where they are.
  void cutEnded(const Barrier& barrier);
  bool awaitsFinalCheckpoint() const;
  /// Some operator that has ended, or was suspended, has something under way.
  bool lingers() const;
  /// What the cut of the next barrier may build on.
  void setBases(SegmentCatalogs bases) { bases_ = std::move(bases); }
  bool cutting() const { return !cuts_.empty(); }
  /// Encodes a portion of what was cut; whether nothing is left for now.
  bool encodeCuts();
  /// A part of the oldest cut, of so many bytes at least, ahead of its snapshot.
  std::optional<ChainCut::Part> takePart(size_t bytes) { return cuts_.front().takePart(bytes); }
  size_t encodedBytes() const { return cuts_.front().encodedBytes(); }
  const Barrier& cutBarrier() const { return cuts_.front().barrier(); }
  /// The oldest snapshot that is complete.
  std::optional<ChainSnapshot> takeSnapshot();
  /// More may wait at the exchanges than usual, so that operators get done with what they have begun and a
  /// barrier that overtakes comes through.
  void hurry(bool hurries);
  /// Such a barrier is on its way through the chain.
  bool overtakingInside() const;
  /// A barrier that was sent on its way in its place waits at some exchange where it may overtake.
  bool holds(CheckpointId checkpoint) const;
  /// It overtakes there; appends what.
  void overtake(const Barrier& barrier, std::vector<InFlightSequence>& overtaken);
  /// Tells the operators, and drops an unfinished cut.
  void endCheckpoint(CheckpointId checkpoint, bool completed);
  /// A barrier that suspends the job has passed the head: nothing is to be put in, and no alarm goes off.
  bool suspended() const { return nodes_.front()->suspended_; }
  CheckpointId suspendedBy() const { return suspendedBy_; }

  /// The operator that ran last: "operator 'count', subtask 1/2". For errors and the watchdog. Any thread.
  std::string where() const;
  /// Inside a catch block: what is being handled, with where(), which is added once on the way up.
  Error located();
  Accumulators& accumulators() { return accumulators_; }
  struct NodeMetrics {
    const OperatorInfo& info;
    const MetricGroup& metrics;
  };
  std::vector<NodeMetrics> metrics() const;
  /// What has gone through, all of it counted since the chain began. Any thread.
  struct Traffic {
    std::vector<std::pair<int64_t, int64_t>> nodes;  // records in and out of each
    int64_t recordsOut = 0;                          // to other tasks
    int64_t batchesOut = 0;
    int64_t bytesOut = 0;
    ChannelFill out = {};  // of the channels to them, now
  };
  Traffic traffic() const;
  /// Puts what keyed states hold now into the metrics of their operators.
  void publishStateSizes();

 private:
  friend class ChainNode;

  /// The operator runs, or is called next.
  void isAt(ChainNode& node) {
    current_.store(&node, std::memory_order_relaxed);
    Deed::become(node.where_.c_str());
  }

  void openNode(const ChainedOperator& op, ChainNode& node);
  void process(ChainNode& node, int input, Element element);
  void call(ChainNode& node, int input, Element element);
  void push(ChainNode& node, int input, Element element);
  void endInput(ChainNode& node, int input);
  void ended(ChainNode& node);
  void runDue(ChainNode& node, Timestamp now);
  void enter(ChainNode& node);
  void settle(ChainNode& node, Step step);
  void resume(ChainNode& node);
  void drainNode(ChainNode& node);
  void cut(ChainNode& node, const Barrier& barrier);
  void send(const Barrier& barrier, Exchange& exchange);

  const ChainOptions options_;
  Env& env_;
  BatchPools& pools_;
  ChainHost& host_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<Exchange*> live_;
  std::vector<std::unique_ptr<ChainNode>> nodes_;
  CheckpointId suspendedBy_;
  std::set<CheckpointId> void_;  // whose barriers may still be on their way through the chain
  std::deque<ChainCut> cuts_;    // oldest first; after the backends that they read
  SegmentCatalogs bases_;
  std::atomic<ChainNode*> current_{nullptr};
  Accumulators accumulators_;
  std::string latencyGranularity_ = "operator";
  size_t opened_ = 0;  // nodes open from the end
  bool located_ = false;
  bool hurries_ = false;
};

}  // namespace flott
