#include "flott/runtime/task_checkpoints.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "flott/runtime/master_gateway.h"

namespace flott {

void TaskCheckpoints::begin(const Barrier& barrier, StepTime now, Alignment alignment) {
  const bool dated = barrier.triggered != Timestamp::min();
  const int64_t delay = dated ? (now.wall - barrier.triggered).ms * 1'000'000 - alignment.nanos : 0;
  underWay_[barrier.checkpoint] = {
      .overtakesFrom = barrier.overtakesFrom,
      .durations = {.startDelayNanos = std::max<int64_t>(delay, 0), .alignmentNanos = alignment.nanos},
      .inFlight = {.unaligned = alignment.overtook, .processedBytes = alignment.bytes}};
}

void TaskCheckpoints::end(CheckpointId checkpoint) {
  underWay_.erase(checkpoint);
  std::erase_if(cut_,
                [checkpoint](const ChainSnapshot& cut) { return cut.barrier.checkpoint == checkpoint; });
}

bool TaskCheckpoints::step(OperatorChain& chain, InputGate& gate, ChainHost& host) {
  bool encoded = true;
  if (chain.cutting()) {
    encoded = chain.encodeCuts();
    while (std::optional<ChainSnapshot> snapshot = chain.takeSnapshot()) cut_.push_back(*std::move(snapshot));
  }
  while (!cut_.empty() && settled(cut_.front(), chain, gate, host.now())) {
    ChainSnapshot cut = std::move(cut_.front());
    cut_.pop_front();
    store(std::move(cut), host);
  }
  return !encoded;
}

// Whether all that belongs to the share is in it.
bool TaskCheckpoints::settled(ChainSnapshot& cut, OperatorChain& chain, InputGate& gate, StepTime now) {
  const Barrier& barrier = cut.barrier;
  if (!barrier.mayOvertake()) return true;
  const auto under = underWay_.find(barrier.checkpoint);
  if (chain.holds(barrier.checkpoint)) {
    if (!barrier.overtakes(now.wall)) return false;
    chain.overtake(barrier, cut.overtaken);
  }
  if (gate.capturing(barrier.checkpoint)) return false;
  InputGate::Captured captured = gate.takeCaptured(barrier.checkpoint);
  if (under == underWay_.end()) return true;
  CheckpointInFlight& inFlight = under->second.inFlight;
  inFlight.processedBytes += captured.processedBytes;
  inFlight.unaligned |= !cut.overtaken.empty();
  for (InFlightSequence& sequence : captured.sequences) cut.overtaken.push_back(std::move(sequence));
  return true;
}

int64_t TaskCheckpoints::deadlineNanos(StepTime now) const {
  int64_t deadline = kNoDeadline;
  for (const auto& [checkpoint, under] : underWay_) {
    if (under.overtakesFrom == Timestamp::max() || under.overtakesFrom <= now.wall) continue;
    const int64_t wait = (under.overtakesFrom - now.wall).ms;
    if (wait < (kNoDeadline - now.nanos) / 1'000'000)
      deadline = std::min(deadline, now.nanos + wait * 1'000'000);
  }
  return deadline;
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
    sections.push_back(encodeInFlight(writing->cut.overtaken));
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
      writing->stored.channels = std::move(handles.back());
    } catch (...) {
      writing->error = currentError();
    }
  };
  host.offload("write checkpoint " + std::to_string(checkpoint.value), write,
               [this, writing, checkpoint](const std::optional<Error>&) {
                 const auto under = underWay_.extract(checkpoint);
                 if (writing->error) return master_.declineCheckpoint(task_, checkpoint, *writing->error);
                 // Also when the checkpoint has become void: the master then drops what was written.
                 if (!under.empty()) {
                   writing->stored.durations = under.mapped().durations;
                   writing->stored.inFlight = under.mapped().inFlight;
                   writing->stored.inFlight.persistedBytes = writing->stored.channels.length;
                 }
                 writing->stored.durations.syncNanos = writing->cut.syncNanos;
                 writing->stored.durations.asyncNanos = env_.clock.monotonicNanos() - writing->cut.cutNanos;
                 master_.acknowledgeCheckpoint(task_, checkpoint, std::move(writing->stored));
               });
}

}  // namespace flott
