// How much memory a value holds outside itself: an estimate, for the budget of state and of in-flight data.
//
// It counts what the common allocators would: nodes of maps and sets with their links, spare capacity of
// strings and vectors. Types with a Codec of their own count as 0.
#pragma once

#include <cstddef>
#include <utility>

#include "flott/data/shape.h"

namespace flott {
namespace reflect {

/// Links of a node of a map or set, and the allocator's header.
inline constexpr size_t kNodeOverhead = 48;

template <typename T>
consteval bool ownsHeap() {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kString || shape == Shape::kList || shape == Shape::kMap ||
                shape == Shape::kSet) {
    return true;
  } else {
    return []<typename... Ps>(TypeList<Ps...>) { return (ownsHeap<Ps>() || ...); }(Parts<T>{});
  }
}

}  // namespace reflect

template <typename T>
size_t heapBytes(const T& value) {
  using namespace reflect;
  constexpr Shape shape = kShape<T>;
  size_t bytes = 0;
  if constexpr (!ownsHeap<T>()) {
    return 0;
  } else if constexpr (shape == Shape::kString) {
    bytes = value.capacity() < sizeof(T) / 2 ? 0 : value.capacity() + 1;  // short ones lie inside
  } else if constexpr (shape == Shape::kOptional) {
    if (value.has_value()) bytes = heapBytes(*value);
  } else if constexpr (shape == Shape::kVariant) {
    [&]<size_t... i>(std::index_sequence<i...>) {
      ((bytes += value.index() == i ? heapBytes(*get_if<i>(&value)) : 0), ...);
    }
    (std::make_index_sequence<Parts<T>::kSize>{});
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kStruct) {
    bytes = visitParts(value, [](const auto&... parts) { return (heapBytes(parts) + ...); });
  } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
    bytes = value.capacity() / 8;
  } else {
    if constexpr (shape == Shape::kList) bytes = value.capacity() * sizeof(typename T::value_type);
    if constexpr (shape == Shape::kMap || shape == Shape::kSet) {
      bytes = value.size() * (sizeof(typename T::value_type) + kNodeOverhead);
    }
    for (const auto& element : value) {
      if constexpr (shape == Shape::kMap) {
        bytes += heapBytes(element.first) + heapBytes(element.second);
      } else {
        bytes += heapBytes(element);
      }
    }
  }
  return bytes;
}

}  // namespace flott
