// The typed view on a StateTable that an aggregation works through: inlined look-ups, no call on the path of
// a hit.
//
// An operator first locates the keys of a whole batch, which overlaps the memory accesses of all of them and
// takes no hard-to-predict branch, and then goes through the records. The table may change in between, and
// several batches may be located at a time, each in its own Located: a place that no longer holds the key is
// found again. References are good until the next call.
//
//   table.locate({batch->hashes(), rows.size()}, [&](size_t i) { return rows[i].key; }, located_);
//   for (size_t i = 0; i < rows.size(); ++i) {
//     int64_t& sum = table.findOrInsert(batch->hashes()[i], rows[i].key, located_, i);
//     sum += rows[i].value;
//   }
#pragma once

#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/state/state_table.h"

namespace flott {

/// Where the keys of a batch are; made by TypedTable::locate(), owned and used again by the operator.
class Located {
  template <typename K, typename V>
  friend class TypedTable;

  uint64_t ticket_ = 0;
  std::vector<std::byte*> slots_;  // of the entry, or where its search begins
  std::vector<uint32_t> misses_;   // records whose key is not in the first group of slots
};

/// A view: copy it freely; it is good as long as its table. The default-made one is empty.
template <typename K, typename V>
class TypedTable {
  static constexpr SlotLayout kLayout = SlotLayout::of<K, V>();
  static constexpr uint32_t kGroup = slotsPerGroup(kLayout.stride);
  static constexpr uint32_t kGroupBytes = kGroup * kLayout.stride;
  static constexpr size_t kAhead = 32;  // accesses to memory that overlap

 public:
  TypedTable() = default;
  explicit TypedTable(StateTable& table) : table_(&table) {
    FLOTT_CHECK(&table.key().ops() == &typeOps<K>() && &table.value() == &typeOps<V>(),
                std::string(table.name()));
  }

  size_t size() const { return table_->size(); }
  StateTable& untyped() const { return *table_; }

  /// keyAt(i) is the key whose hash is hashes[i].
  template <typename KeyAt>
  void locate(std::span<const uint64_t> hashes, KeyAt&& keyAt, Located& out) const {
    const size_t count = hashes.size();
    if (out.slots_.size() < count) {
      out.slots_.resize(count);
      out.misses_.resize(count);
    }
    out.ticket_ = table_->cutting() ? 0 : table_->ticket();
    std::byte** const slots = out.slots_.data();
    uint32_t* const misses = out.misses_.data();
    const StateTable::Starts startOf(*table_);
    const auto prefetch = [&](size_t i) {
      slots[i] = startOf(hashes[i], kGroupBytes);
      __builtin_prefetch(slots[i], 1);
    };
    const auto wordAt = [&](size_t i) {
      if constexpr (kWordKey<K>) {
        return keyWord<K>(keyAt(i));
      } else {
        return hashWord(hashes[i]);
      }
    };
    if constexpr (!kWordKey<K>) {  // compared where they are used: fetching the key again would cost more
      for (size_t i = 0; i < count; ++i) prefetch(i);
      return;
    }
    size_t missed = 0;
    const auto match = [&](size_t i) {
      const uint32_t hits = matchGroup(wordAt(i), slots[i]);
      misses[missed] = static_cast<uint32_t>(i);
      missed += hits == 0;
      slots[i] += slotOfHit(hits);
      __builtin_prefetch(slots[i] + (hits == 0 ? kGroupBytes : 0), 1);
    };
    const size_t ahead = count < kAhead ? count : kAhead;
    for (size_t i = 0; i < ahead; ++i) prefetch(i);
    for (size_t i = ahead; i < count; ++i) {
      prefetch(i);
      match(i - ahead);
    }
    for (size_t i = count - ahead; i < count; ++i) match(i);
    for (size_t m = 0; m < missed; ++m) {
      const size_t i = misses[m];
      if (matchGroup(0, slots[i]) != 0) continue;  // an empty slot: the key is nowhere, or it is 0
      const K& object = keyAt(i);                  // keeps a temporary alive
      const KeyRef key = keyRef(hashes[i], object);
      std::byte* const second = slots[i] + kGroupBytes;
      if (const uint32_t hits = matchGroup(key.word, second); hits != 0) [[likely]] {
        slots[i] = second + slotOfHit(hits);
      } else if (std::byte* found = table_->probe(key, slots[i])) {
        slots[i] = found;
      }
    }
  }

  /// The value of the key, value-initialised when it was not there. `i` is its position in the located batch.
  V& findOrInsert(uint64_t hash, const K& key, const Located& located, size_t i) {
    return findOrInsert(hash, key, located, i, [](V&) {});
  }
  /// `onInsert(V&)` sees a value that was just added.
  template <typename F>
  V& findOrInsert(uint64_t hash, const K& key, const Located& located, size_t i, F&& onInsert) {
    if (located.ticket_ == table_->ticket()) [[likely]] {
      std::byte* slot = located.slots_[i];
      if constexpr (kWordKey<K>) {
        if (holds(slot, hash, key)) [[likely]]
          return valueAt(slot);
      } else {
        // Slots are in hash order: a word beyond ours ends the search.
        const uint64_t word = hashWord(hash);
        uint64_t at = loadWord(slot);
        while (at < word && at != 0) {
          slot += kLayout.stride;
          at = loadWord(slot);
        }
        if (at == word && keyEquals(*reinterpret_cast<const K*>(slot + kLayout.keyOffset), key)) [[likely]]
          return valueAt(slot);
      }
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
  /// Which slots of a group begin with this word: 0 when none does. Word 0 may be that of an empty slot.
  static uint32_t matchGroup(uint64_t word, const std::byte* group) {
#ifdef __AVX2__
    if constexpr (kLayout.stride == 16) {
      using Words = uint64_t __attribute__((vector_size(32)));
      Words low, high;
      std::memcpy(&low, group, sizeof low);
      std::memcpy(&high, group + sizeof low, sizeof high);
      const auto equal = __builtin_shufflevector(low, high, 0, 4, 2, 6) == Words{word, word, word, word};
      return static_cast<uint32_t>(__builtin_ia32_movmskpd256(__builtin_bit_cast(Doubles, equal)));
    }
#endif
    return [&]<uint32_t... i>(std::integer_sequence<uint32_t, i...>) {
      return ((static_cast<uint32_t>(loadWord(group + i * kLayout.stride) == word) << bitOfSlot(i)) | ...);
    }
    (std::make_integer_sequence<uint32_t, kGroup>());
  }
  /// Bit 1 is slot 2 and bit 2 slot 1 of groups of four, since that is how vectors interleave.
  static constexpr uint32_t bitOfSlot(uint32_t slot) {
    return kGroup == 4 ? (slot & 1) << 1 | slot >> 1 : slot;
  }
  /// Offset of the slot that a match found; 0 when there is none. Without a branch.
  static size_t slotOfHit(uint32_t hits) { return kSlotOfHit[hits]; }
  static constexpr auto kSlotOfHit = [] {
    std::array<uint8_t, 1 << kGroup> offsets{};
    for (uint32_t hits = 1; hits < offsets.size(); ++hits) {
      for (uint32_t slot = kGroup; slot-- > 0;) {
        if (hits >> bitOfSlot(slot) & 1) offsets[hits] = static_cast<uint8_t>(slot * kLayout.stride);
      }
    }
    return offsets;
  }();
  using Doubles = double __attribute__((vector_size(32)));

  static bool holds(const std::byte* slot, uint64_t hash, const K& key) {
    const uint64_t word = keyRef(hash, key).word;
    if (loadWord(slot) != word) return false;
    if constexpr (kWordKey<K>) {
      return word != 0;
    } else {
      return keyEquals(*reinterpret_cast<const K*>(slot + kLayout.keyOffset), key);
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
