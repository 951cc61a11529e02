// A bounded queue from one thread to one other: the link between two tasks of a process.
//
// Exactly one thread pushes and exactly one pops (they may be the same). Each side caches the other's index,
// so that in the steady state a push or pop touches no cache line that the other side is writing. The
// capacity is a power of two.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

#include "flott/base/error.h"

namespace flott {

template <typename T>
class SpscRing {
 public:
  explicit SpscRing(size_t capacity) : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {
    FLOTT_CHECK(capacity >= 1 && std::has_single_bit(capacity), "a ring's capacity is a power of two");
  }

  /// Producer. Takes `item` and returns true, or leaves it as it is and returns false when the ring is full.
  bool tryPush(T& item) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - headSeen_ > mask_) {
      headSeen_ = head_.load(std::memory_order_acquire);
      if (tail - headSeen_ > mask_) return false;
    }
    slots_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Consumer. The oldest item, or null.
  T* front() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tailSeen_) {
      tailSeen_ = tail_.load(std::memory_order_acquire);
      if (head == tailSeen_) return nullptr;
    }
    return &slots_[head & mask_];
  }

  /// Consumer. The item with this sequence number, which has not been popped; null: it has not been pushed.
  const T* at(size_t position) const {
    if (position >= tail_.load(std::memory_order_acquire)) return nullptr;
    return &slots_[position & mask_];
  }

  /// Consumer: front() was not null. Whatever the caller left in the item stays until the slot is pushed to
  /// again.
  void pop() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Producer: whether everything pushed has been popped.
  bool drained() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_relaxed);
  }
  /// Any thread; exact only for the two owners when the other is still.
  size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }
  size_t capacity() const { return mask_ + 1; }
  /// Number of items pushed so far; the sequence number of the next one. Producer.
  size_t pushed() const { return tail_.load(std::memory_order_relaxed); }
  /// Number of items popped so far. Consumer.
  size_t popped() const { return head_.load(std::memory_order_relaxed); }

 private:
  const size_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(64) std::atomic<size_t> tail_{0};  // written by the producer
  size_t headSeen_ = 0;                      // producer's copy of head_
  alignas(64) std::atomic<size_t> head_{0};  // written by the consumer
  size_t tailSeen_ = 0;                      // consumer's copy of tail_
};

}  // namespace flott
