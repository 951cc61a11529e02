#include "flott/operators/sink_attempt.h"

#include "flott/base/hash.h"
#include "flott/operators/context.h"

namespace flott {
namespace {

// No name that a writer would choose for a state of its own.
constexpr const char* kState = ":sink";
constexpr const char* kLineage = "lineage";
constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kParallelism = "parallelism";

std::string hexDigits(uint64_t number, int digits) {
  std::string text(static_cast<size_t>(digits), '0');
  for (size_t i = text.size(); i-- > 0; number >>= 4) text[i] = "0123456789abcdef"[number & 15];
  return text;
}

}  // namespace

SinkAttempt SinkLineage::open(const OperatorInfo& info, OperatorStateBackend& states) {
  state_ = &states.broadcast(MapStateDescriptor<std::string, uint64_t>(kState));
  parallelism_ = info.parallelism;
  if (!state_->contains(kLineage)) {
    const std::string name = info.jobId + " " + toString(info.id);
    state_->put(kLineage, hashBytes(name));
  }
  const auto value = [this](const char* key) {
    const uint64_t* found = state_->get(key);
    return found == nullptr ? 0 : *found;
  };
  return {.lineage = hexDigits(value(kLineage), 12),
          .subtask = info.subtask,
          .parallelism = info.parallelism,
          .restored = CheckpointId(value(kCheckpoint)),
          .restoredParallelism = static_cast<int>(value(kParallelism))};
}

void SinkLineage::cut(CheckpointId checkpoint) {
  state_->put(kCheckpoint, checkpoint.value);
  state_->put(kParallelism, static_cast<uint64_t>(parallelism_));
}

}  // namespace flott
