// What the engine does to a value whose type it does not know: a table of functions for each type, made at
// compile time.
//
// State tables, pools and channels hold values as raw slots and work on them through a TypeOps, so that they
// are compiled once and not once for each user type. Typed handles on top of them use the type itself and
// need none of this. A TypeOps is a constant: any thread may use it.
//
//   const TypeOps& ops = typeOps<Click>();
//   ops.defaultConstruct(slot);
//   ops.decode(reader, slot);
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "flott/data/codec.h"
#include "flott/data/describe.h"
#include "flott/data/heap_bytes.h"
#include "flott/data/key.h"
#include "flott/data/relocate.h"

namespace flott {

/// All pointers to values are to live objects of the type, except where they name memory to build one in,
/// which is `size` bytes aligned to `align`.
struct TypeOps {
  uint32_t size;
  uint32_t align;
  /// Copies and moves are a memcpy, destruction is nothing, and heapBytes is 0.
  bool triviallyCopyable;
  /// The encoded form is the bytes in memory, whatever they are.
  bool bulk;

  void (*defaultConstruct)(void* memory);
  void (*copyConstruct)(void* memory, const void* from);
  /// Moves the value to `memory` and ends the life of `from`.
  void (*relocate)(void* memory, void* from) noexcept;
  void (*destroy)(void* value) noexcept;

  /// Null unless the type can be a key (concept Key in key.h).
  bool (*equals)(const void* a, const void* b);
  uint64_t (*hash)(const void* value);

  void (*encode)(const void* value, ByteWriter& out);
  /// Into a live value, whose memory is used again. Throws Error(kCorruption); the value is then valid but
  /// unspecified.
  void (*decode)(ByteReader& in, void* value);
  const TypeDescription& (*description)();
  /// Estimate of what the value holds outside its own `size` bytes.
  size_t (*heapBytes)(const void* value);
};

namespace reflect {

template <typename T>
constexpr TypeOps makeTypeOps() {
  TypeOps ops{};
  ops.size = sizeof(T);
  ops.align = alignof(T);
  ops.triviallyCopyable = std::is_trivially_copyable_v<T>;
  ops.bulk = isBulk<T>();
  ops.defaultConstruct = [](void* memory) { new (memory) T(); };
  ops.copyConstruct = [](void* memory, const void* from) { new (memory) T(*static_cast<const T*>(from)); };
  ops.relocate = [](void* memory, void* from) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      flott::relocate(static_cast<T*>(memory), static_cast<T*>(from));
    } else {
      new (memory) T(std::move(*static_cast<T*>(from)));
      static_cast<T*>(from)->~T();
    }
  };
  ops.destroy = [](void* value) noexcept { static_cast<T*>(value)->~T(); };
  if constexpr (Key<T>) {
    ops.equals = [](const void* a, const void* b) {
      return keyEquals(*static_cast<const T*>(a), *static_cast<const T*>(b));
    };
    ops.hash = [](const void* value) { return hashKey(*static_cast<const T*>(value)); };
  }
  ops.encode = [](const void* value, ByteWriter& out) {
    Codec<T>::encode(*static_cast<const T*>(value), out);
  };
  ops.decode = [](ByteReader& in, void* value) { Codec<T>::decode(in, *static_cast<T*>(value)); };
  ops.description = &describe<T>;
  ops.heapBytes = [](const void* value) { return heapBytes(*static_cast<const T*>(value)); };
  return ops;
}

template <typename T>
inline constexpr TypeOps kTypeOps = makeTypeOps<T>();

}  // namespace reflect

/// The one table of T, which must be Encodable and copyable.
template <typename T>
const TypeOps& typeOps() {
  static_assert(requireEncodable<T>());
  static_assert(std::is_copy_constructible_v<T>,
                "values are copied into state: give this type a copy constructor");
  if constexpr (Encodable<T> && std::is_copy_constructible_v<T>) return reflect::kTypeOps<T>;
}

}  // namespace flott
