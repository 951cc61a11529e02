// The typed view on a StateTable that an aggregation works through: inlined look-ups, no call on the path of
// a hit.
//
// An operator hands the hashes of a whole batch to locate(), which prefetches, and then goes through the
// records. Several batches may be located at a time, each in its own Located. References are good until the
// next call.
//
//   table.locate({batch->hashes(), batch->size()}, located_);
//   for (size_t i = 0; i < rows.size(); ++i) {
//     int64_t& sum = table.findOrInsert(batch->hashes()[i], rows[i].key, located_, i);
//     sum += rows[i].value;
//   }
#pragma once

#include <bit>
#include <string>
#include <type_traits>

#include "flott/state/state_table.h"

namespace flott {

/// A view: copy it freely; it is good as long as its table. The default-made one is empty.
template <typename K, typename V>
class TypedTable {
  static constexpr SlotLayout kLayout = SlotLayout::of<K, V>();
  static constexpr uint32_t kGroup = slotsPerGroup(kLayout.stride);

 public:
  TypedTable() = default;
  explicit TypedTable(StateTable& table) : table_(&table) {
    FLOTT_CHECK(&table.key().ops() == &typeOps<K>() && &table.value() == &typeOps<V>(),
                std::string(table.name()));
  }

  size_t size() const { return table_->size(); }
  StateTable& untyped() const { return *table_; }

  void locate(std::span<const uint64_t> hashes, Located& out) const { table_->locate(hashes, out); }

  /// The value of the key, value-initialised when it was not there. `i` is its position in the located batch.
  V& findOrInsert(uint64_t hash, const K& key, const Located& located, size_t i) {
    return findOrInsert(hash, key, located, i, [](V&) {});
  }
  /// `onInsert(V&)` sees a value that was just added.
  template <typename F>
  V& findOrInsert(uint64_t hash, const K& key, const Located& located, size_t i, F&& onInsert) {
    if (located.ticket == table_->ticket()) [[likely]] {
      if (std::byte* slot = probeGroup(hash, key, located.starts[i])) [[likely]]
        return valueAt(slot);
    }
    return findOrInsert(hash, key, onInsert);
  }

  V& findOrInsert(uint64_t hash, const K& key) {
    return findOrInsert(hash, key, [](V&) {});
  }
  template <typename F>
  requires std::is_invocable_v<F, V&> V& findOrInsert(uint64_t hash, const K& key, F&& onInsert) {
    const StateTable::Found found = table_->findOrInsert(keyRef(hash, key));
    V& value = *reinterpret_cast<V*>(found.value);
    if (found.inserted) onInsert(value);
    return value;
  }

  /// Null when the key is not there.
  const V* find(uint64_t hash, const K& key) const {
    return reinterpret_cast<const V*>(table_->find(keyRef(hash, key)));
  }
  V* findForUpdate(uint64_t hash, const K& key) {
    return reinterpret_cast<V*>(table_->findForUpdate(keyRef(hash, key)));
  }
  bool erase(uint64_t hash, const K& key) { return table_->erase(keyRef(hash, key)); }
  void clear() { table_->clear(); }

  /// f(hash, const K&, const V&) for all entries in the order of the hash. The table must not change
  /// meanwhile.
  template <typename F>
  void forEach(F&& f) const {
    StateTable::Cursor cursor;
    StateTable::Entry entry;
    while (table_->next(cursor, entry)) {
      f(entry.hash, *static_cast<const K*>(entry.key), *reinterpret_cast<const V*>(entry.value));
    }
  }

 private:
  /// The slot of the key when it is one of the first group's; otherwise null, whether it is elsewhere or
  /// nowhere.
  static std::byte* probeGroup(uint64_t hash, const K& key, std::byte* start) {
    const KeyRef ref = keyRef(hash, key);
    uint32_t hits = 0;
    for (uint32_t i = 0; i < kGroup; ++i) {
      hits |= static_cast<uint32_t>(loadWord(start + i * kLayout.stride) == ref.word) << i;
    }
    if constexpr (kWordKey<K>) {
      if (hits == 0 || ref.word == 0) [[unlikely]]
        return nullptr;
      return start + std::countr_zero(hits) * kLayout.stride;
    } else {
      if (hits == 0) [[unlikely]]
        return nullptr;
      std::byte* slot = start + std::countr_zero(hits) * kLayout.stride;
      return keyEquals(*reinterpret_cast<const K*>(slot + kLayout.keyOffset), key) ? slot : nullptr;
    }
  }

  static V& valueAt(std::byte* slot) {
    if constexpr (kLayout.boxedValue) {
      return **reinterpret_cast<V**>(slot + kLayout.valueOffset);
    } else {
      return *reinterpret_cast<V*>(slot + kLayout.valueOffset);
    }
  }

  StateTable* table_ = nullptr;
};

}  // namespace flott
