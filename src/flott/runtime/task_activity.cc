#include "flott/runtime/task_activity.h"

#include <algorithm>
#include <mutex>

namespace flott {
namespace {

struct Sample {
  int64_t nanos = INT64_MIN;  // never taken
  TaskActivity::Spent spent{};
  std::vector<int64_t> counters;
};

}  // namespace

/// The two last ones.
struct TaskActivity::Samples {
  std::mutex mutex;
  Sample older;
  Sample newer;
};

TaskActivity::TaskActivity() : samples_(std::make_unique<Samples>()) {}
TaskActivity::~TaskActivity() = default;

TaskActivity::Reading TaskActivity::read() const {
  for (;;) {
    const uint32_t version = version_.load(std::memory_order_acquire);
    Reading reading{.state = state(), .since = since_.load(std::memory_order_relaxed), .spent = {}};
    for (size_t i = 0; i < kStates; ++i) reading.spent[i] = spent_[i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version % 2 == 0 && version_.load(std::memory_order_relaxed) == version) return reading;
  }
}

TaskActivity::Spent TaskActivity::Reading::at(int64_t nowNanos) const {
  Spent all = spent;
  if (since != kNever) all[state] += std::max<int64_t>(nowNanos - since, 0);
  return all;
}

TaskActivity::Spent TaskActivity::spent(int64_t nowNanos) const { return read().at(nowNanos); }

// When nothing has happened for a window, what was before it is not to count for the rates that follow.
void TaskActivity::sample(int64_t nowNanos, const std::vector<int64_t>& counters) {
  const Reading reading = read();
  const int64_t begin = nowNanos - kWindowNanos;
  const std::lock_guard lock(samples_->mutex);
  Sample now{.nanos = nowNanos, .spent = reading.at(nowNanos), .counters = counters};
  const bool still = reading.since != kNever && reading.since <= begin;
  samples_->older = still ? Sample{.nanos = begin, .spent = reading.at(begin), .counters = counters}
                          : std::move(samples_->newer);
  samples_->newer = std::move(now);
  nextSample_ = nowNanos + kWindowNanos;
}

TaskActivity::Rates TaskActivity::rates(int64_t nowNanos, const std::vector<int64_t>& counters) const {
  Rates rates{.share = {}, .perSecond = std::vector<double>(counters.size())};
  const Reading reading = read();
  const int64_t begin = nowNanos - kWindowNanos;
  Sample base;
  if (reading.since != kNever && reading.since <= begin) {
    base = {.nanos = begin, .spent = reading.at(begin), .counters = counters};
  } else {
    const std::lock_guard lock(samples_->mutex);
    base = samples_->older.nanos == INT64_MIN ? samples_->newer : samples_->older;
  }
  if (base.nanos == INT64_MIN || base.nanos >= nowNanos || base.counters.size() != counters.size())
    return rates;
  const auto elapsed = static_cast<double>(nowNanos - base.nanos);
  const Spent spent = reading.at(nowNanos);
  for (size_t i = 0; i < kStates; ++i)
    rates.share[i] = std::clamp(static_cast<double>(spent[i] - base.spent[i]) / elapsed, 0.0, 1.0);
  for (size_t i = 0; i < counters.size(); ++i)
    rates.perSecond[i] = std::max(0.0, static_cast<double>(counters[i] - base.counters[i])) * 1e9 / elapsed;
  return rates;
}

}  // namespace flott
