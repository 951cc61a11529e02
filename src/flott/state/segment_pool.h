// Memory for the segments of all tables of one backend.
//
// The first touch of memory is slow, and tables of windows come and go with every window: so blocks of
// dropped tables stay here, touched, and are given out again. Blocks are runs of 256-byte granules inside
// arenas of 1 MB; neighbours that are free merge by themselves (the map of an arena is one bit a granule), so
// that a table whose segments all grow from one size to the next leaves no useless holes. Arenas are kept
// until the pool dies: the most that was ever in use at a time, about. Owned by one task, used on its thread
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace flott {

class SegmentPool {
 public:
  static constexpr size_t kGranule = 256;
  static constexpr size_t kArenaBytes = size_t{1} << 20;

  SegmentPool();
  ~SegmentPool();
  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;

  /// A block of at least `bytes`, aligned to 256. Contents are undefined. Blocks over an arena's size come
  /// from the general heap.
  std::byte* allocate(size_t bytes);
  /// `bytes` as given to allocate().
  void release(std::byte* block, size_t bytes);

  /// What a request of `bytes` takes.
  static size_t rounded(size_t bytes) { return (bytes + kGranule - 1) / kGranule * kGranule; }
  /// Bytes given out, rounded to granules.
  size_t usedBytes() const { return usedBytes_; }
  /// Bytes held from the system, given out or in stock.
  size_t heldBytes() const { return heldBytes_; }

 private:
  struct Arena;

  std::vector<std::unique_ptr<Arena>> arenas_;  // by address
  size_t firstWithRoom_ = 0;                    // no arena before it has a free granule
  size_t usedBytes_ = 0;
  size_t heldBytes_ = 0;
};

}  // namespace flott
