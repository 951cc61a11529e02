// How the key of a record is found: a member, a function, or several members together.
//
// Selectors are stateless values shared by the exchange (which hashes) and the keyed operator (which looks
// up), so both see the same key. A member selector returns a reference, so a string key is never copied to be
// looked at.
#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

#include "flott/base/in_loop.h"
#include "flott/data/key.h"
#include "flott/data/partitioning.h"
#include "flott/data/rows.h"
#include "flott/operators/function.h"

namespace flott {

template <typename T, typename K>
struct MemberSelector {
  using Key = K;
  K T::*member;
  const K& operator()(const T& record) const { return record.*member; }
};

template <typename T, typename F>
struct FunctionSelector {
  using Key = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
  F function;
  decltype(auto) operator()(const T& record) const { return function(record); }
};

/// Several members; the key is a tuple of copies.
template <typename T, typename... Ks>
struct MembersSelector {
  using Key = std::tuple<Ks...>;
  std::tuple<Ks T::*...> members;
  Key operator()(const T& record) const {
    return std::apply([&](auto... member) { return Key(record.*member...); }, members);
  }
};

/// An element of a tuple.
template <typename T, size_t index>
struct ElementSelector {
  using Key = std::tuple_element_t<index, T>;
  const Key& operator()(const T& tuple) const { return std::get<index>(tuple); }
};

/// Several elements; the key is a tuple of copies.
template <typename T, size_t... indices>
struct ElementsSelector {
  using Key = std::tuple<std::tuple_element_t<indices, T>...>;
  Key operator()(const T& tuple) const { return Key(std::get<indices>(tuple)...); }
};

/// The one key of all records of a stream that has no keys.
struct NoKey {
  bool one = true;
};
template <typename T>
struct NoKeySelector {
  using Key = NoKey;
  NoKey operator()(const T&) const { return {}; }
};

/// The record has two members, its key and a number of type N: then an aggregation of the number need not
/// keep records.
template <typename T, typename Selector, typename N>
inline constexpr bool kIsKeyAndNumber =
    std::is_arithmetic_v<N>&& std::is_same_v<Selector, MemberSelector<T, typename Selector::Key>>&&
        reflect::Parts<T>::kSize == 2;
/// … and this member is the number.
template <typename T, typename Selector, typename N>
bool isNumberBesideKey(const Selector& selector, N T::*member) {
  if constexpr (!kIsKeyAndNumber<T, Selector, N>) {
    return false;
  } else if constexpr (std::is_same_v<N, typename Selector::Key>) {
    return member != selector.member;
  } else {
    return true;
  }
}

/// The key of the i-th of some records, where rowOf(i) says which one that is.
template <typename T, typename Selector, typename RowOf>
struct KeyOfRow {
  const T* records;
  InLoop<Selector> selector;
  RowOf rowOf;
  decltype(auto) operator()(size_t i) const { return selector(records[rowOf(i)]); }
};

template <typename T, typename Selector>
class SelectorHasher final : public KeyHasher {
  using Key = typename Selector::Key;

 public:
  explicit SelectorHasher(Selector selector) : selector_(std::move(selector)) {}
  void hash(Batch& batch) const override {
    const Rows<T>& rows = batch.rows<T>();
    uint64_t* hashes = batch->enableHashes();
    if constexpr (std::is_same_v<Selector, MemberSelector<T, int64_t>>) {
      if (rows.size() > 0) hashInt64s(&selector_(rows[0]), sizeof(T), {hashes, rows.size()});
    } else if constexpr (isIntegerKey<Key>()) {
      auto* keys = reinterpret_cast<int64_t*>(hashes);
      forEachRow(rows, 0,
                 [&](size_t i) { keys[i] = static_cast<int64_t>(integerOf<Key>(selector_(rows[i]))); });
      hashInt64s(keys, sizeof(int64_t), {hashes, rows.size()});
    } else {
      forEachRow(rows, 0, [&](size_t i) { hashes[i] = hashKey<Key>(selector_(rows[i])); });
    }
  }
  std::string keyText(const Batch& batch, size_t i) const override {
    return toText<typename Selector::Key>(selector_(batch.rows<T>()[i]));
  }

 private:
  Selector selector_;
};

}  // namespace flott
