// A lane: one thread that steps its runnables, and sleeps when none of them is ready.
//
// While it sleeps, the lane is nobody's: another lane that has little to hand over and nothing else to do
// takes a turn for it, which is cheaper and sooner than to wake it. Who may touch the runnables is told by
// the lane's state: whoever took it out of kAsleep, until he puts it back. No wake-up is lost: after the lane
// has said that it sleeps it looks at its runnables once more, and whoever makes one ready looks at the state
// after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "flott/env/env.h"
#include "flott/runtime/runnable.h"

namespace flott {

class Lane;

/// How many runnables of all lanes are not done. A lane without any waits: one that runs elsewhere may add
/// some.
class Alive {
 public:
  explicit Alive(const std::vector<std::unique_ptr<Lane>>& lanes) : lanes_(lanes) {}
  int count() const { return count_.load(std::memory_order_acquire); }
  void add() { count_.fetch_add(1, std::memory_order_relaxed); }
  /// With the last one all lanes wake up to end.
  void drop(size_t done);

 private:
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  std::atomic<int> count_{0};
};

class Lane final : public Bell {
 public:
  /// `spinNanos`: how long it looks for work at most before it sleeps.
  /// `alive` are the runnables of all lanes: with the last of them the lanes end.
  Lane(const Env& env, int64_t spinNanos, Alive& alive);
  ~Lane();

  /// Any thread.
  void add(Runnable& runnable);
  /// Runs until all runnables of all lanes are done; then counts `running` down and unparks `finished`.
  void start(ThreadOptions options, Parker& finished, std::atomic<int>& running);
  void join();
  void wake() { parker_->unpark(); }
  /// Ends the thread though its runnables are not done. Any thread.
  void giveUp();

  void ring(WakeUp when) override;

  /// What the lane has been doing since when; null when it is between steps. Any thread.
  Runnable* current(int64_t& sinceNanos) const;

 private:
  enum State : uint32_t {
    kRuns,        // on its own thread
    kAsleep,      // nobody's
    kLent,        // another lane's thread takes a turn for it
    kLentWanted,  // the same, and its own thread must run after that
  };

  void run();
  void takeAdded();
  bool round();
  Runnable::Progress step(Runnable& runnable, StepTime time);
  void handOver();
  bool takeTurnOf(Lane& sleeper);
  bool runReady();

  void rest();
  bool spin(int64_t end) const;
  void learn(bool soon);
  void takeBack();

  StepTime now() const { return {env_.clock.monotonicNanos(), env_.clock.wallTime()}; }
  bool anyReady() const;
  int64_t earliestDeadline() const;

  const Env env_;
  const int64_t mostSpin_;
  Alive& alive_;
  int patience_ = 0;  // above zero: looking for work has lately been worth it
  const std::unique_ptr<Parker> parker_;
  std::vector<Lane*> rung_;  // by the step that runs: they are seen to after it
  Lane* turnOf_ = nullptr;   // whose runnables this thread steps, if not its own

  std::atomic<uint32_t> state_{kRuns};
  std::vector<Runnable*> runnables_;
  struct Added {
    Runnable* runnable;
    Added* before;
  };
  std::atomic<Added*> added_{nullptr};  // not yet in runnables_, the last one first
  std::vector<Runnable*> done_;         // while another thread took a turn
  int64_t asleepUntil_ = kNoDeadline;
  std::atomic<int64_t> turnNanos_{0};  // mean time of a turn taken for this lane

  std::atomic<Runnable*> current_{nullptr};
  std::atomic<int64_t> since_{0};
  std::atomic<bool> givenUp_{false};
  std::unique_ptr<Thread> thread_;
};

}  // namespace flott
