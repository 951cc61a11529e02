#include "flott/operators/operator.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott {

void Operator::open(OperatorContext&) {}

void Operator::setInputs(int count) {
  FLOTT_CHECK(count >= 1 && count <= kMaxInputs);
  inputCount_ = count;
}

Step Operator::onWatermark(int input, Watermark watermark, Output& output) {
  FLOTT_CHECK(input < inputCount_, "watermark for an input the operator does not have");
  inputs_[input].watermark = std::max(inputs_[input].watermark, watermark.time);
  return advance(output);
}

Step Operator::onStatus(int input, WatermarkStatus status, Output& output) {
  inputs_[input].active = status.active;
  return advance(output);
}

// Idle inputs hold nothing back, unless all are idle: then the furthest decides, as in Flink. Inputs that
// have ended count only when all have: an idle one may yet bring records.
Step Operator::advance(Output& output) {
  Timestamp low = Timestamp::max();
  Timestamp high = Timestamp::min();
  bool anyActive = false;
  bool anyOpen = false;
  for (const InputTime* input = inputs_; input != inputs_ + inputCount_; ++input) {
    if (input->ended()) continue;
    anyOpen = true;
    high = std::max(high, input->watermark);
    if (!input->active) continue;
    anyActive = true;
    low = std::min(low, input->watermark);
  }
  const Timestamp now = !anyOpen ? Timestamp::max() : anyActive ? low : high;
  Step step = Step::kDone;
  if (now > eventTime_.time) {
    eventTime_ = {now};
    step = onEventTime(eventTime_, output);
  }
  if (const bool active = anyActive || !anyOpen; active != active_) {
    active_ = active;
    statusWaits_ = true;
  }
  // Results that are still to come belong before it: whoever reads an idle input does not wait for them.
  if (step == Step::kDone) settled(output);
  return step;
}

void Operator::emitStatus(Output& output) {
  statusWaits_ = false;
  output.emitStatus({active_});
}

Step Operator::onEventTime(Watermark watermark, Output& output) {
  output.emitWatermark(watermark);
  return Step::kDone;
}

Step Operator::onProcessingTime(Timestamp, Output&) { return Step::kDone; }
Step Operator::onEndOfInput(int, Output&) { return Step::kDone; }
Step Operator::resume(Output&) { return Step::kDone; }
Step Operator::beforeBarrier(CheckpointId, Output&) { return Step::kDone; }
void Operator::snapshotState(CheckpointId) {}
void Operator::onCheckpointEnded(CheckpointId, bool) {}
bool Operator::awaitsFinalCheckpoint() const { return false; }
bool Operator::lingers() const { return false; }
void Operator::watermarkOrigins(std::vector<WatermarkOrigin>&) const {}
void Operator::close() noexcept {}

}  // namespace flott
