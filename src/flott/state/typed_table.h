// The typed view on a StateTable that an aggregation works through: inlined look-ups, no call on the path of
// a hit.
//
// An operator hands over the key hashes of a whole batch: where a key's search begins is prefetched some
// records ahead, and the slots of a cache line are compared at once without a branch. References are good
// until the next call.
//
//   size_t i = 0;
//   table.upsert({batch->hashes(), rows.size()}, at, [&](size_t i) { return rows[i].key; },
//                [&](int64_t& fresh, size_t i) { fresh = rows[i].value; },
//                [&](int64_t& sum, size_t i) { sum += rows[i].value; });
//
// An operator that does more with a key than that locates the batch first and then looks up key by key. The
// table may change in between: a place that no longer holds the key is found again.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/in_loop.h"
#include "flott/state/state_table.h"

namespace flott {

/// Where the keys of a batch are; made by TypedTable::locate(), owned and used again by the operator.
class Located {
  template <typename K, typename V>
  friend class TypedTable;

  uint64_t ticket_ = 0;
  std::vector<std::byte*> slots_;  // of the entry, or where its search begins
};

/// A view: copy it freely; it is good as long as its table. The default-made one is empty.
template <typename K, typename V>
class TypedTable {
  static constexpr SlotLayout kLayout = SlotLayout::of<K, V>();
  static constexpr uint32_t kGroup = slotsPerGroup(kLayout.stride);
  static constexpr uint32_t kGroupBytes = kGroup * kLayout.stride;

 public:
  TypedTable() = default;
  explicit TypedTable(StateTable& table) : table_(&table) {
    FLOTT_CHECK(&table.key().ops() == &typeOps<K>() && &table.value() == &typeOps<V>(),
                std::string(table.name()));
  }

  size_t size() const { return table_->size(); }
  StateTable& untyped() const { return *table_; }

  /// For each key, keyAt(i) with the hash hashes[i]: onFound(V&, i) where it is in the table, else
  /// onInsert(V&, i) with a value-initialised value that was just added. What comes of one key comes in
  /// order; keys that are new may come after some that follow. The functions may throw, but not use this
  /// table; `at` is the index of the key at hand, for whoever catches. What the functions read of `keyAt` and
  /// of themselves for each key is best a copy of theirs: the compiler cannot know that it stays as it is.
  template <typename KeyAt, typename OnInsert, typename OnFound>
  void upsert(std::span<const uint64_t> hashes, size_t& at, KeyAt&& keyAt, OnInsert&& onInsert,
              OnFound&& onFound) {
    const auto found = [&](V& value, size_t i) {
      onFound(value, i);
      if constexpr (!std::is_trivially_copyable_v<V>) table_->noteHeapChange();
    };
    const auto added = [&](V& value, size_t i) {
      onInsert(value, i);
      if constexpr (!std::is_trivially_copyable_v<V>) table_->noteHeapChange();
    };
    const auto findOrAdd = [&](const K& key) {
      const Entry entry = findOrInsertPlain(hashes[at], key);
      entry.inserted ? added(*entry.value, at) : found(*entry.value, at);
    };
    at = 0;
    if (table_->hasCold()) [[unlikely]] {
      while (at < hashes.size()) {
        const size_t end = std::min(at + kFetchedAtOnce, hashes.size());
        const StateTable::Settled settled = fetch(hashes, at, end, keyAt);
        for (; at < end; ++at) findOrAdd(keyAt(at));
      }
      return;
    }
    Search search(*table_, hashes);
    for (size_t begin = 0; begin < hashes.size(); begin += kBlock) {
      const size_t end = std::min(begin + kBlock, hashes.size());
      const std::span<const uint32_t> absent = search.locate(begin, end, keyAt);
      noteWrites(hashes, begin, end, keyAt);
      std::byte* const* const slots = &search.slot(begin);
      if constexpr (kWordKey<K>) {
        const auto update = [&](size_t from, size_t to) {  // nothing moves meanwhile
          for (size_t k = from; k < to; ++k) {
            at = begin + k;  // reading it back would make each key wait for the one before
            found(valueAt(slots[k]), begin + k);
          }
        };
        size_t next = 0;
        for (const uint32_t k : absent) {
          update(next, k);
          next = k + 1;
        }
        update(next, end - begin);
        if (absent.empty()) continue;
        for (const uint32_t k : absent) {
          at = begin + k;
          const Entry entry = insertAbsent(hashes[at], keyAt(at));
          entry.inserted ? added(*entry.value, at) : found(*entry.value, at);
        }
      } else {
        for (at = begin; at < end; ++at) {
          const auto& key = keyAt(at);  // keeps a temporary alive
          if (V* value = search.valueOf(at, key)) [[likely]] {
            found(*value, at);
          } else {
            findOrAdd(key);
          }
        }
      }
      search.restartIfMoved(end);
    }
    at = hashes.size();
  }

  /// keyAt(i) is the key whose hash is hashes[i].
  template <typename KeyAt>
  void locate(std::span<const uint64_t> hashes, KeyAt&& keyAt, Located& out) const {
    if (out.slots_.size() < hashes.size()) out.slots_.resize(hashes.size());
    out.ticket_ = table_->hasCold() ? 0 : table_->ticket();
    if (table_->hasCold()) [[unlikely]] {  // in memory is all that can be done here
      for (size_t i = 0; i < hashes.size();) {
        const size_t end = std::min(i + kFetchedAtOnce, hashes.size());
        (void)fetch(hashes, i, end, keyAt);
        i = end;
      }
      return;
    }
    Search search(*table_, hashes);
    for (size_t i = 0; i < hashes.size();) {
      const size_t end = std::min(i + kBlock, hashes.size());
      search.locate(i, end, keyAt);
      noteWrites(hashes, i, end, keyAt);
      for (; i < end; ++i) out.slots_[i] = search.slot(i);
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
      if (V* value = valueFrom(located.slots_[i], hash, key)) [[likely]]
        return *value;
    }
    return findOrInsert(hash, key, onInsert);
  }

  V& findOrInsert(uint64_t hash, const K& key) {
    return findOrInsert(hash, key, [](V&) {});
  }
  template <typename F>
  requires std::is_invocable_v<F, V&> V& findOrInsert(uint64_t hash, const K& key, F&& onInsert) {
    const Entry entry = findOrInsertPlain(hash, key);
    if (entry.inserted) onInsert(*entry.value);
    return *entry.value;
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
  struct Entry {
    V* value;
    bool inserted;
  };

  /// As StateTable::findOrInsert(), in one pass over the slots where entries are plain.
  Entry findOrInsertPlain(uint64_t hash, const K& key) {
    if constexpr (kWordKey<K> && std::is_trivially_copyable_v<V> && !kLayout.boxedValue) {
      const uint64_t word = keyWord(key);
      if (word != 0 && !table_->hasCold()) [[likely]] {
        if (table_->watched()) [[unlikely]]
          table_->noteWrite(keyRef(hash, key));
        std::byte* const start = table_->startOf(hash);
        std::byte* slot = start;
        for (uint64_t there = loadWord(slot); there != 0; there = loadWord(slot += kLayout.stride)) {
          if (there == word) return {&valueAt(slot), false};
        }
        if (std::byte* made = table_->insertWord(hash, word, start, slot))
          return {::new (static_cast<void*>(&valueAt(made))) V{}, true};
      }
    }
    const StateTable::Found found = table_->findOrInsert(keyRef(hash, key));
    return {reinterpret_cast<V*>(found.value), found.inserted};
  }

  /// findOrInsertPlain() for a key that is most likely not there, without a branch that is hard to predict
  /// while its group of slots has room.
  Entry insertAbsent(uint64_t hash, const K& key) {
    if constexpr (kWordKey<K> && std::is_trivially_copyable_v<V> && !kLayout.boxedValue && kGroup > 1) {
      const uint64_t word = keyWord(key);
      std::byte* const group = table_->startOf(hash);
      const uint32_t empty = matchGroup(0, group);
      if (word != 0 && empty != 0 && matchGroup(word, group) == 0) [[likely]] {
        const uint32_t used = slotsUsed(empty);
        if (table_->template countInGroup<kLayout.stride>(hash, group, used)) [[likely]] {
          std::byte* const slot = group + openInGroup(group, used, hash) * kLayout.stride;
          std::memcpy(slot, &word, sizeof word);
          return {::new (static_cast<void*>(&valueAt(slot))) V{}, true};
        }
      }
    }
    return findOrInsertPlain(hash, key);
  }

  /// Makes place in a group whose first `used` slots have entries and whose next one is empty, where the
  /// order of the hash has it. Returns the index of the slot.
  static uint32_t openInGroup(std::byte* group, uint32_t used, uint64_t hash) {
    uint32_t place = used;
    for (uint32_t i = 0; i + 1 < kGroup; ++i) {
      const uint64_t other = hashInt64(static_cast<int64_t>(loadWord(group + i * kLayout.stride)));
      place -= static_cast<uint32_t>(i < used) & static_cast<uint32_t>(other > hash);
    }
    for (uint32_t i = kGroup - 1; i > 0; --i) {  // behind the entries there are empty slots
      std::memcpy(group + i * kLayout.stride, group + (i - (i > place ? 1 : 0)) * kLayout.stride,
                  kLayout.stride);
    }
    return place;
  }

  /// Before a part of the batch is written.
  template <typename KeyAt>
  void noteWrites(std::span<const uint64_t> hashes, size_t begin, size_t end, KeyAt& keyAt) const {
    if (!table_->watched()) [[likely]]
      return;
    if (!table_->cutting()) {  // then it need not be known which key of its segment it is
      for (size_t i = begin; i < end; ++i) table_->noteWrite({hashes[i], 0, nullptr});
      return;
    }
    for (size_t i = begin; i < end; ++i) {
      const auto& key = keyAt(i);  // keeps a temporary alive
      table_->noteWrite(keyRef(hashes[i], key));
    }
  }

  /// Loads what a part of the batch has on the cold side.
  template <typename KeyAt>
  StateTable::Settled fetch(std::span<const uint64_t> hashes, size_t begin, size_t end, KeyAt& keyAt) const {
    if (!table_->hasCold()) return {};
    table_->keepToBudget();
    table_->prefetch(hashes.subspan(begin, end - begin));
    for (size_t i = begin; i < end; ++i) {
      const auto& key = keyAt(i);  // keeps a temporary alive
      table_->want(keyRef(hashes[i], key));
    }
    return table_->fetchWanted();
  }

  static constexpr size_t kFetchedAtOnce = 2048;
  static constexpr size_t kAhead = 32;   // accesses to memory that overlap
  static constexpr size_t kBlock = 128;  // keys that are located before the first of them is used

  /// Where the keys of a batch are, a block at a time. Prefetching runs ahead of the block.
  class Search {
   public:
    Search(const StateTable& table, std::span<const uint64_t> hashes)
        : table_(table), hashes_(hashes), startOf_(table), ticket_(table.ticket()) {
      for (size_t i = 0; i < kAhead && i < hashes_.size(); ++i) slot(i) = prefetched(i);
    }

    /// Finds the keys from `begin` to `end`, those of one block, without a branch that is hard to predict.
    /// Returns which of the block are not there. Keys that are objects are compared where they are used:
    /// fetching them twice would cost more; here their search only comes to where it will most likely end.
    template <typename KeyAt>
    std::span<const uint32_t> locate(size_t begin, size_t end, const KeyAt& keyAt) {
      if (begin > 0) std::copy_n(slots_ + kBlock, kAhead, slots_);
      begin_ = begin;
      // One access to memory begins with each key that is located: many at once would wait for each other.
      const size_t last = std::min(end, hashes_.size() - std::min(hashes_.size(), kAhead));
      const size_t turn = std::max(begin, last) - begin;
      const size_t missed = locateRun<false>(turn, end - begin, locateRun<true>(0, turn, 0, keyAt), keyAt);
      size_t absent = 0;
      for (size_t m = 0; m < missed; ++m) {
        const uint32_t k = misses_[m];
        if (!findBeyond(begin + k, keyAt(begin + k))) misses_[absent++] = k;
      }
      return {misses_, absent};
    }

    /// Of the block that was located last, or one to prefetch for the next.
    std::byte*& slot(size_t i) { return slots_[i - begin_]; }

    /// The value of the key, or null when it is not there or has moved.
    V* valueOf(size_t i, const K& key) {
      return table_.ticket() == ticket_ ? valueFrom(slot(i), hashes_[i], key) : nullptr;
    }

    /// When segments have moved, what was prefetched from `next` on is void.
    void restartIfMoved(size_t next) {
      if (table_.ticket() == ticket_) return;
      ticket_ = table_.ticket();
      startOf_ = StateTable::Starts(table_);
      for (size_t i = next; i < next + kAhead && i < hashes_.size(); ++i) slot(i) = prefetched(i);
    }

   private:
    /// Locates the keys from `from` to `to`, counted in the block, and writes down which of them may not be
    /// where they were looked for, behind the first `missed`. Returns how many these are now.
    template <bool kPrefetches, typename KeyAt>
    size_t locateRun(size_t from, size_t to, size_t missed, const KeyAt& given) {
      InLoop<KeyAt> keyAt = given;
      const StateTable::Starts startOf = startOf_;
      const size_t begin = begin_;
      const uint64_t* const hashes = hashes_.data() + begin;
      std::byte** const slots = slots_;
      uint32_t* const misses = misses_;
      for (size_t k = from; k < to; ++k) {
        if constexpr (kPrefetches) {
          std::byte* const start = startOf(hashes[k + kAhead], kGroupBytes);
          slots[k + kAhead] = start;
          __builtin_prefetch(start, 1);
        }
        std::byte* const at = slots[k];
        if constexpr (kWordKey<K>) {
          const uint64_t word = keyWord<K>(keyAt(begin + k));
          misses[missed] = static_cast<uint32_t>(k);
          if (word == 0) [[unlikely]] {  // as an empty slot
            ++missed;
            continue;
          }
          const uint32_t hits = matchGroup(word, at);
          missed += hits == 0;
          slots[k] = at + slotOfHit(hits);
        } else {
          slots[k] = stepTowards(at, hashWord(hashes[k]));
        }
      }
      return missed;
    }

    /// Where the search for a key begins.
    std::byte* prefetched(size_t i) const {
      std::byte* const start = startOf_(hashes_[i], kGroupBytes);
      __builtin_prefetch(start, 1);
      return start;
    }

    /// For a key that is not in its first group of slots.
    bool findBeyond(size_t i, const K& key) {
      std::byte*& at = slot(i);
      const uint32_t empty = matchGroup(0, at);  // an empty slot ends the search
      if (empty != 0 && (!table_.hasZeroKey() || table_.isEmptySlot(hashes_[i], at, slotsUsed(empty))))
        return false;
      const KeyRef ref = keyRef(hashes_[i], key);
      std::byte* const second = at + kGroupBytes;
      const uint32_t hits = ref.word == 0 ? 0 : matchGroup(ref.word, second);
      std::byte* const found = hits != 0 ? second + slotOfHit(hits) : table_.probe(ref, at);
      if (found != nullptr) at = found;
      return found != nullptr;
    }

    const StateTable& table_;
    const std::span<const uint64_t> hashes_;
    StateTable::Starts startOf_;
    uint64_t ticket_;
    size_t begin_ = 0;                   // of the block at hand
    std::byte* slots_[kBlock + kAhead];  // of the entry, or where its search begins
    uint32_t misses_[kBlock];
  };

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
  /// Entries in a group with these empty slots, which are behind them. One that is the integer key 0 counts
  /// as empty: then the slot of this index is not.
  static uint32_t slotsUsed(uint32_t empty) { return kGroup - static_cast<uint32_t>(std::popcount(empty)); }
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

  /// The value of the key if it lies at `slot` or, for objects, where the search from there leads; else null.
  static V* valueFrom(std::byte* slot, uint64_t hash, const K& key) {
    if constexpr (kWordKey<K>) {
      const uint64_t word = keyWord<K>(key);
      return loadWord(slot) == word && word != 0 ? &valueAt(slot) : nullptr;
    } else {
      // Slots are in hash order: a word beyond ours ends the search.
      const uint64_t word = hashWord(hash);
      uint64_t there = loadWord(slot);
      while (there < word && there != 0) {
        slot += kLayout.stride;
        there = loadWord(slot);
      }
      const bool found =
          there == word && keyEquals(*reinterpret_cast<const K*>(slot + kLayout.keyOffset), key);
      return found ? &valueAt(slot) : nullptr;
    }
  }

  /// Past the slots that come before `word` in the order of the hash, at most as many as most searches cross.
  static std::byte* stepTowards(std::byte* slot, uint64_t word) {
    for (int step = 0; step < kUsualSteps; ++step) {
      const bool before = loadWord(slot) - 1 < word - 1;  // and not empty
      slot += kLayout.stride * size_t{before};
    }
    return slot;
  }
  static constexpr int kUsualSteps = 2;

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
