// How much memory the state of one backend may take, and the refusal when it is reached.
//
// A backend fails its job at 90 % of the budget, by an Error that names the state and the way out: that is
// kinder than the kernel's killer. Owned by one task, used on its thread only.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace flott {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit = std::numeric_limits<uint64_t>::max()) : limit_(limit) {}

  /// Counts `bytes` in. Throws Error(kUser), without counting them, when 90 % of the limit would be passed;
  /// `state` is the name of the state that asks and `stateBytes` what it holds already.
  void take(uint64_t bytes, std::string_view state, uint64_t stateBytes) {
    if (used_ + bytes > limit_ - limit_ / 10) [[unlikely]]
      refuse(bytes, state, stateBytes);
    used_ += bytes;
  }
  void giveBack(uint64_t bytes) { used_ -= bytes; }

  uint64_t used() const { return used_; }
  uint64_t limit() const { return limit_; }

 private:
  [[noreturn]] void refuse(uint64_t bytes, std::string_view state, uint64_t stateBytes) const;

  uint64_t limit_;
  uint64_t used_ = 0;
};

}  // namespace flott
