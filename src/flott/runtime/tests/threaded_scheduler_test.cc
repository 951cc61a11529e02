// Lanes as threads: turns taken for a lane that sleeps, and that no wake-up is lost by them.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "flott/runtime/scheduler.h"
#include "flott/runtime/tests/threads.h"

namespace flott {
namespace {

using Progress = Runnable::Progress;

class Scripted final : public Runnable {
 public:
  using Script = std::function<Progress(Scripted&, StepTime)>;
  explicit Scripted(Script script) : script_(std::move(script)) {}

  Progress step(StepTime now) override {
    ++steps;
    return script_(*this, now);
  }
  int64_t deadlineNanos() const override { return deadline; }
  std::string where() const override { return "script"; }

  // Without synchronisation, as in a task: one thread at a time may step it.
  uint64_t steps = 0;
  int64_t deadline = kNoDeadline;

 private:
  Script script_;
};

// A place that is another for each thread.
const void* thisThread() {
  thread_local char place = 0;
  return &place;
}

// How many steps of a runnable on one lane are made by the thread of another lane that wakes it 100 times,
// 100 µs apart.
uint64_t turnsTaken(WakeUp when, bool busy) {
  const auto real = quietRealEnv();
  std::atomic<bool> over{false};
  std::atomic<const void*> giving{nullptr};
  uint64_t turns = 0;
  Scripted sleeper([&](Scripted&, StepTime) {
    if (thisThread() == giving.load()) ++turns;
    return over.load() ? Progress::kDone : Progress::kIdle;
  });
  int wakeUps = 0;
  Scripted giver([&](Scripted& self, StepTime now) {
    giving = thisThread();  // the sleeper is not stepped on this thread before
    if (now.nanos < self.deadline) return Progress::kMore;
    self.deadline = now.nanos + 100'000;
    if (++wakeUps == 100) {
      over = true;
      sleeper.waker().wake();
      return Progress::kDone;
    }
    sleeper.waker().wake(when);
    return busy ? Progress::kMore : Progress::kIdle;
  });
  giver.deadline = 0;
  const auto scheduler = makeThreadedScheduler(real->env(), {.lanes = 2});
  scheduler->add(0, giver);
  scheduler->add(1, sleeper);
  scheduler->start();
  scheduler->join();
  return turns;
}

TEST(ThreadedScheduler, AnIdleLaneTakesTurnsForOneThatSleeps) {
  EXPECT_GT(turnsTaken(WakeUp::kAfterStep, false), 0u);
}

TEST(ThreadedScheduler, TakesNoTurnWhenItIsBusyOrTheWakeUpIsUrgent) {
  EXPECT_EQ(turnsTaken(WakeUp::kAfterStep, true), 0u);
  EXPECT_EQ(turnsTaken(WakeUp::kNow, false), 0u);
}

// Runnables on several lanes give each other things at random, now or after the step, some of them ending
// early: all that was given is taken, and each runnable comes to its end.
TEST(ThreadedScheduler, LosesNoWakeUp) {
  constexpr int kLanes = 3;
  constexpr size_t kRunnables = 6;
  constexpr uint64_t kGifts = 20'000;
  const auto real = quietRealEnv();
  struct Box {
    std::atomic<uint64_t> given{0};
    std::atomic<uint64_t> giversLeft{kRunnables - 1};
    uint64_t taken = 0;
    uint64_t left = kGifts;
    uint64_t random = 0;
  };
  std::vector<Box> boxes(kRunnables);
  std::vector<std::unique_ptr<Scripted>> all;
  for (size_t me = 0; me < kRunnables; ++me) {
    boxes[me].random = 0x9E3779B97F4A7C15u * (me + 1);
    all.push_back(std::make_unique<Scripted>([&, me](Scripted& self, StepTime now) {
      Box& mine = boxes[me];
      const bool noMore = mine.giversLeft.load(std::memory_order_acquire) == 0;
      mine.taken = mine.given.load(std::memory_order_acquire);
      mine.random ^= mine.random << 13;
      mine.random ^= mine.random >> 7;
      mine.random ^= mine.random << 17;
      self.deadline = kNoDeadline;
      if (mine.left > 0) {
        const size_t other = (me + 1 + (mine.random >> 40) % (kRunnables - 1)) % kRunnables;
        boxes[other].given.fetch_add(1, std::memory_order_release);
        all[other]->waker().wake(mine.random % 3 == 0 ? WakeUp::kNow : WakeUp::kAfterStep);
        if (--mine.left == 0) {
          for (size_t i = 0; i < kRunnables; ++i) {
            if (i == me) continue;
            boxes[i].giversLeft.fetch_sub(1, std::memory_order_release);
            all[i]->waker().wake(WakeUp::kAfterStep);
          }
        }
        if ((mine.random >> 20) % 4 != 0) return Progress::kMore;
        self.deadline = now.nanos + static_cast<int64_t>((mine.random >> 24) % 30'000);
        return Progress::kIdle;
      }
      return noMore ? Progress::kDone : Progress::kIdle;
    }));
  }
  const auto scheduler = makeThreadedScheduler(real->env(), {.lanes = kLanes});
  for (size_t i = 0; i < kRunnables; ++i) scheduler->add(static_cast<int>(i) % kLanes, *all[i]);
  scheduler->start();
  ASSERT_TRUE(scheduler->joinFor(Duration::seconds(120)));
  uint64_t taken = 0;
  for (const Box& box : boxes) taken += box.taken;
  EXPECT_EQ(taken, kRunnables * kGifts);
}

// One lane gives to two others after a step, and the turn for the second gives to the first once more.
TEST(ThreadedScheduler, ALaneThatHadItsTurnMayBeGivenAnother) {
  constexpr uint64_t kRounds = 20'000;
  const auto real = quietRealEnv();
  std::atomic<uint64_t> givenToFirst{0}, givenToSecond{0}, seenByFirst{0};
  std::atomic<bool> over{false};
  Scripted* giverOf = nullptr;
  Scripted first([&](Scripted&, StepTime) {
    if (seenByFirst.exchange(givenToFirst.load()) != givenToFirst.load())
      giverOf->waker().wake(WakeUp::kAfterStep);
    return over.load() ? Progress::kDone : Progress::kIdle;
  });
  uint64_t taken = 0;
  Scripted second([&](Scripted&, StepTime) {
    for (; taken < givenToSecond.load(); ++taken) {
      ++givenToFirst;
      first.waker().wake(WakeUp::kAfterStep);
    }
    return over.load() ? Progress::kDone : Progress::kIdle;
  });
  uint64_t round = 0;
  Scripted giver([&](Scripted&, StepTime) {
    if (seenByFirst.load() < 2 * round) return Progress::kIdle;
    if (round++ == kRounds) {
      over = true;
      first.waker().wake();
      second.waker().wake();
      return Progress::kDone;
    }
    ++givenToFirst;
    first.waker().wake(WakeUp::kAfterStep);
    ++givenToSecond;
    second.waker().wake(WakeUp::kAfterStep);
    return Progress::kIdle;
  });
  giverOf = &giver;
  const auto scheduler = makeThreadedScheduler(real->env(), {.lanes = 3});
  scheduler->add(0, giver);
  scheduler->add(1, first);
  scheduler->add(2, second);
  scheduler->start();
  ASSERT_TRUE(scheduler->joinFor(Duration::seconds(60))) << "a wake-up was lost";
  EXPECT_EQ(seenByFirst.load(), 2 * kRounds);
}

}  // namespace
}  // namespace flott
