// A record type as a row of a table: the fields of a plain struct (or tuple), where each lies and what it
// holds.
//
// CSV and Parquet read and write fields through this table, so that their code is compiled once and not for
// each user's type. Fields are numbers, bools, strings, Timestamps, enums (as their number), strong types of
// these, or std::optional of any. A table of T is a constant; any thread may use it.
//
//   struct Order { int64_t id; std::optional<double> price; };
//   flatFields<Order>()   ->   {"id", kInt64}, {"price", kDouble, optional}
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/data/describe.h"

namespace flott {

struct FlatField {
  std::string name;  // of a tuple's element: f0, f1, …
  /// kBool … kString (never a composite), or kTimestamp.
  TypeKind kind = TypeKind::kBool;
  uint32_t offset = 0;  // of the field in the record
  bool optional = false;
  /// Of an optional field: makes a value in it, empties it, and looks at the value (null when it is empty).
  void* (*engage)(void* field) = nullptr;
  void (*reset)(void* field) = nullptr;
  const void* (*look)(const void* field) = nullptr;

  /// The value's place in the record; an optional field gets a value.
  void* valueIn(void* record) const {
    void* field = static_cast<char*>(record) + offset;
    return optional ? engage(field) : field;
  }
  /// Null when the field is empty.
  const void* valueOf(const void* record) const {
    const void* field = static_cast<const char*>(record) + offset;
    return optional ? look(field) : field;
  }
  void clearIn(void* record) const { reset(static_cast<char*>(record) + offset); }
};

namespace flat {

using reflect::FirstPart;
using reflect::kShape;

/// The type that a strong type or an enum is made of.
template <typename T>
struct Underlying {
  using Type = T;
};
template <typename T>
requires(kShape<T> == Shape::kStrong) struct Underlying<T> {
  using Type = typename Underlying<FirstPart<T>>::Type;
};
template <typename T>
requires(kShape<T> == Shape::kEnum) struct Underlying<T> {
  using Type = std::underlying_type_t<T>;
};

template <typename T>
inline constexpr bool kScalar =
    kShape<T> == Shape::kBool || kShape<T> == Shape::kInteger || kShape<T> == Shape::kFloat ||
    kShape<T> == Shape::kString || kShape<T> == Shape::kTimestamp;

template <typename T>
FlatField flatField(std::string name, uint32_t offset) {
  FlatField field;
  field.name = std::move(name);
  field.offset = offset;
  if constexpr (kShape<T> == Shape::kOptional) {
    field = flatField<FirstPart<T>>(std::move(field.name), offset);
    field.optional = true;
    field.engage = [](void* at) -> void* {
      T& optional = *static_cast<T*>(at);
      if (!optional.has_value()) optional.emplace();
      return std::addressof(*optional);
    };
    field.reset = [](void* at) { static_cast<T*>(at)->reset(); };
    field.look = [](const void* at) -> const void* {
      const T& optional = *static_cast<const T*>(at);
      return optional.has_value() ? std::addressof(*optional) : nullptr;
    };
  } else {
    using Value = typename Underlying<T>::Type;
    static_assert(
        kScalar<Value>,
        "a field of a CSV or Parquet record must be a number, bool, std::string, Timestamp, enum, or "
        "std::optional of one of these: read such a record as another struct and map it");
    static_assert(sizeof(Value) == sizeof(T));
    if constexpr (kScalar<Value>) field.kind = describe<Value>().kind;
  }
  return field;
}

template <typename T>
std::string fieldName(size_t i) {
  if constexpr (kShape<T> == Shape::kStruct) {
    return std::string(reflect::Fields<T>::names()[i]);
  } else {
    return "f" + std::to_string(i);
  }
}

}  // namespace flat

template <typename T>
std::vector<FlatField> flatFields() {
  static_assert(requireEncodable<T>());
  static_assert(flat::kShape<T> == Shape::kStruct || flat::kShape<T> == Shape::kTuple,
                "a CSV or Parquet record must be a struct (or a tuple) with a field for each column");
  std::vector<FlatField> fields;
  T sample{};
  const char* const begin = reinterpret_cast<const char*>(std::addressof(sample));
  reflect::visitParts(sample, [&]<typename... Fs>(Fs&... parts) {
    (fields.push_back(flat::flatField<Fs>(
         flat::fieldName<T>(fields.size()),
         static_cast<uint32_t>(reinterpret_cast<const char*>(std::addressof(parts)) - begin))),
     ...);
  });
  return fields;
}

}  // namespace flott
