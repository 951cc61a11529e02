// The compile error for a type that cannot be data: it names the field and what to write instead.
//
// requireEncodable<T>() goes down to the part that is to blame and instantiates CannotEncodeField for it, so
// that the compiler prints struct, field and type beside the advice.
#pragma once

#include <string_view>

#include "flott/data/shape.h"

namespace flott {

template <size_t n>
struct FixedText {
  char text[n + 1] = {};
  consteval explicit FixedText(std::string_view from) {
    for (size_t i = 0; i < n; ++i) text[i] = from[i];
  }
};

template <FixedText kName>
struct FieldName {};

/// Instantiated for a part T, in a field of Struct, that is no data.
template <typename Struct, typename Field, typename T>
struct CannotEncodeField {
  static constexpr Obstacle kObstacle = reflect::obstacleOf<T>();
  static_assert(kObstacle != Obstacle::kStringView,
                "this field only looks at its text and does not own it: use std::string");
  static_assert(
      kObstacle != Obstacle::kPointer,
      "an address means nothing in another process: hold the value itself (std::optional where it may be "
      "missing, std::string for text), or specialise flott::Codec for the struct");
  static_assert(
      kObstacle != Obstacle::kSmartPointer,
      "a smart pointer is no plain data: hold the value itself (std::optional where it may be missing, "
      "std::vector for many or for a recursive type), or specialise flott::Codec for the pointer's type");
  static_assert(kObstacle != Obstacle::kReference, "a reference cannot be stored: hold the value itself");
  static_assert(kObstacle != Obstacle::kConst, "a const field cannot be decoded into: remove the const");
  static_assert(
      kObstacle != Obstacle::kWideNumber,
      "long double and 128-bit integers differ between machines: use double, int64_t, or two int64_t");
  static_assert(kObstacle != Obstacle::kSteadyTime,
                "a time of this clock means nothing in another process: use flott::Timestamp");
  static_assert(kObstacle != Obstacle::kUnion,
                "a union does not say which member it holds: use std::variant");
  static_assert(kObstacle != Obstacle::kNoDefault,
                "a value is decoded into a default one: give this struct, and each of its fields, a default "
                "constructor "
                "(a reference or an uninitialised const field has none)");
  static_assert(
      kObstacle != Obstacle::kExplicitDefault,
      "a field of this struct has an explicit default constructor, so that {} does not make the struct: give "
      "the field's type a default constructor without `explicit`, or list the fields with "
      "FLOTT_DESCRIBE(Type, field1, field2)");
  static_assert(
      kObstacle != Obstacle::kBase,
      "fields of a struct with a base are not found by themselves: list the fields, those of the base too, "
      "with FLOTT_DESCRIBE(Type, field1, field2)");
  static_assert(
      kObstacle != Obstacle::kTooManyFields,
      "only 32 fields are found by themselves: list the fields with FLOTT_DESCRIBE(Type, field1, field2)");
  static_assert(
      kObstacle != Obstacle::kClass,
      "not a plain struct or a known type: list the fields with FLOTT_DESCRIBE(Type, field1, field2) if it "
      "is a class of yours with constructors or private fields, or specialise flott::Codec for it");
};

/// The same where the type itself is to blame, and no field of it.
template <typename T>
struct CannotEncode : CannotEncodeField<void, FieldName<FixedText<0>("")>, T> {};

namespace reflect {

template <typename Struct, size_t index>
consteval auto nameOfField() {
  constexpr std::string_view name = Fields<Struct>::names()[index];
  return FieldName<FixedText<name.size()>(name)>{};
}

template <typename... Ps>
consteval bool allEncodable(TypeList<Ps...>) {
  return (canEncode<Ps>() && ...);
}

template <typename T, typename Struct, typename Field>
consteval void explainObstacle();

template <typename T, typename Struct, typename Field, typename... Ps, size_t... i>
consteval void explainParts(TypeList<Ps...>, std::index_sequence<i...>) {
  if constexpr (kShape<T> == Shape::kStruct) {
    (explainObstacle<Ps, T, decltype(nameOfField<T, i>())>(), ...);
  } else {
    (explainObstacle<Ps, Struct, Field>(), ...);
  }
}

template <typename T, typename Struct, typename Field>
consteval void explainObstacle() {
  if constexpr (canEncode<T>()) {
    return;
  } else if constexpr (kShape<T> != Shape::kNone && !allEncodable(Parts<T>{})) {
    explainParts<T, Struct, Field>(Parts<T>{}, std::make_index_sequence<Parts<T>::kSize>{});
  } else if constexpr (std::is_void_v<Struct>) {
    static_cast<void>(sizeof(CannotEncode<T>));
  } else {
    static_cast<void>(sizeof(CannotEncodeField<Struct, Field, T>));
  }
}

}  // namespace reflect

/// Does not compile unless T is Encodable.
template <typename T>
consteval bool requireEncodable() {
  if constexpr (!Encodable<T>) {
    reflect::explainObstacle<T, void, void>();
  }
  return true;
}

}  // namespace flott
