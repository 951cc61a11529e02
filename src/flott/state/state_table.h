// One keyed state of one task, in memory: an extendible hash table whose entries lie in the order of their
// key hash.
//
// One directory over the top bits of the hash covers the task's key groups; its entries name segments of at
// most 64 KB (segment.h) that grow and split singly, so no write ever waits for a rehash of everything. A
// segment never spans two key groups. Because entries are kept in hash order, and ties in the order of their
// encoded keys, what a walk over the table sees depends on the set of keys only: not on history, parallelism,
// backend or machine.
//
// The table knows its types by TypeOps; typed handles (typed_table.h, keyed_state.h) are views on it whose
// look-up is inlined. Owned by one task and used on its thread only. Pointers into the table are good until
// the next call.
//
// A *cut* marks the content of this moment for a snapshot and returns at once. Until encodeSome() has handed
// over everything, a write first keeps what the entry was, or hands over its segment where that is not plain
// bytes or has too many such entries.
//
// With a *cold side* the table is the write-back cache of a store on disk, which holds all entries that are
// not here. A miss asks the store, an entry is marked when it may have been changed, and when memory is over
// its budget whole segments go: what is dirty in them is written, then they are dropped. A walk loads a
// stretch of the order at a time. A cut is then the backend's affair (flush(), and a scan of the store).
//
// Where changes are tracked a segment says since when it is as it is, so that a cut can leave out those that
// an earlier one has handed over.
//
//   std::byte* value = table.findOrInsert(keyRef(hashKey(user), user)).value;
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flott/state/cold/cold_side.h"
#include "flott/state/expiring.h"
#include "flott/state/key_groups.h"
#include "flott/state/memory_budget.h"
#include "flott/state/scratch_value.h"
#include "flott/state/segment.h"
#include "flott/state/segment_pool.h"
#include "flott/state/snapshot.h"
#include "flott/state/stored_value.h"

namespace flott {

/// What the tables of one backend share. Must outlive them.
struct TableHome {
  TableHome(KeyGroupRange groups, uint32_t maxGroups, uint64_t memoryLimit)
      : keyGroups(groups), maxParallelism(maxGroups), budget(memoryLimit) {}

  const KeyGroupRange keyGroups;
  const uint32_t maxParallelism;
  SegmentPool pool;
  MemoryBudget budget;
  uint64_t cuts = 0;           // that were made so far
  bool tracksChanges = false;  // segments note when they change; stays once it is set
  // Room to work in, for one call at a time.
  std::vector<uint64_t> hashes;
  std::string encoded;
};

/// Asks a cut to leave out what has expired; without `ops` it takes all.
struct LiveOnly {
  const ExpiringOps* ops = nullptr;
  Timestamp expired;  // what was last touched then or before
};

/// How load() takes values that were stored as another type.
struct Conversion {
  /// Of values that expire where the table's do not, or the other way round; null: they are of the table's.
  void (*decode)(ByteReader& in, void* value, Timestamp now) = nullptr;
  Timestamp now;
  /// Makes them what `decode` takes; null: they are that already.
  const ValueRewriter* rewriter = nullptr;
};

/// The cold side of a state, if it has one.
struct ColdPlace {
  ColdSide* side = nullptr;
  uint16_t state = 0;
  bool lists = false;    // values are lists, which can be added to without being read
  bool inexact = false;  // how many entries the store has is known as an upper bound only
};

class StateTable {
 public:
  struct Found {
    std::byte* value;
    bool inserted;
  };

  /// `name` and the home must outlive the table.
  StateTable(std::string_view name, const KeyType& key, const TypeOps& value, TableHome& home,
             int64_t nameSpace = kNoNamespace, ColdPlace cold = {});
  /// Gives its memory back to the pool. A table that may be in an unfinished cut must be cleared first.
  ~StateTable();
  StateTable(const StateTable&) = delete;
  StateTable& operator=(const StateTable&) = delete;

  std::string_view name() const { return name_; }
  int64_t nameSpace() const { return nameSpace_; }
  const KeyType& key() const { return key_; }
  const TypeOps& value() const { return value_; }
  const SlotLayout& layout() const { return layout_; }
  /// Entries, those on the cold side included; at most, where that is inexact.
  size_t size() const { return size_ + coldOnly_; }
  /// Exact; asks the store where that takes it.
  bool isEmpty();
  size_t sizeInMemory() const { return size_; }
  /// Memory of segments and directory, and the estimate of what lies outside the slots.
  size_t bytes() const {
    return segmentBytes_ + heapBytes_ + directory_.capacity() * sizeof(DirectoryEntry) +
           starts_.capacity() * sizeof(SearchStart);
  }

  /// The value, or null. For reading only: writes go through findForUpdate() or findOrInsert().
  const std::byte* find(const KeyRef& key) const {
    const std::byte* slot = probe(key, startOf(key.hash));
    if (slot == nullptr) return coldOnly_ == 0 ? nullptr : findCold(key);
    if (tails_ != 0) [[unlikely]]
      const_cast<StateTable*>(this)->makeWhole(key, const_cast<std::byte*>(slot));
    return valueOf(slot);
  }
  /// The value, or null; the caller may change it.
  std::byte* findForUpdate(const KeyRef& key) {
    if (watched_) [[unlikely]]
      return findWatched(key);
    std::byte* slot = probe(key, startOf(key.hash));
    return slot == nullptr ? nullptr : valueOf(slot);
  }
  /// A new entry has a copy of the key and a default-constructed value.
  Found findOrInsert(const KeyRef& key) {
    std::byte* found = findForUpdate(key);
    return found != nullptr ? Found{found, false} : Found{insert(key), true};
  }
  /// findOrInsert() of a list that is only added to: what is not in memory need not be read, so the list that
  /// comes back may be without its beginning.
  std::byte* findToAppend(const KeyRef& key);
  /// Whether it was there.
  bool erase(const KeyRef& key);
  /// Makes an empty table ready for about so many entries: segments then begin large instead of growing.
  void expect(size_t entries);
  /// Drops all entries; an unfinished cut gets its share first.
  void clear();

  /// Prefetches where the search for each key begins; for the keys of a whole batch.
  void prefetch(std::span<const uint64_t> hashes) const;
  /// Finds where the search for a hash begins; a copy of what that takes, for loops. Good while ticket()
  /// stays.
  class Starts {
   public:
    explicit Starts(const StateTable& table)
        : origin_(reinterpret_cast<uintptr_t>(table.starts_.data()) -
                  table.firstIndex_ * sizeof(SearchStart)),
          shift_(table.shift_) {}
    std::byte* operator()(uint64_t hash, uint32_t groupBytes) const {
      const uintptr_t start = origin_ + (hash >> shift_) * sizeof(SearchStart);
      return reinterpret_cast<const SearchStart*>(start)->at(hash, groupBytes);
    }

   private:
    uintptr_t origin_;  // of starts_ if they began with index 0
    uint64_t shift_;
  };
  /// Changes when segments move.
  uint64_t ticket() const { return ticket_; }

  /// A place between entries of the hash order; survives changes of the table.
  struct Cursor {
    bool begun = false;
    uint64_t hash = 0;     // of the entry seen last
    std::string keyBytes;  // its encoded key, when it had a neighbour with the same hash
    uint64_t version = 0;  // of the layout in which the rest holds
    size_t index = 0;      // the directory entry,
    uint32_t slot = 0;     // and the first slot not yet seen
    uint64_t last = std::numeric_limits<uint64_t>::max();  // hashes beyond are not asked for
    uint64_t evictions = 0;                                // with a cold side: of the table, while all up to
    uint64_t loadedTo = 0;  // this hash is in memory; the end when it is the greatest
  };
  struct Entry {
    uint64_t hash;
    const void* key;   // good until the next call
    std::byte* value;  // for reading: see findForUpdate()
  };
  /// The next entry in hash order. Entries may be changed, added and removed between two calls: those behind
  /// the cursor are not seen again, those before it are.
  bool next(Cursor& cursor, Entry& out) const {
    return coldOnly_ == 0 ? nextInMemory(cursor, out) : nextWithCold(cursor, out);
  }
  /// The same, of those in memory.
  bool nextInMemory(Cursor& cursor, Entry& out) const;
  /// Neighbouring slots with entries in some: bit i stands for the one at slots + i × layout().stride.
  struct Stretch {
    std::byte* slots = nullptr;
    uint64_t entries = 0;
  };
  /// As next(), for the entries of some slots at once; without entries at the end. Good until this table is
  /// called.
  Stretch nextStretch(Cursor& cursor) const;
  /// A cursor before the entries with this hash, for those only: what comes behind them may be left out.
  static Cursor cursorAt(uint64_t hash);

  /// Marks the content of now. The cut before must be finished. `sink` must live until encodeSome() returned
  /// true.
  void cut(SegmentSink& sink, LiveOnly liveOnly = {});
  /// Hands over segments until about `budgetBytes` are encoded (taken from it); true when the cut is
  /// complete.
  bool encodeSome(size_t& budgetBytes);
  bool cutting() const { return cutting_; }
  /// The backend tracks changes from now on.
  void trackChanges() { watched_ = true; }
  /// Whether writes that do not come by findForUpdate() or findOrInsert() must be noted before they are made.
  /// With a cold side they all have to come by these.
  bool watched() const { return watched_; }
  void noteWrite(const KeyRef& key) {
    const DirectoryEntry& entry = entryOf(key.hash);
    if (entry.groups == 0) return;
    Segment& segment = Segment::ofSlots(entry.slots);
    if (cutting_ && segment.epoch != epoch_) beforeWrite(key);
    if (home_.tracksChanges) segment.changed = home_.cuts;
  }
  /// Forgets the unfinished cut.
  void abandonCut();
  /// About how many entries these bytes have, as a sink got them. load() of many is slow in a table that does
  /// not expect them: they come in the order of the hash, so all would go to the ends of the segments.
  size_t entriesIn(std::string_view bytes) const;
  /// Adds entries of one key group, as a sink got them. Throws Error(kCorruption) for broken bytes or keys of
  /// another group.
  void load(KeyGroup group, std::string_view bytes, Conversion conversion = {});

  // With a cold side. Keys of a batch are looked up there at once: keepToBudget(), want() each, then
  // fetchWanted(); nothing else in between.

  bool hasCold() const { return cold_ != nullptr; }
  /// Whether a batch should be looked up at once: not where lists are only added to.
  bool readsAhead() const { return cold_ != nullptr && cold_->readsAhead; }
  /// Makes room in memory when it is over the cache's budget.
  void keepToBudget();
  void want(const KeyRef& key) {
    if (coldOnly_ != 0 && probe(key, startOf(key.hash)) == nullptr) wantCold(key);
  }
  /// While it lives nothing is evicted, and what is not in memory is taken to be nowhere.
  class Settled {
   public:
    Settled() = default;
    explicit Settled(StateTable& table) : table_(&table) { table.settled_ = true; }
    ~Settled() {
      if (table_ != nullptr) table_->settled_ = false;
    }
    Settled(Settled&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
    Settled& operator=(Settled&&) = delete;

   private:
    StateTable* table_ = nullptr;
  };
  /// Loads what was wanted and is there.
  [[nodiscard]] Settled fetchWanted();
  /// The store has so many entries of this table already, none of which is in memory.
  void adopt(uint64_t entries);
  /// Writes what is dirty; it stays in memory. commit() is the caller's.
  void flush();
  /// Writes and drops segments until all tables of the backend take `bytes`, or nothing is left here.
  void evict(uint64_t bytes);

  /// A handle changed a value that may hold memory of its own.
  void noteHeapChange() {
    if (!plain_ && ++heapChanges_ >= kHeapChangesPerLook) [[unlikely]]
      refreshHeapEstimate();
  }

  std::byte* valueOf(std::byte* slot) const {
    slot += layout_.valueOffset;
    if (!layout_.boxedValue) return slot;
    std::byte* box;
    std::memcpy(&box, slot, sizeof box);
    return box;
  }
  const std::byte* valueOf(const std::byte* slot) const { return valueOf(const_cast<std::byte*>(slot)); }

  /// The slot of the key, or null. `slot` is where its search begins.
  std::byte* probe(const KeyRef& key, std::byte* slot) const {
    const bool wordKeys = key_.isWord();
    for (;; slot += layout_.stride) {
      const uint64_t word = loadWord(slot);
      if (word == key.word) {
        if (wordKeys) {
          if (word != 0 || isZeroKey(slot, key.hash)) return slot;
          return nullptr;
        }
        if (key_.ops().equals(slot + layout_.keyOffset, key.object)) return slot;
      } else if (word == 0) {
        if (!isZeroKey(slot, key.hash)) return nullptr;
      } else if (!wordKeys && word > key.word) {
        return nullptr;
      }
    }
  }
  std::byte* startOf(uint64_t hash) const { return starts_[directoryIndex(hash)].at(hash, groupBytes_); }
  /// Adds a key that is not there. Returns its value, default-constructed.
  std::byte* insert(const KeyRef& key);
  /// Whether the integer key 0 is there: else a slot whose word is 0 is empty.
  bool hasZeroKey() const { return hasZeroKey_; }
  /// Of the group of slots at `start`, where the search for the hash begins: whether its slot `index`, whose
  /// word is 0, is empty.
  bool isEmptySlot(uint64_t hash, const std::byte* start, uint32_t index) const {
    return !occupied(start + size_t{index} * layout_.stride, hash);
  }
  /// insert() for an integer key that is neither 0 nor there, in a table without a cold side whose entries
  /// may be moved as bytes: `start` is where its search begins, `end` the empty slot that ended it. Returns
  /// its slot, with the value yet to be made; null when it takes insert().
  std::byte* insertWord(uint64_t hash, uint64_t word, std::byte* start, std::byte* end);
  /// For such a key whose group of slots begins at `start` and has room behind `used` entries: counts one
  /// more there, which the caller puts in its place. False when it takes insert().
  template <uint32_t kStride>
  bool countInGroup(uint64_t hash, const std::byte* start, uint32_t used) {
    const DirectoryEntry& entry = entryOf(hash);
    if (entry.groups == 0) return false;
    Segment& segment = Segment::ofSlots(entry.slots);
    const uint32_t slot = static_cast<uint32_t>(start - entry.slots) / kStride + used;
    if (!hasRoom(segment) || segment.occupied(slot, kStride)) return false;
    segment.setOccupied(slot, kStride);
    segment.changed = home_.cuts;
    ++segment.used;
    ++size_;
    ++layoutVersion_;
    return true;
  }

 private:
  static constexpr uint32_t kHeapChangesPerLook = 4096;

  const DirectoryEntry& entryOf(uint64_t hash) const { return directory_[directoryIndex(hash)]; }
  size_t directoryIndex(uint64_t hash) const { return (hash >> shift_) - firstIndex_; }
  /// A slot whose word is 0 is empty unless it holds the integer key 0.
  bool isZeroKey(const std::byte* slot, uint64_t hash) const { return hasZeroKey_ && occupied(slot, hash); }
  /// Where only the integer key 0 can be.
  bool occupied(const std::byte* slot, uint64_t hash) const;

  // Entries (state_table.cc).
  uint64_t orderAt(const std::byte* slot) const;
  int compare(const std::byte* slot, const KeyRef& key) const;
  uint32_t placeOf(const DirectoryEntry& entry, const KeyRef& key) const;
  uint32_t homeOf(const DirectoryEntry& entry, uint64_t hash) const;
  std::byte* addEntry(Segment& segment, uint32_t slot, uint32_t end, const KeyRef& key);
  void constructEntry(std::byte* slot, const KeyRef& key);
  void destroyEntry(std::byte* slot);
  void relocateEntry(std::byte* to, std::byte* from);
  void seek(Cursor& cursor) const;

  // Cuts and loading (state_table_cut.cc).

  /// What entries of a segment were at the cut that were written since.
  struct Written {
    std::vector<uint64_t> words;
    std::vector<bool> added;        // since
    std::vector<std::byte> values;  // as they were, those of `added` unused
  };
  class AsAtCut;
  void beforeWrite(const KeyRef& key);
  SegmentImage imageOf(size_t index) const;
  uint32_t encodeEntries(const Segment& segment, std::string& out) const;
  uint32_t copyEntries(const Segment& segment, std::string& out) const;
  Found addLoaded(const KeyRef& key);
  struct Tail;
  std::byte* append(Tail& tail, uint64_t hash, uint64_t word);
  void loadBulk(KeyGroup group, ByteReader& in);
  void pass(Cursor& cursor, const std::byte* slots, uint32_t slot) const;

  // The cold side (state_table_cold.cc).
  struct ColdPart {
    ColdPart(ColdSide& coldSide, std::string keyPrefix, const TypeOps& keyOps)
        : side(coldSide), prefix(std::move(keyPrefix)), key(keyOps) {}

    ColdSide& side;
    const std::string prefix;  // of all keys in the store
    ScratchValue key;          // room to work in
    bool lists = false;        // ColdPlace
    bool inexact = false;
    bool readsAhead = true;
    std::string someKey;    // in the store; empty: none is known
    std::string scanFrom;   // where the next look for one begins
    bool used = false;      // the store may hold something
    size_t evictIndex = 0;  // the directory entry whose turn is next
    uint64_t evictions = 1;
  };
  void beginCold(ColdPlace cold);
  const std::byte* findCold(const KeyRef& key) const;
  std::byte* findWatched(const KeyRef& key);
  std::byte* fetch(const KeyRef& key);
  void wantCold(const KeyRef& key);
  void appendColdKey(uint64_t order, const void* key, std::string& out) const;
  std::string coldEnd() const;
  void addFetched(std::string_view coldKey, std::string_view value);
  uint64_t orderOf(uint64_t hash) const;
  void mark(Mark mark, const std::byte* slot, uint64_t hash, bool on);
  bool marked(Mark mark, const std::byte* slot, uint64_t hash) const;
  bool mayBeStored(const std::byte* slot, uint64_t hash) const;
  void makeWhole(const KeyRef& key, std::byte* slot);
  void putBefore(std::string_view stored, std::byte* slot, uint64_t hash);
  void endTail(std::byte* slot, uint64_t hash);
  void eraseCold(const std::byte* slot);
  bool nextWithCold(Cursor& cursor, Entry& out) const;
  void loadStretch(Cursor& cursor, uint64_t from);
  void evictSegment(size_t index);
  void putDirty(Segment& segment);
  void forgetTail(Segment& segment, uint32_t slot);
  void openMarks(Segment& segment, uint32_t slot, uint32_t end);
  void moveMarks(Segment& to, Segment& from, uint32_t fromSlot);
  void clearCold();

  // Segments and the directory (state_table_segments.cc).
  uint32_t overflowSlots(uint32_t groups) const;
  size_t blockBytes(uint32_t total) const;
  Segment& newSegment(uint32_t groups, uint32_t total);
  void releaseBlock(Segment& segment);
  void dropSegment(Segment& segment);
  void resetDirectory();
  size_t firstIndexOf(size_t index, uint8_t depth) const;
  void point(size_t firstIndex, uint8_t depth, Segment* segment);
  bool hasRoom(const Segment& segment) const { return segment.used * 10 < segment.groups * groupSlots_ * 7; }
  void makeRoom(uint64_t hash);
  void shrinkIfSparse(size_t index);
  bool maySplit(const DirectoryEntry& entry) const;
  uint32_t groupsFor(size_t entries) const;
  Segment& segmentFor(std::span<const uint64_t> order, uint8_t depth, uint32_t groups);
  void collectOrder(const Segment& segment, std::vector<uint64_t>& out) const;
  uint32_t fill(Segment& to, uint8_t depth, Segment& from, uint32_t slot, std::span<const uint64_t> order);
  void rebuild(size_t index, uint32_t groups);
  void split(size_t index);
  void doubleDirectory();

  // Memory that keys and values hold (state_table_segments.cc), and cuts (state_table_cut.cc).
  uint64_t heapBytesOf(const std::byte* slot) const;
  void setHeapBytes(Segment& segment, uint64_t bytes);
  void refreshHeapEstimate();
  size_t handOver(size_t index);

  std::string_view name_;
  int64_t nameSpace_;
  const KeyType& key_;
  const TypeOps& value_;
  TableHome& home_;
  SlotLayout layout_;
  bool plain_;  // entries need no destruction and hold nothing outside their slot
  uint32_t bulkBytes_ =
      0;          // of an encoded entry, when that is the bytes of an 8-byte key and of a plain value
  bool movable_;  // entries may be moved by memcpy
  bool hasZeroKey_ = false;
  bool cutting_ = false;
  std::unordered_map<const Segment*, Written> written_;  // of segments that the cut does not have yet
  bool watched_ = false;                                 // cutting_, or a cold side, or changes are tracked
  bool settled_ = false;
  uint8_t depth_;  // bits of the hash that the directory resolves
  uint8_t shift_;  // 64 − depth_
  uint32_t groupSlots_;
  uint32_t groupBytes_;
  uint32_t maxGroups_;        // of a segment of 64 KB
  uint32_t firstGroups_ = 1;  // of a segment when it gets its first entry
  uint64_t firstIndex_;       // of the first directory entry, had the directory all hashes
  uint64_t ticket_ = 1;
  uint64_t layoutVersion_ = 1;
  std::vector<DirectoryEntry> directory_;
  std::vector<SearchStart> starts_;  // of the same entries
  size_t size_ = 0;                  // in memory
  size_t coldOnly_ = 0;              // in the store and not in memory, or only as a tail: at most so many
  size_t tails_ = 0;                 // entries so marked
  size_t segments_ = 0;
  size_t segmentBytes_ = 0;
  size_t heapBytes_ = 0;
  uint64_t epoch_ = 0;
  SegmentSink* sink_ = nullptr;
  LiveOnly liveOnly_;
  size_t encodeIndex_ = 0;
  uint32_t heapChanges_ = 0;
  size_t heapIndex_ = 0;
  // Slots that are all empty, for directory entries without a segment; the last one is room to work in.
  std::vector<std::byte> empty_;
  std::unique_ptr<ColdPart> cold_;
};

}  // namespace flott
