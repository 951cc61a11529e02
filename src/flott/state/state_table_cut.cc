// Cuts of a state table, and loading what a cut wrote.
#include "flott/base/bytes.h"
#include "flott/state/scratch_value.h"
#include "flott/state/state_table.h"

namespace flott {

void StateTable::cut(SegmentSink& sink) {
  FLOTT_CHECK(!cutting_, "a cut before the last one was finished");
  ++epoch_;
  ++ticket_;
  sink_ = &sink;
  cutting_ = true;
  encodeIndex_ = 0;
}

void StateTable::abandonCut() {
  cutting_ = false;
  sink_ = nullptr;
}

void StateTable::beforeWrite(uint64_t hash) { handOver(directoryIndex(hash)); }

/// Encodes the segment unless the cut has it. Returns the bytes written.
size_t StateTable::handOver(size_t index) {
  const DirectoryEntry& entry = directory_[index];
  if (entry.groups == 0) return 0;
  Segment& segment = Segment::ofSlots(entry.slots);
  if (segment.epoch == epoch_) return 0;
  segment.epoch = epoch_;
  std::string& bytes = home_.encoded;
  bytes.clear();
  ByteWriter out(bytes);
  const uint32_t stride = layout_.stride;
  for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
    const std::byte* at = entry.slots + size_t{slot} * stride;
    key_.ops().encode(at + layout_.keyOffset, out);
    value_.encode(valueOf(at), out);
  }
  const uint64_t firstHash = (firstIndex_ + firstIndexOf(index, entry.depth)) << shift_;
  sink_->take(
      {name_, nameSpace_, keyGroupOf(firstHash, home_.maxParallelism), firstHash, segment.used, bytes});
  return bytes.size();
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

void StateTable::load(KeyGroup group, std::string_view bytes) {
  ByteReader in(bytes);
  ScratchValue key(key_.ops());
  while (!in.atEnd()) {
    key_.ops().decode(in, key.get());
    KeyRef ref;
    ref.hash = key_.ops().hash(key.get());
    ref.word = key_.word(ref.hash, key.get());
    ref.object = key.get();
    if (keyGroupOf(ref.hash, home_.maxParallelism) != group) in.fail("holds a key of another key group");
    const Found found = findOrInsert(ref);
    if (!found.inserted) in.fail("holds a key twice");
    value_.decode(in, found.value);
    noteHeapChange();
  }
}

}  // namespace flott
