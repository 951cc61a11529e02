// Orders of records, for ExternalSorter: as they came, by group, by a key of the user's, and one after the
// other.
//
// An order is a copyable value with a Key that is held beside each record while it is being sorted. before()
// never looks at anything else. Equal records keep the order in which they came. Those that a function of a
// full window can be called by have groups, too.
//
//   ThenBy order(GroupedBy<Click, UserOf>(userOf), SortedBy<Click, TimeOf>(timeOf, SortOrder::kDescending));
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/data/codec.h"
#include "flott/data/key.h"

namespace flott {

enum class SortOrder : uint8_t { kAscending, kDescending };

/// What a selector finds in a record: a place inside it, or a value that the selector made.
template <typename T, typename Selector>
class HeldKey {
  using Found = std::invoke_result_t<const Selector&, const T&>;
  static constexpr bool kInside = std::is_lvalue_reference_v<Found>;

 public:
  using Value = std::remove_cvref_t<Found>;

  HeldKey(const Selector& selector, const T& record) : held_(hold(selector(record))) {}
  const Value& get() const {
    if constexpr (kInside) {
      return *held_;
    } else {
      return held_;
    }
  }

 private:
  using Held = std::conditional_t<kInside, const Value*, Value>;

  static Held hold(Found&& found) {
    if constexpr (kInside) {
      return std::addressof(found);
    } else {
      return std::move(found);
    }
  }

  Held held_;
};

/// As they came.
template <typename T>
struct ArrivalOrder {
  static constexpr bool kSorts = false;
  struct Key {};
  Key keyOf(const T&) const { return {}; }
  bool before(const Key&, const Key&) const { return false; }

  struct Group {};
  Group groupOf(const T&) const { return {}; }
  bool isIn(const Group&, const T&) const { return true; }
};

/// Less, for all values: numbers that are none come last.
template <typename K>
bool sortsBefore(const K& a, const K& b) {
  if constexpr (std::is_floating_point_v<K>) {
    return a < b || (b != b && a == a);
  } else {
    return a < b;
  }
}

/// By what a selector finds.
template <typename T, typename Selector>
class SortedBy {
 public:
  static constexpr bool kSorts = true;
  using Key = HeldKey<T, Selector>;

  SortedBy(Selector selector, SortOrder direction) : selector_(std::move(selector)), direction_(direction) {}
  Key keyOf(const T& record) const { return Key(selector_, record); }
  bool before(const Key& a, const Key& b) const {
    return direction_ == SortOrder::kAscending ? sortsBefore(a.get(), b.get())
                                               : sortsBefore(b.get(), a.get());
  }

 private:
  Selector selector_;
  SortOrder direction_;
};

/// All records of a key of the stream together; keys in the order of their hash, as everywhere.
template <typename T, typename Selector>
class GroupedBy {
 public:
  static constexpr bool kSorts = true;
  struct Key {
    uint64_t hash;
    HeldKey<T, Selector> key;
  };

  explicit GroupedBy(Selector selector) : selector_(std::move(selector)) {}
  Key keyOf(const T& record) const {
    HeldKey<T, Selector> key(selector_, record);
    const uint64_t hash = hashKey(key.get());
    return {hash, std::move(key)};
  }
  bool before(const Key& a, const Key& b) const {
    if (a.hash != b.hash) [[likely]]
      return a.hash < b.hash;
    return !keyEquals(a.key.get(), b.key.get()) && encoded(a.key.get()) < encoded(b.key.get());
  }

  using Group = typename Selector::Key;
  Group groupOf(const T& record) const { return selector_(record); }
  bool isIn(const Group& group, const T& record) const { return keyEquals<Group>(group, selector_(record)); }

 private:
  template <typename K>
  static std::string encoded(const K& key) {
    std::string bytes;
    ByteWriter out(bytes);
    Codec<K>::encode(key, out);
    return bytes;
  }

  Selector selector_;
};

/// By the second where the first makes no difference.
template <typename First, typename Second>
class ThenBy {
 public:
  static constexpr bool kSorts = true;
  struct Key {
    typename First::Key first;
    typename Second::Key second;
  };

  ThenBy(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}
  template <typename T>
  Key keyOf(const T& record) const {
    return {first_.keyOf(record), second_.keyOf(record)};
  }
  bool before(const Key& a, const Key& b) const {
    if (first_.before(a.first, b.first)) return true;
    return !first_.before(b.first, a.first) && second_.before(a.second, b.second);
  }

 private:
  First first_;
  Second second_;
};

}  // namespace flott
