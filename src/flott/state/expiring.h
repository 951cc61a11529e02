// How values, lists and maps that expire lie in a state table: with the moment each of them was last touched.
//
// Stored types of their own, so that state without a time to live pays nothing. Handles work on them
// directly; the backend, which does not know the type, by an ExpiringOps, as tables work by a TypeOps. In a
// snapshot the times stand before a value, and behind a list or map.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "flott/data/type_ops.h"
#include "flott/state/ordered_map.h"

namespace flott {

/// What became of a stored value when what had expired was dropped.
struct Dropped {
  bool all = false;   // nothing is left: the entry can go
  size_t looked = 1;  // at so many parts
};

template <typename T>
struct Expiring {
  Timestamp touched;
  T value{};

  bool hasExpired(Timestamp upTo) const { return touched <= upTo; }
  bool allExpired(Timestamp upTo) const { return touched <= upTo; }
  Dropped dropExpired(Timestamp upTo) const { return {.all = touched <= upTo}; }
  /// Unless it has expired.
  void touch(Timestamp now, Timestamp expired) {
    if (touched > expired) touched = now;
  }

  void stamp(Timestamp now) { touched = now; }
  T& plain() { return value; }
};

/// Times never decrease from one element to the next, even where the clock went back: what has expired is at
/// the front.
template <typename T>
class ExpiringList {
 public:
  const std::vector<T>& values() const { return values_; }

  void add(T value, Timestamp now) {
    values_.push_back(std::move(value));
    touched_.push_back(latest(now));
  }
  void addAll(std::span<const T> values, Timestamp now) {
    values_.insert(values_.end(), values.begin(), values.end());
    touched_.resize(values_.size(), latest(now));
  }
  void assign(std::vector<T> values, Timestamp now) {
    values_ = std::move(values);
    stamp(now);
  }

  bool hasExpired(Timestamp upTo) const { return !touched_.empty() && touched_.front() <= upTo; }
  bool allExpired(Timestamp upTo) const { return touched_.empty() || touched_.back() <= upTo; }
  Dropped dropExpired(Timestamp upTo) {
    const auto live = std::upper_bound(touched_.begin(), touched_.end(), upTo);
    const ptrdiff_t count = live - touched_.begin();
    values_.erase(values_.begin(), values_.begin() + count);
    touched_.erase(touched_.begin(), live);
    return {.all = values_.empty(), .looked = static_cast<size_t>(count) + 1};
  }
  /// All that has not expired.
  void touch(Timestamp now, Timestamp expired) {
    std::fill(std::upper_bound(touched_.begin(), touched_.end(), expired), touched_.end(), latest(now));
  }

  void stamp(Timestamp now) { touched_.assign(values_.size(), now); }
  std::vector<T>& plain() { return values_; }

 private:
  friend struct Codec<ExpiringList>;
  Timestamp latest(Timestamp now) const { return touched_.empty() ? now : std::max(now, touched_.back()); }

  std::vector<T> values_;
  std::vector<Timestamp> touched_;
};

template <typename K, typename V>
class ExpiringMap {
 public:
  using Node = typename OrderedMap<K, V>::Node;

  const OrderedMap<K, V>& entries() const { return entries_; }
  /// Null when it is not there.
  const Node* find(const K& key) const { return entries_.findNode(key); }

  /// Touched; made if it is not there.
  Node& at(const K& key, Timestamp now) {
    Node& node = *entries_.tryEmplaceNode(key).first;
    node.stamp = now;
    oldest_ = std::min(oldest_, now);
    return node;
  }
  bool erase(const K& key) { return entries_.erase(key); }
  bool empty() const { return entries_.empty(); }

  bool hasExpired(Timestamp upTo) const { return oldest_ <= upTo; }
  bool allExpired(Timestamp upTo) const {
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at.stamp() > upTo) return false;
    }
    return true;
  }
  Dropped dropExpired(Timestamp upTo) {
    const size_t looked = entries_.size() + 1;
    oldest_ = Timestamp::max();
    entries_.eraseIf([&](const Node& node) {
      if (node.stamp <= upTo) return true;
      oldest_ = std::min(oldest_, node.stamp);
      return false;
    });
    return {.all = entries_.empty(), .looked = looked};
  }
  /// All that have not expired.
  void touch(Timestamp now, Timestamp expired) {
    entries_.forEachNode([&](Node& node) {
      if (node.stamp > expired) node.stamp = now;
    });
    oldest_ = std::min(oldest_, now);
  }

  void stamp(Timestamp now) {
    entries_.forEachNode([&](Node& node) { node.stamp = now; });
    oldest_ = now;
  }
  OrderedMap<K, V>& plain() { return entries_; }

 private:
  friend struct Codec<ExpiringMap>;

  OrderedMap<K, V> entries_;
  Timestamp oldest_ = Timestamp::max();  // no entry was touched before
};

template <typename T>
struct Codec<Expiring<T>> {
  static constexpr std::string_view kName = "expiring value";
  static void encode(const Expiring<T>& expiring, ByteWriter& out) {
    out.fixed(expiring.touched.ms);
    Codec<T>::encode(expiring.value, out);
  }
  static void decode(ByteReader& in, Expiring<T>& expiring) {
    expiring.touched = Timestamp(in.fixed<int64_t>());
    Codec<T>::decode(in, expiring.value);
  }
};

template <typename T>
struct Codec<ExpiringList<T>> {
  static constexpr std::string_view kName = "expiring list";
  static void encode(const ExpiringList<T>& list, ByteWriter& out) {
    Codec<std::vector<T>>::encode(list.values_, out);
    Codec<std::vector<Timestamp>>::encode(list.touched_, out);
  }
  static void decode(ByteReader& in, ExpiringList<T>& list) {
    Codec<std::vector<T>>::decode(in, list.values_);
    Codec<std::vector<Timestamp>>::decode(in, list.touched_);
    if (list.values_.empty() || list.touched_.size() != list.values_.size() ||
        !std::is_sorted(list.touched_.begin(), list.touched_.end())) {
      in.fail("holds a list whose times do not fit it");
    }
  }
};

template <typename K, typename V>
struct Codec<ExpiringMap<K, V>> {
  static constexpr std::string_view kName = "expiring map";
  static void encode(const ExpiringMap<K, V>& map, ByteWriter& out) {
    Codec<OrderedMap<K, V>>::encode(map.entries_, out);
    for (auto at = map.entries_.begin(); at != map.entries_.end(); ++at) out.fixed(at.stamp().ms);
  }
  static void decode(ByteReader& in, ExpiringMap<K, V>& map) {
    Codec<OrderedMap<K, V>>::decode(in, map.entries_);
    map.oldest_ = Timestamp::max();
    map.entries_.forEachNode([&](auto& node) {
      node.stamp = Timestamp(in.fixed<int64_t>());
      map.oldest_ = std::min(map.oldest_, node.stamp);
    });
    if (map.oldest_ == Timestamp::min()) in.fail("holds a map with an entry that was never touched");
  }
};

/// What is done to stored values that expire, without knowing their type. `upTo`: what was last touched then
/// or before has expired.
struct ExpiringOps {
  const TypeOps* stored;
  bool (*hasExpired)(const void* value, Timestamp upTo);  // a part of it, maybe
  bool (*allExpired)(const void* value, Timestamp upTo);
  Dropped (*dropExpired)(void* value, Timestamp upTo);
  /// Encodes the value without what has expired. Not for one that has expired as a whole.
  void (*encodeLive)(const void* value, Timestamp upTo, ByteWriter& out);
  /// Decodes the bytes of a value that did not expire into one that does and was touched at `now`.
  void (*decodePlain)(ByteReader& in, void* value, Timestamp now);
  /// The other way round; the times are forgotten.
  void (*decodeAsPlain)(ByteReader& in, void* plain, Timestamp now);
};

namespace reflect {

template <typename E>
constexpr TypeOps makeExpiringTypeOps() {
  TypeOps ops = makeTypeOps<E>();
  ops.heapBytes = [](const void* value) {
    return heapBytes(const_cast<E*>(static_cast<const E*>(value))->plain());
  };
  return ops;
}

template <typename E>
inline constexpr TypeOps kExpiringTypeOps = makeExpiringTypeOps<E>();

template <typename E>
constexpr ExpiringOps makeExpiringOps() {
  using Plain = std::remove_cvref_t<decltype(std::declval<E&>().plain())>;
  ExpiringOps ops{};
  ops.stored = &kExpiringTypeOps<E>;
  ops.hasExpired = [](const void* value, Timestamp upTo) {
    return static_cast<const E*>(value)->hasExpired(upTo);
  };
  ops.allExpired = [](const void* value, Timestamp upTo) {
    return static_cast<const E*>(value)->allExpired(upTo);
  };
  ops.dropExpired = [](void* value, Timestamp upTo) { return static_cast<E*>(value)->dropExpired(upTo); };
  ops.encodeLive = [](const void* value, Timestamp upTo, ByteWriter& out) {
    const E& all = *static_cast<const E*>(value);
    if (!all.hasExpired(upTo)) return Codec<E>::encode(all, out);
    E live = all;
    live.dropExpired(upTo);
    Codec<E>::encode(live, out);
  };
  ops.decodePlain = [](ByteReader& in, void* value, Timestamp now) {
    E& expiring = *static_cast<E*>(value);
    Codec<Plain>::decode(in, expiring.plain());
    expiring.stamp(now);
  };
  ops.decodeAsPlain = [](ByteReader& in, void* plain, Timestamp) {
    E expiring{};
    Codec<E>::decode(in, expiring);
    *static_cast<Plain*>(plain) = std::move(expiring.plain());
  };
  return ops;
}

}  // namespace reflect

/// Of Expiring<T>, ExpiringList<T> or ExpiringMap<K, V>.
template <typename E>
inline constexpr ExpiringOps kExpiringOps = reflect::makeExpiringOps<E>();

}  // namespace flott
