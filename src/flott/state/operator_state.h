// State of an operator that belongs to no key: lists and broadcast maps, and how they are dealt out to
// another parallelism.
//
// A list state is this subtask's share of one list; at a change of parallelism the list is cut into even
// shares (split) or given whole to every subtask (union). A broadcast state is a map that is the same in all
// subtasks, walked in the order in which its keys were first put. Made by the task, used on its thread only;
// states are good as long as the backend.
//
//   OperatorListState<Split>& splits = ctx.operatorState().list<Split>("splits");   // has what was restored
//   BroadcastState<std::string, Rule>& rules =
//   ctx.operatorState().broadcast(MapStateDescriptor<...>("rules"));
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/type_description.h"
#include "flott/data/type_ops.h"
#include "flott/state/ordered_map.h"
#include "flott/state/state_descriptors.h"

namespace flott {

/// What becomes of a state when the parallelism changes. Stored in snapshots: add at the end only.
enum class Redistribution : uint8_t {
  kSplit,      // the lists of all subtasks, one after another, in even shares
  kUnion,      // all of it to every subtask
  kBroadcast,  // one subtask's to every subtask: they are the same
};

/// The operator state of one subtask, as stored.
struct OperatorStateImage {
  struct State {
    std::string name;
    Redistribution redistribution = Redistribution::kSplit;
    /// Of an item; of a broadcast state that of the whole map. Nothing in snapshots of the first format.
    std::optional<TypeDescription> type = std::nullopt;
    std::vector<std::string> items;  // encoded; of a broadcast state each a key and its value

    bool operator==(const State&) const = default;
  };
  /// In the order of their names; one name again for each type that subtasks have stored it as.
  std::vector<State> states;

  bool operator==(const OperatorStateImage&) const = default;
  void encode(ByteWriter& out) const;
  /// Also of the first format, which had no types. Throws Error(kCorruption), or Error(kUser) for a format of
  /// a later version.
  static OperatorStateImage decode(ByteReader& in);
};

/// What each of `parallelism` subtasks starts with, given what the old ones had (at least one), in their
/// order.
std::vector<OperatorStateImage> split(std::span<const OperatorStateImage> old, size_t parallelism);

/// One state of a backend, whatever its types.
class OperatorState {
 public:
  OperatorState(Redistribution redistribution, const TypeOps& type)
      : redistribution_(redistribution), type_(type) {}
  virtual ~OperatorState() = default;

  Redistribution redistribution() const { return redistribution_; }
  /// Of an item; of a map the whole.
  const TypeOps& type() const { return type_; }
  virtual std::vector<std::string> encodeItems() const = 0;
  virtual void decodeItem(std::string_view bytes) = 0;

 private:
  Redistribution redistribution_;
  const TypeOps& type_;
};

template <typename T>
class OperatorListState final : public OperatorState {
 public:
  explicit OperatorListState(Redistribution redistribution) : OperatorState(redistribution, typeOps<T>()) {}

  const std::vector<T>& get() const { return items_; }
  void add(T item) { items_.push_back(std::move(item)); }
  /// Replaces the list.
  void set(std::vector<T> items) { items_ = std::move(items); }
  void clear() { items_.clear(); }

  std::vector<std::string> encodeItems() const override {
    std::vector<std::string> encoded;
    for (const T& item : items_) {
      ByteWriter out(encoded.emplace_back());
      Codec<T>::encode(item, out);
    }
    return encoded;
  }
  void decodeItem(std::string_view bytes) override {
    ByteReader in(bytes);
    T item{};
    Codec<T>::decode(in, item);
    items_.push_back(std::move(item));
  }

 private:
  std::vector<T> items_;
};

template <typename K, typename V>
class BroadcastState final : public OperatorState {
 public:
  BroadcastState() : OperatorState(Redistribution::kBroadcast, typeOps<OrderedMap<K, V>>()) {}

  /// Null when the key is not there. Good until the next change.
  const V* get(const K& key) const { return map_.find(key); }
  bool contains(const K& key) const { return get(key) != nullptr; }
  void put(const K& key, V value) { map_.put(key, std::move(value)); }
  /// Whether it was there.
  bool remove(const K& key) { return map_.erase(key); }
  void clear() { map_.clear(); }
  size_t size() const { return map_.size(); }
  /// For range-for over pairs, in the order in which keys were first put.
  const OrderedMap<K, V>& entries() const { return map_; }

  std::vector<std::string> encodeItems() const override {
    std::vector<std::string> encoded;
    for (const auto& [key, value] : map_) {
      ByteWriter out(encoded.emplace_back());
      Codec<K>::encode(key, out);
      Codec<V>::encode(value, out);
    }
    return encoded;
  }
  void decodeItem(std::string_view bytes) override {
    ByteReader in(bytes);
    K key{};
    V value{};
    Codec<K>::decode(in, key);
    Codec<V>::decode(in, value);
    map_.put(key, std::move(value));
  }

 private:
  OrderedMap<K, V> map_;
};

class OperatorStateBackend {
 public:
  /// `restored` is what this subtask starts with; nothing for a fresh start.
  explicit OperatorStateBackend(OperatorStateImage restored = {});

  // Each gives the state of this name, with what was restored; a name used with other types or another
  // redistribution throws Error(kUser).
  template <typename T>
  OperatorListState<T>& list(const std::string& name) {
    return state<OperatorListState<T>>(name, Redistribution::kSplit, typeOps<T>(), [] {
      return std::make_unique<OperatorListState<T>>(Redistribution::kSplit);
    });
  }
  template <typename T>
  OperatorListState<T>& unionList(const std::string& name) {
    return state<OperatorListState<T>>(name, Redistribution::kUnion, typeOps<T>(), [] {
      return std::make_unique<OperatorListState<T>>(Redistribution::kUnion);
    });
  }
  template <typename K, typename V>
  BroadcastState<K, V>& broadcast(const MapStateDescriptor<K, V>& descriptor) {
    if (descriptor.ttl().enabled()) failNoTtl(descriptor.name());
    return state<BroadcastState<K, V>>(descriptor.name(), Redistribution::kBroadcast,
                                       typeOps<OrderedMap<K, V>>(),
                                       [] { return std::make_unique<BroadcastState<K, V>>(); });
  }

  /// Whether this attempt started from a snapshot.
  bool isRestored() const { return isRestored_; }
  bool hasUnionList() const;
  /// Everything, as of now. States that were restored and not asked for stay in it.
  OperatorStateImage snapshot() const;

 private:
  template <typename State, typename Make>
  State& state(const std::string& name, Redistribution redistribution, const TypeOps& type, Make&& make) {
    if (OperatorState* known = find(name, redistribution, type)) return static_cast<State&>(*known);
    return static_cast<State&>(add(name, make()));
  }
  [[noreturn]] static void failNoTtl(const std::string& name);
  OperatorState* find(const std::string& name, Redistribution redistribution, const TypeOps& type) const;
  OperatorState& add(const std::string& name, std::unique_ptr<OperatorState> state);

  std::map<std::string, std::unique_ptr<OperatorState>> states_;
  std::multimap<std::string, OperatorStateImage::State> restored_;  // not asked for yet
  bool isRestored_;
};

}  // namespace flott
