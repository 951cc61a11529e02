// What a state table needs to know of its key type, and a key in the form in which tables look it up.
//
// A key is either a *word* (an integer, an enum, a bool: it is its own 8-byte word in the slot) or an object
// that lies in the slot behind its hash. A KeyType is never changed; any thread may read it.
#pragma once

#include <cstdint>
#include <type_traits>

#include "flott/base/hash.h"
#include "flott/data/key.h"
#include "flott/data/type_ops.h"

namespace flott {

/// Keys that are stored as one 8-byte word: integers, bools, enums, and strong types of them.
template <typename K>
inline constexpr bool kWordKey = isIntegerKey<K>();

template <typename K>
constexpr uint64_t keyWord(const K& key) {
  return static_cast<uint64_t>(integerOf(key));
}

/// An object's hash as the word of its slot: an occupied slot's word is 0 only for the integer key 0.
constexpr uint64_t hashWord(uint64_t hash) { return hash == 0 ? 1 : hash; }

class KeyType {
 public:
  /// Throws Error(kUser) when the type cannot be a key.
  explicit KeyType(const TypeOps& ops);

  const TypeOps& ops() const { return *ops_; }
  bool isWord() const { return bytes_ != 0; }
  /// Whether equal keys have the same encoding: not those with floating-point numbers, as 0 equals −0.
  bool equalInBytes() const { return equalInBytes_; }
  /// What the slot of a key with this hash begins with.
  uint64_t word(uint64_t hash, const void* key) const;

 private:
  const TypeOps* ops_;
  uint8_t bytes_ = 0;      // size of a word key; 0 for objects
  bool negative_ = false;  // word keys: can be
  bool equalInBytes_;
};

/// The order of the encoded bytes of two values: below, at or above 0. Tables keep keys that share a hash in
/// it.
int compareEncoded(const TypeOps& ops, const void* a, const void* b);

/// A key in the form in which tables look it up. Borrows the key.
struct KeyRef {
  uint64_t hash = 0;
  uint64_t word = 0;
  const void* object = nullptr;
};

/// `hash` is hashKey(key).
template <typename K>
KeyRef keyRef(uint64_t hash, const K& key) {
  if constexpr (kWordKey<K>) {
    return {hash, keyWord(key), &key};
  } else {
    return {hash, hashWord(hash), &key};
  }
}

}  // namespace flott
