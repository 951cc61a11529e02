// Hands batches from sink subtasks to the client of the job, on whatever threads they are.
//
// Bounded: what it does not take waits in the sink, which holds back the job until the client has read on. It
// joins small batches into larger ones of its own, because those of the job belong to the pools of its lanes,
// which the client may outlive. Any thread may call anything; the callbacks it is given must not call it.
#pragma once

#include <cstddef>
#include <memory>

#include "flott/base/function.h"
#include "flott/data/pool.h"
#include "flott/operators/operator.h"

namespace flott {

class CollectQueue {
 public:
  /// `make` makes an empty batch of the records' type. A batch is taken whole while fewer than `capacity`
  /// records wait.
  CollectQueue(BatchPool::Make make, size_t capacity);
  ~CollectQueue();

  // For sinks.

  /// Registers a sink; `wake` is called when there is room after offer() was refused.
  int join(MoveFunction<void()> wake);
  void leave(int sink);
  /// Takes the records of the batch; false when there is no room, and the batch is untouched.
  bool offer(int sink, Batch& batch);

  // For the client.

  /// The oldest records; empty when there are none at the moment.
  Batch take();
  /// `ring` is called whenever records have come, also for those already there; replaces what was set before.
  void onArrival(MoveFunction<void()> ring);

 private:
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

/// Sinks for a queue, which they share with the client.
std::shared_ptr<const OperatorFactory> collectOperator(std::shared_ptr<CollectQueue> queue);

}  // namespace flott
