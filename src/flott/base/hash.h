// The hash of keys: XXH3-64 with a fixed seed, the same on every build and machine.
//
// It decides key groups and so which subtask owns a key, also across savepoints: it may never change.
// Integers of every width hash as their 8-byte little-endian value, so that an int32 key and an int64 key of
// the same number meet.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace flott {

inline uint64_t hashBytes(const void* data, size_t size) { return XXH3_64bits(data, size); }
inline uint64_t hashBytes(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

inline uint64_t hashInt64(int64_t value) {
  static_assert(std::endian::native == std::endian::little, "Flott runs on little-endian machines");
  return XXH3_64bits(&value, sizeof value);
}

/// hashInt64 of hashes.size() values that lie `stride` bytes apart, several at a time: for the keys of a
/// whole batch. The values may lie where their hashes go.
void hashInt64s(const int64_t* first, size_t stride, std::span<uint64_t> hashes);

/// −0 hashes as 0 and every NaN as one NaN.
inline uint64_t hashDouble(double value) {
  if (value == 0) value = 0;
  uint64_t bits = value != value ? 0x7ff8000000000000u : std::bit_cast<uint64_t>(value);
  return XXH3_64bits(&bits, sizeof bits);
}

/// Joins the hashes of the parts of a composite key, in order.
inline uint64_t combineHashes(uint64_t first, uint64_t second) {
  const uint64_t both[2] = {first, second};
  return XXH3_64bits(both, sizeof both);
}

}  // namespace flott
