// The handles through which user functions use keyed state: value, list, map, reducing, aggregating.
//
// A handle is a view on one table of the backend and on the backend's current key; every call is about that
// key. It is got in open() from a descriptor, copied freely, and used on the task's thread while the operator
// lives. References, pointers and spans it returns are good until the next call on the same state.
//
//   seen_ = ctx.state(ValueStateDescriptor<bool>("seen"));   // in open()
//   if (!seen_.get()) seen_.set(true);                       // for a record
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "flott/state/ordered_map.h"
#include "flott/state/state_descriptors.h"
#include "flott/state/state_table.h"

namespace flott {

/// What all handles are: a table and where the current key is kept.
class KeyedHandle {
 public:
  KeyedHandle() = default;
  KeyedHandle(StateTable& table, const KeyRef& currentKey) : table_(&table), key_(&currentKey) {}

  /// Drops what is stored for the current key.
  void clear() { table().erase(key()); }

 protected:
  StateTable& table() const {
    if (key_ == nullptr || key_->object == nullptr) [[unlikely]]
      failNoKey();
    return *table_;
  }
  const KeyRef& key() const { return *key_; }

  template <typename T>
  const T* stored() const {
    return reinterpret_cast<const T*>(table().find(key()));
  }
  /// For changing it in place; changed() afterwards.
  template <typename T>
  T* storedForUpdate() {
    return reinterpret_cast<T*>(table().findForUpdate(key()));
  }
  /// Made if it is not there.
  template <typename T>
  T& slot() {
    return *reinterpret_cast<T*>(table().findOrInsert(key()).value);
  }
  void changed() { table_->noteHeapChange(); }

 private:
  [[noreturn]] void failNoKey() const;

  StateTable* table_ = nullptr;
  const KeyRef* key_ = nullptr;
};

template <typename T>
class ValueState : public KeyedHandle {
 public:
  using Stored = T;
  using Descriptor = ValueStateDescriptor<T>;
  static constexpr const char* kKind = "value";

  ValueState() = default;
  ValueState(StateTable& table, const KeyRef& currentKey, const Descriptor& descriptor)
      : KeyedHandle(table, currentKey), absent_(std::make_shared<const T>(descriptor.defaultValue())) {}

  bool has() const { return stored<T>() != nullptr; }
  /// What is stored, or the descriptor's default.
  const T& get() const {
    const T* found = stored<T>();
    return found != nullptr ? *found : *absent_;
  }
  void set(T value) {
    slot<T>() = std::move(value);
    changed();
  }
  /// change(T&) in place; it sees the default where nothing is stored.
  template <typename F>
  requires std::invocable<F, T&>
  void update(F&& change) {
    T* value = storedForUpdate<T>();
    if (value == nullptr) {
      value = &slot<T>();
      *value = *absent_;
    }
    change(*value);
    changed();
  }

 private:
  std::shared_ptr<const T> absent_;
};

template <typename T>
class ListState : public KeyedHandle {
  static_assert(!std::same_as<T, bool>,
                "a list of bool cannot be looked at in place: use ListState<uint8_t>");

 public:
  using Stored = std::vector<T>;
  using Descriptor = ListStateDescriptor<T>;
  static constexpr const char* kKind = "list";

  ListState() = default;
  ListState(StateTable& table, const KeyRef& currentKey, const Descriptor&)
      : KeyedHandle(table, currentKey) {}

  bool isEmpty() const { return stored<Stored>() == nullptr; }
  std::span<const T> get() const {
    const Stored* list = stored<Stored>();
    return list != nullptr ? std::span<const T>(*list) : std::span<const T>();
  }
  void add(T value) {
    slot<Stored>().push_back(std::move(value));
    changed();
  }
  void addAll(std::span<const T> values) {
    if (values.empty()) return;
    Stored& list = slot<Stored>();
    list.insert(list.end(), values.begin(), values.end());
    changed();
  }
  /// Replaces the list; an empty one clears it.
  void set(std::vector<T> values) {
    if (values.empty()) return clear();
    slot<Stored>() = std::move(values);
    changed();
  }
};

/// Walked in the order in which keys were first put.
template <typename K, typename V>
class MapState : public KeyedHandle {
 public:
  using Stored = OrderedMap<K, V>;
  using Descriptor = MapStateDescriptor<K, V>;
  static constexpr const char* kKind = "map";

  MapState() = default;
  MapState(StateTable& table, const KeyRef& currentKey, const Descriptor&) : KeyedHandle(table, currentKey) {}

  /// Null when the key is not there.
  const V* get(const K& key) const {
    const Stored* map = stored<Stored>();
    return map != nullptr ? map->find(key) : nullptr;
  }
  bool contains(const K& key) const { return get(key) != nullptr; }
  void put(const K& key, V value) {
    slot<Stored>().put(key, std::move(value));
    changed();
  }
  /// change(V&) in place; it sees a value-initialised V where the key is not there.
  template <typename F>
  requires std::invocable<F, V&>
  void update(const K& key, F&& change) {
    change(*slot<Stored>().tryEmplace(key).first);
    changed();
  }
  /// Whether it was there.
  bool remove(const K& key) {
    Stored* map = storedForUpdate<Stored>();
    if (map == nullptr || !map->erase(key)) return false;
    if (map->empty()) clear();
    return true;
  }
  size_t size() const {
    const Stored* map = stored<Stored>();
    return map != nullptr ? map->size() : 0;
  }
  bool isEmpty() const { return size() == 0; }
  /// For range-for over pairs; good until the next call on this state.
  const OrderedMap<K, V>& entries() const {
    static const Stored kEmpty;
    const Stored* map = stored<Stored>();
    return map != nullptr ? *map : kEmpty;
  }
};

template <typename T>
class ReducingState : public KeyedHandle {
 public:
  using Stored = T;
  using Descriptor = ReducingStateDescriptor<T>;
  static constexpr const char* kKind = "reducing";

  ReducingState() = default;
  ReducingState(StateTable& table, const KeyRef& currentKey, const Descriptor& descriptor)
      : KeyedHandle(table, currentKey), reduce_(descriptor.reduce()) {}

  /// Null while nothing was added.
  const T* get() const { return stored<T>(); }
  void add(const T& value) {
    if (T* sum = storedForUpdate<T>()) {
      *sum = (*reduce_)(*sum, value);
    } else {
      slot<T>() = value;
    }
    changed();
  }

 private:
  std::optional<typename Descriptor::Reduce> reduce_;
};

template <typename In, typename Acc, typename Out>
class AggregatingState : public KeyedHandle {
 public:
  using Stored = Acc;
  using Descriptor = AggregatingStateDescriptor<In, Acc, Out>;
  static constexpr const char* kKind = "aggregating";

  AggregatingState() = default;
  AggregatingState(StateTable& table, const KeyRef& currentKey, const Descriptor& descriptor)
      : KeyedHandle(table, currentKey), function_(descriptor) {}

  /// Empty while nothing was added.
  std::optional<Out> get() const {
    const Acc* acc = stored<Acc>();
    return acc != nullptr ? std::optional<Out>(function_->result()(*acc)) : std::nullopt;
  }
  void add(const In& value) {
    if (Acc* acc = storedForUpdate<Acc>()) {
      function_->add()(value, *acc);
    } else {
      Acc fresh = function_->create()();
      function_->add()(value, fresh);
      slot<Acc>() = std::move(fresh);
    }
    changed();
  }

 private:
  std::optional<Descriptor> function_;
};

}  // namespace flott
