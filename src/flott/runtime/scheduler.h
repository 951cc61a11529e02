// Who steps the Runnables: threads, or one deterministic loop.
//
// A Scheduler is given Runnables, each with the lane it belongs to, steps them until all are done, and is
// then joined. What runs may add others: a master the tasks of its next attempt. ThreadedScheduler runs each
// lane on a thread of its own. DeterministicScheduler steps everything on the caller's thread in an order
// drawn from a seed, under the simulated clock: the same seed gives the same run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flott/base/time.h"
#include "flott/env/env.h"
#include "flott/runtime/runnable.h"

namespace flott {

class SimulatedEnv;

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual int lanes() const = 0;
  /// Before start(), or within the step of a runnable that was added. The runnable outlives its last step, as
  /// seen from another one; whoever looks for blocked lanes may ask it where() it is until then.
  virtual void add(int lane, Runnable& runnable) = 0;
  /// Throws, with nothing left running, when the system gives no thread.
  virtual void start() = 0;
  /// Returns when all runnables are done.
  virtual void join() = 0;
  /// As join(), but gives up after `timeout` and returns false: some runnable does not return from its step.
  virtual bool joinFor(Duration timeout) = 0;
};

struct ThreadedOptions {
  int lanes = 1;
  /// How long an idle lane looks for work at most before it sleeps in the kernel. A lane whose work comes
  /// later than that soon stops looking, and begins again once it finds that it slept for less.
  int64_t spinNanos = 20'000;
  /// A step longer than this is logged with the operator's name; zero: never.
  Duration blockedWarning = Duration::seconds(10);
  /// Lane i is pinned to core i; meant for benchmarks.
  bool pin = false;
};

std::unique_ptr<Scheduler> makeThreadedScheduler(const Env& env, ThreadedOptions options);

struct DeterministicOptions {
  uint64_t seed = 0;
  /// Steps after which a run counts as stuck; the error lists what is not done.
  int64_t maxSteps = 50'000'000;
};

/// Steps on the thread that calls join(). When nothing is ready it runs off-loaded work, and when there is
/// none it advances the clock to the next deadline; with none of these it throws Error(kBug) that names who
/// waits.
class DeterministicScheduler final : public Scheduler {
 public:
  DeterministicScheduler(SimulatedEnv& env, int lanes, DeterministicOptions options);

  int lanes() const override { return lanes_; }
  void add(int lane, Runnable& runnable) override;
  void start() override {}
  void join() override;
  /// `timeout` is virtual time. Throws as join() does when it finds nothing to do from the beginning.
  bool joinFor(Duration timeout) override;
  /// Runs what can run without the clock moving. Returns whether all runnables are done. For tests that
  /// script time.
  bool runUntilIdle();
  bool done() const { return runnables_.empty(); }
  /// The earliest time at which somebody wants a step; kNoDeadline when nobody does.
  int64_t nextDeadline() const;

 private:
  bool stepOne();
  [[noreturn]] void failStuck() const;
  std::string waiting() const;

  SimulatedEnv& env_;
  const int lanes_;
  const DeterministicOptions options_;
  uint64_t random_;
  int64_t steps_ = 0;
  std::vector<Runnable*> runnables_;
};

}  // namespace flott
