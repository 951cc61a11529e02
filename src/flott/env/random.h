// Chance, from a seed.
//
// A stream is used by one thread at a time; whoever needs chance forks a stream of its own under a name. A
// fork depends on the seed of its parent and on the name only, not on how many numbers were drawn before, so
// that the order in which parts are built changes nothing. The real environment takes its seed from the
// system.
//
//   auto random = env.random.fork("source 'gen', subtask 3");
//   const uint64_t target = random.below(channels);
#pragma once

#include <cstdint>
#include <string_view>

namespace flott {

/// xoshiro256** by Blackman and Vigna; its state is filled from the seed by splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed);

  /// 64 random bits.
  uint64_t next();
  /// Evenly from 0 … bound − 1; `bound` is at least 1. Multiplication instead of a division (Lemire), no
  /// rejection: the bias is below bound / 2^64.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  /// Evenly from [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// An independent stream; the same for the same seed and name.
  Random fork(std::string_view name) const;
  uint64_t seed() const { return seed_; }

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace flott
