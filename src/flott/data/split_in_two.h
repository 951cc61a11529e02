// Splits arrays between two others, by one number a value: what an exchange between two lanes does with each
// column of a batch.
//
// Nothing branches, since half of the guesses would be wrong: first come lists of the places that go to the
// one and to the other, each place being written to both, and only one of them goes on; then the values at
// the places of each list are moved, column by column. With AVX2 the lists grow by eight places at once.
//
//   const SplitInTwo split(targets, count);
//   for (size_t output : {0, 1}) movePicked(keys, split.of(output), keysOf[output]);
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "flott/data/relocate.h"

namespace flott {

class SplitInTwo {
 public:
  static constexpr size_t kMost = 1024;

  /// Of at most kMost targets, each 0 or 1.
  SplitInTwo(const uint32_t* targets, size_t count);

  /// The places that go to output 0 or 1, in order.
  std::span<const uint16_t> of(size_t output) const { return {places_[output], counts_[output]}; }

 private:
  static constexpr size_t kAtOnce = 8;

  size_t counts_[2];
  uint16_t places_[2][kMost + kAtOnce];
};

/// Constructs at `to` the values that were at these places, and ends those where moving them cannot fail.
/// `to` does not overlap with `from`.
template <typename T>
void movePicked(T* from, std::span<const uint16_t> places, T* to) {
  size_t i = 0;
  if constexpr (std::is_trivially_copyable_v<T> && std::is_copy_constructible_v<T> &&
                std::is_copy_assignable_v<T> && sizeof(T) <= 64) {
    for (; i + 4 <= places.size(); i += 4) {  // the compiler cannot know that no store changes a later load
      const T a = from[places[i]], b = from[places[i + 1]], c = from[places[i + 2]], d = from[places[i + 3]];
      to[i] = a;
      to[i + 1] = b;
      to[i + 2] = c;
      to[i + 3] = d;
    }
  }
  for (; i < places.size(); ++i) {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      flott::relocate(to + i, from + places[i]);
    } else {
      ::new (static_cast<void*>(to + i)) T(std::move(from[places[i]]));
    }
  }
}

}  // namespace flott
