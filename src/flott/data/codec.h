// Codec<T>: values to bytes and back, derived for every Encodable type.
//
// For speed in an exchange the format is fixed: numbers, enums and times are little-endian at their width
// (durations and time points as 8 bytes, bool as one), strings, lists, maps and sets are a varint count and
// what they hold, an optional is a byte and its value, a variant is a byte with its index and its value, and
// a struct, tuple or array is its parts in order (one zero byte if there are none, so that no value takes no
// bytes). Unordered containers are sorted by the bytes of their keys, so that equal values give equal bytes.
// A vector of plain numbers, or of structs of them without padding, is copied as a whole.
//
// Decoding trusts nothing: it throws Error(kCorruption) where bytes cannot be a T. Values nested deeper than
// kMaxNesting (only recursive types can be) are refused by both sides. Any thread; no state.
//
//   std::string bytes;
//   ByteWriter out(bytes);
//   Codec<WordCount>::encode({"to", 2}, out);
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/encodable.h"

namespace flott {

static_assert(std::endian::native == std::endian::little, "Flott runs on little-endian machines");

/// Levels of lists, maps, sets and optionals in each other.
inline constexpr int kMaxNesting = 500;

namespace reflect {

/// Bytes of every value of T; 0 if that differs from value to value.
template <typename T>
consteval size_t fixedSize() {
  switch (kShape<T>) {
    case Shape::kBool:
    case Shape::kInteger:
    case Shape::kFloat:
    case Shape::kEnum:
      return sizeof(T);
    case Shape::kTimestamp:
    case Shape::kDuration:
    case Shape::kChronoDuration:
    case Shape::kChronoTimePoint:
      return 8;
    default:
      break;
  }
  if constexpr (kShape<T> == Shape::kStrong) {
    return fixedSize<FirstPart<T>>();
  } else if constexpr (kShape<T> == Shape::kArray) {
    return kLength<T> == 0 ? 1 : kLength<T> * fixedSize<FirstPart<T>>();
  } else if constexpr (kShape<T> == Shape::kTuple || kShape<T> == Shape::kStruct) {
    return []<typename... Ps>(TypeList<Ps...>) -> size_t {
      if constexpr (sizeof...(Ps) == 0) {
        return 1;
      } else {
        return ((fixedSize<Ps>() > 0) && ...) ? (fixedSize<Ps>() + ...) : 0;
      }
    }(Parts<T>{});
  } else {
    return 0;
  }
}

/// Fewest bytes that a T can take.
template <typename T>
consteval size_t leastSize() {
  if constexpr (fixedSize<T>() > 0) {
    return fixedSize<T>();
  } else if constexpr (kShape<T> == Shape::kTuple || kShape<T> == Shape::kStruct) {
    return []<typename... Ps>(TypeList<Ps...>) { return (leastSize<Ps>() + ...); }(Parts<T>{});
  } else if constexpr (kShape<T> == Shape::kArray) {
    return kLength<T> * leastSize<FirstPart<T>>();
  } else {
    return 1;
  }
}

/// A struct, tuple or array of nothing.
template <typename T>
inline constexpr bool kNoParts = kShape<T> == Shape::kArray ? kLength<T> == 0 : Parts<T>::kSize == 0;

/// Is the encoded form the bytes in memory, whatever they are? (Not bool: most bytes are none.)
template <typename T>
consteval bool isBulk() {
  if constexpr (kShape<T> == Shape::kStruct) {
    if constexpr (std::is_trivially_copyable_v<T> && !Described<T> && !kNoParts<T> &&
                  fixedSize<T>() == sizeof(T)) {
      return []<typename... Ps>(TypeList<Ps...>) { return (isBulk<Ps>() && ...); }(Parts<T>{});
    } else {
      return false;
    }
  } else if constexpr (kShape<T> == Shape::kStrong || kShape<T> == Shape::kArray) {
    return fixedSize<T>() == sizeof(T) && !kNoParts<T> && isBulk<FirstPart<T>>();
  } else if constexpr (kShape<T> == Shape::kEnum) {
    return isBulk<std::underlying_type_t<T>>();
  } else {
    return kShape<T> == Shape::kInteger || kShape<T> == Shape::kFloat || kShape<T> == Shape::kTimestamp ||
           kShape<T> == Shape::kDuration;
  }
}

template <typename T>
inline constexpr size_t kFixedSize = fixedSize<T>();
template <typename T>
inline constexpr bool kBulk = isBulk<T>() && std::is_trivially_copyable_v<T>;

/// What a chrono duration is stored as.
template <typename D>
using Count = std::conditional_t<std::is_floating_point_v<typename D::rep>, double, int64_t>;

// --- Values of fixed size: written into memory that is there ---

template <typename T>
char* store(const T& value, char* at);
template <typename T>
const char* load(const char* at, T& value, const ByteReader& in);

template <typename T>
char* storeParts(const T& value, char* at) {
  if constexpr (kNoParts<T>) {
    *at++ = 0;
  } else if constexpr (kShape<T> == Shape::kArray) {
    for (const auto& element : value) at = store(element, at);
  } else {
    visitParts(value, [&](const auto&... parts) { ((at = store(parts, at)), ...); });
  }
  return at;
}

template <typename T>
char* store(const T& value, char* at) {
  constexpr Shape shape = kShape<T>;
  if constexpr (kBulk<T> || shape == Shape::kBool || shape == Shape::kEnum) {
    std::memcpy(at, &value, sizeof value);
    return at + sizeof value;
  } else if constexpr (shape == Shape::kStrong) {
    return store(value.value, at);
  } else if constexpr (shape == Shape::kChronoDuration) {
    return store(static_cast<Count<T>>(value.count()), at);
  } else if constexpr (shape == Shape::kChronoTimePoint) {
    return store(value.time_since_epoch(), at);
  } else {
    return storeParts(value, at);
  }
}

template <typename T>
const char* loadParts(const char* at, T& value, const ByteReader& in) {
  if constexpr (kNoParts<T>) {
    ++at;
  } else if constexpr (kShape<T> == Shape::kArray) {
    for (auto& element : value) at = load(at, element, in);
  } else {
    visitParts(value, [&](auto&... parts) { ((at = load(at, parts, in)), ...); });
  }
  return at;
}

template <typename T>
const char* load(const char* at, T& value, const ByteReader& in) {
  constexpr Shape shape = kShape<T>;
  if constexpr (kBulk<T>) {
    std::memcpy(&value, at, sizeof value);
    return at + sizeof value;
  } else if constexpr (shape == Shape::kBool) {
    if (static_cast<unsigned char>(*at) > 1) [[unlikely]]
      in.fail("holds a bool that is neither true nor false");
    value = *at != 0;
    return at + 1;
  } else if constexpr (shape == Shape::kEnum) {  // of bool
    bool underlying;
    at = load(at, underlying, in);
    value = static_cast<T>(underlying);
    return at;
  } else if constexpr (shape == Shape::kStrong) {
    return load(at, value.value, in);
  } else if constexpr (shape == Shape::kChronoDuration) {
    Count<T> count;
    at = load(at, count, in);
    value = T(static_cast<typename T::rep>(count));
    return at;
  } else if constexpr (shape == Shape::kChronoTimePoint) {
    typename T::duration sinceEpoch;
    at = load(at, sinceEpoch, in);
    value = T(sinceEpoch);
    return at;
  } else {
    return loadParts(at, value, in);
  }
}

// --- Sorting by encoded keys ---

/// Entries of an unordered container, encoded one after another, on their way into the order of their keys.
class EntrySorter {
 public:
  /// Where to write the next entry, its key first.
  ByteWriter& entries() { return entries_; }
  void keyEnds() { keyEnds_ = bytes_.size(); }
  void entryEnds();
  void appendSorted(ByteWriter& out);

 private:
  struct Entry {
    size_t begin;
    size_t keyEnd;
    size_t end;
  };
  std::string bytes_;
  ByteWriter entries_{bytes_};
  size_t keyEnds_ = 0;
  std::vector<Entry> order_;
};

/// Throws Error(kUser): a value that could not be read back must not be written.
[[noreturn]] void failNesting();

// --- Values of any size ---

template <typename T>
void encodeNested(const T& value, ByteWriter& out, int depth);
template <typename T>
void decodeNested(ByteReader& in, T& value, int depth);

/// All elements of a range that is not unordered.
template <typename T>
void encodeElements(const T& elements, ByteWriter& out, int depth) {
  using Element = FirstPart<T>;
  if constexpr (kShape<T> == Shape::kMap) {
    for (const auto& [key, mapped] : elements) {
      encodeNested(key, out, depth);
      encodeNested(mapped, out, depth);
    }
  } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
    for (const bool element : elements) out.fixed(static_cast<uint8_t>(element));
  } else if constexpr (kShape<T> != Shape::kSet && kBulk<Element>) {
    const size_t count = std::size(elements);
    if (count > 0) out.raw(std::data(elements), count * sizeof(Element));
  } else {
    for (const auto& element : elements) encodeNested(element, out, depth);
  }
}

template <typename T>
void encodeUnordered(const T& container, ByteWriter& out, int depth) {
  EntrySorter sorter;
  for (const auto& entry : container) {
    if constexpr (kShape<T> == Shape::kMap) {
      encodeNested(entry.first, sorter.entries(), depth);
      sorter.keyEnds();
      encodeNested(entry.second, sorter.entries(), depth);
    } else {
      encodeNested(entry, sorter.entries(), depth);
      sorter.keyEnds();
    }
    sorter.entryEnds();
  }
  sorter.appendSorted(out);
}

template <typename T>
void encodeContainer(const T& value, ByteWriter& out, int depth) {
  if (depth >= kMaxNesting) [[unlikely]]
    failNesting();
  out.varint(value.size());
  if constexpr (Hashed<T>) {
    encodeUnordered(value, out, depth + 1);
  } else {
    encodeElements(value, out, depth + 1);
  }
}

template <typename T>
void encodeVariant(const T& value, ByteWriter& out, int depth) {
  static_assert(Parts<T>::kSize <= 256,
                "a variant of more than 256 types has no derived codec: nest variants");
  out.fixed(static_cast<uint8_t>(value.index()));
  [&]<size_t... i>(std::index_sequence<i...>) {
    // get_if is found by its argument's namespace.
    ((value.index() == i ? encodeNested(*get_if<i>(&value), out, depth) : void()), ...);
  }
  (std::make_index_sequence<Parts<T>::kSize>{});
}

template <typename T>
void encodeNested(const T& value, ByteWriter& out, int depth) {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kCustom) {
    Codec<T>::encode(value, out);
  } else if constexpr (kFixedSize<T> > 0 && kFixedSize<T> <= 4096) {
    char bytes[kFixedSize<T>];
    store(value, bytes);
    out.raw(bytes, sizeof bytes);
  } else if constexpr (shape == Shape::kString) {
    out.string(value);
  } else if constexpr (shape == Shape::kOptional) {
    if (depth >= kMaxNesting) [[unlikely]]
      failNesting();
    out.fixed(static_cast<uint8_t>(value.has_value()));
    if (value.has_value()) encodeNested(*value, out, depth + 1);
  } else if constexpr (shape == Shape::kVariant) {
    encodeVariant(value, out, depth);
  } else if constexpr (shape == Shape::kArray) {
    encodeElements(value, out, depth);
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kStruct) {
    visitParts(value, [&](const auto&... parts) { (encodeNested(parts, out, depth), ...); });
  } else {
    encodeContainer(value, out, depth);
  }
}

template <typename T>
void decodeList(ByteReader& in, T& value, int depth) {
  using Element = FirstPart<T>;
  const size_t count = in.count(leastSize<Element>());
  if constexpr (std::is_same_v<Element, bool>) {
    value.resize(count);
    for (size_t i = 0; i < count; ++i) {
      bool element;
      load(in.raw(1), element, in);
      value[i] = element;
    }
  } else if constexpr (kBulk<Element>) {
    value.resize(count);
    if (count > 0)
      std::memcpy(static_cast<void*>(value.data()), in.raw(count * sizeof(Element)), count * sizeof(Element));
  } else {
    value.resize(count);
    for (Element& element : value) decodeNested(in, element, depth);
  }
}

template <typename T>
void decodeEntries(ByteReader& in, T& value, int depth) {
  value.clear();
  if constexpr (kShape<T> == Shape::kMap) {
    const size_t count = in.count(leastSize<typename T::key_type>() + leastSize<typename T::mapped_type>());
    for (size_t i = 0; i < count; ++i) {
      auto key = typename T::key_type();
      auto mapped = typename T::mapped_type();
      decodeNested(in, key, depth);
      decodeNested(in, mapped, depth);
      value.emplace_hint(value.end(), std::move(key), std::move(mapped));
    }
    if (value.size() != count) in.fail("holds a map with a key twice");
  } else {
    const size_t count = in.count(leastSize<typename T::key_type>());
    for (size_t i = 0; i < count; ++i) {
      auto key = typename T::key_type();
      decodeNested(in, key, depth);
      value.emplace_hint(value.end(), std::move(key));
    }
    if (value.size() != count) in.fail("holds a set with an element twice");
  }
}

template <typename T>
void decodeVariant(ByteReader& in, T& value, int depth) {
  const size_t index = in.fixed<uint8_t>();
  if (index >= Parts<T>::kSize) in.fail("holds a variant with an unknown alternative");
  [&]<size_t... i>(std::index_sequence<i...>) {
    const auto decodeAs = [&]<size_t n>(std::integral_constant<size_t, n>) {
      if (value.index() != n) value.template emplace<n>();
      decodeNested(in, *get_if<n>(&value), depth);
    };
    ((index == i ? decodeAs(std::integral_constant<size_t, i>{}) : void()), ...);
  }
  (std::make_index_sequence<Parts<T>::kSize>{});
}

template <typename T>
void decodeOptional(ByteReader& in, T& value, int depth) {
  bool present;
  load(in.raw(1), present, in);
  if (!present) {
    value.reset();
  } else {
    if (!value.has_value()) value.emplace();
    decodeNested(in, *value, depth);
  }
}

template <typename T>
void decodeNested(ByteReader& in, T& value, int depth) {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kCustom) {
    Codec<T>::decode(in, value);
  } else if constexpr (kFixedSize<T> > 0) {
    load(in.raw(kFixedSize<T>), value, in);
  } else if constexpr (shape == Shape::kString) {
    value = in.string();
  } else if constexpr (shape == Shape::kVariant) {
    decodeVariant(in, value, depth);
  } else if constexpr (shape == Shape::kArray) {
    for (auto& element : value) decodeNested(in, element, depth);
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kStruct) {
    visitParts(value, [&](auto&... parts) { (decodeNested(in, parts, depth), ...); });
  } else {
    if (depth >= kMaxNesting) [[unlikely]]
      in.fail("nests values too deep");
    if constexpr (shape == Shape::kOptional) {
      decodeOptional(in, value, depth + 1);
    } else if constexpr (shape == Shape::kList) {
      decodeList(in, value, depth + 1);
    } else {
      decodeEntries(in, value, depth + 1);
    }
  }
}

}  // namespace reflect

template <typename T>
void Codec<T>::encode(const T& value, ByteWriter& out) {
  static_assert(requireEncodable<T>());
  if constexpr (Encodable<T>) reflect::encodeNested(value, out, 0);
}

template <typename T>
void Codec<T>::decode(ByteReader& in, T& value) {
  static_assert(requireEncodable<T>());
  if constexpr (Encodable<T>) reflect::decodeNested(in, value, 0);
}

}  // namespace flott
