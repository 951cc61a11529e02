// Input made from its own index.
//
// Record number i of every input is a pure function of i: lanes can share out the indices in any way, and the
// loop still knows what the result has to be. Both sides of a case inline the same function, so the input
// costs them the same.
#pragma once

#include <cstdint>

namespace flott::bench {

/// 64 well mixed bits for each index (the finaliser of SplitMix64).
inline uint64_t randomBits(uint64_t index) {
  uint64_t bits = (index + 1) * 0x9e3779b97f4a7c15u;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

/// Scales 64 random bits to [0, end).
inline int64_t randomBelow(uint64_t bits, uint64_t end) {
  return static_cast<int64_t>(static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * end) >> 64));
}

/// The record of all cases but wordcount and map-filter.
struct KeyValue {
  int64_t key;
  int64_t value;
};

}  // namespace flott::bench
