// How long accesses to a keyed state take, of every so many of a kind one.
//
// A state has one where that was asked for (state.latency-track.keyed-state-enabled); its handles look for it
// at each access, which costs nothing where a state has neither this nor a time to live. Used on the task's
// thread only.
//
//   StateTimes times(100, env.clock, [&](StateAccess access, int64_t nanos) { … });
//   if (times.due(StateAccess::kValueGet)) …   // of a hundred one
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flott/base/function.h"

namespace flott {

class Clock;

enum class StateAccess : uint8_t {
  kClear,
  kValueGet,
  kValueUpdate,
  kListGet,
  kListAdd,
  kListAddAll,
  kListUpdate,
  kMapGet,
  kMapPut,
  kMapRemove,
  kMapContains,
  kMapIsEmpty,
  kMapEntries,
  kReducingGet,
  kReducingAdd,
  kAggregatingGet,
  kAggregatingAdd,
};
inline constexpr size_t kStateAccesses = 17;

/// Flink's name of the histogram: "valueStateGetLatency".
std::string_view latencyName(StateAccess access);

class StateTimes {
 public:
  using Take = MoveFunction<void(StateAccess, int64_t nanos)>;

  /// Measures one of `every` accesses of a kind, at least 1. The clock outlives it.
  StateTimes(uint32_t every, const Clock& clock, Take take);

  /// Whether this access is to be measured.
  bool due(StateAccess access) {
    uint32_t& left = left_[static_cast<size_t>(access)];
    if (--left != 0) return false;
    left = every_;
    return true;
  }
  int64_t begin() const;
  void end(StateAccess access, int64_t begun);

 private:
  const uint32_t every_;
  const Clock& clock_;
  Take take_;
  std::array<uint32_t, kStateAccesses> left_{};
};

/// Measures an access while it lives, if it is one to be measured.
class MeasuredAccess {
 public:
  MeasuredAccess() = default;
  MeasuredAccess(StateTimes* times, StateAccess access) : access_(access) {
    if (times == nullptr || !times->due(access)) return;
    times_ = times;
    begun_ = times->begin();
  }
  ~MeasuredAccess() {
    if (times_ != nullptr) [[unlikely]]
      times_->end(access_, begun_);
  }
  MeasuredAccess(const MeasuredAccess&) = delete;
  MeasuredAccess& operator=(const MeasuredAccess&) = delete;

 private:
  StateTimes* times_ = nullptr;
  int64_t begun_ = 0;
  StateAccess access_ = StateAccess::kClear;
};

/// Who wants to know.
class StateMeter {
 public:
  /// For a state of this name, when it is registered. Null: nobody.
  virtual std::unique_ptr<StateTimes> timesOf(const std::string& state) = 0;

 protected:
  ~StateMeter() = default;
};

}  // namespace flott
