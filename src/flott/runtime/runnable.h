// What a lane runs: something with a step, that says when it wants the next one.
//
// A Runnable (a task, the job's master) belongs to one lane; one thread at a time calls step(): the lane's
// own, or while that sleeps the one of another lane, which sees all that earlier steps did. Anybody may wake
// it through its Waker. Under the deterministic scheduler all lanes are one thread.
//
// A wake-up is never lost: the lane clears the flag before the step, so what was published before wake() is
// either seen by the running step or leads to another.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "flott/env/clock.h"

namespace flott {

/// When a wake-up has to take effect.
enum class WakeUp : uint8_t {
  kNow,
  kAfterStep,  // soon enough when the step that asks for it has returned: it is about to
};

/// What a wake-up rings: the lane that a runnable lives on. Any thread.
class Bell {
 public:
  virtual void ring(WakeUp when) = 0;

 protected:
  ~Bell() = default;
};

/// The ready flag of one Runnable and the bell of the lane it lives on.
class Waker {
 public:
  /// Any thread; a no-op when the runnable is ready already. Publish what it shall see before the call.
  void wake(WakeUp when = WakeUp::kNow) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (ready_.load(std::memory_order_relaxed)) return;
    if (!ready_.exchange(true, std::memory_order_seq_cst) && bell_ != nullptr) bell_->ring(when);
  }
  /// The lane: whether a step is wanted. Clears the flag.
  bool take() {
    if (!ready_.load(std::memory_order_relaxed)) return false;
    ready_.store(false, std::memory_order_release);       // with it whoever finds it cleared sees the bell
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with that of wake()
    return true;
  }
  bool ready() const { return ready_.load(std::memory_order_relaxed); }
  /// The lane: wants another step itself.
  void again() { ready_.store(true, std::memory_order_relaxed); }
  /// Before the lanes start. Null when nobody sleeps (deterministic scheduler).
  void attach(Bell* bell) { bell_ = bell; }

 private:
  std::atomic<bool> ready_{true};  // the first step needs no waking
  Bell* bell_ = nullptr;
};

/// The moment a step began, read once for all that happens in it.
struct StepTime {
  int64_t nanos = 0;  // monotonic
  Timestamp wall;
};

class Runnable {
 public:
  enum class Progress : uint8_t {
    kMore,  // has more to do right away
    kIdle,  // until somebody wakes it, or its deadline
    kDone,  // never to be stepped again
  };

  virtual ~Runnable() = default;
  /// A bounded piece of work; never blocks, never throws.
  virtual Progress step(StepTime now) = 0;
  /// Monotonic nanoseconds at which it wants a step though nobody wakes it; kNoDeadline for none. Owner lane
  /// only.
  virtual int64_t deadlineNanos() const = 0;
  /// Where it is, for the watchdog and for deadlock reports: "operator 'count', subtask 1/2". Any thread.
  virtual std::string where() const = 0;

  Waker& waker() { return waker_; }

 private:
  Waker waker_;
};

}  // namespace flott
