#include "flott/base/hash.h"

namespace flott {
namespace {

using FourLanes = uint64_t __attribute__((vector_size(32)));
using EightLanes = uint64_t __attribute__((vector_size(64)));

/// XXH3-64 of one 8-byte input a lane, in place, seed 0, as the specification of the algorithm has it for
/// inputs of 4 to 8 bytes.
template <typename Lanes>
[[gnu::always_inline]] inline void hashLanes(Lanes& hash, uint64_t flip) {
  constexpr uint64_t kPrime = 0x9fb21c651e98df25u;
  hash = (hash << 32 | hash >> 32) ^ flip;
  hash ^= (hash << 49 | hash >> 15) ^ (hash << 24 | hash >> 40);
  hash *= kPrime;
  hash ^= (hash >> 35) + sizeof(int64_t);
  hash *= kPrime;
  hash ^= hash >> 28;
}

/// Values that lie `stride` bytes apart. Every second word is two loads and a shuffle, of which the second
/// begins a word early, so as to end with the last value.
template <typename Lanes>
[[gnu::always_inline]] inline void load(const char* values, size_t stride, Lanes& out) {
  const auto value = [&](size_t lane) {
    uint64_t word;
    std::memcpy(&word, values + lane * stride, sizeof word);
    return word;
  };
  constexpr bool kEight = sizeof(Lanes) == sizeof(EightLanes);
  if (stride == sizeof(uint64_t)) {
    std::memcpy(&out, values, sizeof out);
  } else if (stride == 2 * sizeof(uint64_t)) {
    Lanes first, second;
    std::memcpy(&first, values, sizeof first);
    std::memcpy(&second, values + sizeof first - sizeof(uint64_t), sizeof second);
    if constexpr (kEight) {
      out = __builtin_shufflevector(first, second, 0, 2, 4, 6, 9, 11, 13, 15);
    } else {
      out = __builtin_shufflevector(first, second, 0, 2, 5, 7);
    }
  } else if constexpr (kEight) {
    out = Lanes{value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7)};
  } else {
    out = Lanes{value(0), value(1), value(2), value(3)};
  }
}

/// Hashes as many as fill whole vectors; returns how many.
template <typename Lanes>
[[gnu::always_inline]] inline size_t hashVectors(const char* values, size_t stride,
                                                 std::span<uint64_t> hashes, uint64_t flip) {
  constexpr size_t kLanes = sizeof(Lanes) / sizeof(uint64_t);
  size_t i = 0;
  for (; i + kLanes <= hashes.size(); i += kLanes) {
    Lanes lanes;
    load(values + i * stride, stride, lanes);
    hashLanes(lanes, flip);
    std::memcpy(hashes.data() + i, &lanes, sizeof lanes);
  }
  return i;
}

#ifdef __x86_64__
/// With the multiplication of 64-bit lanes that AVX2 has to put together from three.
[[gnu::target("avx512f,avx512dq")]] size_t hashWide(const char* values, size_t stride,
                                                    std::span<uint64_t> hashes, uint64_t flip) {
  return hashVectors<EightLanes>(values, stride, hashes, flip);
}
const bool kWide = __builtin_cpu_supports("avx512dq") != 0;
#endif

}  // namespace

void hashInt64s(const int64_t* first, size_t stride, std::span<uint64_t> hashes) {
  uint64_t secret[2];
  std::memcpy(secret, XXH3_kSecret + 8, sizeof secret);
  const uint64_t flip = secret[0] ^ secret[1];
  const auto* values = reinterpret_cast<const char*>(first);
  size_t i = 0;
#ifdef __x86_64__
  if (kWide) i = hashWide(values, stride, hashes, flip);
#endif
  i += hashVectors<FourLanes>(values + i * stride, stride, hashes.subspan(i), flip);
  for (; i < hashes.size(); ++i) {
    int64_t value;
    std::memcpy(&value, values + i * stride, sizeof value);
    hashes[i] = hashInt64(value);
  }
}

}  // namespace flott
