// Keys: which types can be one, their hash, and when two are equal.
//
// The hash decides the key group, and with it the subtask that owns a key, for as long as savepoints live: it
// depends on the value alone, never on type, build or machine. All integers, bools, enums and times hash as
// int64; all floating numbers as double; strings by their bytes; an optional as its value; a struct, pair or
// tuple by the hashes of its parts in order (of one part: as that part), which is also how several columns
// hash. hashCell… are the same hashes for callers that read columns. Equality goes by the same parts, so that
// equal keys have equal hashes: −0 equals 0 and NaN equals NaN. Called once a record; everything inlines.
//
//   hashKey(click.user) == hashCellString("bob")
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "flott/base/hash.h"
#include "flott/data/codec.h"

namespace flott {

inline uint64_t hashCellInt64(int64_t value) { return hashInt64(value); }
inline uint64_t hashCellDouble(double value) { return hashDouble(value); }
inline uint64_t hashCellString(std::string_view value) { return hashBytes(value); }
/// Also of an empty optional.
inline uint64_t hashCellNull() { return combineHashes(0, 0); }

namespace reflect {

/// Is T a key, its parts aside? Maps and sets are none: one would have to be sorted for each record.
template <typename T>
consteval bool canBeKeyItself() {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kCustom) {
    return std::equality_comparable<T>;
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kStruct) {
    return Parts<T>::kSize > 0;
  } else {
    return shape != Shape::kMap && shape != Shape::kSet;
  }
}

/// As canEncode: `Above` ends recursive types.
template <typename T, typename... Above>
consteval bool canBeKey() {
  if constexpr ((std::is_same_v<T, Above> || ...)) {
    return true;
  } else if constexpr (!canBeKeyItself<T>()) {
    return false;
  } else {
    return []<typename... Ps>(TypeList<Ps...>) { return (canBeKey<Ps, T, Above...>() && ...); }(Parts<T>{});
  }
}

}  // namespace reflect

/// A type whose values can be keys of a stream.
template <typename T>
concept Key = Encodable<T> && std::is_copy_constructible_v<T> && reflect::canBeKey<T>();

namespace reflect {

template <typename T>
uint64_t hashPart(const T& key);

template <typename T>
uint64_t hashElements(const T& elements) {
  uint64_t hash = hashInt64(static_cast<int64_t>(std::size(elements)));
  for (const auto& element : elements) hash = combineHashes(hash, hashPart<FirstPart<T>>(element));
  return hash;
}

template <typename First, typename... Rest>
uint64_t hashParts(const First& first, const Rest&... rest) {
  uint64_t hash = hashPart(first);
  ((hash = combineHashes(hash, hashPart(rest))), ...);
  return hash;
}

template <typename T>
uint64_t hashVariant(const T& key) {
  uint64_t hash = hashInt64(static_cast<int64_t>(key.index()));
  [&]<size_t... i>(std::index_sequence<i...>) {
    ((key.index() == i ? void(hash = combineHashes(hash, hashPart(*get_if<i>(&key)))) : void()), ...);
  }
  (std::make_index_sequence<Parts<T>::kSize>{});
  return hash;
}

template <typename T>
uint64_t hashEncoded(const T& key) {
  std::string bytes;
  ByteWriter out(bytes);
  Codec<T>::encode(key, out);
  return hashBytes(bytes);
}

template <typename T>
uint64_t hashPart(const T& key) {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kBool || shape == Shape::kInteger || shape == Shape::kEnum) {
    return hashInt64(static_cast<int64_t>(key));
  } else if constexpr (shape == Shape::kFloat) {
    return hashDouble(key);
  } else if constexpr (shape == Shape::kString) {
    return hashBytes(key);
  } else if constexpr (shape == Shape::kTimestamp || shape == Shape::kDuration) {
    return hashInt64(key.ms);
  } else if constexpr (shape == Shape::kChronoDuration) {
    return hashPart(static_cast<Count<T>>(key.count()));
  } else if constexpr (shape == Shape::kChronoTimePoint) {
    return hashPart(key.time_since_epoch());
  } else if constexpr (shape == Shape::kStrong) {
    return hashPart(key.value);
  } else if constexpr (shape == Shape::kOptional) {
    return key.has_value() ? hashPart(*key) : hashCellNull();
  } else if constexpr (shape == Shape::kVariant) {
    return hashVariant(key);
  } else if constexpr (shape == Shape::kList || shape == Shape::kArray) {
    return hashElements(key);
  } else if constexpr (shape == Shape::kCustom) {
    return hashEncoded(key);
  } else {
    return visitParts(key, [](const auto&... parts) { return hashParts(parts...); });
  }
}

template <typename T>
bool partsEqual(const T& a, const T& b);

template <typename T>
bool elementsEqual(const T& a, const T& b) {
  if (std::size(a) != std::size(b)) return false;
  auto other = std::begin(b);
  for (const auto& element : a) {
    if (!partsEqual<FirstPart<T>>(element, *other)) return false;
    ++other;
  }
  return true;
}

template <typename T>
bool variantsEqual(const T& a, const T& b) {
  if (a.index() != b.index()) return false;
  return [&]<size_t... i>(std::index_sequence<i...>) {
    return ((a.index() != i || partsEqual(*get_if<i>(&a), *get_if<i>(&b))) && ...);
  }
  (std::make_index_sequence<Parts<T>::kSize>{});
}

/// Short strings, as most keys are, compare without a branch on their length: every string has room for 16
/// bytes, of which those behind its end do not count.
inline bool stringsEqual(const std::string& a, const std::string& b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
#ifdef __SSE2__
  constexpr size_t kRoom = 16;
  if (size <= kRoom) {
    using Bytes = char __attribute__((vector_size(kRoom)));
    Bytes inA, inB;
    std::memcpy(&inA, a.data(), kRoom);
    std::memcpy(&inB, b.data(), kRoom);
    const uint32_t differ = ~static_cast<uint32_t>(__builtin_ia32_pmovmskb128(inA == inB));
    return (differ & ((uint32_t{1} << size) - 1)) == 0;
  }
#endif
  return std::memcmp(a.data(), b.data(), size) == 0;
}

template <typename T>
bool partsEqual(const T& a, const T& b) {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kFloat) {
    return a == b || (a != a && b != b);
  } else if constexpr (shape == Shape::kString) {
    return stringsEqual(a, b);
  } else if constexpr (shape == Shape::kChronoDuration) {
    return partsEqual(a.count(), b.count());
  } else if constexpr (shape == Shape::kChronoTimePoint) {
    return partsEqual(a.time_since_epoch(), b.time_since_epoch());
  } else if constexpr (shape == Shape::kStrong) {
    return partsEqual(a.value, b.value);
  } else if constexpr (shape == Shape::kOptional) {
    return a.has_value() == b.has_value() && (!a.has_value() || partsEqual(*a, *b));
  } else if constexpr (shape == Shape::kVariant) {
    return variantsEqual(a, b);
  } else if constexpr (shape == Shape::kList || shape == Shape::kArray) {
    return elementsEqual(a, b);
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kStruct) {
    return visitParts(a, [&](const auto&... as) {
      return visitParts(b, [&](const auto&... bs) { return (partsEqual(as, bs) && ...); });
    });
  } else {
    return a == b;
  }
}

}  // namespace reflect

/// Does not compile unless T is a Key.
template <typename T>
consteval bool requireKey() {
  if constexpr (requireEncodable<T>() && Encodable<T>) {
    static_assert(std::is_copy_constructible_v<T>,
                  "a key is copied into state: give its type a copy constructor");
    static_assert(
        reflect::canBeKey<T>(),
        "this type cannot be a key: it is, or holds, a map or a set (use a sorted std::vector), a struct "
        "without fields, or a type with its own flott::Codec that has no operator==");
  }
  return true;
}

/// The hash of a key, and of a text that stands for a std::string.
template <typename T>
uint64_t hashKey(const T& key) {
  if constexpr (std::is_convertible_v<const T&, std::string_view> && !Encodable<T>) {
    return hashBytes(std::string_view(key));
  } else if constexpr (std::is_convertible_v<const T&, const char*>) {  // a literal
    return hashBytes(std::string_view(key));
  } else {
    static_assert(requireKey<T>());
    if constexpr (Key<T>) return reflect::hashPart(key);
  }
}

/// Keys whose hash is that of one integer.
template <typename T>
consteval bool isIntegerKey() {
  constexpr Shape shape = reflect::kShape<T>;
  if constexpr (shape == Shape::kStrong) {
    return isIntegerKey<reflect::FirstPart<T>>();
  } else {
    return shape == Shape::kBool || shape == Shape::kInteger || shape == Shape::kEnum;
  }
}
/// That integer.
template <typename T>
constexpr int64_t integerOf(const T& key) {
  if constexpr (reflect::kShape<T> == Shape::kStrong) {
    return integerOf(key.value);
  } else {
    return static_cast<int64_t>(key);
  }
}

/// Are all parts equal? Does not use operator== of a struct: hash and equality must look at the same parts.
template <typename T>
bool keyEquals(const T& a, const T& b) {
  static_assert(requireKey<T>());
  if constexpr (Key<T>) return reflect::partsEqual(a, b);
}

}  // namespace flott
