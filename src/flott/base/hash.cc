#include "flott/base/hash.h"

namespace flott {
namespace {

using Lanes = uint64_t __attribute__((vector_size(32)));
constexpr size_t kLanes = 4;

Lanes rotateLeft(Lanes x, int bits) { return (x << bits) | (x >> (64 - bits)); }

/// XXH3-64 of one 8-byte input a lane, seed 0, as the specification of the algorithm has it for inputs of 4
/// to 8 bytes.
Lanes hashLanes(Lanes input, uint64_t flip) {
  constexpr uint64_t kPrime = 0x9fb21c651e98df25u;
  Lanes hash = rotateLeft(input, 32) ^ flip;
  hash ^= rotateLeft(hash, 49) ^ rotateLeft(hash, 24);
  hash *= kPrime;
  hash ^= (hash >> 35) + sizeof(int64_t);
  hash *= kPrime;
  return hash ^ (hash >> 28);
}

}  // namespace

void hashInt64s(std::span<uint64_t> values) {
  uint64_t secret[2];
  std::memcpy(secret, XXH3_kSecret + 8, sizeof secret);
  const uint64_t flip = secret[0] ^ secret[1];
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    Lanes lanes;
    std::memcpy(&lanes, values.data() + i, sizeof lanes);
    lanes = hashLanes(lanes, flip);
    std::memcpy(values.data() + i, &lanes, sizeof lanes);
  }
  for (; i < values.size(); ++i) values[i] = hashInt64(static_cast<int64_t>(values[i]));
}

}  // namespace flott
