#include "flott/env/random.h"

#include <bit>

#include "flott/base/hash.h"

namespace flott {

Random::Random(uint64_t seed) : seed_(seed) {
  uint64_t at = seed;
  for (uint64_t& word : state_) {
    at += 0x9e3779b97f4a7c15u;
    uint64_t mixed = at;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    word = mixed ^ (mixed >> 31);
  }
}

uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

Random Random::fork(std::string_view name) const { return Random(combineHashes(seed_, hashBytes(name))); }

}  // namespace flott
