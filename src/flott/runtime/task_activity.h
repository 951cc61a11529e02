// How a task spends its time, and how fast its counters rise.
//
// A task is busy from the beginning of a step until it has nothing more to do, then idle, or held up by
// back-pressure. It tells so on its lane; any thread reads. Rates are over the last 5 to 10 seconds: the task
// leaves its counters every five. Costs a few stores a step.
//
//   activity.begin(now);                            // of a step
//   activity.rest(TaskActivity::kIdle, later);      // it waits for input
//   const TaskActivity::Spent spent = activity.spent(now);
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace flott {

class TaskActivity {
 public:
  enum State : uint8_t {
    kBusy,
    kIdle,           // waits for input, mail or time
    kBackPressured,  // waits for those behind it
    kEnded,
  };
  static constexpr size_t kStates = 4;
  /// Nanoseconds in each state since the first step.
  using Spent = std::array<int64_t, kStates>;
  static constexpr int64_t kWindowNanos = 5'000'000'000;

  TaskActivity();
  ~TaskActivity();

  // By the task.
  void begin(int64_t nowNanos) { become(kBusy, nowNanos); }
  void rest(State state, int64_t nowNanos) { become(state, nowNanos); }
  /// No step follows.
  void end(int64_t nowNanos) { become(kEnded, nowNanos); }
  /// Before begin(): whether counters are to be kept for rates.
  bool sampleDue(int64_t nowNanos) const { return nowNanos >= nextSample_; }
  void sample(int64_t nowNanos, const std::vector<int64_t>& counters);

  // Any thread.
  State state() const { return static_cast<State>(state_.load(std::memory_order_relaxed)); }
  /// `nowNanos` is not before the last call of the task; one that is counts as that.
  Spent spent(int64_t nowNanos) const;
  struct Rates {
    std::array<double, kStates> share;  // of the time, 0 to 1
    std::vector<double> perSecond;      // of each counter
  };
  /// Of these counters, as they are now. Zeros before the first step.
  Rates rates(int64_t nowNanos, const std::vector<int64_t>& counters) const;

 private:
  struct Samples;
  struct Reading {
    State state;
    int64_t since;
    Spent spent;  // until then
    Spent at(int64_t nowNanos) const;
  };

  void become(State state, int64_t nowNanos) {
    const int64_t since = since_.load(std::memory_order_relaxed);
    const uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    if (since != kNever) {
      std::atomic<int64_t>& spent = spent_[state_.load(std::memory_order_relaxed)];
      spent.store(spent.load(std::memory_order_relaxed) + nowNanos - since, std::memory_order_relaxed);
    }
    state_.store(state, std::memory_order_relaxed);
    since_.store(nowNanos, std::memory_order_relaxed);
    version_.store(version + 2, std::memory_order_release);
  }
  Reading read() const;

  static constexpr int64_t kNever = INT64_MIN;
  std::atomic<uint32_t> version_{0};  // odd: the task is at the values below
  std::atomic<uint8_t> state_{kIdle};
  std::atomic<int64_t> since_{kNever};
  std::array<std::atomic<int64_t>, kStates> spent_{};
  int64_t nextSample_ = kNever;
  const std::unique_ptr<Samples> samples_;
};

}  // namespace flott
