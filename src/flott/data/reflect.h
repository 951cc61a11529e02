// The fields of a user's type: their number, names, types, and a reference to each.
//
// Everything that is derived for a type (its description, codec, key hash, text form) starts here. A plain
// struct, that is an aggregate without bases and with at most 32 fields, needs nothing; any other class lists
// its fields once:
//
//   struct Click { std::string user; int64_t at; };      // enough
//
//   class Money {
//    public:
//     Money() = default;
//     explicit Money(int64_t cents);
//     FLOTT_DESCRIBE(Money, cents_)                      // inside the class when a field is private, …
//    private:
//     int64_t cents_;
//   };
//   FLOTT_DESCRIBE(Point, x, y)                          // … else beside it, in its namespace
//
// All of it happens at compile time. Names of fields become part of stored data: renaming a field drops the
// old one.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "flott/data/struct_arity.h"

namespace flott::reflect {

template <typename... Ts>
struct TypeList {
  static constexpr size_t kSize = sizeof...(Ts);
};

// --- Names ---
// The compiler prints a template argument that points to a field as "{…::price}", "{(…::price)}" or
// "{….price}".

/// Older clangs take a pointer into an object as a template argument only inside a class.
template <typename P>
struct Address {
  P pointer;
};
template <typename P>
Address(P) -> Address<P>;

template <Address kField>
constexpr std::string_view fieldName() {
  constexpr std::string_view text = __PRETTY_FUNCTION__;
  constexpr size_t end = text.find_last_not_of(")}", text.rfind('}')) + 1;
  constexpr size_t begin = text.find_last_of(".:", end - 1) + 1;
  return text.substr(begin, end - begin);
}

template <typename T>
struct Holder {
  T value;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
/// Never defined: only the addresses of its fields are looked at, by the compiler.
template <typename T>
extern const Holder<T> example;

// --- Where the fields come from ---

struct ListTypes {
  template <typename... Ts>
  constexpr TypeList<Ts...> operator()(Ts&...) const {
    return {};
  }
};

struct ListAddresses {
  template <typename... Ts>
  constexpr std::array<const void*, sizeof...(Ts)> operator()(Ts&... fields) const {
    return {&fields...};
  }
};

/// Fields of a plain struct.
template <typename T>
struct PlainFields {
  static constexpr size_t kCount = countFields<T>();
  using Types = decltype(Arity<kCount>::visit(std::declval<T&>(), ListTypes{}));

  template <typename V, typename F>
  static constexpr decltype(auto) visit(V& value, F&& f) {
    return Arity<kCount>::visit(value, f);
  }

  static constexpr std::array<std::string_view, kCount> names() {
    return []<size_t... i>(std::index_sequence<i...>) {
      return std::array<std::string_view, kCount>{fieldName<Address{addresses()[i]}>()...};
    }
    (std::make_index_sequence<kCount>{});
  }

 private:
  static consteval std::array<const void*, kCount> addresses() {
    return Arity<kCount>::visit(example<T>.value, ListAddresses{});
  }
};
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <typename M>
struct MemberType;
template <typename T, typename C>
struct MemberType<T C::*> {
  using Type = T;
};

/// Fields that FLOTT_DESCRIBE listed.
template <typename T, auto... kMembers>
struct DescribedFields {
  using Owner = T;
  static constexpr size_t kCount = sizeof...(kMembers);
  using Types = TypeList<typename MemberType<decltype(kMembers)>::Type...>;

  template <typename V, typename F>
  static constexpr decltype(auto) visit(V& value, F&& f) {
    return f(value.*kMembers...);
  }
  static constexpr std::array<std::string_view, kCount> names() {
    return {fieldName<Address{kMembers}>()...};
  }
};

template <typename T>
concept DescribedInside = requires(T& value) {
  requires std::is_same_v<typename decltype(value.flottFields(static_cast<const T*>(nullptr)))::Owner, T>;
};
template <typename T>
concept DescribedBeside = requires {
  requires std::is_same_v<typename decltype(flottFields(static_cast<const T*>(nullptr)))::Owner, T>;
};
template <typename T>
concept Described = std::is_class_v<T> &&(DescribedInside<T> || DescribedBeside<T>);

template <typename T>
struct AnyBaseOf {
  template <typename B>
  requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>) operator B() const;
};
template <typename T>
concept HasBase = requires {
  T{AnyBaseOf<T>{}};
};

/// A struct whose fields can be found without help, if they are not too many.
template <typename T>
concept Aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !HasBase<T> && requires {
  T{};
};

template <typename T>
concept PlainStruct = Aggregate<T> && countFields<T>()
<= kMaxPlainFields;

template <typename T>
struct FindFields;
template <typename T>
requires DescribedInside<T>
struct FindFields<T> {
  using Type = decltype(std::declval<T&>().flottFields(static_cast<const T*>(nullptr)));
};
template <typename T>
requires(!DescribedInside<T> && DescribedBeside<T>) struct FindFields<T> {
  using Type = decltype(flottFields(static_cast<const T*>(nullptr)));
};
template <typename T>
requires(!Described<T> && PlainStruct<T>) struct FindFields<T> {
  using Type = PlainFields<T>;
};

/// PlainFields or DescribedFields: kCount, Types, visit(value, f) and names().
template <typename T>
using Fields = typename FindFields<T>::Type;

}  // namespace flott::reflect

/// Lists the fields of a type that are its value, in their order on the wire. One line, inside the class (in
/// its public part) or beside it in its namespace. A member function or a static member is no field.
#define FLOTT_DESCRIBE(Type, ...)                                                      \
  constexpr auto flottFields(const Type*) {                                            \
    return ::flott::reflect::DescribedFields<Type FLOTT_MEMBERS(Type, __VA_ARGS__)>{}; \
  }

// Recursion of macros: each FLOTT_SCAN… rescans what the one before it left, enough for 256 fields.
#define FLOTT_MEMBERS(Type, ...) __VA_OPT__(FLOTT_SCAN_256(FLOTT_MEMBER(Type, __VA_ARGS__)))
#define FLOTT_MEMBER(Type, field, ...) \
  , &Type::field __VA_OPT__(FLOTT_MEMBER_AGAIN FLOTT_PARENTHESES(Type, __VA_ARGS__))
#define FLOTT_MEMBER_AGAIN() FLOTT_MEMBER
#define FLOTT_PARENTHESES ()
#define FLOTT_SCAN_256(...) FLOTT_SCAN_64(FLOTT_SCAN_64(FLOTT_SCAN_64(FLOTT_SCAN_64(__VA_ARGS__))))
#define FLOTT_SCAN_64(...) FLOTT_SCAN_16(FLOTT_SCAN_16(FLOTT_SCAN_16(FLOTT_SCAN_16(__VA_ARGS__))))
#define FLOTT_SCAN_16(...) FLOTT_SCAN_4(FLOTT_SCAN_4(FLOTT_SCAN_4(FLOTT_SCAN_4(__VA_ARGS__))))
#define FLOTT_SCAN_4(...) FLOTT_SCAN_1(FLOTT_SCAN_1(FLOTT_SCAN_1(FLOTT_SCAN_1(__VA_ARGS__))))
#define FLOTT_SCAN_1(...) __VA_ARGS__
