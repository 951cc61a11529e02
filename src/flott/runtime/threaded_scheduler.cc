#include <algorithm>
#include <atomic>
#include <mutex>

#include "flott/runtime/scheduler.h"

namespace flott {
namespace {

class Lane;

// How many runnables of all lanes are not done. A lane without any waits: one that runs elsewhere may add
// some.
class Alive {
 public:
  explicit Alive(const std::vector<std::unique_ptr<Lane>>& lanes) : lanes_(lanes) {}
  int count() const { return count_.load(std::memory_order_acquire); }
  void add() { count_.fetch_add(1, std::memory_order_relaxed); }
  /// With the last one all lanes wake up to end.
  void drop(int done);

 private:
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  std::atomic<int> count_{0};
};

// One thread that steps its runnables. It sleeps only when none of them is ready, which it finds out under
// the protection of its parker: a wake-up between the last look and the sleep makes park() return at once.
class Lane {
 public:
  Lane(const Env& env, int64_t spinNanos)
      : env_(env), mostSpin_(spinNanos), bell_(env.threads.makeParker()) {}

  /// Any thread.
  void add(Runnable& runnable) {
    runnable.waker().attach(bell_.get());
    {
      const std::lock_guard lock(addedMutex_);
      added_.push_back(&runnable);
      hasAdded_.store(true, std::memory_order_release);
    }
    bell_->unpark();
  }

  /// `alive` are the runnables of all lanes that are not done: with the last of them the lanes end.
  void start(ThreadOptions options, Parker& finished, std::atomic<int>& running, Alive& alive) {
    thread_ = env_.threads.start(std::move(options), [this, &finished, &running, &alive] {
      run(alive);
      running.fetch_sub(1, std::memory_order_release);
      finished.unpark();
    });
  }
  void join() {
    if (thread_) thread_->join();
  }
  void wake() { bell_->unpark(); }
  /// Ends the thread though its runnables are not done. Any thread.
  void giveUp() {
    givenUp_.store(true, std::memory_order_relaxed);
    bell_->unpark();
  }

  /// What the lane has been doing since when; null when it is between steps. Any thread. The time is read
  /// last: it is that of this step or of a later one, so a lane that was idle never seems to have been
  /// blocked.
  Runnable* current(int64_t& sinceNanos) const {
    Runnable* runnable = current_.load(std::memory_order_acquire);
    sinceNanos = since_.load(std::memory_order_acquire);
    return runnable;
  }

 private:
  void run(Alive& alive) {
    while (alive.count() > 0 && !givenUp_.load(std::memory_order_relaxed)) {
      if (hasAdded_.load(std::memory_order_acquire)) takeAdded();
      const size_t before = runnables_.size();
      const bool any = round();
      if (before > runnables_.size()) alive.drop(static_cast<int>(before - runnables_.size()));
      if (!any && alive.count() > 0) rest();
    }
  }

  void takeAdded() {
    const std::lock_guard lock(addedMutex_);
    runnables_.insert(runnables_.end(), added_.begin(), added_.end());
    added_.clear();
    hasAdded_.store(false, std::memory_order_relaxed);
  }

  StepTime now() const { return {env_.clock.monotonicNanos(), env_.clock.wallTime()}; }

  bool round() {
    bool any = false;
    StepTime time = now();
    for (size_t i = 0; i < runnables_.size();) {
      Runnable& runnable = *runnables_[i];
      if (!runnable.waker().take() && runnable.deadlineNanos() > time.nanos) {
        ++i;
        continue;
      }
      if (any) time = now();
      any = true;
      since_.store(time.nanos, std::memory_order_relaxed);
      current_.store(&runnable, std::memory_order_release);
      const Runnable::Progress progress = runnable.step(time);
      current_.store(nullptr, std::memory_order_release);
      if (progress == Runnable::Progress::kDone) {
        runnables_.erase(runnables_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      if (progress == Runnable::Progress::kMore) runnable.waker().again();
      ++i;
    }
    return any;
  }

  bool anyReady() const {
    if (hasAdded_.load(std::memory_order_relaxed)) return true;
    return std::any_of(runnables_.begin(), runnables_.end(), [](Runnable* r) { return r->waker().ready(); });
  }

  void rest() {
    int64_t deadline = kNoDeadline;
    for (Runnable* runnable : runnables_) deadline = std::min(deadline, runnable->deadlineNanos());
    const int64_t begin = env_.clock.monotonicNanos();
    if (spin(std::min(begin + (patience_ > 0 ? mostSpin_ : kLeastSpinNanos), deadline))) return learn(true);
    if (anyReady()) return;
    bell_->park(deadline);
    if (const int64_t woken = bell_->wokenAtNanos(); woken != 0) learn(woken - begin < mostSpin_);
  }

  /// Looking for work pays where work has lately come `soon`. A wake-up costs about what a full spin does,
  /// and delays what comes by more: so it pays when one in three times is.
  void learn(bool soon) {
    patience_ = soon ? std::min(patience_ + 2, kMostPatience) : std::max(patience_ - 1, 0);
  }

  // Whether something became ready before `end`.
  bool spin(int64_t end) const {
    do {
      for (int i = 0; i < 8; ++i) {
        if (anyReady()) return true;
        __builtin_ia32_pause();
      }
    } while (env_.clock.monotonicNanos() < end);
    return false;
  }

  static constexpr int64_t kLeastSpinNanos = 500;
  static constexpr int kMostPatience = 8;

  const Env env_;
  const int64_t mostSpin_;
  int patience_ = 0;
  const std::unique_ptr<Parker> bell_;
  std::vector<Runnable*> runnables_;
  std::mutex addedMutex_;
  std::vector<Runnable*> added_;  // by other threads, not yet in runnables_
  std::atomic<bool> hasAdded_{false};
  std::atomic<Runnable*> current_{nullptr};
  std::atomic<int64_t> since_{0};
  std::atomic<bool> givenUp_{false};
  std::unique_ptr<Thread> thread_;
};

void Alive::drop(int done) {
  if (count_.fetch_sub(done, std::memory_order_acq_rel) > done) return;
  for (const auto& lane : lanes_) lane->wake();
}

class ThreadedScheduler final : public Scheduler {
 public:
  ThreadedScheduler(const Env& env, ThreadedOptions options)
      : env_(env),
        options_(options),
        finished_(env.threads.makeParker()),
        watchBell_(env.threads.makeParker()) {
    for (int i = 0; i < options.lanes; ++i) lanes_.push_back(std::make_unique<Lane>(env, options.spinNanos));
  }
  ~ThreadedScheduler() override {
    if (!joined_) join();
  }

  int lanes() const override { return static_cast<int>(lanes_.size()); }

  void add(int lane, Runnable& runnable) override {
    alive_.add();
    lanes_[static_cast<size_t>(lane)]->add(runnable);
  }

  void start() override {
    running_.store(lanes(), std::memory_order_relaxed);
    try {
      for (int i = 0; i < lanes(); ++i) {
        lanes_[static_cast<size_t>(i)]->start(
            {.name = "lane-" + std::to_string(i), .core = options_.pin ? i : -1}, *finished_, running_,
            alive_);
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
