// Puts one thread to sleep until somebody has something for it: the sleep and the alarm clock of a lane.
//
// A parker belongs to one thread, its owner: only the owner calls park(). Any thread calls unpark(). An
// unpark() that comes while the owner is awake is remembered, once, and the next park() returns at once: no
// wake-up is lost. What the waker wrote before unpark() is visible to the owner after park() returns. park()
// may also return for no reason, so that the owner looks at its queues again and decides. Spinning before
// park() is the owner's own business. A parker must outlive all calls of unpark().
//
//   while (!stopped) {                       // the owner
//     if (!runTasks()) parker->park(nextTimerNanos);
//   }
//   ring.push(batch); parker->unpark();      // any other thread
#pragma once

#include <atomic>
#include <cstdint>

namespace flott {

class Parker {
 public:
  Parker() = default;
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;
  virtual ~Parker() = default;

  /// Owner only. Sleeps until unpark(), or until the monotonic clock reaches `deadlineNanos` (kNoDeadline: no
  /// end). Never throws.
  void park(int64_t deadlineNanos) {
    wokenAt_.store(0, std::memory_order_relaxed);
    uint32_t expected = kAwake;
    if (state_.compare_exchange_strong(expected, kParked, std::memory_order_seq_cst)) sleep(deadlineNanos);
    state_.exchange(kAwake, std::memory_order_seq_cst);
  }

  /// Owner only: the monotonic time of the unpark() that ended the last sleep; 0 when it ended otherwise, or
  /// when that is not known.
  int64_t wokenAtNanos() const { return wokenAt_.load(std::memory_order_relaxed); }

  /// Any thread. One atomic exchange when the owner is awake; a system call only when it sleeps. Never
  /// throws.
  void unpark() {
    if (state_.exchange(kNotified, std::memory_order_seq_cst) == kParked) wake();
  }

 protected:
  static constexpr uint32_t kAwake = 0;     // the owner runs; nothing to tell it
  static constexpr uint32_t kParked = 1;    // the owner sleeps, or is about to
  static constexpr uint32_t kNotified = 2;  // somebody called unpark(): the next park() returns at once

  /// Owner: returns soon after the state is no longer kParked, or at the deadline.
  virtual void sleep(int64_t deadlineNanos) = 0;
  /// Wakes the owner out of sleep(), and notes when in wokenAt_; the state has already left kParked.
  virtual void wake() = 0;

  std::atomic<uint32_t> state_{kAwake};
  std::atomic<int64_t> wokenAt_{0};
};

}  // namespace flott
