// What the operators over a full window of a partition share: they take all records in, and put their results
// out at the end of the input.
//
// The work itself is a PartitionWork, which keeps records beyond its memory on disk and calls functions that
// may take as long as they like. So the operator runs it on off-load threads, and waits meanwhile. Watermarks
// wait, too, since results follow that know no time: the last one goes out behind them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "flott/data/batch.h"
#include "flott/operators/context.h"
#include "flott/operators/operator.h"
#include "flott/state/spill/spilled_run.h"

namespace flott {

class Counter;

/// The records of one partition and what is made of them. Held by the operator and by the work under way:
/// what it owns dies when both have let go.
class PartitionWork {
 public:
  virtual ~PartitionWork() = default;

  // On the task's thread.

  virtual void add(Batch batch) = 0;
  /// spill() must come before the next add().
  virtual bool full() const = 0;
  /// After finish(): what the function counted belongs to the task from now on.
  virtual void takeAccumulators(Accumulators&) {}

  // On an off-load thread, one call at a time.

  virtual void spill() = 0;
  /// After the last record.
  virtual void finish() = 0;
  /// Fills the batches of `results`, which are empty, one after the other. Empty ones are left at the end.
  virtual void fill() = 0;
  virtual uint64_t spilledBytes() const = 0;

  std::vector<Batch> results;
  /// Set when nobody wants results any more.
  std::atomic<bool> cancelled{false};
};

class FullWindowOperator : public Operator {
 public:
  static constexpr std::string_view kRefusesCheckpoints =
      "it keeps all records of its input outside of state until the input has ended";

  void open(OperatorContext& context) final;
  void close() noexcept final;
  Step onBatch(int input, Batch batch, Output& output) final;
  Step onEventTime(Watermark watermark, Output& output) final;
  Step onEndOfInput(int input, Output& output) final;
  Step resume(Output& output) final;

 protected:
  virtual std::shared_ptr<PartitionWork> makeWork(OperatorContext& context) = 0;
  virtual BatchPool& resultPool(BatchPools& pools) const = 0;

 private:
  enum class Stage : uint8_t {
    kTaking,     // records
    kSpilling,   // off-loaded; then records go on
    kFinishing,  // off-loaded: the function runs
    kFilling,    // off-loaded
    kEmitting,   // what was filled
  };

  template <typename F>
  Step offload(Stage stage, F work);
  Step fillMore();
  Step emitSome(Output& output);

  OperatorContext* context_ = nullptr;
  BatchPool* pool_ = nullptr;
  Counter* spilledBytes_ = nullptr;
  std::shared_ptr<PartitionWork> work_;
  Stage stage_ = Stage::kTaking;
  bool busy_ = false;  // off-loaded work has not replied
  size_t emitted_ = 0;
  Watermark held_;
};

/// In one of io.tmp.dirs, for the object at `owner`.
SpillPlace spillPlace(OperatorContext& context, const void* owner);
/// For work that nobody waits for any more: Error(kCancelled).
[[noreturn]] void throwPartitionCancelled();

}  // namespace flott
