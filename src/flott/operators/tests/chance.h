// Numbers for model tests: the same for a seed, everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flott {

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed * 2 + 1) {}

  /// From 0 to end − 1.
  size_t below(size_t end) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<size_t>((state_ * 0x2545F4914F6CDD1Du >> 11) % end);
  }
  int64_t between(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(below(static_cast<size_t>(last - first + 1)));
  }

 private:
  uint64_t state_;
};

}  // namespace flott
