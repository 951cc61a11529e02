// The contract between the runtime and an operator: one parallel instance of one step of a job.
//
// A task owns its operators and calls each from one thread at a time. An operator sees batches, watermarks
// and its context; it never sees a thread, lock, socket or clock, and it never blocks. Typed operators are
// templates on the user's function, so that the loop over a batch is one inlined loop.
//
// Order of calls: open, then any of onBatch / onWatermark / onStatus / onProcessingTime / resume, then
// onEndOfInput once for each input, then close. After the last input's end it is told of checkpoints that
// end, and while it lingers() also resumed. A failed or cancelled attempt goes straight to close.
//
// Back-pressure: a step that finds output.full() after it emitted may stop, keep its place, and return kMore;
// it gets no other call than resume() until that returns kDone. One with much to do returns kMore now and
// then though there is room, and goes on after other tasks had their turn.
//
//   class Doubler final : public Operator {
//     Step onBatch(int, Batch batch, Output& out) override {
//       for (int64_t& x : batch.rows<int64_t>()) x *= 2;
//       out.emit(std::move(batch));
//       return Step::kDone;
//     }
//   };
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/batch.h"
#include "flott/data/element.h"
#include "flott/operators/watermark_origin.h"

namespace flott {

class OperatorContext;

enum class Step : uint8_t {
  kDone,  // the call's input is worked off
  kMore,  // call resume() once there is room for output again
  kWait,  // waits for something of its own (off-loaded work): call resume() after askToResume()
};

/// Where an operator's results go: the next operator of the chain, or the channels of an exchange. Never
/// blocks; throws only when a single call overran the hard cap.
class Output {
 public:
  virtual ~Output() = default;
  /// Empty batches are dropped.
  virtual void emit(Batch batch) = 0;
  virtual void emitSide(SideOutputIndex side, Batch batch) = 0;
  /// Whether anybody takes this side output. What nobody takes may be left out; it is the same in all calls.
  virtual bool reads(SideOutputIndex) const { return true; }
  /// Goes to the main output and to every side output.
  virtual void emitWatermark(Watermark watermark) = 0;
  virtual void emitStatus(WatermarkStatus status) = 0;
  /// The output is over its limit: stop emitting at the next place where that is possible.
  virtual bool full() const = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;

  /// Before anything else, in every attempt: get state handles and metrics here. Operators open from the end
  /// of the chain to its head, so that whatever this one emits finds the next one ready. The context outlives
  /// the operator.
  virtual void open(OperatorContext& context);
  /// A batch of input `input` (0 unless the operator has several). The batch is the operator's own.
  virtual Step onBatch(int input, Batch batch, Output& output) = 0;
  /// The watermark of one input has risen. Default: calls onEventTime with the minimum over all inputs when
  /// that has risen, which by default forwards it.
  virtual Step onWatermark(int input, Watermark watermark, Output& output);
  /// One input turned idle or active. Default: an operator all of whose inputs are idle is idle itself.
  virtual Step onStatus(int input, WatermarkStatus status, Output& output);
  /// The operator's event time has risen to `watermark`: fire what is due, then emit the watermark.
  virtual Step onEventTime(Watermark watermark, Output& output);
  /// The alarm set with OperatorContext::setAlarm is due; `now` is the processing time. The alarm is then
  /// unset.
  virtual Step onProcessingTime(Timestamp now, Output& output);
  /// No more elements on this input. Default: nothing.
  virtual Step onEndOfInput(int input, Output& output);
  /// Goes on after kMore, or after OperatorContext::askToResume().
  virtual Step resume(Output& output);
  /// Before a barrier leaves: emit what must be on this side of the cut. The barrier goes on after kDone, so
  /// a sink returns kWait until all that it was given has arrived.
  virtual Step beforeBarrier(CheckpointId checkpoint, Output& output);
  /// The cut is now, right before the barrier leaves: put into operator state what is not there yet. State
  /// itself is saved by its backend.
  virtual void snapshotState(CheckpointId checkpoint);
  /// Of each checkpoint that was begun; not for all of them when the task ends before. What was prepared for
  /// one that is not `completed`, which is void or a savepoint, is published with the next that is.
  virtual void onCheckpointEnded(CheckpointId checkpoint, bool completed);
  /// Whether it stays after its end, in a job with checkpoints at intervals, until one is complete that was
  /// cut after the end: for what may only be made public then. The same in all calls.
  virtual bool awaitsFinalCheckpoint() const;
  /// Whether something of it is still under way after its end, such as commits: the task stays until this is
  /// false. Until then askToResume() and its like lead to resume(), which must return kDone.
  virtual bool lingers() const;
  /// Appends where its watermarks come from, if it makes some of its own.
  virtual void watermarkOrigins(std::vector<WatermarkOrigin>& out) const;
  /// Always the last call, also after a failure; must not throw.
  virtual void close() noexcept;

  /// The runtime, after any of the above has returned kDone: puts out the status that had to wait for it.
  void settled(Output& output) {
    if (statusWaits_) [[unlikely]]
      emitStatus(output);
  }

  static constexpr int kMaxInputs = 8;

 protected:
  /// Names the inputs; call in the constructor of an operator with more than one.
  void setInputs(int count);
  Watermark eventTime() const { return eventTime_; }

 private:
  Step advance(Output& output);
  void emitStatus(Output& output);

  struct InputTime {
    Timestamp watermark = Timestamp::min();
    bool active = true;
    /// Nothing but the end of the input follows the last watermark.
    bool ended() const { return watermark == Timestamp::max(); }
  };
  InputTime inputs_[kMaxInputs];
  int inputCount_ = 1;
  bool active_ = true;
  bool statusWaits_ = false;
  Watermark eventTime_;
};

/// Makes the instances of one operator: one call for each subtask and attempt, each with a pristine copy of
/// the user's function. Called by the worker before the lanes start; must not touch shared state.
class OperatorFactory {
 public:
  virtual ~OperatorFactory() = default;
  virtual std::unique_ptr<Operator> create() const = 0;
  /// Why a job with such operators cannot be checkpointed: "it keeps …"; empty when it can.
  virtual std::string_view refusesCheckpoints() const { return {}; }
};

}  // namespace flott
