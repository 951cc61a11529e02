#include "flott/state/segment_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "flott/base/error.h"

namespace flott {

namespace {
constexpr size_t kGranules = SegmentPool::kArenaBytes / SegmentPool::kGranule;
constexpr auto kAlign = std::align_val_t{SegmentPool::kGranule};
}  // namespace

/// Bit g of `used` is granule g.
struct SegmentPool::Arena {
  Arena() : memory(static_cast<std::byte*>(::operator new(kArenaBytes, kAlign))) {}
  ~Arena() { ::operator delete(memory, kAlign); }

  void mark(size_t first, size_t count, bool taken) {
    for (size_t g = first; g < first + count;) {
      const size_t inWord = std::min(64 - g % 64, first + count - g);
      const uint64_t mask = (inWord == 64 ? ~uint64_t{0} : (uint64_t{1} << inWord) - 1) << (g % 64);
      if (taken) {
        used[g / 64] |= mask;
      } else {
        used[g / 64] &= ~mask;
      }
      g += inWord;
    }
    free = taken ? free - count : free + count;
  }

  /// First run of `count` free granules, or kGranules. Learns the longest run when there is none.
  size_t findRun(size_t count) {
    size_t longest = 0;
    for (size_t g = 0; g < kGranules;) {
      g += skip(g, ~uint64_t{0});
      const size_t run = skip(g, 0);
      if (run >= count) return g;
      longest = std::max(longest, run);
      g += run;
    }
    longestRun = longest;
    return kGranules;
  }

  /// Length of the stretch from g on in which bits XOR `invert` are 0.
  size_t skip(size_t g, uint64_t invert) const {
    const size_t from = g;
    while (g < kGranules) {
      const uint64_t word = (used[g / 64] ^ invert) >> (g % 64);
      if (word != 0) return g + static_cast<size_t>(std::countr_zero(word)) - from;
      g = (g / 64 + 1) * 64;
    }
    return kGranules - from;
  }

  std::byte* memory;
  size_t free = kGranules;
  size_t longestRun = kGranules;  // no run is longer
  uint64_t used[kGranules / 64] = {};
};

SegmentPool::SegmentPool() = default;
SegmentPool::~SegmentPool() = default;

std::byte* SegmentPool::allocate(size_t bytes) {
  const size_t count = rounded(bytes) / kGranule;
  if (count > kGranules) {
    auto* block = static_cast<std::byte*>(::operator new(count* kGranule, kAlign));
    usedBytes_ += count * kGranule;
    heldBytes_ += count * kGranule;
    return block;
  }
  while (firstWithRoom_ < arenas_.size() && arenas_[firstWithRoom_]->free == 0) ++firstWithRoom_;
  for (size_t i = firstWithRoom_; i <= arenas_.size(); ++i) {
    if (i == arenas_.size()) {
      auto fresh = std::make_unique<Arena>();
      const auto at = std::upper_bound(arenas_.begin(), arenas_.end(), fresh,
                                       [](const auto& a, const auto& b) { return a->memory < b->memory; });
      i = static_cast<size_t>(at - arenas_.begin());
      arenas_.insert(at, std::move(fresh));
      firstWithRoom_ = std::min(firstWithRoom_, i);
      heldBytes_ += kArenaBytes;
    }
    Arena& arena = *arenas_[i];
    if (arena.free < count || arena.longestRun < count) continue;
    const size_t granule = arena.findRun(count);
    if (granule == kGranules) continue;
    arena.mark(granule, count, true);
    usedBytes_ += count * kGranule;
    return arena.memory + granule * kGranule;
  }
  FLOTT_CHECK(false, "a fresh arena has room");
}

void SegmentPool::release(std::byte* block, size_t bytes) {
  const size_t count = rounded(bytes) / kGranule;
  usedBytes_ -= count * kGranule;
  if (count > kGranules) {
    heldBytes_ -= count * kGranule;
    ::operator delete(block, kAlign);
    return;
  }
  const auto after =
      std::upper_bound(arenas_.begin(), arenas_.end(), block,
                       [](const std::byte* b, const auto& arena) { return b < arena->memory; });
  const auto found = after - 1;
  Arena& arena = **found;
  arena.mark(static_cast<size_t>(block - arena.memory) / kGranule, count, false);
  arena.longestRun = kGranules;
  firstWithRoom_ = std::min(firstWithRoom_, static_cast<size_t>(found - arenas_.begin()));
}

}  // namespace flott
