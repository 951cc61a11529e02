// For tests with real threads: a second thread, and waiting without taking a core from it.
#pragma once

#include <memory>

#include "flott/env/posix/real_env.h"
#include "flott/runtime/runnable.h"

namespace flott {

/// The real world with a quiet log.
inline std::unique_ptr<RealEnv> quietRealEnv() {
  return makeRealEnv({.log = {.level = LogLevel::kOff}, .offloadThreads = 2});
}

/// A thread that waits when it has nothing to do, as a lane does.
class WaitingThread final : private Bell {
 public:
  explicit WaitingThread(const Env& env) : env_(env), parker_(env.threads.makeParker()) {
    waker.attach(this);
  }

  /// Calls `attempt` whenever the waker was woken, until it returns true. The calling thread is the owner.
  template <typename F>
  void runUntil(F&& attempt) {
    for (;;) {
      const int64_t deadline = env_.clock.monotonicNanos() + kTooLongNanos;
      while (!waker.take()) {
        if (!waker.ready()) parker_->park(deadline);
        if (!waker.ready() && env_.clock.monotonicNanos() >= deadline) {
          checkFailed("a wake-up was lost", __FILE__, __LINE__);
        }
      }
      if (attempt()) return;
    }
  }

  Waker waker;

 private:
  void ring(WakeUp) override { parker_->unpark(); }

  static constexpr int64_t kTooLongNanos = 60'000'000'000;

  Env env_;
  std::unique_ptr<Parker> parker_;
};

}  // namespace flott
