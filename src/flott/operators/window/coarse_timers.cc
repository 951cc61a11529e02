#include "flott/operators/window/coarse_timers.h"

#include <algorithm>
#include <functional>

namespace flott {

void CoarseTimers::Bucket::add(uint64_t hash) {
  if (!partitions.empty()) {
    partitions[hash >> (64 - kPartitionBits)].push_back(hash);
    return;
  }
  hashes.push_back(hash);
  if (hashes.size() < kUnpartitioned) return;
  partitions.resize(size_t{1} << kPartitionBits);
  for (const uint64_t one : hashes) partitions[one >> (64 - kPartitionBits)].push_back(one);
  hashes = {};
}

void CoarseTimers::add(uint64_t hash, int64_t at) {
  ++size_;
  const int64_t bucket = at >> kBucketShift;
  if (bucket > exactUpTo_) {
    buckets_[bucket].add(hash);
  } else {
    exact_.push_back({at, hash});
    std::push_heap(exact_.begin(), exact_.end(), std::greater<>());
  }
}

/// Takes a part of the first bucket out, when that may be due. False when it is not.
bool CoarseTimers::loadSome(int64_t upTo) {
  const auto first = buckets_.begin();
  if (first == buckets_.end() || first->first > upTo >> kBucketShift) return false;
  Bucket& bucket = first->second;
  exactUpTo_ = first->first;
  nextLoaded_ = 0;
  loaded_.clear();
  if (bucket.partitions.empty()) {
    loaded_.swap(bucket.hashes);
  } else {
    loaded_.swap(bucket.partitions[bucket.nextPartition++]);
  }
  if (bucket.nextPartition == bucket.partitions.size()) buckets_.erase(first);
  std::sort(loaded_.begin(), loaded_.end());
  const auto end = std::unique(loaded_.begin(), loaded_.end());
  size_ -= static_cast<size_t>(loaded_.end() - end);
  loaded_.erase(end, loaded_.end());
  return true;
}

bool CoarseTimers::next(int64_t upTo, uint64_t& hash) {
  for (;;) {
    if (nextLoaded_ < loaded_.size()) {
      hash = loaded_[nextLoaded_++];
      --size_;
      return true;
    }
    if (!exact_.empty() && exact_.front().at <= upTo) {
      hash = exact_.front().hash;
      std::pop_heap(exact_.begin(), exact_.end(), std::greater<>());
      exact_.pop_back();
      --size_;
      return true;
    }
    if (!loadSome(upTo)) return false;
  }
}

int64_t CoarseTimers::earliest() const {
  if (nextLoaded_ < loaded_.size()) return exactUpTo_ << kBucketShift;
  int64_t at = buckets_.empty() ? std::numeric_limits<int64_t>::max()
                                : buckets_.begin()->first * (int64_t{1} << kBucketShift);
  if (!exact_.empty()) at = std::min(at, exact_.front().at);
  return at;
}

}  // namespace flott
