// Which C++ types can be data, and what to tell the author of one that cannot.
//
// Every type falls into one Shape; describe.h, codec.h, key.h and print.h are each one `if constexpr` over
// it, so that a new kind of type is added in one place each. Standard containers are recognised by what they
// offer, so that a header is paid for only by those who use it. Compile time only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/reflect.h"

namespace flott {

class ByteReader;
class ByteWriter;

/// How values of T become bytes. The primary template derives it (codec.h); specialise it for a type that is
/// no plain data:
///
///   template <>
///   struct flott::Codec<Uuid> {
///     static constexpr std::string_view kName = "uuid";   // its name in stored schemas: never change it
///     static void encode(const Uuid&, ByteWriter&);        // at least one byte; equal values give equal
///     bytes static void decode(ByteReader&, Uuid&);              // into a live value; broken bytes:
///     in.fail("…")
///   };
template <typename T>
struct Codec {
  static constexpr bool kDerived = true;
  static void encode(const T& value, ByteWriter& out);
  /// Reuses the memory of `value`. Throws Error(kCorruption) and leaves `value` valid but unspecified.
  static void decode(ByteReader& in, T& value);
};

/// What a type is to the engine.
enum class Shape : uint8_t {
  kNone,  // no data: see Obstacle
  kCustom,
  kBool,
  kInteger,
  kFloat,
  kEnum,
  kString,
  kTimestamp,
  kDuration,
  kChronoDuration,
  kChronoTimePoint,
  kStrong,
  kOptional,
  kVariant,
  kList,
  kArray,
  kMap,
  kSet,
  kTuple,  // pair and tuple
  kStruct,
};

/// Why a type is no data.
enum class Obstacle : uint8_t {
  kNone,
  kConst,
  kReference,
  kStringView,
  kPointer,
  kSmartPointer,
  kWideNumber,
  kSteadyTime,
  kUnion,
  kNoDefault,
  kExplicitDefault,
  kBase,
  kTooManyFields,
  kClass,
};

namespace reflect {

template <typename T>
struct Elements;  // the type arguments of a tuple, pair or variant
template <template <typename...> typename Template, typename... Ts>
struct Elements<Template<Ts...>> {
  using Types = TypeList<Ts...>;
};

template <typename T>
inline constexpr bool kIsStrong = false;
template <typename Tag, typename T>
inline constexpr bool kIsStrong<Strong<Tag, T>> = true;
template <typename T>
inline constexpr bool kIsVector = false;
template <typename T, typename A>
inline constexpr bool kIsVector<std::vector<T, A>> = true;
template <typename T>
inline constexpr bool kIsArray = std::is_bounded_array_v<T>;
template <typename T, size_t n>
inline constexpr bool kIsArray<std::array<T, n>> = true;
template <typename T>
inline constexpr size_t kLength = std::extent_v<T>;
template <typename T, size_t n>
inline constexpr size_t kLength<std::array<T, n>> = n;
template <typename T>
inline constexpr bool kIsTuple = false;
template <typename A, typename B>
inline constexpr bool kIsTuple<std::pair<A, B>> = true;
template <typename... Ts>
inline constexpr bool kIsTuple<std::tuple<Ts...>> = true;

template <typename T>
concept OptionalLike = requires(T& value) {
  typename T::value_type;
  value.has_value();
  value.reset();
  *value;
};
template <typename T>
concept VariantLike = requires(T& value) {
  value.valueless_by_exception();
  value.index();
  typename Elements<T>::Types;
};
template <typename T>
concept SetLike = requires(T& value) {
  typename T::key_type;
  value.emplace_hint(value.end(), *value.begin());
  value.emplace(*value.begin()).second;  // not a multiset: the order of its equals is no part of the value
};
template <typename T>
concept MapLike = SetLike<T> && requires {
  typename T::mapped_type;
};
template <typename T>
concept Hashed = requires {
  typename T::hasher;
};
template <typename T>
concept ChronoTimePoint = requires(T& value) {
  typename T::clock;
  value.time_since_epoch();
};
template <typename T>
concept SmartPointer = requires(T& value) {
  typename T::element_type;
  value.get();
  *value;
};

template <typename T>
concept HasOwnCodec = std::is_object_v<T> && !requires {
  Codec<T>::kDerived;
};

template <typename T>
consteval Shape shapeOfClass() {
  if constexpr (std::is_same_v<T, std::string>) {
    return Shape::kString;
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return Shape::kTimestamp;
  } else if constexpr (std::is_same_v<T, Duration>) {
    return Shape::kDuration;
  } else if constexpr (kIsStrong<T>) {
    return Shape::kStrong;
  } else if constexpr (kIsVector<T>) {
    return Shape::kList;
  } else if constexpr (kIsTuple<T>) {
    return Shape::kTuple;
  } else if constexpr (Described<T>) {
    return Shape::kStruct;
  } else if constexpr (ChronoDuration<T>) {
    return Shape::kChronoDuration;
  } else if constexpr (ChronoTimePoint<T>) {
    return T::clock::is_steady ? Shape::kNone : Shape::kChronoTimePoint;
  } else if constexpr (OptionalLike<T>) {
    return Shape::kOptional;
  } else if constexpr (VariantLike<T>) {
    return Shape::kVariant;
  } else if constexpr (MapLike<T>) {
    return Shape::kMap;
  } else if constexpr (SetLike<T>) {
    return Shape::kSet;
  } else if constexpr (PlainStruct<T>) {
    return Shape::kStruct;
  } else {
    return Shape::kNone;
  }
}

template <typename T>
consteval Shape shapeOf() {
  if constexpr (!std::is_object_v<T> || std::is_const_v<T> || std::is_volatile_v<T>) {
    return Shape::kNone;
  } else if constexpr (HasOwnCodec<T>) {
    return Shape::kCustom;
  } else if constexpr (std::is_same_v<T, bool>) {
    return Shape::kBool;
  } else if constexpr (std::is_integral_v<T>) {
    return sizeof(T) <= 8 ? Shape::kInteger : Shape::kNone;
  } else if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) <= 8 ? Shape::kFloat : Shape::kNone;
  } else if constexpr (std::is_enum_v<T>) {
    return Shape::kEnum;
  } else if constexpr (kIsArray<T>) {
    return Shape::kArray;
  } else if constexpr (std::is_class_v<T>) {
    return shapeOfClass<T>();
  } else {
    return Shape::kNone;
  }
}

template <typename T>
inline constexpr Shape kShape = shapeOf<T>();

template <typename T>
consteval Obstacle obstacleOfClass() {
  if constexpr (kShape<T> != Shape::kNone) {
    return Obstacle::kNoDefault;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return Obstacle::kStringView;
  } else if constexpr (SmartPointer<T>) {
    return Obstacle::kSmartPointer;
  } else if constexpr (ChronoTimePoint<T>) {
    return Obstacle::kSteadyTime;
  } else if constexpr (!std::is_aggregate_v<T>) {
    return Obstacle::kClass;
  } else if constexpr (HasBase<T>) {
    return Obstacle::kBase;
  } else if constexpr (!std::is_default_constructible_v<T>) {
    return Obstacle::kNoDefault;
  } else if constexpr (!requires { T{}; }) {
    return Obstacle::kExplicitDefault;
  } else {
    return Obstacle::kTooManyFields;
  }
}

/// Of a type that cannot be encoded although all its parts can.
template <typename T>
consteval Obstacle obstacleOf() {
  if constexpr (std::is_reference_v<T>) {
    return Obstacle::kReference;
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return Obstacle::kConst;
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>) {
    return Obstacle::kPointer;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return Obstacle::kWideNumber;
  } else if constexpr (std::is_union_v<T>) {
    return Obstacle::kUnion;
  } else if constexpr (std::is_class_v<T>) {
    return obstacleOfClass<T>();
  } else {
    return Obstacle::kClass;
  }
}

template <typename T, Shape shape = kShape<T>>
struct PartsOf {
  using Types = TypeList<>;
};
template <typename T>
struct PartsOf<T, Shape::kOptional> {
  using Types = TypeList<typename T::value_type>;
};
template <typename T>
struct PartsOf<T, Shape::kList> {
  using Types = TypeList<typename T::value_type>;
};
template <typename T>
struct PartsOf<T, Shape::kSet> {
  using Types = TypeList<typename T::key_type>;
};
template <typename T>
struct PartsOf<T, Shape::kMap> {
  using Types = TypeList<typename T::key_type, typename T::mapped_type>;
};
template <typename T>
struct PartsOf<T, Shape::kVariant> : Elements<T> {};
template <typename T>
struct PartsOf<T, Shape::kTuple> : Elements<T> {};
template <typename T>
struct PartsOf<T, Shape::kStruct> {
  using Types = typename Fields<T>::Types;
};
template <typename T>
struct PartsOf<T, Shape::kStrong> {
  using Types = TypeList<decltype(T::value)>;
};
template <typename T>
struct PartsOf<T, Shape::kArray> {
  using Types = TypeList<std::remove_reference_t<decltype(std::declval<T&>()[0])>>;
};

/// Types of the parts of a T, in order: fields, elements, key and value.
template <typename T>
using Parts = typename PartsOf<T>::Types;

template <typename List>
struct FirstOf;
template <typename First, typename... Rest>
struct FirstOf<TypeList<First, Rest...>> {
  using Type = First;
};
/// The element of an optional, list, array or set, the key of a map.
template <typename T>
using FirstPart = typename FirstOf<Parts<T>>::Type;

/// Calls f with the fields of a struct, or the elements of a tuple or pair.
template <typename V, typename F>
constexpr decltype(auto) visitParts(V& value, F&& f) {
  using T = std::remove_const_t<V>;
  if constexpr (kShape<T> == Shape::kStruct) {
    return Fields<T>::visit(value, f);
  } else {
    return [&]<size_t... i>(std::index_sequence<i...>)->decltype(auto) { return f(std::get<i>(value)...); }
    (std::make_index_sequence<Parts<T>::kSize>{});
  }
}

/// `Above`: the structs that T is part of, where a recursive type ends.
template <typename T, typename... Above>
consteval bool canEncode() {
  if constexpr ((std::is_same_v<T, Above> || ...)) {
    return true;
  } else if constexpr (kShape<T> == Shape::kNone) {
    return false;
  } else {
    return []<typename... Ps>(TypeList<Ps...>) {
      if constexpr (kShape<T> == Shape::kStruct) {
        return (canEncode<Ps, T, Above...>() && ...) && std::is_default_constructible_v<T>;
      } else {
        return (canEncode<Ps, Above...>() && ...) && std::is_default_constructible_v<T>;
      }
    }(Parts<T>{});
  }
}

}  // namespace reflect

/// A type that can travel and be stored: plain data all the way down, or with a Codec of its own.
template <typename T>
concept Encodable = reflect::canEncode<T>();

}  // namespace flott
