#include "flott/operators/committing_sink.h"

#include "flott/base/options.h"

namespace flott {

std::string_view toString(DeliveryGuarantee guarantee) {
  switch (guarantee) {
    case DeliveryGuarantee::kNone:
      return "NONE";
    case DeliveryGuarantee::kAtLeastOnce:
      return "AT_LEAST_ONCE";
    case DeliveryGuarantee::kExactlyOnce:
      return "EXACTLY_ONCE";
  }
  return "UNKNOWN";
}

OperatorContext& CommitProtocol::open(OperatorContext& context) {
  context_.emplace(context);
  attempt_ = lineage_.open(context.info(), context.operatorState());
  const bool checkpointed = context.configuration().find(kCheckpointInterval).has_value();
  awaits_ = guarantee_ == DeliveryGuarantee::kExactlyOnce && checkpointed;
  const bool first = context.info().subtask.value == 0;
  if (guarantee_ == DeliveryGuarantee::kExactlyOnce && !checkpointed && first) {
    context.warn(
        "nothing is published before the end of the input, and then without a guarantee, since the job makes "
        "no checkpoints: set execution.checkpointing.interval, or choose the guarantee NONE");
  }
  commits_.open(*context_);
  return *context_;
}

// At the end only a final checkpoint is worth waiting for.
void CommitProtocol::prepared(std::vector<std::string> committables, bool atEnd) {
  if (!committables.empty()) commits_.prepared(std::move(committables));
  if (commitsAtOnce() || (atEnd && !awaits_)) commits_.commitAll();
}

void CommitProtocol::cut(CheckpointId checkpoint) {
  lineage_.cut(checkpoint);
  commits_.cut(checkpoint);
}

void CommitProtocol::resume() {
  context_->resumed();
  commits_.resume();
}

}  // namespace flott
