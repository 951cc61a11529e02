// The handles through which user functions use keyed state: value, list, map, reducing, aggregating.
//
// A handle is a view on one table of the backend and on the backend's current key; every call is about that
// key. It is got in open() from a descriptor, copied freely, and used on the task's thread while the operator
// lives. References, pointers and spans it returns are good until the next call on the same state.
//
// Where the descriptor asks for a time to live, a handle works on another stored type (expiring.h) and asks
// the state's Expiry; where accesses are measured, it asks the state's StateTimes. Without both that costs it
// a look at a null pointer.
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

#include "flott/state/expiring.h"
#include "flott/state/expiry.h"
#include "flott/state/ordered_map.h"
#include "flott/state/state_descriptors.h"
#include "flott/state/state_table.h"
#include "flott/state/state_times.h"

namespace flott {

/// What few states have; both may be null.
struct StateExtras {
  Expiry* expiry = nullptr;
  StateTimes* times = nullptr;
};

/// What all handles are: a table, where the current key is kept, and what comes to that, if anything does.
class KeyedHandle {
 public:
  KeyedHandle() = default;
  /// `extras` are null where the state has none.
  KeyedHandle(StateTable& table, const KeyRef& currentKey, const StateExtras* extras)
      : table_(&table), key_(&currentKey), extras_(extras) {}

  /// Drops what is stored for the current key.
  void clear() {
    const MeasuredAccess access = measured(StateAccess::kClear);
    drop();
  }

 protected:
  /// To be held while the access goes on.
  MeasuredAccess measured(StateAccess access) const {
    return extras_ == nullptr ? MeasuredAccess() : MeasuredAccess(extras_->times, access);
  }
  void drop() { table().erase(key()); }
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
  T* storedForUpdate() const {
    return reinterpret_cast<T*>(table().findForUpdate(key()));
  }
  /// Made if it is not there.
  template <typename T>
  T& slot() {
    return *reinterpret_cast<T*>(table().findOrInsert(key()).value);
  }
  /// A list that is only added to: it may be without its beginning.
  template <typename T>
  T& slotToAppend() {
    return *reinterpret_cast<T*>(table().findToAppend(key()));
  }
  void changed() const { table_->noteHeapChange(); }

  // For state that expires. E is one of expiring.h.

  bool expires() const { return extras_ != nullptr && extras_->expiry != nullptr; }
  Expiry& expiry() const { return *extras_->expiry; }
  /// What a read may see, null when there is nothing: what has expired and is hidden is removed. A `touching`
  /// read makes what it sees live on, where that was asked for.
  template <typename E>
  const E* visible(bool touching) const {
    expiry().noteRead();
    const E* found = stored<E>();
    if (found == nullptr) return nullptr;
    const Timestamp expired = expiry().expired();
    const bool drop = expiry().hidesExpired() && found->hasExpired(expired);
    const bool touch = touching && expiry().readsTouch();
    if (!drop && !touch) return found;
    E* mine = storedForUpdate<E>();
    if (drop && dropExpired(*mine)) return nullptr;
    if (touch) mine->touch(expiry().now(), expired);
    return mine;
  }
  /// Whether the entry went as a whole.
  template <typename E>
  bool dropExpired(E& stored) const {
    if (stored.dropExpired(expiry().expired()).all) return table().erase(key());
    changed();
    return false;
  }
  template <typename E>
  E& expiringSlot() {
    E& made = slot<E>();
    expiry().noteWrite();
    return made;
  }

 private:
  [[noreturn]] void failNoKey() const;

  StateTable* table_ = nullptr;
  const KeyRef* key_ = nullptr;
  const StateExtras* extras_ = nullptr;
};

/// One value for each key.
template <typename T>
class SingleValueState : public KeyedHandle {
 public:
  using Stored = T;
  using StoredWithTtl = Expiring<T>;

  SingleValueState() = default;
  explicit SingleValueState(const KeyedHandle& handle) : KeyedHandle(handle) {}

 protected:
  const T* read() const {
    if (!expires()) return stored<T>();
    const auto* found = visible<Expiring<T>>(true);
    return found != nullptr ? &found->value : nullptr;
  }
  /// What a read would see, to be written to; null when there is nothing. changed() afterwards.
  T* readToChange() {
    if (!expires()) return storedForUpdate<T>();
    auto* found = storedForUpdate<Expiring<T>>();
    if (found == nullptr) return nullptr;
    if (expiry().hidesExpired() && found->hasExpired(expiry().expired())) return nullptr;
    expiry().noteWrite();
    found->stamp(expiry().now());
    return &found->value;
  }
  /// To be overwritten as a whole; made if it is not there. changed() afterwards.
  T& toReplace() {
    if (!expires()) return slot<T>();
    auto& made = expiringSlot<Expiring<T>>();
    made.stamp(expiry().now());
    return made.value;
  }
};

template <typename T>
class ValueState : public SingleValueState<T> {
 public:
  using Descriptor = ValueStateDescriptor<T>;
  static constexpr const char* kKind = "value";

  ValueState() = default;
  ValueState(const KeyedHandle& handle, const Descriptor& descriptor)
      : SingleValueState<T>(handle), absent_(std::make_shared<const T>(descriptor.defaultValue())) {}

  bool has() const {
    const MeasuredAccess access = this->measured(StateAccess::kValueGet);
    return this->read() != nullptr;
  }
  /// What is stored, or the descriptor's default.
  const T& get() const {
    const MeasuredAccess access = this->measured(StateAccess::kValueGet);
    const T* found = this->read();
    return found != nullptr ? *found : *absent_;
  }
  void set(T value) {
    const MeasuredAccess access = this->measured(StateAccess::kValueUpdate);
    this->toReplace() = std::move(value);
    this->changed();
  }
  /// change(T&) in place; it sees the default where nothing is stored.
  template <typename F>
  requires std::invocable<F, T&>
  void update(F&& change) {
    const MeasuredAccess access = this->measured(StateAccess::kValueUpdate);
    T* value = this->readToChange();
    if (value == nullptr) {
      value = &this->toReplace();
      *value = *absent_;
    }
    change(*value);
    this->changed();
  }

 private:
  std::shared_ptr<const T> absent_;
};

/// Elements expire one by one.
template <typename T>
class ListState : public KeyedHandle {
  static_assert(!std::same_as<T, bool>,
                "a list of bool cannot be looked at in place: use ListState<uint8_t>");

 public:
  using Stored = std::vector<T>;
  using StoredWithTtl = ExpiringList<T>;
  using Descriptor = ListStateDescriptor<T>;
  static constexpr const char* kKind = "list";

  ListState() = default;
  ListState(const KeyedHandle& handle, const Descriptor&) : KeyedHandle(handle) {}

  /// Touches nothing.
  bool isEmpty() const {
    const MeasuredAccess access = measured(StateAccess::kListGet);
    return read(false) == nullptr;
  }
  std::span<const T> get() const {
    const MeasuredAccess access = measured(StateAccess::kListGet);
    const Stored* list = read(true);
    return list != nullptr ? std::span<const T>(*list) : std::span<const T>();
  }
  void add(T value) {
    const MeasuredAccess access = measured(StateAccess::kListAdd);
    if (expires()) {
      expiringSlot<StoredWithTtl>().add(std::move(value), expiry().now());
    } else {
      slotToAppend<Stored>().push_back(std::move(value));
    }
    changed();
  }
  void addAll(std::span<const T> values) {
    if (values.empty()) return;
    const MeasuredAccess access = measured(StateAccess::kListAddAll);
    if (expires()) {
      expiringSlot<StoredWithTtl>().addAll(values, expiry().now());
    } else {
      Stored& list = slotToAppend<Stored>();
      list.insert(list.end(), values.begin(), values.end());
    }
    changed();
  }
  /// Replaces the list; an empty one clears it.
  void set(std::vector<T> values) {
    const MeasuredAccess access = measured(StateAccess::kListUpdate);
    if (values.empty()) return drop();
    if (expires()) {
      expiringSlot<StoredWithTtl>().assign(std::move(values), expiry().now());
    } else {
      slot<Stored>() = std::move(values);
    }
    changed();
  }

 private:
  const Stored* read(bool touching) const {
    if (!expires()) return stored<Stored>();
    const auto* list = visible<StoredWithTtl>(touching);
    return list != nullptr ? &list->values() : nullptr;
  }
};

/// Walked in the order in which keys were first put. Entries expire one by one.
template <typename K, typename V>
class MapState : public KeyedHandle {
 public:
  using Stored = OrderedMap<K, V>;
  using StoredWithTtl = ExpiringMap<K, V>;
  using Descriptor = MapStateDescriptor<K, V>;
  static constexpr const char* kKind = "map";

  MapState() = default;
  MapState(const KeyedHandle& handle, const Descriptor&) : KeyedHandle(handle) {}

  /// Null when the key is not there.
  const V* get(const K& key) const {
    const MeasuredAccess access = measured(StateAccess::kMapGet);
    return find(key);
  }
  bool contains(const K& key) const {
    const MeasuredAccess access = measured(StateAccess::kMapContains);
    return find(key) != nullptr;
  }
  void put(const K& key, V value) {
    const MeasuredAccess access = measured(StateAccess::kMapPut);
    if (expires()) {
      valueToChange(key) = std::move(value);
    } else {
      slot<Stored>().put(key, std::move(value));
    }
    changed();
  }
  /// change(V&) in place; it sees a value-initialised V where the key is not there.
  template <typename F>
  requires std::invocable<F, V&>
  void update(const K& key, F&& change) {
    const MeasuredAccess access = measured(StateAccess::kMapPut);
    change(expires() ? valueToChange(key) : *slot<Stored>().tryEmplace(key).first);
    changed();
  }
  /// Whether it was there.
  bool remove(const K& key) {
    const MeasuredAccess access = measured(StateAccess::kMapRemove);
    if (expires()) return removeExpiring(key);
    Stored* map = storedForUpdate<Stored>();
    if (map == nullptr || !map->erase(key)) return false;
    if (map->empty()) drop();
    return true;
  }
  /// Touches nothing.
  size_t size() const {
    const MeasuredAccess access = measured(StateAccess::kMapIsEmpty);
    const Stored* map = read(false);
    return map != nullptr ? map->size() : 0;
  }
  bool isEmpty() const { return size() == 0; }
  /// For range-for over pairs; good until the next call on this state.
  const OrderedMap<K, V>& entries() const {
    static const Stored kEmpty;
    const MeasuredAccess access = measured(StateAccess::kMapEntries);
    const Stored* map = read(true);
    return map != nullptr ? *map : kEmpty;
  }

 private:
  using Node = typename Stored::Node;

  const V* find(const K& key) const {
    if (expires()) return getExpiring(key);
    const Stored* map = stored<Stored>();
    return map != nullptr ? map->find(key) : nullptr;
  }
  const Stored* read(bool touching) const {
    if (!expires()) return stored<Stored>();
    const auto* map = visible<StoredWithTtl>(touching);
    return map != nullptr ? &map->entries() : nullptr;
  }
  bool hidden(const Node& node) const { return expiry().hidesExpired() && node.stamp <= expiry().expired(); }
  const V* getExpiring(const K& key) const {
    expiry().noteRead();
    const auto* map = stored<StoredWithTtl>();
    const Node* node = map != nullptr ? map->find(key) : nullptr;
    if (node == nullptr) return nullptr;
    if (hidden(*node)) {
      dropEntry(*storedForUpdate<StoredWithTtl>(), key);
      return nullptr;
    }
    if (expiry().readsTouch() && node->stamp > expiry().expired()) {
      node = &storedForUpdate<StoredWithTtl>()->at(key, expiry().now());
    }
    return &node->entry.second;
  }
  V& valueToChange(const K& key) {
    auto& map = expiringSlot<StoredWithTtl>();
    const Node* before = map.find(key);
    if (before != nullptr && hidden(*before)) map.erase(key);
    return map.at(key, expiry().now()).entry.second;
  }
  bool removeExpiring(const K& key) {
    auto* map = storedForUpdate<StoredWithTtl>();
    const Node* node = map != nullptr ? map->find(key) : nullptr;
    if (node == nullptr) return false;
    expiry().noteWrite();
    const bool seen = !hidden(*node);
    dropEntry(*map, key);
    return seen;
  }
  void dropEntry(StoredWithTtl& map, const K& key) const {
    map.erase(key);
    if (map.empty()) table().erase(this->key());
  }
};

template <typename T>
class ReducingState : public SingleValueState<T> {
 public:
  using Descriptor = ReducingStateDescriptor<T>;
  static constexpr const char* kKind = "reducing";

  ReducingState() = default;
  ReducingState(const KeyedHandle& handle, const Descriptor& descriptor)
      : SingleValueState<T>(handle), reduce_(descriptor.reduce()) {}

  /// Null while nothing was added.
  const T* get() const {
    const MeasuredAccess access = this->measured(StateAccess::kReducingGet);
    return this->read();
  }
  void add(const T& value) {
    const MeasuredAccess access = this->measured(StateAccess::kReducingAdd);
    if (T* sum = this->readToChange()) {
      *sum = (*reduce_)(*sum, value);
    } else {
      this->toReplace() = value;
    }
    this->changed();
  }

 private:
  std::optional<typename Descriptor::Reduce> reduce_;
};

template <typename In, typename Acc, typename Out>
class AggregatingState : public SingleValueState<Acc> {
 public:
  using Descriptor = AggregatingStateDescriptor<In, Acc, Out>;
  static constexpr const char* kKind = "aggregating";

  AggregatingState() = default;
  AggregatingState(const KeyedHandle& handle, const Descriptor& descriptor)
      : SingleValueState<Acc>(handle), function_(descriptor) {}

  /// Empty while nothing was added.
  std::optional<Out> get() const {
    const MeasuredAccess access = this->measured(StateAccess::kAggregatingGet);
    const Acc* acc = this->read();
    return acc != nullptr ? std::optional<Out>(function_->result()(*acc)) : std::nullopt;
  }
  void add(const In& value) {
    const MeasuredAccess access = this->measured(StateAccess::kAggregatingAdd);
    if (Acc* acc = this->readToChange()) {
      function_->add()(value, *acc);
    } else {
      Acc fresh = function_->create()();
      function_->add()(value, fresh);
      this->toReplace() = std::move(fresh);
    }
    this->changed();
  }

 private:
  std::optional<Descriptor> function_;
};

}  // namespace flott
