#include "flott/operators/partition/full_window_operator.h"

#include <string>

#include "flott/base/config.h"
#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/data/pool.h"
#include "flott/operators/metrics.h"
#include "flott/state/spill/spilled_run.h"

namespace flott {
namespace {

/// Batches of results for each trip to an off-load thread.
constexpr size_t kBatchesAtOnce = 16;

}  // namespace

SpillPlace spillPlace(OperatorContext& context, const void* owner) {
  return SpillPlace::in(context.env(), context.configuration().get(kTmpDirs), context.info().subtask.value,
                        owner);
}

void throwPartitionCancelled() { throw Error(ErrorKind::kCancelled, "the task was cancelled"); }

void FullWindowOperator::open(OperatorContext& context) {
  context_ = &context;
  pool_ = &resultPool(context.pools());
  spilledBytes_ = &context.metrics().counter("spilledBytes");
  work_ = makeWork(context);
}

void FullWindowOperator::close() noexcept {
  if (work_ == nullptr) return;
  work_->cancelled.store(true, std::memory_order_relaxed);
  work_.reset();
}

template <typename F>
Step FullWindowOperator::offload(Stage stage, F work) {
  stage_ = stage;
  busy_ = true;
  context_->offload(
      "full window of operator '" + context_->info().name + "'", [shared = work_, work] { work(*shared); },
      [this] {
        busy_ = false;
        spilledBytes_->add(static_cast<int64_t>(work_->spilledBytes()) - spilledBytes_->value());
        context_->askToResume();
      });
  return Step::kWait;
}

Step FullWindowOperator::onBatch(int, Batch batch, Output&) {
  work_->add(std::move(batch));
  if (!work_->full()) return Step::kDone;
  return offload(Stage::kSpilling, [](PartitionWork& work) { work.spill(); });
}

Step FullWindowOperator::onEventTime(Watermark watermark, Output&) {
  held_ = watermark;
  return Step::kDone;
}

Step FullWindowOperator::onEndOfInput(int, Output&) {
  return offload(Stage::kFinishing, [](PartitionWork& work) { work.finish(); });
}

Step FullWindowOperator::resume(Output& output) {
  if (busy_) return Step::kWait;
  switch (stage_) {
    case Stage::kTaking:
      return Step::kDone;
    case Stage::kSpilling:
      stage_ = Stage::kTaking;
      return Step::kDone;
    case Stage::kFinishing:
      work_->takeAccumulators(context_->accumulators());
      return fillMore();
    case Stage::kFilling:
      stage_ = Stage::kEmitting;
      emitted_ = 0;
      return emitSome(output);
    case Stage::kEmitting:
      return emitSome(output);
  }
  return Step::kDone;
}

Step FullWindowOperator::fillMore() {
  work_->results.resize(kBatchesAtOnce);
  for (Batch& batch : work_->results) {
    if (!batch) batch = pool_->acquire();
  }
  return offload(Stage::kFilling, [](PartitionWork& work) { work.fill(); });
}

Step FullWindowOperator::emitSome(Output& output) {
  std::vector<Batch>& results = work_->results;
  while (emitted_ < results.size() && !results[emitted_]->empty()) {
    if (output.full()) return Step::kMore;
    output.emit(std::move(results[emitted_++]));
  }
  if (emitted_ == results.size()) return fillMore();
  results.clear();
  if (held_.time != Timestamp::min()) output.emitWatermark(held_);
  stage_ = Stage::kTaking;
  return Step::kDone;
}

}  // namespace flott
