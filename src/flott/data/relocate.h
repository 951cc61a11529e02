// Moves a value to other memory and ends the one that was there: what growing and splitting arrays of records
// takes. Moving a short std::string and then ending it costs a call and four more stores than moving its
// bytes; records are full of them.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/data/reflect.h"

namespace flott {

namespace reflect {

/// Structs whose value is that of their fields. One with a destructor of its own has no move constructor, and
/// copying strings is not noexcept.
template <typename T>
concept RelocatedByFields = !std::is_trivially_copyable_v<T> && !Described<T> && PlainStruct<T> &&
                            std::is_nothrow_move_constructible_v<T>;

template <typename T>
inline constexpr bool kPair = false;
template <typename A, typename B>
inline constexpr bool kPair<std::pair<A, B>> = true;

}  // namespace reflect

/// `to` is memory without a value, `from` is that afterwards. They do not overlap.
template <typename T>
void relocate(T* to, T* from) noexcept {
  static_assert(std::is_nothrow_move_constructible_v<std::remove_all_extents_t<T>>);
  if constexpr (std::is_trivially_copyable_v<T>) {
    std::memcpy(static_cast<void*>(to), from, sizeof(T));
#if defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
  } else if constexpr (std::is_same_v<T, std::string>) {
    // A pointer to the text, its length, and 16 bytes that a short text lies in.
    static_assert(sizeof(std::string) == 32);
    constexpr size_t kShortText = 16;
    char* const own = reinterpret_cast<char*>(to) + kShortText;
    const bool isShort = from->data() == reinterpret_cast<const char*>(from) + kShortText;
    std::memcpy(static_cast<void*>(to), from, sizeof(std::string));
    if (isShort) std::memcpy(static_cast<void*>(to), &own, sizeof own);
#endif
  } else if constexpr (std::is_array_v<T>) {
    for (size_t i = 0; i < std::extent_v<T>; ++i) relocate(&(*to)[i], &(*from)[i]);
  } else if constexpr (reflect::kPair<T>) {
    relocate(std::addressof(to->first), std::addressof(from->first));
    relocate(std::addressof(to->second), std::addressof(from->second));
  } else if constexpr (reflect::RelocatedByFields<T>) {
    reflect::Fields<T>::visit(*from, [to](auto&... old) {
      reflect::Fields<T>::visit(
          *to, [&old...](auto&... fresh) { (relocate(std::addressof(fresh), std::addressof(old)), ...); });
    });
  } else {
    ::new (static_cast<void*>(to)) T(std::move(*from));
    from->~T();
  }
}

}  // namespace flott
