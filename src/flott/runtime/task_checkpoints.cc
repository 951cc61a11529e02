#include "flott/runtime/task_checkpoints.h"

#include <memory>
#include <utility>

#include "flott/runtime/master_gateway.h"

namespace flott {

void TaskCheckpoints::begin(const Barrier& barrier, StepTime now, int64_t alignmentNanos) {
  const bool dated = barrier.triggered != Timestamp::min();
  const int64_t delay = dated ? (now.wall - barrier.triggered).ms * 1'000'000 - alignmentNanos : 0;
  underWay_[barrier.checkpoint] = {.startDelayNanos = std::max<int64_t>(delay, 0),
                                   .alignmentNanos = alignmentNanos};
}

bool TaskCheckpoints::step(OperatorChain& chain, ChainHost& host) {
  if (!chain.cutting()) return false;
  const bool encoded = chain.encodeCuts();
  while (std::optional<ChainSnapshot> snapshot = chain.takeSnapshot()) store(*std::move(snapshot), host);
  return !encoded;
}

void TaskCheckpoints::store(ChainSnapshot cut, ChainHost& host) {
  struct Writing {
    ChainSnapshot cut;
    TaskSnapshot stored;
    std::optional<Error> error;
  };
  const CheckpointId checkpoint = cut.barrier.checkpoint;
  auto writing = std::make_shared<Writing>();
  writing->cut = std::move(cut);
  const std::string file = "task-" + std::to_string(task_.vertex) + "-" + std::to_string(task_.subtask.value);
  const auto write = [writing, file, &storage = storage_] {
    std::vector<std::string> sections;
    for (ChainSnapshot::Operator& op : writing->cut.operators) {
      sections.push_back(std::move(op.keyed));
      sections.push_back(std::move(op.operatorState));
    }
    try {
      const Barrier& barrier = writing->cut.barrier;
      const std::string folder = barrier.properties != nullptr ? barrier.properties->folder : std::string();
      std::vector<StateHandle> handles = folder.empty()
                                             ? storage.write(barrier.checkpoint, file, std::move(sections))
                                             : storage.writeTo(folder, file, std::move(sections));
      for (size_t i = 0; i < writing->cut.operators.size(); ++i) {
        writing->stored.operators.push_back({.id = writing->cut.operators[i].id,
                                             .keyed = std::move(handles[2 * i]),
                                             .operatorState = std::move(handles[2 * i + 1]),
                                             .unionList = writing->cut.operators[i].unionList});
      }
    } catch (...) {
      writing->error = currentError();
    }
  };
  host.offload("write checkpoint " + std::to_string(checkpoint.value), write,
               [this, writing, checkpoint](const std::optional<Error>&) {
                 const auto durations = underWay_.extract(checkpoint);
                 if (writing->error) return master_.declineCheckpoint(task_, checkpoint, *writing->error);
                 // Also when the checkpoint has become void: the master then drops what was written.
                 if (!durations.empty()) writing->stored.durations = durations.mapped();
                 writing->stored.durations.syncNanos = writing->cut.syncNanos;
                 writing->stored.durations.asyncNanos = env_.clock.monotonicNanos() - writing->cut.cutNanos;
                 master_.acknowledgeCheckpoint(task_, checkpoint, std::move(writing->stored));
               });
}

}  // namespace flott
