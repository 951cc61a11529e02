// Numbers for model tests: the same for a seed, everywhere.
#pragma once

#include <cstdint>

namespace flott {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}

  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  uint64_t below(uint64_t end) { return (next() >> 11) % end; }

 private:
  uint64_t state_;
};

}  // namespace flott
