// Splits an array between two others, by one number a value: what an exchange between two lanes does with
// each column of a batch.
//
// Nothing branches, since half of the guesses would be wrong: each value is written to both outputs, and only
// one of them goes on. With AVX2 four values of eight bytes, or two of sixteen, are sorted within a register.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace flott {

#ifdef __AVX2__
namespace in_two {

/// For each set of lanes that go to the second output, one bit a lane: the order in which a register of
/// 32-bit parts has those of the other lanes in front.
template <size_t kLanes>
struct Orders {
  static constexpr size_t kParts = 8 / kLanes;
  alignas(32) uint32_t of[size_t{1} << kLanes][8] = {};

  constexpr Orders() {
    for (size_t second = 0; second < size_t{1} << kLanes; ++second) {
      size_t at = 0;
      for (size_t wanted = 0; wanted < 2; ++wanted) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
          if ((second >> lane & 1) != wanted) continue;
          for (size_t part = 0; part < kParts; ++part)
            of[second][at++] = static_cast<uint32_t>(lane * kParts + part);
        }
      }
    }
  }
};
template <size_t kLanes>
inline constexpr Orders<kLanes> kOrders;

/// One register of values, of which those named by `second` go there.
template <size_t kLanes>
inline void store(const void* from, uint32_t second, void* toFirst, void* toSecond) {
  constexpr uint32_t kAll = (1u << kLanes) - 1;
  const __m256i values = _mm256_loadu_si256(static_cast<const __m256i*>(from));
  const auto inOrder = [&](uint32_t which) {
    return _mm256_permutevar8x32_epi32(
        values, _mm256_load_si256(reinterpret_cast<const __m256i*>(kOrders<kLanes>.of[which])));
  };
  _mm256_storeu_si256(static_cast<__m256i*>(toFirst), inOrder(second));
  _mm256_storeu_si256(static_cast<__m256i*>(toSecond), inOrder(second ^ kAll));
}

/// As splitInTwo() for a multiple of four values of 8 or 16 bytes.
template <typename T>
size_t fours(const uint32_t* targets, size_t count, const T* from, T* first, T* second) {
  size_t inSecond = 0;
  for (size_t i = 0; i < count; i += 4) {
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(targets + i));
    const auto which = static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_slli_epi32(four, 31))));
    T* toFirst = first + (i - inSecond);
    T* toSecond = second + inSecond;
    if constexpr (sizeof(T) == 8) {
      store<4>(from + i, which, toFirst, toSecond);
    } else {
      const auto ofPair = static_cast<size_t>(std::popcount(which & 3));
      store<2>(from + i, which & 3, toFirst, toSecond);
      store<2>(from + i + 2, which >> 2, toFirst + (2 - ofPair), toSecond + ofPair);
    }
    inSecond += static_cast<size_t>(std::popcount(which));
  }
  return inSecond;
}

}  // namespace in_two
#endif

/// Appends from[i] to `second` where targets[i] is 1, to `first` where it is 0. Both must have room for
/// `count` values: what lies behind their last is overwritten. Returns how many the second got.
template <typename T>
size_t splitInTwo(const uint32_t* targets, size_t count, const T* from, T* first, T* second) {
  static_assert(std::is_trivially_copyable_v<T>);
  size_t i = 0;
  size_t inSecond = 0;
#ifdef __AVX2__
  if constexpr (sizeof(T) == 8 || sizeof(T) == 16) {
    i = count / 4 * 4;
    inSecond = in_two::fours(targets, i, from, first, second);
  }
#endif
  for (; i < count; ++i) {
    const T value = from[i];
    first[i - inSecond] = value;
    second[inSecond] = value;
    inSecond += targets[i];
  }
  return inSecond;
}

}  // namespace flott
