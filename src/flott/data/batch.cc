#include "flott/data/batch.h"

#include <algorithm>
#include <cstring>

#include "flott/base/bytes.h"
#include "flott/data/pool.h"

namespace flott {
namespace {

template <typename T>
void growTo(std::unique_ptr<T[]>& array, uint32_t& room, size_t capacity, size_t used) {
  if (room >= capacity) return;
  auto larger = std::make_unique_for_overwrite<T[]>(capacity);
  std::copy_n(array.get(), std::min<size_t>(room, used), larger.get());
  array = std::move(larger);
  room = static_cast<uint32_t>(capacity);
}

}  // namespace

BatchBody::~BatchBody() = default;

int64_t* BatchBody::enableTimestamps() {
  growTo(timestamps_, timestampRoom_, std::max<size_t>(sideRoom(), size_), hasTimestamps_ ? size_ : 0);
  hasTimestamps_ = true;
  return timestamps_.get();
}

uint64_t* BatchBody::enableHashes() {
  growTo(hashes_, hashRoom_, std::max<size_t>(sideRoom(), size_), hasHashes_ ? size_ : 0);
  hasHashes_ = true;
  return hashes_.get();
}

void BatchBody::takeTimestamps(BatchBody& from) {
  if (!from.hasTimestamps_) return;
  std::swap(timestamps_, from.timestamps_);
  std::swap(timestampRoom_, from.timestampRoom_);
  hasTimestamps_ = true;
  from.hasTimestamps_ = false;
  growTo(timestamps_, timestampRoom_, std::max<size_t>(sideRoom(), size_), timestampRoom_);
}

void BatchBody::growSides(size_t capacity) {
  if (hasTimestamps_) growTo(timestamps_, timestampRoom_, capacity, size_);
  if (hasHashes_) growTo(hashes_, hashRoom_, capacity, size_);
}

void BatchBody::openSides(bool timestamps, bool hashes) {
  FLOTT_CHECK(size_ == 0 || timestamps == hasTimestamps_,
              "batches with and without timestamps cannot be joined");
  if (timestamps) enableTimestamps();
  if (hashes) enableHashes();
}

void BatchBody::moveSides(size_t from, BatchBody& to) {
  const size_t count = size_ - from;
  const size_t old = to.size_;
  if (hasTimestamps_) {
    FLOTT_CHECK(old == 0 || to.hasTimestamps_, "batches with and without timestamps cannot be joined");
    growTo(to.timestamps_, to.timestampRoom_, std::max<size_t>(to.sideRoom(), old + count), old);
    to.hasTimestamps_ = true;
    std::copy_n(timestamps_.get() + from, count, to.timestamps_.get() + old);
  }
  if (hasHashes_) {
    growTo(to.hashes_, to.hashRoom_, std::max<size_t>(to.sideRoom(), old + count), old);
    to.hasHashes_ = true;
    std::copy_n(hashes_.get() + from, count, to.hashes_.get() + old);
  }
}

// Layout: a byte of flags (1 timestamps, 2 hashes), then the arrays that are there, size() values each.
void BatchBody::encodeSides(ByteWriter& out) const {
  out.fixed<uint8_t>(static_cast<uint8_t>((hasTimestamps_ ? 1 : 0) | (hasHashes_ ? 2 : 0)));
  if (hasTimestamps_) out.raw(timestamps_.get(), size_ * sizeof(int64_t));
  if (hasHashes_) out.raw(hashes_.get(), size_ * sizeof(uint64_t));
}

void BatchBody::decodeSides(ByteReader& in, size_t oldSize) {
  const auto flags = in.fixed<uint8_t>();
  if (flags > 3) in.fail("holds unknown batch flags");
  const size_t count = size_ - oldSize;
  if ((flags & 1) != 0) {
    const char* bytes = in.raw(count * sizeof(int64_t));
    std::memcpy(enableTimestamps() + oldSize, bytes, count * sizeof(int64_t));
  }
  if ((flags & 2) != 0) {
    const char* bytes = in.raw(count * sizeof(uint64_t));
    std::memcpy(enableHashes() + oldSize, bytes, count * sizeof(uint64_t));
  }
}

void Batch::reset() {
  BatchBody* body = std::exchange(body_, nullptr);
  if (body == nullptr) return;
  if (body->home_ == nullptr) {
    delete body;
  } else {
    body->home_->giveBack(body);
  }
}

BatchPool::~BatchPool() {
  deleteAll(free_);
  deleteAll(returned_.exchange(nullptr, std::memory_order_acquire));
}

void BatchPool::deleteAll(BatchBody* list) noexcept {
  while (list != nullptr) delete std::exchange(list, list->nextFree_);
}

/// Moves what came back, the latest first, into the own list.
void BatchPool::takeReturned() {
  if (returned_.load(std::memory_order_relaxed) == nullptr) return;
  BatchBody* const latest = returned_.exchange(nullptr, std::memory_order_acquire);
  if (reuse_ == Reuse::kInTurn) {
    BatchBody* first = nullptr;
    for (BatchBody* body = latest; body != nullptr;) {
      BatchBody* const before = std::exchange(body->nextFree_, first);
      first = std::exchange(body, before);
    }
    (free_ == nullptr ? free_ : lastFree_->nextFree_) = first;
    lastFree_ = latest;
    return;
  }
  BatchBody* first = latest;
  while (first->nextFree_ != nullptr) first = first->nextFree_;
  first->nextFree_ = std::exchange(free_, latest);
}

bool BatchPool::mayReuse() const {
  if (free_ == nullptr || reuse_ == Reuse::kLatest) return free_ != nullptr;
  const size_t idle = freeCount_.load(std::memory_order_relaxed);
  return idle >= kMostIdle || idle * free_->heldBytes() >= kIdleBytes;
}

Batch BatchPool::acquire() {
  takeReturned();
  if (mayReuse()) {
    freeCount_.fetch_sub(1, std::memory_order_relaxed);
    BatchBody* body = std::exchange(free_, free_->nextFree_);
    body->nextFree_ = nullptr;
    return Batch(body);
  }
  std::unique_ptr<BatchBody> fresh = make_();
  fresh->home_ = this;
  alive_.fetch_add(1, std::memory_order_relaxed);
  return Batch(std::move(fresh));
}

void BatchPool::giveBack(BatchBody* body) noexcept {
  const bool keep =
      freeCount_.load(std::memory_order_relaxed) < kMaxFree && body->heldBytes() <= kMaxKeptBytes;
  if (!keep) {
    alive_.fetch_sub(1, std::memory_order_relaxed);
    delete body;
    return;
  }
  body->clear();
  freeCount_.fetch_add(1, std::memory_order_relaxed);
  body->nextFree_ = returned_.load(std::memory_order_relaxed);
  while (!returned_.compare_exchange_weak(body->nextFree_, body, std::memory_order_release,
                                          std::memory_order_relaxed)) {
  }
}

BatchPool& BatchPools::pool(BatchTypeTag tag, BatchPool::Make make) {
  for (auto& [known, pool] : pools_) {
    if (known == tag) return *pool;
  }
  return *pools_.emplace_back(tag, std::make_unique<BatchPool>(make, reuse_)).second;
}

size_t BatchPools::inUse() const {
  size_t sum = 0;
  for (const auto& [tag, pool] : pools_) sum += pool->inUse();
  return sum;
}

}  // namespace flott
