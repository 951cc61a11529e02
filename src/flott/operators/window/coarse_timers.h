// When to look at which key: the index by time of an operator whose keys know themselves what they wait for.
//
// A key with several windows, or with one that keeps being extended, has one entry here, in the bucket of the
// earliest moment that something may be due. When the bucket's time has come the operator looks at the key,
// does what is due and adds it again for what is left. So a record costs no timer at all while it only puts
// things off. Within a bucket that is due as a whole, keys come in the order of their hash, in which their
// table lies in memory; in one that is due in part, in the order of time.
//
// Made from the table when the operator opens or is restored, and never saved. Owned by one task, used on its
// thread only.
//
//   timers.add(hash, session.end - 1);
//   while (timers.next(watermark, hash)) { …look at the keys with this hash… }
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace flott {

class CoarseTimers {
 public:
  /// Look at the keys with this hash when `at` (ms) has come.
  void add(uint64_t hash, int64_t at);
  /// The next entry that may be due at or before `upTo`, taken out; false when there is none. What is added
  /// meanwhile for a moment up to `upTo` comes in the same round.
  bool next(int64_t upTo, uint64_t& hash);
  /// No entry is due before this moment; the greatest number when there is none.
  int64_t earliest() const;
  /// Entries.
  size_t size() const { return size_; }

 private:
  static constexpr int kBucketShift = 10;            // 1024 ms
  static constexpr size_t kUnpartitioned = 1 << 15;  // entries that are sorted at once
  static constexpr int kPartitionBits = 8;

  /// Hashes of one stretch of time; many are kept apart by their leading bits, so that sorting never takes
  /// long.
  struct Bucket {
    std::vector<uint64_t> hashes;
    std::vector<std::vector<uint64_t>> partitions;  // none, or one for each value of the leading bits
    size_t nextPartition = 0;

    void add(uint64_t hash);
  };
  struct Exact {
    int64_t at;
    uint64_t hash;
    auto operator<=>(const Exact&) const = default;
  };

  bool loadSome(int64_t upTo);

  std::map<int64_t, Bucket> buckets_;
  // What was taken out of the first bucket: sorted, without duplicates.
  std::vector<uint64_t> loaded_;
  size_t nextLoaded_ = 0;
  // Entries of buckets that were taken out already: a heap, earliest first.
  std::vector<Exact> exact_;
  int64_t exactUpTo_ = std::numeric_limits<int64_t>::min();  // the last bucket that was taken out
  size_t size_ = 0;
};

}  // namespace flott
