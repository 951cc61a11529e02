// A process in the simulated world: what runs in it can be stopped, let go on, and killed, all at once.
//
// To the deterministic scheduler it is one runnable; inside it is a scheduler itself, with off-loaded work of
// its own that dies with it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/simulated.h"
#include "flott/runtime/scheduler.h"

namespace flott {

class SimulatedProcess final : public Runnable, public Scheduler, private Bell {
 public:
  SimulatedProcess(SimulatedEnv& sim, std::string name)
      : sim_(sim),
        name_(std::move(name)),
        random_(sim.random().fork(name_)),
        offload_(random_.fork("offload")) {}
  ~SimulatedProcess() override { offload_.stop(Duration()); }

  Env env() {
    const Env all = sim_.env();
    return {all.clock,   all.random,  all.files, all.network, all.threads, offload_,
            all.signals, all.console, all.log,   all.system,  all.stores};
  }
  /// Dies with the process.
  void keep(std::shared_ptr<void> content) { content_ = std::move(content); }
  /// Within a step of what runs in it: after that.
  void kill() {
    killed_ = true;
    waker().wake();
  }
  void stop() { stopped_ = true; }
  void goOn() {
    stopped_ = false;
    waker().wake();
  }
  bool killed() const { return killed_; }
  /// A step of what runs in it is under way.
  bool stepping() const { return stepping_; }

  // Runnable
  Progress step(StepTime now) override {
    stepping_ = true;
    if (!killed_ && !stopped_) stepOne(now);
    stepping_ = false;
    if (killed_) {
      runnables_.clear();
      offload_.stop(Duration());
      content_.reset();
    }
    if (runnables_.empty()) return Progress::kDone;
    const auto isReady = [](Runnable* runnable) { return runnable->waker().ready(); };
    const bool more =
        !offload_.waiting().empty() || std::any_of(runnables_.begin(), runnables_.end(), isReady);
    return more && !stopped_ ? Progress::kMore : Progress::kIdle;
  }
  int64_t deadlineNanos() const override {
    int64_t deadline = kNoDeadline;
    for (Runnable* runnable : runnables_) deadline = std::min(deadline, runnable->deadlineNanos());
    return stopped_ ? kNoDeadline : deadline;
  }
  std::string where() const override {
    std::string all = "process '" + name_ + "'";
    for (Runnable* runnable : runnables_) all += ", " + runnable->where();
    return all;
  }

  // Scheduler; the outer one starts and joins.
  int lanes() const override { return 2; }
  void add(int, Runnable& runnable) override {
    runnable.waker().attach(this);
    runnables_.push_back(&runnable);
    waker().wake();
  }
  void remove(Runnable& runnable) { std::erase(runnables_, &runnable); }
  void start() override {}
  void join() override {}
  bool joinFor(Duration) override { return runnables_.empty(); }

 private:
  void ring(WakeUp) override { waker().wake(); }

  void stepOne(StepTime now) {
    if (random_.below(8) == 0 && offload_.runOne()) return;
    const size_t first = random_.below(std::max<size_t>(1, runnables_.size()));
    for (size_t i = 0; i < runnables_.size(); ++i) {
      Runnable* runnable = runnables_[(first + i) % runnables_.size()];
      if (!runnable->waker().take() && runnable->deadlineNanos() > now.nanos) continue;
      const Progress progress = runnable->step(now);
      if (progress == Progress::kMore) runnable->waker().again();
      if (progress == Progress::kDone) std::erase(runnables_, runnable);
      return;
    }
    offload_.runOne();
  }

  SimulatedEnv& sim_;
  const std::string name_;
  Random random_;
  SimulatedOffload offload_;
  std::vector<Runnable*> runnables_;
  std::shared_ptr<void> content_;
  bool killed_ = false;
  bool stopped_ = false;
  bool stepping_ = false;
};

}  // namespace flott
