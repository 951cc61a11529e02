// Cuts of a state table, and loading what a cut wrote.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "flott/base/bytes.h"
#include "flott/state/scratch_value.h"
#include "flott/state/state_table.h"

namespace flott {

namespace {
constexpr size_t kSample = 64;       // entries that are looked at for the size of all
constexpr size_t kMostWritten = 32;  // entries of a segment that are kept as they were at a cut
}  // namespace

void StateTable::cut(SegmentSink& sink, LiveOnly liveOnly) {
  FLOTT_CHECK(!cutting_, "a cut before the last one was finished");
  FLOTT_CHECK(cold_ == nullptr, "what a store has is cut there");
  ++epoch_;
  ++ticket_;
  sink_ = &sink;
  liveOnly_ = liveOnly;
  cutting_ = watched_ = true;
  encodeIndex_ = 0;
}

void StateTable::abandonCut() {
  cutting_ = false;
  watched_ = cold_ != nullptr || home_.tracksChanges;
  sink_ = nullptr;
  written_.clear();
}

// A record that comes during a cut would wait for a whole segment to be encoded: records all over the state
// would wait for all of it.
void StateTable::beforeWrite(const KeyRef& key) {
  const size_t index = directoryIndex(key.hash);
  Segment& segment = Segment::ofSlots(directory_[index].slots);
  if (!plain_ || !key_.isWord() || key.word == 0) return (void)handOver(index);
  Written& written = written_[&segment];
  if (written.words.empty() && sink_->has(imageOf(index), segment.changed)) {
    written_.erase(&segment);
    segment.epoch = epoch_;
    return;
  }
  if (std::find(written.words.begin(), written.words.end(), key.word) != written.words.end()) return;
  if (written.words.size() == kMostWritten) return (void)handOver(index);
  const std::byte* slot = probe(key, startOf(key.hash));
  written.values.resize(written.values.size() + value_.size);
  written.words.push_back(key.word);
  written.added.push_back(slot == nullptr);
  if (slot != nullptr)
    std::memcpy(written.values.data() + written.values.size() - value_.size, valueOf(slot), value_.size);
}

/// While it lives a segment is as it was at the cut: entries that were written have the values of then, and
/// those that came later are not there.
class StateTable::AsAtCut {
 public:
  AsAtCut(StateTable& table, Segment& segment, Written* written)
      : table_(table), segment_(segment), written_(written) {
    exchange();
  }
  ~AsAtCut() { exchange(); }
  AsAtCut(const AsAtCut&) = delete;
  AsAtCut& operator=(const AsAtCut&) = delete;

 private:
  void exchange() {
    if (written_ == nullptr) return;
    const uint32_t stride = table_.layout_.stride;
    std::byte* before = written_->values.data();
    for (size_t i = 0; i < written_->words.size(); ++i, before += table_.value_.size) {
      const uint64_t word = written_->words[i];
      const KeyRef key{hashInt64(static_cast<int64_t>(word)), word, &word};
      std::byte* const slot = table_.probe(key, table_.startOf(key.hash));
      if (slot == nullptr) continue;  // it was to come, but did not
      if (written_->added[i]) {
        segment_.flipOccupied(slotIndex(slot), stride) ? ++segment_.used : --segment_.used;
      } else {
        std::swap_ranges(before, before + table_.value_.size, table_.valueOf(slot));
      }
    }
  }
  uint32_t slotIndex(const std::byte* slot) const {
    return static_cast<uint32_t>(static_cast<size_t>(slot - segment_.slots()) / table_.layout_.stride);
  }

  StateTable& table_;
  Segment& segment_;
  Written* written_;  // null: nothing was
};

/// Returns how many there are that have not expired.
uint32_t StateTable::encodeEntries(const Segment& segment, std::string& bytes) const {
  bytes.clear();
  ByteWriter out(bytes);
  uint32_t entries = 0;
  const uint32_t stride = layout_.stride;
  for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
    const std::byte* at = segment.slots() + size_t{slot} * stride;
    const std::byte* value = valueOf(at);
    if (liveOnly_.ops != nullptr && liveOnly_.ops->allExpired(value, liveOnly_.expired)) continue;
    ++entries;
    key_.ops().encode(at + layout_.keyOffset, out);
    if (liveOnly_.ops != nullptr) {
      liveOnly_.ops->encodeLive(value, liveOnly_.expired, out);
    } else {
      value_.encode(value, out);
    }
  }
  return entries;
}

/// encodeEntries() for entries whose encoded form is their bytes.
uint32_t StateTable::copyEntries(const Segment& segment, std::string& out) const {
  out.resize(size_t{segment.used} * bulkBytes_);
  char* to = out.data();
  const uint32_t stride = layout_.stride;
  for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total;) {
    const uint32_t end = segment.nextEmpty(slot, stride);
    const std::byte* from = segment.slots() + size_t{slot} * stride;
    if (stride == bulkBytes_) {
      const size_t run = size_t{end - slot} * stride;
      std::memcpy(to, from, run);
      to += run;
      slot = end;
      continue;
    }
    for (; slot < end; ++slot, from += stride, to += bulkBytes_) {
      std::memcpy(to, from, sizeof(uint64_t));
      std::memcpy(to + sizeof(uint64_t), from + layout_.valueOffset, value_.size);
    }
  }
  return segment.used;
}

/// What is known of a segment without a look at its entries.
SegmentImage StateTable::imageOf(size_t index) const {
  const uint64_t firstHash = (firstIndex_ + firstIndexOf(index, directory_[index].depth)) << shift_;
  return {.state = name_,
          .nameSpace = nameSpace_,
          .keyGroup = keyGroupOf(firstHash, home_.maxParallelism),
          .firstHash = firstHash};
}

/// Encodes the segment unless the cut has it. Returns about how many bytes were worked through.
size_t StateTable::handOver(size_t index) {
  const DirectoryEntry& entry = directory_[index];
  if (entry.groups == 0) return 0;
  Segment& segment = Segment::ofSlots(entry.slots);
  if (segment.epoch == epoch_) return 0;
  segment.epoch = epoch_;
  std::string& bytes = home_.encoded;
  SegmentImage image = imageOf(index);
  const auto written = written_.find(&segment);
  if (written == written_.end() && sink_->has(image, segment.changed)) return sizeof(Segment);
  {
    const AsAtCut then(*this, segment, written == written_.end() ? nullptr : &written->second);
    const bool whole = bulkBytes_ != 0 && liveOnly_.ops == nullptr;
    image.entries = whole ? copyEntries(segment, bytes) : encodeEntries(segment, bytes);
  }
  if (written != written_.end()) written_.erase(written);
  if (image.entries > 0) {
    image.bytes = bytes;
    sink_->take(image);
  }
  const uint32_t left = segment.used - std::min(segment.used, image.entries);
  return bytes.size() + size_t{left} * layout_.stride;
}

bool StateTable::encodeSome(size_t& budgetBytes) {
  if (!cutting_) return true;
  while (encodeIndex_ < directory_.size()) {
    if (budgetBytes == 0) return false;
    const size_t written = handOver(encodeIndex_);
    budgetBytes -= written < budgetBytes ? written : budgetBytes;
    const uint8_t depth = directory_[encodeIndex_].depth;
    encodeIndex_ = firstIndexOf(encodeIndex_, depth) + (size_t{1} << (depth_ - depth));
  }
  abandonCut();
  return true;
}

size_t StateTable::entriesIn(std::string_view bytes) const {
  ByteReader in(bytes);
  ScratchValue key(key_.ops());
  ScratchValue value(value_);
  size_t seen = 0;
  for (; seen < kSample && !in.atEnd(); ++seen) {
    key_.ops().decode(in, key.get());
    value_.decode(in, value.get());
  }
  const size_t read = bytes.size() - in.remaining();
  return read == 0 ? 0 : bytes.size() / std::max<size_t>(1, read / seen);
}

/// findOrInsert(), in one pass over the slots where entries are plain.
StateTable::Found StateTable::addLoaded(const KeyRef& key) {
  if (plain_ && key_.isWord() && key.word != 0 && !hasZeroKey_ && !cutting_ && cold_ == nullptr) {
    std::byte* const start = startOf(key.hash);
    std::byte* slot = start;
    for (uint64_t there = loadWord(slot); there != 0; there = loadWord(slot += layout_.stride)) {
      if (there == key.word) return {valueOf(slot), false};
    }
    if (std::byte* made = insertWord(key.hash, key.word, start, slot)) {
      value_.defaultConstruct(valueOf(made));
      return {valueOf(made), true};
    }
  }
  return findOrInsert(key);
}

/// Where the entries of a segment end that come in the order of the hash.
struct StateTable::Tail {
  Segment* segment = nullptr;
  DirectoryEntry entry;
  uint64_t lastOfSegment = 0;  // hashes up to this one go here
  uint64_t from = 0;           // the smallest hash that is behind all entries; 0 also when none is
  uint32_t end = 0;            // the slot behind the last entry
};

/// A slot, with its key, for an entry that comes behind all others of its segment; null when it takes
/// addLoaded(). Of a table with neither a cut nor a cold side.
std::byte* StateTable::append(Tail& tail, uint64_t hash, uint64_t word) {
  const uint32_t stride = layout_.stride;
  if (tail.segment == nullptr || hash > tail.lastOfSegment) {
    if (entryOf(hash).groups == 0) makeRoom(hash);
    const size_t index = directoryIndex(hash);
    tail.entry = directory_[index];
    tail.segment = &Segment::ofSlots(tail.entry.slots);
    const size_t next = firstIndexOf(index, tail.entry.depth) + (size_t{1} << (depth_ - tail.entry.depth));
    tail.lastOfSegment = ((firstIndex_ + next) << shift_) - 1;
    tail.end = tail.segment->total;
    while (tail.end > 0 && !tail.segment->occupied(tail.end - 1, stride)) --tail.end;
    tail.from = tail.end == 0 ? 0 : orderAt(tail.segment->slots() + size_t{tail.end - 1} * stride) + 1;
    if (tail.end != 0 && tail.from == 0) return nullptr;
  }
  Segment& segment = *tail.segment;
  const uint32_t slot = std::max(tail.end, homeOf(tail.entry, hash));
  if (hash < tail.from || slot + 1 >= segment.total || !hasRoom(segment)) return nullptr;
  std::byte* const at = segment.slots() + size_t{slot} * stride;
  std::memcpy(at, &word, sizeof word);
  segment.setOccupied(slot, stride);
  ++segment.used;
  ++size_;
  tail.end = slot + 1;
  tail.from = hash + 1;
  return at;
}

/// load() of whole entries whose encoded form is their bytes.
void StateTable::loadBulk(KeyGroup group, ByteReader& in) {
  uint64_t hashes[256];
  Tail tail;
  for (size_t left = in.remaining() / bulkBytes_; left > 0;) {
    const size_t count = std::min(left, std::size(hashes));
    hashInt64s(reinterpret_cast<const int64_t*>(in.raw(0)), bulkBytes_, {hashes, count});
    for (size_t i = 0; i < count; ++i) {
      const KeyRef key{.hash = hashes[i], .word = in.fixed<uint64_t>()};
      if (keyGroupOf(key.hash, home_.maxParallelism) != group) in.fail("holds a key of another key group");
      std::byte* slot = key.word != 0 && !cutting_ ? append(tail, key.hash, key.word) : nullptr;
      if (slot == nullptr) {
        tail = {};
        const Found found = addLoaded({key.hash, key.word, &key.word});
        if (!found.inserted) in.fail("holds a key twice");
        slot = found.value - layout_.valueOffset;
      }
      std::memcpy(slot + layout_.valueOffset, in.raw(value_.size), value_.size);
    }
    left -= count;
  }
  ++layoutVersion_;
}

void StateTable::load(KeyGroup group, std::string_view bytes, Conversion conversion) {
  ByteReader in(bytes);
  if (bulkBytes_ != 0 && cold_ == nullptr && conversion.decode == nullptr && conversion.rewriter == nullptr)
    loadBulk(group, in);
  ScratchValue key(key_.ops());
  std::string rewritten;
  while (!in.atEnd()) {
    key_.ops().decode(in, key.get());
    KeyRef ref;
    ref.hash = key_.ops().hash(key.get());
    ref.word = key_.word(ref.hash, key.get());
    ref.object = key.get();
    if (keyGroupOf(ref.hash, home_.maxParallelism) != group) in.fail("holds a key of another key group");
    // What is loaded and evicted is not looked for again: sections hold a key once, or not at all.
    if (cold_ != nullptr) keepToBudget();
    const Settled settled = cold_ != nullptr ? Settled(*this) : Settled();
    const Found found = addLoaded(ref);
    if (!found.inserted) in.fail("holds a key twice");
    const auto decode = [&](ByteReader& from) {
      if (conversion.decode != nullptr) {
        conversion.decode(from, found.value, conversion.now);
      } else {
        value_.decode(from, found.value);
      }
    };
    if (conversion.rewriter != nullptr) {
      rewritten.clear();
      ByteWriter out(rewritten);
      conversion.rewriter->run(in, out);
      ByteReader from(rewritten);
      decode(from);
    } else {
      decode(in);
    }
    noteHeapChange();
  }
}

}  // namespace flott
