// Taking a plain struct apart without a macro: how many fields it has, and a reference to each.
//
// C++20 has no reflection, but two things tell enough. A struct with n fields can be initialised from n empty
// braces and not from n + 1, which counts them (an array counts once); and a structured binding with n names
// refers to all of them. Both must be spelled out for every n, which is all this file does. Included by
// reflect.h only.
#pragma once

#include <cstddef>

namespace flott::reflect {

/// Structs with more fields need FLOTT_DESCRIBE.
inline constexpr size_t kMaxPlainFields = 32;

/// kAccepts<T>: can a T be made from n empty braces? visit(value, f): calls f with the n fields of the value.
template <size_t n>
struct Arity;

template <>
struct Arity<0> {
  template <typename T>
  static constexpr bool kAccepts = requires {
    T{};
  };
  template <typename T, typename F>
  static constexpr decltype(auto) visit(T&, F&& f) {
    return f();
  }
};

#define FLOTT_LIST_1(item) item(1)
#define FLOTT_LIST_2(item) FLOTT_LIST_1(item), item(2)
#define FLOTT_LIST_3(item) FLOTT_LIST_2(item), item(3)
#define FLOTT_LIST_4(item) FLOTT_LIST_3(item), item(4)
#define FLOTT_LIST_5(item) FLOTT_LIST_4(item), item(5)
#define FLOTT_LIST_6(item) FLOTT_LIST_5(item), item(6)
#define FLOTT_LIST_7(item) FLOTT_LIST_6(item), item(7)
#define FLOTT_LIST_8(item) FLOTT_LIST_7(item), item(8)
#define FLOTT_LIST_9(item) FLOTT_LIST_8(item), item(9)
#define FLOTT_LIST_10(item) FLOTT_LIST_9(item), item(10)
#define FLOTT_LIST_11(item) FLOTT_LIST_10(item), item(11)
#define FLOTT_LIST_12(item) FLOTT_LIST_11(item), item(12)
#define FLOTT_LIST_13(item) FLOTT_LIST_12(item), item(13)
#define FLOTT_LIST_14(item) FLOTT_LIST_13(item), item(14)
#define FLOTT_LIST_15(item) FLOTT_LIST_14(item), item(15)
#define FLOTT_LIST_16(item) FLOTT_LIST_15(item), item(16)
#define FLOTT_LIST_17(item) FLOTT_LIST_16(item), item(17)
#define FLOTT_LIST_18(item) FLOTT_LIST_17(item), item(18)
#define FLOTT_LIST_19(item) FLOTT_LIST_18(item), item(19)
#define FLOTT_LIST_20(item) FLOTT_LIST_19(item), item(20)
#define FLOTT_LIST_21(item) FLOTT_LIST_20(item), item(21)
#define FLOTT_LIST_22(item) FLOTT_LIST_21(item), item(22)
#define FLOTT_LIST_23(item) FLOTT_LIST_22(item), item(23)
#define FLOTT_LIST_24(item) FLOTT_LIST_23(item), item(24)
#define FLOTT_LIST_25(item) FLOTT_LIST_24(item), item(25)
#define FLOTT_LIST_26(item) FLOTT_LIST_25(item), item(26)
#define FLOTT_LIST_27(item) FLOTT_LIST_26(item), item(27)
#define FLOTT_LIST_28(item) FLOTT_LIST_27(item), item(28)
#define FLOTT_LIST_29(item) FLOTT_LIST_28(item), item(29)
#define FLOTT_LIST_30(item) FLOTT_LIST_29(item), item(30)
#define FLOTT_LIST_31(item) FLOTT_LIST_30(item), item(31)
#define FLOTT_LIST_32(item) FLOTT_LIST_31(item), item(32)
#define FLOTT_LIST_33(item) FLOTT_LIST_32(item), item(33)
#define FLOTT_BRACES(n) \
  {}
#define FLOTT_BINDING(n) field##n

#define FLOTT_ARITY(n)                                       \
  template <>                                                \
  struct Arity<n> {                                          \
    template <typename T>                                    \
    static constexpr bool kAccepts = requires {              \
      T{FLOTT_LIST_##n(FLOTT_BRACES)};                       \
    };                                                       \
    template <typename T, typename F>                        \
    static constexpr decltype(auto) visit(T& value, F&& f) { \
      auto& [FLOTT_LIST_##n(FLOTT_BINDING)] = value;         \
      return f(FLOTT_LIST_##n(FLOTT_BINDING));               \
    }                                                        \
  };

FLOTT_ARITY(1)
FLOTT_ARITY(2)
FLOTT_ARITY(3)
FLOTT_ARITY(4)
FLOTT_ARITY(5)
FLOTT_ARITY(6)
FLOTT_ARITY(7)
FLOTT_ARITY(8)
FLOTT_ARITY(9)
FLOTT_ARITY(10)
FLOTT_ARITY(11)
FLOTT_ARITY(12)
FLOTT_ARITY(13)
FLOTT_ARITY(14)
FLOTT_ARITY(15)
FLOTT_ARITY(16)
FLOTT_ARITY(17)
FLOTT_ARITY(18)
FLOTT_ARITY(19)
FLOTT_ARITY(20)
FLOTT_ARITY(21)
FLOTT_ARITY(22)
FLOTT_ARITY(23)
FLOTT_ARITY(24)
FLOTT_ARITY(25)
FLOTT_ARITY(26)
FLOTT_ARITY(27)
FLOTT_ARITY(28)
FLOTT_ARITY(29)
FLOTT_ARITY(30)
FLOTT_ARITY(31)
FLOTT_ARITY(32)
FLOTT_ARITY(33)

#undef FLOTT_ARITY
#undef FLOTT_BINDING
#undef FLOTT_BRACES

#undef FLOTT_LIST_1
#undef FLOTT_LIST_2
#undef FLOTT_LIST_3
#undef FLOTT_LIST_4
#undef FLOTT_LIST_5
#undef FLOTT_LIST_6
#undef FLOTT_LIST_7
#undef FLOTT_LIST_8
#undef FLOTT_LIST_9
#undef FLOTT_LIST_10
#undef FLOTT_LIST_11
#undef FLOTT_LIST_12
#undef FLOTT_LIST_13
#undef FLOTT_LIST_14
#undef FLOTT_LIST_15
#undef FLOTT_LIST_16
#undef FLOTT_LIST_17
#undef FLOTT_LIST_18
#undef FLOTT_LIST_19
#undef FLOTT_LIST_20
#undef FLOTT_LIST_21
#undef FLOTT_LIST_22
#undef FLOTT_LIST_23
#undef FLOTT_LIST_24
#undef FLOTT_LIST_25
#undef FLOTT_LIST_26
#undef FLOTT_LIST_27
#undef FLOTT_LIST_28
#undef FLOTT_LIST_29
#undef FLOTT_LIST_30
#undef FLOTT_LIST_31
#undef FLOTT_LIST_32
#undef FLOTT_LIST_33

/// Number of fields of an aggregate without bases whose fields all have a default; kMaxPlainFields + 1 stands
/// for more.
template <typename T, size_t atLeast = 0, size_t atMost = kMaxPlainFields + 1>
consteval size_t countFields() {
  if constexpr (atLeast == atMost) {
    return atLeast;
  } else {
    constexpr size_t middle = (atLeast + atMost + 1) / 2;
    if constexpr (Arity<middle>::template kAccepts<T>) {
      return countFields<T, middle, atMost>();
    } else {
      return countFields<T, atLeast, middle - 1>();
    }
  }
}

}  // namespace flott::reflect
