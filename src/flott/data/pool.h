// Pools of batches, so that the steady state allocates nothing per batch.
//
// There is one BatchPool for each lane and record type. Only the lane's thread takes from it; any thread
// gives back (one atomic exchange a batch), so batches made on one lane and consumed on another find their
// way home. A pool keeps at most kMaxFree bodies; what comes back beyond that is freed. Pools outlive every
// batch taken from them.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "flott/data/batch.h"

namespace flott {

class BatchPool {
 public:
  using Make = std::unique_ptr<BatchBody> (*)();

  explicit BatchPool(Make make) : make_(make) {}
  ~BatchPool();
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  /// An empty batch. Owning lane only.
  Batch acquire();
  /// Called by Batch when a handle dies. Any thread.
  void giveBack(BatchBody* body) noexcept;

  /// Batches taken and not yet given back. For metrics and leak checks; exact only when the lanes are still.
  size_t inUse() const {
    return alive_.load(std::memory_order_relaxed) - freeCount_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kMaxFree = 256;
  static constexpr size_t kMaxKeptBytes = 16 * kBatchBytes;  // a body grown over this is not worth keeping

  void deleteAll(BatchBody* list) noexcept;

  Make make_;
  BatchBody* free_ = nullptr;                  // owner's own list
  std::atomic<BatchBody*> returned_{nullptr};  // pushed by anyone, taken as a whole by the owner
  std::atomic<size_t> freeCount_{0};
  std::atomic<size_t> alive_{0};
};

/// All pools of a lane. Owning lane only.
class BatchPools {
 public:
  /// The pool for one type of batch, made on first use. Look it up once and keep the reference:
  /// rowsPool<T>(pools).
  BatchPool& pool(BatchTypeTag tag, BatchPool::Make make);
  size_t inUse() const;

 private:
  std::vector<std::pair<BatchTypeTag, std::unique_ptr<BatchPool>>>
      pools_;  // a lane sees few types: linear search
};

}  // namespace flott
