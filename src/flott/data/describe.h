// describe<T>(): the TypeDescription of a C++ type, found at compile time and built on first use.
//
//   describe<std::vector<WordCount>>().toString()   ->   list<struct{word: string, count: int64}>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flott/data/codec.h"
#include "flott/data/encodable.h"
#include "flott/data/type_description.h"

namespace flott {
namespace reflect {

/// The structs that are being described, innermost first, by an address that stands for each.
struct EnclosingStructs {
  const void* type;
  const EnclosingStructs* above;
};
template <typename T>
inline constexpr char kIdentity = 0;

template <typename T>
consteval TypeKind numberKind() {
  if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 4 ? TypeKind::kFloat : TypeKind::kDouble;
  } else {
    constexpr int kLog = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return static_cast<TypeKind>(static_cast<int>(std::is_signed_v<T> ? TypeKind::kInt8 : TypeKind::kUint8) +
                                 kLog);
  }
}

template <Shape shape>
consteval TypeKind compositeKind() {
  switch (shape) {
    case Shape::kOptional:
      return TypeKind::kOptional;
    case Shape::kVariant:
      return TypeKind::kVariant;
    case Shape::kList:
      return TypeKind::kList;
    case Shape::kArray:
      return TypeKind::kArray;
    case Shape::kMap:
      return TypeKind::kMap;
    case Shape::kSet:
      return TypeKind::kSet;
    default:
      return TypeKind::kTuple;
  }
}

template <typename T>
TypeDescription buildDescription(const EnclosingStructs* above);

template <typename T>
std::string encodedDefault() {
  std::string bytes;
  ByteWriter out(bytes);
  Codec<T>::encode(T(), out);
  return bytes;
}

template <typename T>
void skipValue(ByteReader& in) {
  auto value = T();
  Codec<T>::decode(in, value);
}

template <typename T>
TypeDescription describeStruct(const EnclosingStructs* above) {
  TypeDescription type;
  type.kind = TypeKind::kEnclosing;
  for (const EnclosingStructs* at = above; at != nullptr; at = at->above, ++type.number) {
    if (at->type == &kIdentity<T>) return type;
  }
  const EnclosingStructs here{&kIdentity<T>, above};
  type.kind = TypeKind::kStruct;
  type.number = 0;
  type.native.encodedDefault = &encodedDefault<T>;
  [&]<typename... Ps>(TypeList<Ps...>) {
    [[maybe_unused]] static constexpr auto kNames = Fields<T>::names();
    [[maybe_unused]] size_t i = 0;
    (type.add(kNames[i++], buildDescription<Ps>(&here)), ...);
  }(Parts<T>{});
  return type;
}

template <typename T>
TypeDescription buildDescription(const EnclosingStructs* above) {
  constexpr Shape shape = kShape<T>;
  TypeDescription type;
  if constexpr (shape == Shape::kInteger || shape == Shape::kFloat) {
    type.kind = numberKind<T>();
  } else if constexpr (shape == Shape::kString) {
    type.kind = TypeKind::kString;
  } else if constexpr (shape == Shape::kEnum) {
    type.kind = TypeKind::kEnum;
    type.add(buildDescription<std::underlying_type_t<T>>(nullptr));
  } else if constexpr (shape == Shape::kTimestamp || shape == Shape::kDuration) {
    type.kind = shape == Shape::kTimestamp ? TypeKind::kTimestamp : TypeKind::kDuration;
    type.name = "ms";
  } else if constexpr (shape == Shape::kChronoDuration || shape == Shape::kChronoTimePoint) {
    type.kind = shape == Shape::kChronoDuration ? TypeKind::kDuration : TypeKind::kTimestamp;
    type.name = durationUnit(T::period::num, T::period::den, std::is_floating_point_v<typename T::rep>);
  } else if constexpr (shape == Shape::kStrong) {
    return buildDescription<FirstPart<T>>(above);
  } else if constexpr (shape == Shape::kStruct) {
    return describeStruct<T>(above);
  } else if constexpr (shape == Shape::kCustom) {
    type.kind = TypeKind::kCustom;
    type.name = Codec<T>::kName;
    type.native.skip = &skipValue<T>;
  } else if constexpr (shape != Shape::kBool) {
    type.kind = compositeKind<shape>();
    if constexpr (shape == Shape::kArray) type.number = kLength<T>;
    [&]<typename... Ps>(TypeList<Ps...>) { (type.add(buildDescription<Ps>(above)), ...); }(Parts<T>{});
  }
  return type;
}

}  // namespace reflect

template <typename T>
const TypeDescription& describe() {
  static_assert(requireEncodable<T>());
  if constexpr (Encodable<T>) {
    static const TypeDescription description = reflect::buildDescription<T>(nullptr);
    return description;
  }
}

}  // namespace flott
