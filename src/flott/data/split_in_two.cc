#include "flott/data/split_in_two.h"

#ifdef __AVX2__
#include <immintrin.h>

#include <bit>
#endif

namespace flott::in_two {

#ifdef __AVX2__
namespace {

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

/// Of a multiple of four values of kSize bytes.
template <size_t kSize>
size_t fours(const uint32_t* targets, size_t count, const void* source, void* firstOut, void* secondOut) {
  const auto* from = static_cast<const char*>(source);
  auto* first = static_cast<char*>(firstOut);
  auto* second = static_cast<char*>(secondOut);
  size_t inSecond = 0;
  for (size_t i = 0; i < count; i += 4) {
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(targets + i));
    const auto which = static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_slli_epi32(four, 31))));
    char* toFirst = first + (i - inSecond) * kSize;
    char* toSecond = second + inSecond * kSize;
    if constexpr (kSize == 8) {
      store<4>(from + i * kSize, which, toFirst, toSecond);
    } else {
      const auto ofPair = static_cast<size_t>(std::popcount(which & 3));
      store<2>(from + i * kSize, which & 3, toFirst, toSecond);
      store<2>(from + (i + 2) * kSize, which >> 2, toFirst + (2 - ofPair) * kSize, toSecond + ofPair * kSize);
    }
    inSecond += static_cast<size_t>(std::popcount(which));
  }
  return inSecond;
}

}  // namespace

size_t split8(const uint32_t* targets, size_t count, const void* from, void* first, void* second,
              size_t& done) {
  done = count / 4 * 4;
  return fours<8>(targets, done, from, first, second);
}
size_t split16(const uint32_t* targets, size_t count, const void* from, void* first, void* second,
               size_t& done) {
  done = count / 4 * 4;
  return fours<16>(targets, done, from, first, second);
}

#else

size_t split8(const uint32_t*, size_t, const void*, void*, void*, size_t& done) { return done = 0; }
size_t split16(const uint32_t*, size_t, const void*, void*, void*, size_t& done) { return done = 0; }

#endif

}  // namespace flott::in_two
