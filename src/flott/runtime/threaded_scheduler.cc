#include <algorithm>
#include <atomic>

#include "flott/runtime/scheduler.h"

namespace flott {
namespace {

class Lane;

// The lane whose thread this is; null on all others.
constinit thread_local Lane* ownLane = nullptr;

// One thread that steps its runnables. It sleeps only when none of them is ready, which it finds out under
// the protection of its parker: a wake-up between the last look and the sleep makes park() return at once.
//
// While it sleeps, the lane is there for others to run: a lane that has little to hand over and nothing else
// to do takes a turn for the sleeper, which is cheaper and sooner than to wake it. Who may touch the
// runnables is told by state_: whoever took it out of kAsleep, until he puts it back.
class Lane final : public Bell {
 public:
  Lane(const Env& env, int64_t spinNanos)
      : env_(env), mostSpin_(spinNanos), parker_(env.threads.makeParker()) {}

  void add(Runnable& runnable) {
    runnable.waker().attach(this);
    runnables_.push_back(&runnable);
  }

  void start(ThreadOptions options, Parker& finished, std::atomic<int>& running) {
    thread_ = env_.threads.start(std::move(options), [this, &finished, &running] {
      ownLane = this;
      run();
      running.fetch_sub(1, std::memory_order_release);
      finished.unpark();
    });
  }
  void join() {
    if (thread_) thread_->join();
  }
  /// Ends the thread though its runnables are not done. Any thread.
  void giveUp() {
    givenUp_.store(true, std::memory_order_relaxed);
    parker_->unpark();
  }

  void ring(WakeUp when) override {
    Lane* caller = ownLane;
    // This thread looks at this lane's runnables again before it goes on to anything else.
    if (caller != nullptr && (caller == this || caller->turnOf_ == this)) return;
    if (when == WakeUp::kNow || caller == nullptr) return parker_->unpark();
    std::vector<Lane*>& rung = caller->rung_;
    if (std::find(rung.begin(), rung.end(), this) == rung.end()) rung.push_back(this);
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
  enum State : uint32_t {
    kRuns,        // on its own thread
    kAsleep,      // nobody's
    kLent,        // another lane's thread takes a turn for it
    kLentWanted,  // the same, and its own thread must run after that
  };

  void run() {
    while (!runnables_.empty() && !givenUp_.load(std::memory_order_relaxed)) {
      if (!round()) rest();
    }
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
      const Runnable::Progress progress = step(runnable, time);
      if (progress == Runnable::Progress::kDone) {
        runnables_.erase(runnables_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
      if (!rung_.empty()) handOver();
    }
    return any;
  }

  Runnable::Progress step(Runnable& runnable, StepTime time) {
    since_.store(time.nanos, std::memory_order_relaxed);
    current_.store(&runnable, std::memory_order_release);
    const Runnable::Progress progress = runnable.step(time);
    current_.store(nullptr, std::memory_order_release);
    if (progress == Runnable::Progress::kMore) runnable.waker().again();
    return progress;
  }

  // The lanes that the last step has given something to do.
  void handOver() {
    for (size_t i = 0; i < rung_.size(); ++i) {  // a turn for one may ring others
      if (anyReady() || !takeTurnOf(*rung_[i])) rung_[i]->parker_->unpark();
    }
    rung_.clear();
  }

  // Runs what is ready on a lane that sleeps, if that takes little time. False when its own thread must wake
  // all the same.
  bool takeTurnOf(Lane& sleeper) {
    const int64_t usual = sleeper.turnNanos_.load(std::memory_order_relaxed);
    if (usual > kShortTurnNanos) {
      sleeper.turnNanos_.store(usual - usual / 64, std::memory_order_relaxed);  // to be tried again some time
      return false;
    }
    uint32_t state = kAsleep;
    if (!sleeper.state_.compare_exchange_strong(state, kLent, std::memory_order_seq_cst))
      return state == kRuns;  // then it looks at its runnables before it sleeps
    turnOf_ = &sleeper;
    const int64_t begin = env_.clock.monotonicNanos();
    int64_t took = 0;
    bool enough = false;
    while (!enough && sleeper.runReady()) {
      took = env_.clock.monotonicNanos() - begin;
      enough = took > kShortTurnNanos;
    }
    turnOf_ = nullptr;
    sleeper.turnNanos_.store(usual + (took - usual) / 8, std::memory_order_relaxed);
    const bool done = !sleeper.anyReady() && sleeper.done_.empty() &&
                      sleeper.earliestDeadline() >= sleeper.asleepUntil_;
    return sleeper.state_.exchange(kAsleep, std::memory_order_seq_cst) == kLent && done;
  }

  // In another lane's thread. The list of runnables stays as it is, since the own thread may look at it.
  bool runReady() {
    bool any = false;
    for (Runnable* runnable : runnables_) {
      if (!done_.empty()) return false;
      if (!runnable->waker().take()) continue;
      any = true;
      if (step(*runnable, now()) == Runnable::Progress::kDone) done_.push_back(runnable);
    }
    return any;
  }

  bool anyReady() const {
    return std::any_of(runnables_.begin(), runnables_.end(), [](Runnable* r) { return r->waker().ready(); });
  }
  int64_t earliestDeadline() const {
    int64_t deadline = kNoDeadline;
    for (Runnable* runnable : runnables_) deadline = std::min(deadline, runnable->deadlineNanos());
    return deadline;
  }

  void rest() {
    const int64_t deadline = earliestDeadline();
    const int64_t begin = env_.clock.monotonicNanos();
    if (spin(std::min(begin + (patience_ > 0 ? mostSpin_ : kLeastSpinNanos), deadline))) return learn(true);
    asleepUntil_ = deadline;
    state_.store(kAsleep, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!anyReady()) {
      parker_->park(deadline);
      if (const int64_t woken = parker_->wokenAtNanos(); woken != 0) learn(woken - begin < mostSpin_);
    }
    takeBack();
  }

  void takeBack() {
    uint32_t state = kAsleep;
    while (!state_.compare_exchange_strong(state, kRuns, std::memory_order_seq_cst)) {
      if (state == kLentWanted ||
          state_.compare_exchange_strong(state, kLentWanted, std::memory_order_seq_cst))
        parker_->park(kNoDeadline);
      state = kAsleep;
    }
    for (Runnable* runnable : done_) std::erase(runnables_, runnable);
    done_.clear();
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
  /// A turn for a sleeping lane costs less than to wake it: half of that.
  static constexpr int64_t kShortTurnNanos = 10'000;

  const Env env_;
  const int64_t mostSpin_;
  int patience_ = 0;
  const std::unique_ptr<Parker> parker_;
  std::vector<Lane*> rung_;   // by the step that runs: they are seen to after it
  Lane* turnOf_ = nullptr;    // whose runnables this thread steps, if not its own
  std::atomic<uint32_t> state_{kRuns};
  std::vector<Runnable*> runnables_;
  std::vector<Runnable*> done_;  // while another thread took a turn
  int64_t asleepUntil_ = kNoDeadline;
  std::atomic<int64_t> turnNanos_{0};  // mean time of a turn taken for this lane
  std::atomic<Runnable*> current_{nullptr};
  std::atomic<int64_t> since_{0};
  std::atomic<bool> givenUp_{false};
  std::unique_ptr<Thread> thread_;
};

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
