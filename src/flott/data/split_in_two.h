// Splits an array between two others, by one number a value: what an exchange between two lanes does with
// each column of a batch.
//
// Nothing branches, since half of the guesses would be wrong: each value is written to both outputs, and only
// one of them goes on. With AVX2 four values of eight bytes, or two of sixteen, are sorted within a register.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace flott {

namespace in_two {

/// As splitInTwo(), for values of 8 and of 16 bytes; a multiple of four of them are dealt with, and how many
/// is returned in `done`: none without AVX2.
size_t split8(const uint32_t* targets, size_t count, const void* from, void* first, void* second,
              size_t& done);
size_t split16(const uint32_t* targets, size_t count, const void* from, void* first, void* second,
               size_t& done);

}  // namespace in_two

/// Appends from[i] to `second` where targets[i] is 1, to `first` where it is 0. Both must have room for
/// `count` values: what lies behind their last is overwritten. Returns how many the second got.
template <typename T>
size_t splitInTwo(const uint32_t* targets, size_t count, const T* from, T* first, T* second) {
  static_assert(std::is_trivially_copyable_v<T>);
  size_t i = 0;
  size_t inSecond = 0;
  if constexpr (sizeof(T) == 8) inSecond = in_two::split8(targets, count, from, first, second, i);
  if constexpr (sizeof(T) == 16) inSecond = in_two::split16(targets, count, from, first, second, i);
  for (; i < count; ++i) {
    const T value = from[i];
    first[i - inSecond] = value;
    second[inSecond] = value;
    inSecond += targets[i];
  }
  return inSecond;
}

}  // namespace flott
