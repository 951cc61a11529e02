// Folds: how the records of a key become one, a record at a time, in place.
//
// The rolling aggregations of keyed streams and those of windows share them. A fold is fold(T& soFar, const
// T& record); the first record of a key is its first value. Those of a single member also have combine(),
// which works on that member's values alone, for state that keeps nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"

namespace flott {

[[noreturn]] void throwSumOverflow(const std::string& sum, const std::string& added);

/// Apart, so that addChecked is small enough to be inlined.
template <typename N>
[[noreturn, gnu::noinline]] void throwSumOverflow(N sum, N added) {
  throwSumOverflow(std::to_string(sum), std::to_string(added));
}

/// Integers that do not fit any more are an error, never a wrong number.
template <typename N>
N addChecked(N a, N b) {
  if constexpr (std::is_integral_v<N>) {
    N sum;
    if (__builtin_add_overflow(a, b, &sum)) [[unlikely]]
      throwSumOverflow(a, b);
    return sum;
  } else {
    return a + b;
  }
}

enum class Tie : uint8_t { kFirst, kLast };  // minBy/maxBy: which of equal records stays

/// f(const T& soFar, const T& record) -> T of a user.
template <typename T, typename F>
struct UserReduce {
  F function;

  void open(RuntimeContext& context) { openFunction(function, context); }
  void close() { closeFunction(function); }
  void operator()(T& soFar, const T& record) { soFar = function(std::as_const(soFar), record); }
};

/// The sum of a member; the rest of the record is that of the first.
template <typename T, typename N>
struct SumOf {
  N T::*member;

  static N combine(const N& a, const N& b) { return addChecked(a, b); }
  void operator()(T& soFar, const T& record) const { soFar.*member = combine(soFar.*member, record.*member); }
};

/// The least value of a member; the rest of the record is that of the first.
template <typename T, typename N>
struct LeastOf {
  N T::*member;

  static const N& combine(const N& a, const N& b) { return b < a ? b : a; }
  void operator()(T& soFar, const T& record) const {
    if (record.*member < soFar.*member) soFar.*member = record.*member;
  }
};

/// The greatest value of a member; the rest of the record is that of the first.
template <typename T, typename N>
struct GreatestOf {
  N T::*member;

  static const N& combine(const N& a, const N& b) { return a < b ? b : a; }
  void operator()(T& soFar, const T& record) const {
    if (soFar.*member < record.*member) soFar.*member = record.*member;
  }
};

/// One of the above for an element of a tuple.
template <typename T, size_t index, template <typename, typename> typename MemberFold>
struct FoldOfElement {
  using N = std::tuple_element_t<index, T>;
  void operator()(T& soFar, const T& record) const {
    std::get<index>(soFar) = MemberFold<T, N>::combine(std::get<index>(soFar), std::get<index>(record));
  }
};

/// The whole record with the least (or greatest) value of an element of a tuple.
template <typename T, size_t index, bool least>
struct RecordOfElement {
  Tie tie;

  void operator()(T& soFar, const T& record) const {
    const auto& before = std::get<index>(soFar);
    const auto& now = std::get<index>(record);
    const bool better = least ? now < before : before < now;
    const bool worse = least ? before < now : now < before;
    if (better || (tie == Tie::kLast && !worse)) soFar = record;
  }
};

/// The whole record with the least value of a member.
template <typename T, typename N>
struct RecordOfLeast {
  N T::*member;
  Tie tie;

  void operator()(T& soFar, const T& record) const {
    if (record.*member < soFar.*member || (tie == Tie::kLast && !(soFar.*member < record.*member)))
      soFar = record;
  }
};

/// The whole record with the greatest value of a member.
template <typename T, typename N>
struct RecordOfGreatest {
  N T::*member;
  Tie tie;

  void operator()(T& soFar, const T& record) const {
    if (soFar.*member < record.*member || (tie == Tie::kLast && !(record.*member < soFar.*member)))
      soFar = record;
  }
};

}  // namespace flott
