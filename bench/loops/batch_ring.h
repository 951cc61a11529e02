// A bare ring of batches between two threads: the least that an exchange between two lanes has to do.
//
// One producer fills batches where they lie, one consumer reads them there; nothing is copied or allocated. A
// side that has to wait spins, and gives its core away when that takes long.
//
//   producer: Batch& b = ring.claim(); …; ring.publish();
//   consumer: const Batch& b = ring.front(); …; ring.release();
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "bench/loops/generated.h"

namespace flott::bench {

class BatchRing {
 public:
  static constexpr uint32_t kRecords = 1024;
  struct Batch {
    uint32_t size = 0;
    alignas(64) KeyValue records[kRecords];
  };

  /// Waits for a free batch.
  Batch& claim() {
    await([&] {
      return written_.load(std::memory_order_relaxed) - read_.load(std::memory_order_acquire) < kSlots;
    });
    return slots_[written_.load(std::memory_order_relaxed) % kSlots];
  }
  void publish() { written_.store(written_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Waits for a published batch.
  const Batch& front() {
    await([&] { return written_.load(std::memory_order_acquire) != read_.load(std::memory_order_relaxed); });
    return slots_[read_.load(std::memory_order_relaxed) % kSlots];
  }
  void release() { read_.store(read_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  static constexpr uint64_t kSlots = 8;  // 128 KiB: stays in the second-level cache

  template <typename Ready>
  static void await(Ready ready) {
    constexpr int kSpins = 4096;
    for (int spins = 0; !ready(); ++spins) {
      if (spins < kSpins) {
        __builtin_ia32_pause();
      } else {
        sched_yield();
      }
    }
  }

  alignas(64) std::atomic<uint64_t> written_{0};
  alignas(64) std::atomic<uint64_t> read_{0};
  const std::unique_ptr<Batch[]> slots_ = std::make_unique<Batch[]>(kSlots);
};

}  // namespace flott::bench
