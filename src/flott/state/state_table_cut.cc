// Cuts of a state table, and loading what a cut wrote.
#include <algorithm>

#include "flott/base/bytes.h"
#include "flott/state/scratch_value.h"
#include "flott/state/state_table.h"

namespace flott {

namespace {
constexpr size_t kSample = 64;  // entries that are looked at for the size of all
}

void StateTable::cut(SegmentSink& sink, LiveOnly liveOnly) {
  FLOTT_CHECK(!cutting_, "a cut before the last one was finished");
  ++epoch_;
  ++ticket_;
  sink_ = &sink;
  liveOnly_ = liveOnly;
  cutting_ = guarded_ = true;
  encodeIndex_ = 0;
}

void StateTable::abandonCut() {
  cutting_ = false;
  guarded_ = cold_ != nullptr;
  sink_ = nullptr;
}

void StateTable::beforeWrite(uint64_t hash) { handOver(directoryIndex(hash)); }

/// Encodes the segment unless the cut has it. Returns about how many bytes were worked through.
size_t StateTable::handOver(size_t index) {
  const DirectoryEntry& entry = directory_[index];
  if (entry.groups == 0) return 0;
  Segment& segment = Segment::ofSlots(entry.slots);
  if (segment.epoch == epoch_) return 0;
  segment.epoch = epoch_;
  std::string& bytes = home_.encoded;
  bytes.clear();
  ByteWriter out(bytes);
  uint32_t entries = 0;
  const uint32_t stride = layout_.stride;
  for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
    const std::byte* at = entry.slots + size_t{slot} * stride;
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
  const uint64_t firstHash = (firstIndex_ + firstIndexOf(index, entry.depth)) << shift_;
  if (entries > 0) {
    sink_->take({name_, nameSpace_, keyGroupOf(firstHash, home_.maxParallelism), firstHash, entries, bytes});
  }
  return bytes.size() + size_t{segment.used - entries} * stride;
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
  if (plain_ && key_.isWord() && key.word != 0 && !hasZeroKey_ && !guarded_) {
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

void StateTable::load(KeyGroup group, std::string_view bytes, Conversion conversion) {
  ByteReader in(bytes);
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
