// Segments of a state table: how they grow, split and shrink, and the directory that finds them.
//
// Few hits should need a second group of slots, and from 0.3 million entries on a table should take less than
// twice the bytes of its slots: so a segment is rebuilt a quarter larger when 7/10 of its home slots are
// used, and split when it would pass 64 KB. Since entries lie in hash order, both are one pass over the
// entries with no random access.
#include <algorithm>
#include <bit>

#include "flott/state/state_table.h"

namespace flott {

namespace {
constexpr uint32_t kSmallGroups = 16;      // below, segments double
constexpr uint8_t kDeepestDirectory = 32;  // SearchStart: so that groups << depth fits
}  // namespace

/// Slots behind the home slots, for entries pushed over the end. The last slot is never used.
uint32_t StateTable::overflowSlots(uint32_t groups) const {
  return groupSlots_ + std::min<uint32_t>(groups * groupSlots_ / 8, 28);
}

size_t StateTable::blockBytes(uint32_t total) const {
  const size_t bitmaps = 1 + (cold_ != nullptr ? kMarks : 0);
  return sizeof(Segment) + size_t{total} * layout_.stride + (size_t{total} + 63) / 64 * 8 * bitmaps;
}

Segment& StateTable::newSegment(uint32_t groups, uint32_t total) {
  const size_t bytes = blockBytes(total);
  const size_t rounded = SegmentPool::rounded(bytes);
  home_.budget.take(rounded, name_, this->bytes());
  auto* segment = ::new (home_.pool.allocate(bytes)) Segment{};
  segment->total = total;
  segment->groups = groups;
  segment->blockBytes = static_cast<uint32_t>(bytes);
  segment->epoch = epoch_;
  segment->changed = home_.cuts;
  std::memset(segment->slots(), 0, bytes - sizeof(Segment));
  segmentBytes_ += rounded;
  ++segments_;
  return *segment;
}

/// The memory of a segment whose entries are gone.
void StateTable::releaseBlock(Segment& segment) {
  const size_t bytes = segment.blockBytes;
  home_.budget.giveBack(SegmentPool::rounded(bytes));
  segmentBytes_ -= SegmentPool::rounded(bytes);
  --segments_;
  home_.pool.release(reinterpret_cast<std::byte*>(&segment), bytes);
}

/// A segment with its entries.
void StateTable::dropSegment(Segment& segment) {
  if (!plain_) {
    const uint32_t stride = layout_.stride;
    for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
      destroyEntry(segment.slots() + size_t{slot} * stride);
    }
    setHeapBytes(segment, 0);
  }
  size_ -= segment.used;
  releaseBlock(segment);
}

void StateTable::clear() {
  for (size_t index = 0; index < directory_.size();) {
    const DirectoryEntry entry = directory_[index];
    if (entry.groups != 0) {
      if (cutting_) handOver(index);
      dropSegment(Segment::ofSlots(entry.slots));
    }
    index += size_t{1} << (depth_ - entry.depth);
  }
  hasZeroKey_ = false;
  encodeIndex_ = heapIndex_ = 0;
  resetDirectory();
  if (cold_ != nullptr) clearCold();
}

/// One entry a key group, all empty.
void StateTable::resetDirectory() {
  // With a single group one bit more, since a shift by 64 is none.
  depth_ = static_cast<uint8_t>(std::max(1, std::countr_zero(home_.maxParallelism)));
  const int extra = depth_ - std::countr_zero(home_.maxParallelism);
  shift_ = static_cast<uint8_t>(64 - depth_);
  firstIndex_ = uint64_t{home_.keyGroups.first} << extra;
  const DirectoryEntry none{empty_.data(), 0, depth_};
  directory_.assign(size_t{home_.keyGroups.size()} << extra, none);
  starts_.assign(directory_.size(), SearchStart::of(none, 0, groupBytes_));
  ++ticket_;
  ++layoutVersion_;
}

void StateTable::expect(size_t entries) {
  FLOTT_CHECK(size_ == 0, "a table with entries knows its size");
  resetDirectory();
  size_t share = entries / std::max<size_t>(1, directory_.size());
  for (; groupsFor(share) == maxGroups_; share /= 2) doubleDirectory();
  for (DirectoryEntry& entry : directory_) entry.depth = depth_;
  firstGroups_ = groupsFor(share);
}

/// The first directory entry of the segment at `index`.
size_t StateTable::firstIndexOf(size_t index, uint8_t depth) const {
  const uint64_t span = uint64_t{1} << (depth_ - depth);
  return static_cast<size_t>(((firstIndex_ + index) & ~(span - 1)) - firstIndex_);
}

void StateTable::point(size_t firstIndex, uint8_t depth, Segment* segment) {
  const DirectoryEntry entry = segment == nullptr ? DirectoryEntry{empty_.data(), 0, depth}
                                                  : DirectoryEntry{segment->slots(), segment->groups, depth};
  const auto first = static_cast<ptrdiff_t>(firstIndex);
  const size_t count = size_t{1} << (depth_ - depth);
  std::fill_n(directory_.begin() + first, count, entry);
  std::fill_n(starts_.begin() + first, count,
              SearchStart::of(entry, (firstIndex_ + firstIndex) << shift_, groupBytes_));
  ++ticket_;
  ++layoutVersion_;
}

void StateTable::makeRoom(uint64_t hash) {
  const size_t index = directoryIndex(hash);
  const DirectoryEntry entry = directory_[index];
  if (entry.groups == 0) {
    point(firstIndexOf(index, entry.depth), entry.depth,
          &newSegment(firstGroups_, firstGroups_ * groupSlots_ + overflowSlots(firstGroups_)));
    return;
  }
  const uint32_t larger = entry.groups < kSmallGroups ? entry.groups * 2 : entry.groups + entry.groups / 4;
  if (entry.groups < maxGroups_) {
    rebuild(index, std::min(larger, maxGroups_));
  } else if (maySplit(entry)) {
    split(index);
  } else {
    rebuild(index, larger);
  }
}

/// No segment may make the directory much larger than what it finds: hashes may be alike, by chance or by
/// malice.
bool StateTable::maySplit(const DirectoryEntry& entry) const {
  return entry.depth < depth_ ||
         (depth_ < kDeepestDirectory && directory_.size() < 16 * (segments_ + home_.keyGroups.size()));
}

/// Home slots, in groups, of which `entries` fill three fifths.
uint32_t StateTable::groupsFor(size_t entries) const {
  const size_t groups = (entries * 5 / 3 + groupSlots_ - 1) / groupSlots_;
  return static_cast<uint32_t>(std::clamp<size_t>(groups, 1, maxGroups_));
}

void StateTable::shrinkIfSparse(size_t index) {
  const DirectoryEntry entry = directory_[index];
  Segment& segment = Segment::ofSlots(entry.slots);
  if (segment.used == 0) {
    dropSegment(segment);
    point(firstIndexOf(index, entry.depth), entry.depth, nullptr);
  } else if (segment.groups >= kSmallGroups && segment.used * 5 < segment.groups * groupSlots_) {
    rebuild(index, groupsFor(segment.used));
  }
}

void StateTable::collectOrder(const Segment& segment, std::vector<uint64_t>& out) const {
  const uint32_t stride = layout_.stride;
  out.clear();
  for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
    out.push_back(orderAt(segment.slots() + size_t{slot} * stride));
  }
}

/// An empty segment in which entries of these hashes, in order, have room and some to spare.
Segment& StateTable::segmentFor(std::span<const uint64_t> order, uint8_t depth, uint32_t groups) {
  const DirectoryEntry shape{nullptr, groups, depth};
  uint32_t end = 0;
  for (const uint64_t hash : order) end = std::max(end, homeOf(shape, hash)) + 1;
  return newSegment(groups, std::max(groups * groupSlots_, end) + overflowSlots(groups));
}

/// Moves the entries of these hashes, from `slot` of the old segment on, into an empty one. Returns where
/// they ended.
uint32_t StateTable::fill(Segment& to, uint8_t depth, Segment& from, uint32_t slot,
                          std::span<const uint64_t> order) {
  const DirectoryEntry shape{nullptr, to.groups, depth};
  const uint32_t stride = layout_.stride;
  const uint32_t first = slot;
  uint32_t end = 0;
  for (const uint64_t hash : order) {
    const uint32_t at = std::max(end, homeOf(shape, hash));
    slot = from.nextOccupied(slot, stride);
    relocateEntry(to.slots() + size_t{at} * stride, from.slots() + size_t{slot} * stride);
    to.setOccupied(at, stride);
    ++slot;
    end = at + 1;
  }
  to.used = static_cast<uint32_t>(order.size());
  if (cold_ != nullptr) moveMarks(to, from, first);
  return slot;
}

void StateTable::rebuild(size_t index, uint32_t groups) {
  if (cutting_) handOver(index);
  const DirectoryEntry entry = directory_[index];
  Segment& from = Segment::ofSlots(entry.slots);
  collectOrder(from, home_.hashes);
  Segment& to = segmentFor(home_.hashes, entry.depth, groups);
  fill(to, entry.depth, from, 0, home_.hashes);
  to.heapBytes = from.heapBytes;
  releaseBlock(from);
  point(firstIndexOf(index, entry.depth), entry.depth, &to);
}

void StateTable::split(size_t index) {
  if (cutting_) handOver(index);
  const auto depth = static_cast<uint8_t>(directory_[index].depth + 1);
  if (depth > depth_) {
    doubleDirectory();
    index *= 2;
  }
  Segment& from = Segment::ofSlots(directory_[index].slots);
  std::vector<uint64_t>& order = home_.hashes;
  collectOrder(from, order);
  const auto middle = std::partition_point(order.begin(), order.end(),
                                           [&](uint64_t hash) { return (hash >> (64 - depth) & 1) == 0; });
  const std::span<const uint64_t> halves[2] = {{order.begin(), middle}, {middle, order.end()}};
  Segment* to[2] = {nullptr, nullptr};
  try {
    for (int side : {0, 1}) {
      if (!halves[side].empty()) to[side] = &segmentFor(halves[side], depth, groupsFor(halves[side].size()));
    }
  } catch (...) {
    if (to[0] != nullptr) releaseBlock(*to[0]);
    throw;
  }
  const size_t first = firstIndexOf(index, static_cast<uint8_t>(depth - 1));
  const uint64_t heapBytes = from.heapBytes;
  uint32_t slot = 0;
  for (int side : {0, 1}) {
    if (to[side] != nullptr) {
      slot = fill(*to[side], depth, from, slot, halves[side]);
      to[side]->heapBytes = heapBytes * halves[side].size() / order.size();
      heapBytes_ += to[side]->heapBytes;
    }
  }
  heapBytes_ -= heapBytes;
  releaseBlock(from);
  point(first, depth, to[0]);
  point(first + (size_t{1} << (depth_ - depth)), depth, to[1]);
}

void StateTable::doubleDirectory() {
  const auto doubled = [](auto& entries) {
    auto larger = std::remove_reference_t<decltype(entries)>(entries.size() * 2);
    for (size_t i = 0; i < entries.size(); ++i) larger[2 * i] = larger[2 * i + 1] = entries[i];
    entries = std::move(larger);
  };
  doubled(directory_);
  doubled(starts_);
  ++depth_;
  --shift_;
  firstIndex_ *= 2;
  encodeIndex_ *= 2;
  heapIndex_ *= 2;
  if (cold_ != nullptr) cold_->evictIndex *= 2;
  ++layoutVersion_;
}

uint64_t StateTable::heapBytesOf(const std::byte* slot) const {
  uint64_t bytes = value_.heapBytes(valueOf(slot));
  if (layout_.boxedValue) bytes += value_.size;
  if (!key_.isWord()) bytes += key_.ops().heapBytes(slot + layout_.keyOffset);
  return bytes;
}

void StateTable::setHeapBytes(Segment& segment, uint64_t bytes) {
  if (bytes > segment.heapBytes) {
    home_.budget.take(bytes - segment.heapBytes, name_, this->bytes());
  } else {
    home_.budget.giveBack(segment.heapBytes - bytes);
  }
  heapBytes_ += bytes - segment.heapBytes;
  segment.heapBytes = bytes;
}

/// Looks at as many entries as there were changes since the last time, going round the table.
void StateTable::refreshHeapEstimate() {
  heapChanges_ = 0;
  const uint32_t stride = layout_.stride;
  size_t seen = 0;
  for (size_t steps = 0; steps < directory_.size() && seen < kHeapChangesPerLook; ++steps) {
    if (heapIndex_ >= directory_.size()) heapIndex_ = 0;
    const DirectoryEntry& entry = directory_[heapIndex_];
    heapIndex_ = firstIndexOf(heapIndex_, entry.depth) + (size_t{1} << (depth_ - entry.depth));
    if (entry.groups == 0) continue;
    Segment& segment = Segment::ofSlots(entry.slots);
    uint64_t bytes = 0;
    for (uint32_t slot = 0; (slot = segment.nextOccupied(slot, stride)) < segment.total; ++slot) {
      bytes += heapBytesOf(entry.slots + size_t{slot} * stride);
    }
    seen += segment.used;
    setHeapBytes(segment, bytes);
  }
}

}  // namespace flott
