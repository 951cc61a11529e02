// Moves a value to other memory and ends the one that was there: what splitting batches and growing tables
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

#include "flott/data/shape.h"

namespace flott {

namespace reflect {

/// Structs whose value is that of their fields, all of which are known. One with a destructor of its own has
/// no move constructor; where its fields' copies cannot fail either it counts, and what its destructor does
/// beside ending them is not done.
template <typename T>
constexpr bool isRelocatedByFields() {
  if constexpr (!std::is_trivially_copyable_v<T> && kShape<T> == Shape::kStruct && !Described<T> &&
                std::is_nothrow_move_constructible_v<T> && std::is_move_assignable_v<T>) {
    return Fields<T>::kCount > 0;
  } else {
    return false;
  }
}

template <typename T>
inline constexpr bool kPair = false;
template <typename A, typename B>
inline constexpr bool kPair<std::pair<A, B>> = true;

}  // namespace reflect

/// `to` is memory without a value, `from` is that afterwards. They do not overlap.
template <typename T>
void relocate(T* to, T* from) noexcept {
  static_assert(std::is_nothrow_move_constructible_v<std::remove_all_extents_t<T>>);
  if constexpr (std::is_empty_v<T> && std::is_trivially_copyable_v<T>) {
    // No byte of its own, where it is a [[no_unique_address]] field.
  } else if constexpr (std::is_trivially_copyable_v<T>) {
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
    for (size_t i = 0; i < std::extent_v<T>; ++i) flott::relocate(&(*to)[i], &(*from)[i]);
  } else if constexpr (reflect::kPair<T>) {
    flott::relocate(std::addressof(to->first), std::addressof(from->first));
    flott::relocate(std::addressof(to->second), std::addressof(from->second));
  } else if constexpr (reflect::isRelocatedByFields<T>()) {
    reflect::Fields<T>::visit(*from, [to](auto&... old) {
      reflect::Fields<T>::visit(*to, [&old...](auto&... fresh) {
        (flott::relocate(std::addressof(fresh), std::addressof(old)), ...);
      });
    });
  } else {
    ::new (static_cast<void*>(to)) T(std::move(*from));
    from->~T();
  }
}

}  // namespace flott
