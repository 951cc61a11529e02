#include "flott/data/split_in_two.h"

#include "flott/base/error.h"

#ifdef __AVX2__
#include <immintrin.h>

#include <bit>
#endif

namespace flott {

#ifdef __AVX2__
namespace {

/// For each set of eight places that go to the second output, one bit a place: the others first, then those.
struct Orders {
  alignas(16) uint16_t of[256][8] = {};

  constexpr Orders() {
    for (size_t second = 0; second < 256; ++second) {
      size_t at = 0;
      for (size_t wanted = 0; wanted < 2; ++wanted) {
        for (uint16_t place = 0; place < 8; ++place) {
          if ((second >> place & 1) == wanted) of[second][at++] = place;
        }
      }
    }
  }
};
constexpr Orders kOrders;

}  // namespace
#endif

SplitInTwo::SplitInTwo(const uint32_t* targets, size_t count) {
  FLOTT_CHECK(count <= kMost);
  size_t i = 0;
  size_t inSecond = 0;
#ifdef __AVX2__
  for (; i + kAtOnce <= count; i += kAtOnce) {
    const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(targets + i));
    const auto which =
        static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(eight, 31))));
    const __m128i base = _mm_set1_epi16(static_cast<int16_t>(i));
    const auto store = [&](uint32_t last, uint16_t* to) {
      const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(kOrders.of[last]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_add_epi16(base, order));
    };
    store(which, places_[0] + i - inSecond);
    store(which ^ 255, places_[1] + inSecond);
    inSecond += static_cast<size_t>(std::popcount(which));
  }
#endif
  for (; i < count; ++i) {
    places_[0][i - inSecond] = places_[1][inSecond] = static_cast<uint16_t>(i);
    inSecond += targets[i];
  }
  counts_[0] = count - inSecond;
  counts_[1] = inSecond;
}

}  // namespace flott
