#include <atomic>

#include "flott/runtime/lane.h"
#include "flott/runtime/scheduler.h"

namespace flott {
namespace {

class ThreadedScheduler final : public Scheduler {
 public:
  ThreadedScheduler(const Env& env, ThreadedOptions options)
      : env_(env),
        options_(options),
        finished_(env.threads.makeParker()),
        watchBell_(env.threads.makeParker()) {
    for (int i = 0; i < options.lanes; ++i)
      lanes_.push_back(std::make_unique<Lane>(env, options.spinNanos, alive_));
  }
  ~ThreadedScheduler() override {
    if (!joined_) join();
  }

  int lanes() const override { return static_cast<int>(lanes_.size()); }

  void add(int lane, Runnable& runnable) override { lanes_[static_cast<size_t>(lane)]->add(runnable); }

  void start() override {
    running_.store(lanes(), std::memory_order_relaxed);
    try {
      for (int i = 0; i < lanes(); ++i) {
        lanes_[static_cast<size_t>(i)]->start(
            {.name = "lane-" + std::to_string(i), .core = options_.pin ? i : -1}, *finished_, running_);
      }
      if (options_.blockedWarning.ms > 0) {
        watchdog_ = env_.threads.start({.name = "watchdog"}, [this] { watch(); });
      }
    } catch (...) {  // no thread is to be had: those that run cannot reach their end without the others
      for (const auto& lane : lanes_) lane->giveUp();
      for (const auto& lane : lanes_) lane->join();
      throw;
    }
    joined_ = false;
  }

  void join() override {
    while (running_.load(std::memory_order_acquire) > 0) finished_->park(kNoDeadline);
    joinThreads();
  }

  bool joinFor(Duration timeout) override {
    const int64_t deadline = deadlineAfter(env_.clock, timeout);
    while (running_.load(std::memory_order_acquire) > 0) {
      if (env_.clock.monotonicNanos() >= deadline) return false;
      finished_->park(deadline);
    }
    joinThreads();
    return true;
  }

 private:
  void joinThreads() {
    if (joined_) return;
    joined_ = true;
    for (const auto& lane : lanes_) lane->join();
    stopWatching_.store(true, std::memory_order_release);
    watchBell_->unpark();
    if (watchdog_) watchdog_->join();
  }

  // Looks four times in the warning time, so that a block is reported between 1 and 1.25 times of it.
  void watch() {
    const Duration pause = Duration::millis(std::max<int64_t>(options_.blockedWarning.ms / 4, 1));
    std::vector<int64_t> warned(lanes_.size(), 0);
    while (!stopWatching_.load(std::memory_order_acquire)) {
      watchBell_->park(deadlineAfter(env_.clock, pause));
      for (size_t i = 0; i < lanes_.size(); ++i) {
        int64_t since;
        Runnable* runnable = lanes_[i]->current(since);
        const int64_t blocked = env_.clock.monotonicNanos() - since;
        if (runnable == nullptr || since == warned[i] || blocked < options_.blockedWarning.ms * 1'000'000)
          continue;
        warned[i] = since;
        env_.log.warn("watchdog", runnable->where() + " has not returned for " +
                                      toString(Duration::millis(blocked / 1'000'000)) +
                                      ": user code blocks its lane, and everything else on lane " +
                                      std::to_string(i) + " waits; move blocking calls out of the function");
      }
    }
  }

  const Env env_;
  const ThreadedOptions options_;
  const std::unique_ptr<Parker> finished_;
  const std::unique_ptr<Parker> watchBell_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Alive alive_{lanes_};
  std::atomic<int> running_{0};
  std::atomic<bool> stopWatching_{false};
  std::unique_ptr<Thread> watchdog_;
  bool joined_ = true;
};

}  // namespace

std::unique_ptr<Scheduler> makeThreadedScheduler(const Env& env, ThreadedOptions options) {
  return std::make_unique<ThreadedScheduler>(env, options);
}

}  // namespace flott
