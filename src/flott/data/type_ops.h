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

namespace flott {

class ByteReader;
class ByteWriter;
class TypeDescription;

/// All pointers to values are to live objects of the type, except where they name memory to build one in,
/// which is `size` bytes aligned to `align`.
struct TypeOps {
  uint32_t size;
  uint32_t align;
  /// Copies and moves are a memcpy, destruction is nothing, and heapBytes is 0.
  bool triviallyCopyable;

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

/// The one table of T, which must be Encodable and copyable.
template <typename T>
const TypeOps& typeOps();

}  // namespace flott
