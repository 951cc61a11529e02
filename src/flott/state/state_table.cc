// Entries of a state table: finding, adding, removing, walking in order. Segments: state_table_segments.cc.
#include "flott/state/state_table.h"

#include <algorithm>
#include <bit>
#include <new>

#include "flott/base/bytes.h"

namespace flott {

namespace {

constexpr size_t kMaxSegmentBytes = 64 * 1024;
constexpr size_t kMaxAlign = 16;  // of what the general heap gives

}  // namespace

StateTable::StateTable(std::string_view name, const KeyType& key, const TypeOps& value, TableHome& home,
                       int64_t nameSpace, ColdPlace cold)
    : name_(name),
      nameSpace_(nameSpace),
      key_(key),
      value_(value),
      home_(home),
      layout_(SlotLayout::of(key.isWord(), key.ops().size, key.ops().align, value.size, value.align)) {
  watched_ = home.tracksChanges;
  beginCold(cold);
  FLOTT_CHECK(value.align <= kMaxAlign && key.ops().align <= kMaxAlign, "over-aligned type in state");
  movable_ = (key.isWord() || key.ops().triviallyCopyable) && (layout_.boxedValue || value.triviallyCopyable);
  plain_ = movable_ && !layout_.boxedValue;
  if (key.isWord() && key.ops().bulk && key.ops().size == sizeof(uint64_t) && plain_ && value.bulk)
    bulkBytes_ = static_cast<uint32_t>(sizeof(uint64_t)) + value.size;
  groupSlots_ = slotsPerGroup(layout_.stride);
  groupBytes_ = groupSlots_ * layout_.stride;
  maxGroups_ = 1;
  while (blockBytes((maxGroups_ + 1) * groupSlots_ + overflowSlots(maxGroups_ + 1)) <= kMaxSegmentBytes)
    ++maxGroups_;
  empty_.resize((2 * groupSlots_ + 2) * layout_.stride);
  resetDirectory();
}

StateTable::~StateTable() {
  cutting_ = false;  // whoever drops a table during a cut clears it first
  cold_.reset();     // and one whose entries are to be gone from the store
  clear();
}

bool StateTable::occupied(const std::byte* slot, uint64_t hash) const {
  const DirectoryEntry& entry = entryOf(hash);
  if (entry.groups == 0 || entry.slots != entryOf(hashInt64(0)).slots) return false;
  const auto index = static_cast<uint32_t>(static_cast<size_t>(slot - entry.slots) / layout_.stride);
  return Segment::ofSlots(entry.slots).occupied(index, layout_.stride);
}

/// What entries are ordered by: the hash, or for objects the word that stands for it.
uint64_t StateTable::orderAt(const std::byte* slot) const {
  const uint64_t word = loadWord(slot);
  return key_.isWord() ? hashInt64(static_cast<int64_t>(word)) : word;
}

int StateTable::compare(const std::byte* slot, const KeyRef& key) const {
  const uint64_t order = orderAt(slot);
  const uint64_t keyOrder = key_.isWord() ? key.hash : key.word;
  if (order != keyOrder) return order < keyOrder ? -1 : 1;
  return key_.isWord() ? 0 : compareEncoded(key_.ops(), slot + layout_.keyOffset, key.object);
}

uint32_t StateTable::homeOf(const DirectoryEntry& entry, uint64_t hash) const {
  return static_cast<uint32_t>(entry.groupOf(hash)) * groupSlots_;
}

/// The slot at which the key belongs: the first that is empty or holds a greater one.
uint32_t StateTable::placeOf(const DirectoryEntry& entry, const KeyRef& key) const {
  const Segment& segment = Segment::ofSlots(entry.slots);
  uint32_t slot = homeOf(entry, key.hash);
  while (segment.occupied(slot, layout_.stride) &&
         compare(entry.slots + size_t{slot} * layout_.stride, key) < 0) {
    ++slot;
  }
  return slot;
}

std::byte* StateTable::insert(const KeyRef& key) {
  if (cold_ != nullptr) keepToBudget();
  for (;;) {
    const DirectoryEntry& entry = entryOf(key.hash);
    if (entry.groups != 0) {
      Segment& segment = Segment::ofSlots(entry.slots);
      if (hasRoom(segment)) {
        const uint32_t slot = placeOf(entry, key);
        const uint32_t end = segment.nextEmpty(slot, layout_.stride);
        if (end + 1 < segment.total) return addEntry(segment, slot, end, key);
      }
    }
    makeRoom(key.hash);
  }
}

std::byte* StateTable::insertWord(uint64_t hash, uint64_t word, std::byte* start, std::byte* end) {
  const DirectoryEntry& entry = entryOf(hash);
  if (entry.groups == 0) return nullptr;
  Segment& segment = Segment::ofSlots(entry.slots);
  const uint32_t stride = layout_.stride;
  const uint32_t last = static_cast<uint32_t>(end - entry.slots) / stride;
  if (!hasRoom(segment) || last + 1 >= segment.total || segment.occupied(last, stride)) return nullptr;
  segment.changed = home_.cuts;
  std::byte* at = end;
  while (at != start && orderAt(at - stride) > hash) at -= stride;
  std::memmove(at + stride, at, static_cast<size_t>(end - at));
  std::memcpy(at, &word, sizeof word);
  segment.setOccupied(last, stride);
  ++segment.used;
  ++size_;
  ++layoutVersion_;
  return at;
}

/// Builds the entry in the empty slot `end`, then moves it to `slot` and those between by one.
std::byte* StateTable::addEntry(Segment& segment, uint32_t slot, uint32_t end, const KeyRef& key) {
  const size_t stride = layout_.stride;
  std::byte* const at = segment.slots() + slot * stride;
  std::byte* const last = segment.slots() + end * stride;
  if (plain_) {
    std::memmove(at + stride, at, static_cast<size_t>(last - at));
    constructEntry(at, key);
  } else {
    constructEntry(last, key);
    if (at != last) {
      std::byte* spare = empty_.data() + empty_.size() - stride;
      relocateEntry(spare, last);
      for (std::byte* from = last - stride; from >= at; from -= stride) relocateEntry(from + stride, from);
      relocateEntry(at, spare);
    }
    noteHeapChange();
  }
  segment.changed = home_.cuts;
  segment.setOccupied(end, layout_.stride);
  if (cold_ != nullptr) openMarks(segment, slot, end);
  ++segment.used;
  ++size_;
  ++layoutVersion_;
  if (key_.isWord() && key.word == 0) hasZeroKey_ = true;
  return valueOf(at);
}

/// On an exception the slot is as before.
void StateTable::constructEntry(std::byte* slot, const KeyRef& key) {
  std::byte* value = slot + layout_.valueOffset;
  const bool object = !key_.isWord();
  if (object) key_.ops().copyConstruct(slot + layout_.keyOffset, key.object);
  std::byte* box = nullptr;
  try {
    if (layout_.boxedValue) {
      box = static_cast<std::byte*>(::operator new(value_.size));
      value_.defaultConstruct(box);
      std::memcpy(value, &box, sizeof box);
    } else {
      value_.defaultConstruct(value);
    }
  } catch (...) {
    ::operator delete(box);
    if (object) key_.ops().destroy(slot + layout_.keyOffset);
    throw;
  }
  std::memcpy(slot, &key.word, sizeof key.word);
}

void StateTable::destroyEntry(std::byte* slot) {
  std::byte* value = valueOf(slot);
  value_.destroy(value);
  if (layout_.boxedValue) ::operator delete(value);
  if (!key_.isWord()) key_.ops().destroy(slot + layout_.keyOffset);
}

/// Leaves `from` without an entry, but with its old word.
void StateTable::relocateEntry(std::byte* to, std::byte* from) {
  if (movable_) {
    std::memcpy(to, from, layout_.stride);
    return;
  }
  std::memcpy(to, from, sizeof(uint64_t));
  if (!key_.isWord()) key_.ops().relocate(to + layout_.keyOffset, from + layout_.keyOffset);
  if (layout_.boxedValue) {
    std::memcpy(to + layout_.valueOffset, from + layout_.valueOffset, sizeof(void*));
  } else {
    value_.relocate(to + layout_.valueOffset, from + layout_.valueOffset);
  }
}

bool StateTable::erase(const KeyRef& key) {
  if (cutting_) [[unlikely]]
    handOver(directoryIndex(key.hash));
  std::byte* found = probe(key, startOf(key.hash));
  if (found == nullptr && coldOnly_ != 0) found = fetch(key);
  if (found == nullptr) return false;
  if (cold_ != nullptr && mayBeStored(found, key.hash)) eraseCold(found);
  if (tails_ != 0 && marked(Mark::kTail, found, key.hash)) {
    --tails_;
    if (marked(Mark::kStored, found, key.hash)) --coldOnly_;  // it was counted there, too
  }
  const size_t index = directoryIndex(key.hash);
  const DirectoryEntry entry = directory_[index];
  Segment& segment = Segment::ofSlots(entry.slots);
  segment.changed = home_.cuts;
  const size_t stride = layout_.stride;
  if (key_.isWord() && key.word == 0) hasZeroKey_ = false;
  if (!plain_) {
    setHeapBytes(segment, segment.heapBytes - std::min<uint64_t>(segment.heapBytes, heapBytesOf(found)));
    destroyEntry(found);
  }
  // Those that follow and are not at their home move back by one.
  auto slot = static_cast<uint32_t>(static_cast<size_t>(found - entry.slots) / stride);
  std::byte* hole = found;
  for (;; ++slot, hole += stride) {
    std::byte* const following = hole + stride;
    if (!segment.occupied(slot + 1, layout_.stride) || homeOf(entry, orderAt(following)) == slot + 1) break;
    relocateEntry(hole, following);
    if (cold_ != nullptr) segment.setMarks(slot, layout_.stride, segment.marksOf(slot + 1, layout_.stride));
  }
  std::memset(hole, 0, sizeof(uint64_t));
  segment.setEmpty(slot, layout_.stride);
  if (cold_ != nullptr) segment.setMarks(slot, layout_.stride, 0);
  --segment.used;
  --size_;
  ++layoutVersion_;
  shrinkIfSparse(index);
  return true;
}

void StateTable::prefetch(std::span<const uint64_t> hashes) const {
  for (const uint64_t hash : hashes) __builtin_prefetch(startOf(hash), 1);
}

StateTable::Cursor StateTable::cursorAt(uint64_t hash) {
  Cursor cursor;
  cursor.begun = hash != 0;
  cursor.hash = hash - cursor.begun;
  cursor.last = hash;
  return cursor;
}

/// Finds the cursor's place in the layout of now.
void StateTable::seek(Cursor& cursor) const {
  cursor.version = layoutVersion_;
  cursor.index = 0;
  cursor.slot = 0;
  if (!cursor.begun || cursor.hash >> shift_ < firstIndex_) return;
  cursor.index = directoryIndex(cursor.hash);
  const DirectoryEntry& entry = directory_[cursor.index];
  if (entry.groups == 0) return;
  const Segment& segment = Segment::ofSlots(entry.slots);
  for (cursor.slot = homeOf(entry, cursor.hash); segment.occupied(cursor.slot, layout_.stride);
       ++cursor.slot) {
    const std::byte* slot = entry.slots + size_t{cursor.slot} * layout_.stride;
    const uint64_t order = orderAt(slot);
    const uint64_t seen = key_.isWord() ? cursor.hash : hashWord(cursor.hash);
    if (order > seen) return;
    if (order < seen || cursor.keyBytes.empty()) continue;
    std::string bytes;
    ByteWriter out(bytes);
    key_.ops().encode(slot + layout_.keyOffset, out);
    if (bytes > cursor.keyBytes) return;
  }
}

bool StateTable::nextInMemory(Cursor& cursor, Entry& out) const {
  if (cursor.version != layoutVersion_) seek(cursor);
  const uint32_t stride = layout_.stride;
  for (; cursor.index < directory_.size();) {
    const DirectoryEntry& entry = directory_[cursor.index];
    if (entry.groups != 0) {
      const Segment& segment = Segment::ofSlots(entry.slots);
      const uint32_t slot = segment.nextOccupied(cursor.slot, stride);
      if (slot < segment.total) {
        pass(cursor, entry.slots, slot);
        std::byte* at = entry.slots + size_t{slot} * stride;
        out = {cursor.hash, at + layout_.keyOffset, valueOf(at)};
        return true;
      }
    }
    cursor.index = firstIndexOf(cursor.index, entry.depth) + (size_t{1} << (depth_ - entry.depth));
    cursor.slot = 0;
  }
  return false;
}

/// Moves the cursor behind the entry in this slot.
void StateTable::pass(Cursor& cursor, const std::byte* slots, uint32_t slot) const {
  const std::byte* at = slots + size_t{slot} * layout_.stride;
  const uint64_t order = orderAt(at);
  cursor.slot = slot + 1;
  cursor.begun = true;
  cursor.keyBytes.clear();
  cursor.hash = order;
  if (key_.isWord()) return;
  const std::byte* key = at + layout_.keyOffset;
  if ((slot > 0 && loadWord(at - layout_.stride) == order) || loadWord(at + layout_.stride) == order) {
    ByteWriter bytes(cursor.keyBytes);
    key_.ops().encode(key, bytes);
  }
  if (order == hashWord(0)) cursor.hash = key_.ops().hash(key);
}

StateTable::Stretch StateTable::nextStretch(Cursor& cursor) const {
  Entry first;
  if (!next(cursor, first)) return {};
  const DirectoryEntry& entry = directory_[cursor.index];
  const uint32_t slot = cursor.slot - 1;
  Stretch stretch{entry.slots + size_t{slot} * layout_.stride, 1};
  if (cold_ != nullptr) return stretch;
  const Segment& segment = Segment::ofSlots(entry.slots);
  stretch.entries = segment.bitmap(layout_.stride)[slot / 64] >> (slot % 64);
  if (stretch.entries != 1)
    pass(cursor, entry.slots, slot + static_cast<uint32_t>(std::bit_width(stretch.entries)) - 1);
  return stretch;
}

}  // namespace flott
