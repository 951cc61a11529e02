#include <algorithm>

#include "flott/base/error.h"
#include "flott/env/simulated.h"
#include "flott/runtime/scheduler.h"

namespace flott {

DeterministicScheduler::DeterministicScheduler(SimulatedEnv& env, int lanes, DeterministicOptions options)
    : env_(env),
      lanes_(lanes),
      options_(options),
      random_(env.random().fork("scheduler").next() ^ options.seed) {}

void DeterministicScheduler::add(int, Runnable& runnable) { runnables_.push_back(&runnable); }

// One step of a ready runnable chosen by the seed; now and then off-loaded work goes first, as it would on
// real threads.
bool DeterministicScheduler::stepOne() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const uint64_t draw = random_ * 0x9E3779B97F4A7C15u;
  if ((draw & 7) == 0 && env_.offload().runOne()) return true;
  const int64_t now = env_.clock().monotonicNanos();
  const size_t count = runnables_.size();
  const size_t first = count == 0 ? 0 : (draw >> 8) % count;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = (first + i) % count;
    Runnable& runnable = *runnables_[at];
    if (!runnable.waker().take() && runnable.deadlineNanos() > now) continue;
    if (++steps_ > options_.maxSteps) {
      steps_ = 0;  // the job is yet to be cancelled
      throw Error(ErrorKind::kBug, "too many steps without an end: " + waiting());
    }
    switch (runnable.step({now, env_.clock().wallTime()})) {
      case Runnable::Progress::kMore:
        runnable.waker().again();
        break;
      case Runnable::Progress::kIdle:
        break;
      case Runnable::Progress::kDone:
        runnables_.erase(runnables_.begin() + static_cast<std::ptrdiff_t>(at));
        break;
    }
    return true;
  }
  return env_.offload().runOne();
}

bool DeterministicScheduler::runUntilIdle() {
  while (!runnables_.empty() && stepOne()) {
  }
  return runnables_.empty();
}

void DeterministicScheduler::join() {
  while (!runUntilIdle()) {
    const int64_t deadline = nextDeadline();
    if (deadline == kNoDeadline) failStuck();
    env_.clock().advanceTo(deadline);
  }
}

void DeterministicScheduler::failStuck() const {
  throw Error(ErrorKind::kBug, "nothing can go on: " + waiting());
}

int64_t DeterministicScheduler::nextDeadline() const {
  int64_t deadline = kNoDeadline;
  for (Runnable* runnable : runnables_) deadline = std::min(deadline, runnable->deadlineNanos());
  return deadline;
}

bool DeterministicScheduler::joinFor(Duration timeout) {
  const int64_t end = deadlineAfter(env_.clock(), timeout);
  const int64_t stepsBefore = steps_;
  while (!runUntilIdle()) {
    const int64_t next = nextDeadline();
    if (next == kNoDeadline && (steps_ == stepsBefore || end == kNoDeadline)) failStuck();
    if (next > end) {
      env_.clock().advanceTo(end);
      return false;
    }
    env_.clock().advanceTo(next);
  }
  return true;
}

std::string DeterministicScheduler::waiting() const {
  std::string text;
  for (Runnable* runnable : runnables_) text += (text.empty() ? "" : "; ") + runnable->where();
  return text;
}

}  // namespace flott
