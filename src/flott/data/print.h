// Values as text for people: what the print sink writes and what an error says of a record.
//
//   toText(WordCount{"to", 2})                       ->   {word: "to", count: 2}
//   toText(std::pair<std::string, int>("to", 2))     ->   ("to", 2)
//   toText(std::string("to"))                        ->   to
//
// A type of the user (also an enum) that has a toString(value) in its namespace is shown by that. Text is
// quoted only inside of something; an enum is shown as its number, an empty optional as null. Any thread; no
// state.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "flott/data/encodable.h"
#include "flott/data/type_description.h"

namespace flott {
namespace reflect {

void appendNumber(int64_t value, std::string& out);
void appendNumber(uint64_t value, std::string& out);
/// The shortest text that reads back as the same number.
void appendNumber(float value, std::string& out);
void appendNumber(double value, std::string& out);
/// Becomes a T and nothing that a T converts to.
template <typename T>
struct Exactly {
  operator const T&() const;
};
template <typename T>
concept HasToString = requires(const Exactly<T>& value) {
  { toString(value) } -> std::convertible_to<std::string_view>;
};

template <typename T>
void appendInside(const T& value, std::string& out);

template <typename T>
void appendElements(const T& elements, std::string& out) {
  const char* separator = "";
  for (const auto& element : elements) {
    out += separator;
    separator = ", ";
    if constexpr (kShape<T> == Shape::kMap) {
      appendInside(element.first, out);
      out += ": ";
      appendInside(element.second, out);
    } else {
      appendInside<FirstPart<T>>(element, out);
    }
  }
}

template <typename T>
void appendParts(const T& value, std::string& out) {
  visitParts(value, [&](const auto&... parts) {
    [[maybe_unused]] size_t i = 0;
    [[maybe_unused]] const auto append = [&](const auto& part) {
      if (i > 0) out += ", ";
      if constexpr (kShape<T> == Shape::kStruct) {
        static constexpr auto kNames = Fields<T>::names();
        (out += kNames[i]) += ": ";
      }
      appendInside(part, out);
      ++i;
    };
    (append(parts), ...);
  });
}

template <typename T>
void appendVariant(const T& value, std::string& out) {
  [&]<size_t... i>(std::index_sequence<i...>) {
    ((value.index() == i ? appendInside(*get_if<i>(&value), out) : void()), ...);
  }
  (std::make_index_sequence<Parts<T>::kSize>{});
}

template <typename T>
void appendNumberOf(T value, std::string& out) {
  if constexpr (std::is_floating_point_v<T>) {
    appendNumber(value, out);
  } else if constexpr (std::is_signed_v<T>) {
    appendNumber(static_cast<int64_t>(value), out);
  } else {
    appendNumber(static_cast<uint64_t>(value), out);
  }
}

/// A value with brackets of its own.
template <typename T>
void appendComposite(const T& value, std::string& out) {
  constexpr Shape shape = kShape<T>;
  constexpr bool braces = shape == Shape::kStruct || shape == Shape::kMap || shape == Shape::kSet;
  out += braces ? '{' : shape == Shape::kTuple ? '(' : '[';
  if constexpr (shape == Shape::kStruct || shape == Shape::kTuple) {
    appendParts(value, out);
  } else {
    appendElements(value, out);
  }
  out += braces ? '}' : shape == Shape::kTuple ? ')' : ']';
}

template <typename T>
void appendInside(const T& value, std::string& out) {
  constexpr Shape shape = kShape<T>;
  if constexpr (HasToString<T>) {
    out += toString(value);
  } else if constexpr (shape == Shape::kBool) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, char>) {
    appendQuoted({&value, 1}, out);
  } else if constexpr (shape == Shape::kInteger || shape == Shape::kFloat) {
    appendNumberOf(value, out);
  } else if constexpr (shape == Shape::kEnum) {
    appendNumberOf(static_cast<std::underlying_type_t<T>>(value), out);
  } else if constexpr (shape == Shape::kString) {
    appendQuoted(value, out);
  } else if constexpr (shape == Shape::kChronoDuration) {
    appendNumberOf(value.count(), out);
    (out += ' ') += durationUnit(T::period::num, T::period::den, false);
  } else if constexpr (shape == Shape::kChronoTimePoint) {
    appendInside(value.time_since_epoch(), out);
  } else if constexpr (shape == Shape::kStrong) {
    appendInside(value.value, out);
  } else if constexpr (shape == Shape::kOptional) {
    value.has_value() ? appendInside(*value, out) : void(out += "null");
  } else if constexpr (shape == Shape::kVariant) {
    appendVariant(value, out);
  } else if constexpr (shape == Shape::kCustom) {
    ((out += '<') += Codec<T>::kName) += '>';
  } else {
    appendComposite(value, out);
  }
}

}  // namespace reflect

/// Does not compile unless T is Encodable or has a toString(value).
template <typename T>
void appendText(const T& value, std::string& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out += value;
  } else if constexpr (std::is_same_v<T, char>) {
    out += value;
  } else if constexpr (reflect::HasToString<T>) {
    out += toString(value);
  } else {
    static_assert(requireEncodable<T>());
    if constexpr (Encodable<T>) reflect::appendInside(value, out);
  }
}

template <typename T>
std::string toText(const T& value) {
  std::string text;
  appendText(value, text);
  return text;
}

}  // namespace flott
