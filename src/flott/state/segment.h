// The memory layout of a state table: slots, segments, directory entries.
//
// A slot is [8-byte word][key, unless the word is the key][value]. A segment is one block of memory:
//
//   [Segment header, 64 bytes][home slots, in groups][overflow slots][occupancy bitmap][bitmaps of marks]
//
// The slots of a segment are filled in the order of the key hash, each entry at its start or after it, with
// no empty slot in between: start = the first slot of a group of slots that share a cache line, chosen by the
// hash bits below those that chose the segment. Both steps are monotone in the hash, so a table is its
// entries sorted by hash, with gaps. The last slot is always empty and so ends every search. Empty slots have
// word 0. Marks are there in tables with a cold side only (state_table_cold.cc).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "flott/state/key_type.h"

namespace flott {

/// Values larger than this lie outside the slot, behind a pointer.
inline constexpr size_t kLargestInlineValue = 1024;

/// Slots that a look-up tests at once: those of one cache line.
constexpr uint32_t slotsPerGroup(size_t stride) {
  return stride <= 64 ? static_cast<uint32_t>(64 / stride) : 1;
}

/// Where the parts of a slot are. The same numbers whether computed from C++ types or from their TypeOps.
struct SlotLayout {
  uint32_t keyOffset = 0;
  uint32_t valueOffset = 0;
  uint32_t stride = 0;
  bool boxedValue = false;

  static constexpr SlotLayout of(bool wordKey, size_t keySize, size_t keyAlign, size_t valueSize,
                                 size_t valueAlign) {
    const auto up = [](size_t n, size_t align) { return (n + align - 1) / align * align; };
    SlotLayout layout;
    layout.boxedValue = valueSize > kLargestInlineValue;
    if (layout.boxedValue) valueSize = valueAlign = sizeof(void*);
    layout.keyOffset = wordKey ? 0 : static_cast<uint32_t>(up(8, keyAlign));
    const size_t keyEnd = wordKey ? 8 : layout.keyOffset + keySize;
    layout.valueOffset = static_cast<uint32_t>(up(keyEnd, valueAlign));
    size_t align = 8;
    if (!wordKey && keyAlign > align) align = keyAlign;
    if (valueAlign > align) align = valueAlign;
    layout.stride = static_cast<uint32_t>(up(layout.valueOffset + valueSize, align));
    return layout;
  }
  template <typename K, typename V>
  static constexpr SlotLayout of() {
    return of(kWordKey<K>, sizeof(K), alignof(K), sizeof(V), alignof(V));
  }
};

/// What is known of an entry in a table with a cold side.
enum class Mark : uint32_t {
  kDirty = 1,   // the store has another value, or none
  kStored = 2,  // the store has a value
  kTail = 3,    // a list of which only the end may be here: what the store has comes before it
};
inline constexpr uint32_t kMarks = 3;
/// All marks of an entry at once.
constexpr uint32_t marksWith(Mark mark) { return 1U << (static_cast<uint32_t>(mark) - 1); }

inline uint64_t loadWord(const std::byte* slot) {
  uint64_t word;
  std::memcpy(&word, slot, sizeof word);
  return word;
}

/// Header of a segment's block; its slots follow at once.
struct alignas(64) Segment {
  uint32_t used;        // entries
  uint32_t total;       // slots, overflow included
  uint32_t groups;      // home slots, in groups
  uint32_t blockBytes;  // as asked of the pool
  uint64_t epoch;       // of the last cut that has it, or that it is younger than
  uint64_t heapBytes;   // estimate of what keys and values hold outside their slots
  uint64_t changed;     // cuts that the backend had made when it last changed, where that is noted

  std::byte* slots() { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* slots() const { return reinterpret_cast<const std::byte*>(this + 1); }
  static Segment& ofSlots(std::byte* slots) { return *(reinterpret_cast<Segment*>(slots) - 1); }

  uint64_t* bitmap(uint32_t stride) { return reinterpret_cast<uint64_t*>(slots() + size_t{total} * stride); }
  const uint64_t* bitmap(uint32_t stride) const { return const_cast<Segment*>(this)->bitmap(stride); }
  bool occupied(uint32_t slot, uint32_t stride) const {
    return (bitmap(stride)[slot / 64] >> (slot % 64)) & 1;
  }
  void setOccupied(uint32_t slot, uint32_t stride) {
    bitmap(stride)[slot / 64] |= uint64_t{1} << (slot % 64);
  }
  void setEmpty(uint32_t slot, uint32_t stride) {
    bitmap(stride)[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  }
  /// Returns whether it is occupied now.
  bool flipOccupied(uint32_t slot, uint32_t stride) {
    uint64_t& word = bitmap(stride)[slot / 64];
    word ^= uint64_t{1} << (slot % 64);
    return (word >> (slot % 64)) & 1;
  }
  uint64_t* marks(Mark mark, uint32_t stride) {
    return bitmap(stride) + static_cast<uint32_t>(mark) * ((size_t{total} + 63) / 64);
  }
  bool marked(Mark mark, uint32_t slot, uint32_t stride) {
    return (marks(mark, stride)[slot / 64] >> (slot % 64)) & 1;
  }
  void setMark(Mark mark, uint32_t slot, uint32_t stride, bool on) {
    uint64_t& word = marks(mark, stride)[slot / 64];
    word = (word & ~(uint64_t{1} << (slot % 64))) | uint64_t{on} << (slot % 64);
  }
  /// All marks of a slot, for an entry that moves.
  uint32_t marksOf(uint32_t slot, uint32_t stride) {
    uint32_t all = 0;
    for (const Mark mark : {Mark::kDirty, Mark::kStored, Mark::kTail})
      all |= marked(mark, slot, stride) ? marksWith(mark) : 0;
    return all;
  }
  void setMarks(uint32_t slot, uint32_t stride, uint32_t all) {
    for (const Mark mark : {Mark::kDirty, Mark::kStored, Mark::kTail})
      setMark(mark, slot, stride, (all & marksWith(mark)) != 0);
  }
  uint32_t nextMarked(Mark mark, uint32_t slot, uint32_t stride) {
    return nextBit(slot, marks(mark, stride), 0);
  }
  /// The first slot from `slot` on that is occupied (or that is not); `total` when there is none.
  uint32_t nextOccupied(uint32_t slot, uint32_t stride) const { return nextBit(slot, bitmap(stride), 0); }
  uint32_t nextEmpty(uint32_t slot, uint32_t stride) const {
    return nextBit(slot, bitmap(stride), ~uint64_t{0});
  }

 private:
  uint32_t nextBit(uint32_t slot, const uint64_t* bits, uint64_t invert) const {
    while (slot < total) {
      const uint64_t word = (bits[slot / 64] ^ invert) >> (slot % 64);
      if (word != 0) {
        slot += static_cast<uint32_t>(std::countr_zero(word));
        return slot < total ? slot : total;
      }
      slot = (slot / 64 + 1) * 64;
    }
    return total;
  }
};
static_assert(sizeof(Segment) == 64);

/// One share of the hash space. Several neighbours may share a segment.
struct DirectoryEntry {
  std::byte* slots;
  uint32_t groups;
  uint8_t depth;  // leading bits of the hash that its segment's entries have in common

  /// Where the search for `hash` begins.
  std::byte* start(uint64_t hash, uint32_t groupBytes) const { return slots + groupOf(hash) * groupBytes; }
  uint64_t groupOf(uint64_t hash) const {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(hash << depth) * groups >> 64);
  }
};
static_assert(sizeof(DirectoryEntry) == 16);

/// What a look-up needs of a directory entry: where the search for a hash begins, as a function of all its
/// bits, in one multiplication. The group at (hash << depth) × groups / 2^64 of the entry is the one at
/// hash × (groups << depth) / 2^64 of a run of groups that began where hash 0 does.
struct SearchStart {
  uintptr_t origin = 0;  // where that run would begin
  uint64_t scale = 0;

  /// `firstHash` is the lowest one of the entry's share.
  static SearchStart of(const DirectoryEntry& entry, uint64_t firstHash, uint32_t groupBytes) {
    const uint64_t scale = uint64_t{entry.groups} << entry.depth;
    return {reinterpret_cast<uintptr_t>(entry.slots) - groupOf(firstHash, scale) * groupBytes, scale};
  }
  std::byte* at(uint64_t hash, uint32_t groupBytes) const {
    return reinterpret_cast<std::byte*>(origin + groupOf(hash, scale) * groupBytes);
  }

 private:
  static uint64_t groupOf(uint64_t hash, uint64_t scale) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(hash) * scale >> 64);
  }
};

}  // namespace flott
