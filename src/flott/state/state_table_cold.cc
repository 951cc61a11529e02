// The cold side of a state table: entries that come from the store and go there.
#include <algorithm>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/state/cold/list_merge.h"
#include "flott/state/state_table.h"

namespace flott {

namespace {

// What a walk loads at a time.
constexpr size_t kStretchEntries = 1024;
constexpr size_t kStretchBytes = size_t{256} << 10;

uint64_t orderIn(std::string_view coldKey, size_t prefix) {
  ByteReader in(coldKey);
  in.raw(prefix);
  return __builtin_bswap64(in.fixed<uint64_t>());
}

}  // namespace

void StateTable::beginCold(ColdPlace cold) {
  if (cold.side == nullptr) return;
  cold_ = std::make_unique<ColdPart>(*cold.side, ColdKey::prefix(cold.state, nameSpace_), key_.ops());
  cold_->lists = cold.lists && key_.equalInBytes();
  cold_->inexact = cold.inexact || cold_->lists;
  watched_ = true;
}

void StateTable::appendColdKey(uint64_t order, const void* key, std::string& out) const {
  out += cold_->prefix;
  ColdKey::appendOrder(order, out);
  ByteWriter bytes(out);
  key_.ops().encode(key, bytes);
}

/// What all keys of this table in the store are before.
std::string StateTable::coldEnd() const { return ColdKey::behind(cold_->prefix); }

uint64_t StateTable::orderOf(uint64_t hash) const { return key_.isWord() ? hash : hashWord(hash); }

// --- looking up ---

const std::byte* StateTable::findCold(const KeyRef& key) const {
  // What the table holds does not change by this, only where.
  const std::byte* slot = const_cast<StateTable*>(this)->fetch(key);
  return slot != nullptr ? valueOf(slot) : nullptr;
}

std::byte* StateTable::findWatched(const KeyRef& key) {
  noteWrite(key);
  std::byte* slot = probe(key, startOf(key.hash));
  if (slot == nullptr && coldOnly_ != 0) slot = fetch(key);
  if (slot == nullptr) return nullptr;
  if (tails_ != 0) makeWhole(key, slot);
  if (cold_ != nullptr) mark(Mark::kDirty, slot, key.hash, true);
  return valueOf(slot);
}

/// The slot of a key that is not in memory; null when the store does not have it.
std::byte* StateTable::fetch(const KeyRef& key) {
  if (settled_) return nullptr;
  cold_->readsAhead = true;
  keepToBudget();
  if (!key_.equalInBytes()) {  // it may lie there under other bytes
    Cursor cursor = cursorAt(key.hash);
    loadStretch(cursor, orderOf(key.hash));
    return probe(key, startOf(key.hash));
  }
  ColdSide& side = cold_->side;
  side.encodedKey.clear();
  appendColdKey(orderOf(key.hash), key.object, side.encodedKey);
  if (!side.mayHave(side.encodedKey)) return nullptr;
  const std::string_view wanted = side.encodedKey;
  const std::optional<std::string_view> value = side.get({&wanted, 1}).front();
  if (!value) return nullptr;
  const Settled settled(*this);
  addFetched(wanted, *value);
  return probe(key, startOf(key.hash));
}

void StateTable::wantCold(const KeyRef& key) {
  if (!key_.equalInBytes()) return;
  ColdSide& side = cold_->side;
  appendColdKey(orderOf(key.hash), key.object, side.wanted);
  side.wantedEnds.push_back(side.wanted.size());
}

StateTable::Settled StateTable::fetchWanted() {
  if (!key_.equalInBytes()) return {};  // one by one, then
  ColdSide& side = cold_->side;
  Settled settled(*this);
  std::vector<std::string_view>& keys = side.keys;
  keys.clear();
  size_t from = 0;
  for (const size_t end : side.wantedEnds) {
    const std::string_view key = std::string_view(side.wanted).substr(from, end - from);
    if (side.mayHave(key)) keys.push_back(key);
    from = end;
  }
  if (!keys.empty()) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    const std::vector<std::optional<std::string_view>>& values = side.get(keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (values[i]) addFetched(keys[i], *values[i]);
    }
  }
  side.wanted.clear();
  side.wantedEnds.clear();
  return settled;
}

/// Does nothing when the key is in memory: what is here is newer. The table must be settled.
void StateTable::addFetched(std::string_view coldKey, std::string_view stored) {
  try {
    ByteReader in(coldKey);
    in.raw(cold_->prefix.size() + sizeof(uint64_t));
    const void* key = cold_->key.get();
    key_.ops().decode(in, cold_->key.get());
    KeyRef ref;
    ref.hash = key_.ops().hash(key);
    ref.word = key_.word(ref.hash, key);
    ref.object = key;
    if (std::byte* const here = probe(ref, startOf(ref.hash))) {
      if (tails_ != 0 && marked(Mark::kTail, here, ref.hash)) putBefore(stored, here, ref.hash);
      return;
    }
    std::byte* value = insert(ref);
    --coldOnly_;
    ByteReader bytes(stored);
    value_.decode(bytes, value);
    std::byte* const slot = probe(ref, startOf(ref.hash));
    mark(Mark::kDirty, slot, ref.hash, false);
    mark(Mark::kStored, slot, ref.hash, true);
    if (!plain_) {
      Segment& segment = Segment::ofSlots(entryOf(ref.hash).slots);
      setHeapBytes(segment, segment.heapBytes + heapBytesOf(slot));
    }
  } catch (Error& error) {
    throw std::move(error).at("state '" + std::string(name_) + "'");
  }
}

// --- lists that are added to ---

std::byte* StateTable::findToAppend(const KeyRef& key) {
  if (cold_ == nullptr || !cold_->lists || coldOnly_ == 0) return findOrInsert(key).value;
  cold_->readsAhead = false;
  keepToBudget();
  std::byte* slot = probe(key, startOf(key.hash));
  if (slot != nullptr) {
    mark(Mark::kDirty, slot, key.hash, true);
    return valueOf(slot);
  }
  std::byte* const value = insert(key);
  mark(Mark::kTail, probe(key, startOf(key.hash)), key.hash, true);
  ++tails_;
  return value;
}

/// Before somebody sees the list.
void StateTable::makeWhole(const KeyRef& key, std::byte* slot) {
  if (!marked(Mark::kTail, slot, key.hash)) return;
  ColdSide& side = cold_->side;
  cold_->readsAhead = true;
  side.commit();
  side.encodedKey.clear();
  appendColdKey(orderOf(key.hash), key.object, side.encodedKey);
  const std::string_view wanted = side.encodedKey;
  const std::optional<std::string_view> stored = side.get({&wanted, 1}).front();
  if (stored) return putBefore(*stored, slot, key.hash);
  endTail(slot, key.hash);
}

void StateTable::putBefore(std::string_view stored, std::byte* slot, uint64_t hash) {
  std::byte* const value = valueOf(slot);
  std::string& tail = cold_->side.encodedValue;
  tail.clear();
  ByteWriter out(tail);
  value_.encode(value, out);
  ListMerge list;
  if (!list.add(stored) || !list.add(tail))
    throw Error(ErrorKind::kCorruption,
                "state '" + std::string(name_) + "' on disk has a value that is no list");
  const std::string whole = list.finish();
  const uint64_t before = heapBytesOf(slot);
  ByteReader in(whole);
  try {
    value_.decode(in, value);
  } catch (Error& error) {
    throw std::move(error).at("state '" + std::string(name_) + "'");
  }
  --coldOnly_;
  mark(Mark::kStored, slot, hash, true);
  endTail(slot, hash);
  Segment& segment = Segment::ofSlots(entryOf(hash).slots);
  setHeapBytes(segment, segment.heapBytes - std::min(segment.heapBytes, before) + heapBytesOf(slot));
}

void StateTable::endTail(std::byte* slot, uint64_t hash) {
  mark(Mark::kTail, slot, hash, false);
  --tails_;
}

// --- marks ---

void StateTable::mark(Mark mark, const std::byte* slot, uint64_t hash, bool on) {
  std::byte* const slots = entryOf(hash).slots;
  const auto index = static_cast<uint32_t>(static_cast<size_t>(slot - slots) / layout_.stride);
  Segment::ofSlots(slots).setMark(mark, index, layout_.stride, on);
}

bool StateTable::marked(Mark mark, const std::byte* slot, uint64_t hash) const {
  std::byte* const slots = entryOf(hash).slots;
  const auto index = static_cast<uint32_t>(static_cast<size_t>(slot - slots) / layout_.stride);
  return Segment::ofSlots(slots).marked(mark, index, layout_.stride);
}

bool StateTable::mayBeStored(const std::byte* slot, uint64_t hash) const {
  return marked(Mark::kStored, slot, hash) || marked(Mark::kTail, slot, hash);
}

/// A new entry at `slot`; those up to the one that is now at `end` have moved by one.
void StateTable::openMarks(Segment& segment, uint32_t slot, uint32_t end) {
  const uint32_t stride = layout_.stride;
  for (uint32_t at = end; at > slot; --at) segment.setMarks(at, stride, segment.marksOf(at - 1, stride));
  segment.setMarks(slot, stride, marksWith(Mark::kDirty));
}

/// All entries of `to` came from `from`, in order, the first from `fromSlot` or behind.
void StateTable::moveMarks(Segment& to, Segment& from, uint32_t fromSlot) {
  const uint32_t stride = layout_.stride;
  for (uint32_t slot = 0; (slot = to.nextOccupied(slot, stride)) < to.total; ++slot, ++fromSlot) {
    fromSlot = from.nextOccupied(fromSlot, stride);
    to.setMarks(slot, stride, from.marksOf(fromSlot, stride));
  }
}

// --- writing ---

/// Before the entry goes.
void StateTable::eraseCold(const std::byte* slot) {
  std::string& key = cold_->side.encodedKey;
  key.clear();
  appendColdKey(orderAt(slot), slot + layout_.keyOffset, key);
  if (key == cold_->someKey) cold_->scanFrom = std::exchange(cold_->someKey, {});
  cold_->side.erase(key);
}

/// After all entries in memory went.
void StateTable::clearCold() {
  coldOnly_ = tails_ = 0;
  cold_->someKey.clear();
  cold_->scanFrom.clear();
  ++cold_->evictions;
  if (!std::exchange(cold_->used, false)) return;
  cold_->side.eraseRange(cold_->prefix, coldEnd());
}

void StateTable::putDirty(Segment& segment) {
  const uint32_t stride = layout_.stride;
  ColdSide& side = cold_->side;
  for (uint32_t slot = 0; (slot = segment.nextMarked(Mark::kDirty, slot, stride)) < segment.total; ++slot) {
    const std::byte* at = segment.slots() + size_t{slot} * stride;
    side.encodedKey.clear();
    side.encodedValue.clear();
    appendColdKey(orderAt(at), at + layout_.keyOffset, side.encodedKey);
    ByteWriter out(side.encodedValue);
    value_.encode(valueOf(at), out);
    cold_->used = true;
    if (segment.marked(Mark::kTail, slot, stride)) {
      side.append(side.encodedKey, side.encodedValue);
      forgetTail(segment, slot);
      continue;
    }
    side.put(side.encodedKey, side.encodedValue);
    segment.setMarks(slot, stride, marksWith(Mark::kStored));
  }
}

/// The store has it now: what follows is added behind it.
void StateTable::forgetTail(Segment& segment, uint32_t slot) {
  std::byte* const at = segment.slots() + size_t{slot} * layout_.stride;
  std::byte* const value = valueOf(at);
  setHeapBytes(segment, segment.heapBytes - std::min(segment.heapBytes, heapBytesOf(at)));
  value_.destroy(value);
  value_.defaultConstruct(value);
  // Maybe it was there, and is counted, already.
  if (!segment.marked(Mark::kStored, slot, layout_.stride)) ++coldOnly_;
  segment.setMarks(slot, layout_.stride, marksWith(Mark::kTail) | marksWith(Mark::kStored));
  ++cold_->evictions;  // whoever walks must come by again
}

bool StateTable::isEmpty() {
  if (size() == 0) return true;
  if (size_ != 0 || !cold_->inexact || !cold_->someKey.empty()) return false;
  // Entries mostly go in order, and what is gone takes its time to step over: so from where the last one was.
  for (const std::string& from : {cold_->scanFrom, cold_->prefix}) {
    if (from.empty()) continue;
    const std::unique_ptr<ColdScan> scan = cold_->side.scan(from, coldEnd());
    if (!scan->valid()) continue;
    cold_->someKey = scan->key();
    return false;
  }
  coldOnly_ = 0;
  return true;
}

void StateTable::adopt(uint64_t entries) {
  coldOnly_ += entries;
  cold_->used = true;
  ++cold_->evictions;
}

void StateTable::flush() {
  for (size_t index = 0; index < directory_.size();) {
    const DirectoryEntry& entry = directory_[index];
    if (entry.groups != 0) putDirty(Segment::ofSlots(entry.slots));
    index += size_t{1} << (depth_ - entry.depth);
  }
}

void StateTable::keepToBudget() {
  if (!settled_ && cold_->side.overBudget(home_.budget)) evict(cold_->side.evictTo());
}

void StateTable::evict(uint64_t bytes) {
  size_t& index = cold_->evictIndex;
  for (size_t seen = 0; seen < directory_.size() && home_.budget.used() > bytes;) {
    if (index >= directory_.size()) index = 0;
    const DirectoryEntry entry = directory_[index];
    const size_t entries = size_t{1} << (depth_ - entry.depth);
    index = firstIndexOf(index, entry.depth);
    if (entry.groups != 0) evictSegment(index);
    index += entries;
    seen += entries;
  }
  cold_->side.commit();
}

void StateTable::evictSegment(size_t index) {
  const DirectoryEntry entry = directory_[index];
  Segment& segment = Segment::ofSlots(entry.slots);
  putDirty(segment);
  if (hasZeroKey_ && entryOf(hashInt64(0)).slots == entry.slots) hasZeroKey_ = false;
  coldOnly_ += segment.used;
  if (tails_ != 0) {  // they are counted already
    const uint32_t stride = layout_.stride;
    for (uint32_t slot = 0; (slot = segment.nextMarked(Mark::kTail, slot, stride)) < segment.total; ++slot) {
      --tails_;
      --coldOnly_;
    }
  }
  ++cold_->evictions;
  dropSegment(segment);
  point(index, entry.depth, nullptr);
}

// --- walking ---

bool StateTable::nextWithCold(Cursor& cursor, Entry& out) const {
  auto& mine = const_cast<StateTable&>(*this);  // as in findCold()
  if (cursor.evictions != cold_->evictions) mine.loadStretch(cursor, cursor.begun ? orderOf(cursor.hash) : 0);
  for (;;) {
    Cursor ahead = cursor;
    if (nextInMemory(ahead, out) && orderOf(out.hash) <= cursor.loadedTo) {
      cursor = std::move(ahead);
      return true;
    }
    if (cursor.loadedTo == std::numeric_limits<uint64_t>::max() || cursor.loadedTo >= cursor.last)
      return false;
    mine.loadStretch(cursor, cursor.loadedTo + 1);
  }
}

/// Loads what the store has from this place of the order on: entries that share a hash together.
void StateTable::loadStretch(Cursor& cursor, uint64_t from) {
  keepToBudget();
  const size_t prefix = cold_->prefix.size();
  std::string begin = cold_->prefix;
  ColdKey::appendOrder(from, begin);
  const std::unique_ptr<ColdScan> scan = cold_->side.scan(begin, coldEnd());
  const Settled settled(*this);
  uint64_t last = from;
  size_t entries = 0;
  size_t bytes = 0;
  cursor.loadedTo = std::numeric_limits<uint64_t>::max();
  for (; scan->valid(); scan->next()) {
    const uint64_t order = orderIn(scan->key(), prefix);
    if (order > orderOf(cursor.last)) {
      cursor.loadedTo = order - 1;
      break;
    }
    if ((entries >= kStretchEntries || bytes >= kStretchBytes) && order != last) {
      cursor.loadedTo = last;
      break;
    }
    addFetched(scan->key(), scan->value());
    last = order;
    ++entries;
    bytes += scan->value().size();
  }
  cursor.evictions = cold_->evictions;
}

}  // namespace flott
