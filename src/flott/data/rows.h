// The typed payload of a batch: a growable array of the user's record type.
//
// Rows are appended by emplace(), read and changed in place, and dropped by truncate() or clear(). Strings
// are kept constructed when a batch is cleared, so that a source that fills slot() again reuses their memory;
// every other type is destroyed at once. References to rows stay good until the batch grows. Owned by one
// task at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/data/batch.h"
#include "flott/data/codec.h"
#include "flott/data/describe.h"
#include "flott/data/pool.h"
#include "flott/data/print.h"
#include "flott/data/split_in_two.h"

namespace flott {

/// Types whose cleared rows stay constructed because all they hold is memory worth reusing.
template <typename T>
inline constexpr bool kReusedRow = std::is_same_v<T, std::string>;

template <typename T>
BatchPool& rowsPool(BatchPools& pools);

template <typename T>
class Rows final : public BatchBody {
  static_assert(std::is_move_constructible_v<T>, "a record type must be movable");

 public:
  /// Rows a batch aims at.
  static constexpr size_t kRows = std::clamp<size_t>(kBatchBytes / sizeof(T), 8, 1024);
  /// Rows there is room for at first, in a batch that grows row by row.
  static constexpr size_t kFirstRows = std::min<size_t>(kRows, 16);

  Rows() : BatchBody(&kRowsTag<T>, kRows) {}
  ~Rows() override {
    destroyFrom(0);
    if (data_ != nullptr) std::allocator<T>().deallocate(data_, room_);
  }

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  template <typename... A>
  T& emplace(A&&... args) {
    if (size_ == room_) [[unlikely]]
      grow(size_ + 1);
    T* at = data_ + size_;
    if constexpr (kReusedRow<T>) {
      if (size_ < constructed_) std::destroy_at(at);
    }
    if constexpr (std::is_constructible_v<T, A...>) {
      ::new (static_cast<void*>(at)) T(std::forward<A>(args)...);
    } else {
      ::new (static_cast<void*>(at)) T{std::forward<A>(args)...};
    }
    ++size_;
    if constexpr (kReusedRow<T>) constructed_ = std::max(constructed_, size_);
    return *at;
  }

  /// The next row with whatever an earlier use left in it: assign every part of it.
  T& slot() {
    if constexpr (kReusedRow<T>) {
      if (size_ < constructed_) return data_[size_++];
    }
    return emplace();
  }

  /// Appends `count` rows that the caller fills at once through data(): for trivially copyable types only.
  T* extend(size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>);
    reserve(size_ + count);
    T* at = data_ + size_;
    size_ += static_cast<uint32_t>(count);
    return at;
  }

  /// The place for kRows rows of an empty batch, which the caller constructs there one after the other; then
  /// endFilling() with the place behind the last.
  T* beginFilling() {
    reserve(kRows);
    if constexpr (kReusedRow<T>) destroyFrom(0);
    return data_;
  }
  void endFilling(const T* end) {
    size_ = static_cast<uint32_t>(end - data_);
    if constexpr (kReusedRow<T>) constructed_ = size_;
  }

  /// Room for `count` rows in all.
  void reserve(size_t count) {
    if (count > room_) grow(count);
  }

  /// Drops the rows from `count` on. Rows from there on may have been moved from.
  void truncate(size_t count) {
    if constexpr (!kReusedRow<T>) destroyFrom(count);
    size_ = static_cast<uint32_t>(count);
  }

  size_t bytes() const override { return size_ * sizeof(T) + stringBytes(size_); }
  size_t heldBytes() const override { return room_ * sizeof(T) + stringBytes(constructed_); }

  Batch splitOff(size_t at, BatchPools& pools) override {
    Batch tail = rowsPool<T>(pools).acquire();
    Rows& rest = tail.rows<T>();
    rest.reserve(size_ - at);
    moveSides(at, rest);
    for (size_t i = at; i < size_; ++i) rest.emplace(std::move(data_[i]));
    truncate(at);
    return tail;
  }

  void scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) override;

  void append(Batch other) override {
    Rows& from = other.rows<T>();
    reserve(size_ + from.size_);
    from.moveSides(0, *this);
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::copy_n(from.data_, from.size_, data_ + size_);
      size_ += from.size_;
    } else {
      for (T& row : from) emplace(std::move(row));
    }
  }

  Batch clone(BatchPools& pools) const override {
    if constexpr (std::is_copy_constructible_v<T>) {
      Batch copy = rowsPool<T>(pools).acquire();
      Rows& rows = copy.rows<T>();
      rows.reserve(size_);
      const_cast<Rows*>(this)->moveSides(0, rows);  // copies: the sides are plain numbers
      for (const T& row : *this) rows.emplace(row);
      return copy;
    } else {
      throw Error(
          ErrorKind::kUser,
          "a stream of records that cannot be copied has several consumers: make the record copyable");
    }
  }

  BatchPool& poolIn(BatchPools& pools) const override { return rowsPool<T>(pools); }

  void encode(ByteWriter& out) const override {
    out.varint(size_);
    encodeSides(out);
    for (const T& row : *this) Codec<T>::encode(row, out);
  }

  void decode(ByteReader& in) override {
    const size_t count = in.count();
    const size_t old = size_;
    FLOTT_CHECK(old == 0, "decode into a batch with rows");
    reserve(count);
    size_ = static_cast<uint32_t>(count);
    uint32_t decoded = 0;
    try {
      decodeSides(in, 0);
      size_ = 0;
      for (; decoded < count; ++decoded) Codec<T>::decode(in, slot());
    } catch (...) {
      size_ = decoded;
      throw;
    }
  }

  void clear() override {
    if constexpr (!kReusedRow<T>) destroyFrom(0);
    clearSides();
  }

  std::string print(size_t i) const override { return toText(data_[i]); }
  const TypeDescription& description() const override { return describe<T>(); }

 private:
  void scatterSingly(const uint32_t* targets, Batch* out, OutputPools pools);
  void scatterInTwo(const uint32_t* targets, Batch* out, OutputPools pools);
  Rows& openForMore(Batch& batch, size_t more, BatchPools& pools);

  /// On the heap, of the first `count` rows.
  size_t stringBytes(size_t count) const {
    size_t sum = 0;
    if constexpr (std::is_same_v<T, std::string>) {
      for (size_t i = 0; i < count; ++i) sum += data_[i].capacity() > 15 ? data_[i].capacity() + 1 : 0;
    }
    return sum;
  }

  static T* allocate(size_t count) { return std::allocator<T>().allocate(count); }

  size_t alive() const { return kReusedRow<T> ? constructed_ : size_; }

  void destroyFrom(size_t from) {
    if constexpr (!std::is_trivially_destructible_v<T>)
      std::destroy(data_ + from, data_ + std::max(from, alive()));
    if constexpr (kReusedRow<T>) constructed_ = std::min(constructed_, static_cast<uint32_t>(from));
  }

  void grow(size_t atLeast) {
    const size_t room = std::max(atLeast, room_ == 0 ? kFirstRows : 2 * size_t{room_});
    T* larger = allocate(room);
    std::uninitialized_move_n(data_, alive(), larger);
    std::destroy_n(data_, alive());
    if (data_ != nullptr) std::allocator<T>().deallocate(data_, room_);
    data_ = larger;
    room_ = static_cast<uint32_t>(room);
    growSides(room);
  }

  T* data_ = nullptr;
  uint32_t constructed_ =
      0;  // kReusedRow only: rows from size_ up to here are alive but not part of the batch
};

template <typename T>
BatchPool& rowsPool(BatchPools& pools) {
  return pools.pool(&kRowsTag<T>, []() -> std::unique_ptr<BatchBody> { return std::make_unique<Rows<T>>(); });
}

// The outputs have room for what they get before the first row moves, so that the loop is a copy and a count;
// the cursors lie on the stack, where no store to a row can be taken for a change of them.
template <typename T>
void Rows<T>::scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) {
  constexpr size_t kMany = 64;
  if (count > kMany) return scatterSingly(targets, out, pools);
  if (count == 2) return scatterInTwo(targets, out, pools);
  struct Cursor {
    T* row;
    int64_t* timestamp;
    uint64_t* hash;
  };
  Cursor cursors[kMany];
  uint32_t needs[kMany] = {};
  for (size_t i = 0; i < size_; ++i) ++needs[targets[i]];
  const bool stamped = hasTimestamps();
  const bool hashed = hasHashes();
  for (size_t t = 0; t < count; ++t) {
    if (needs[t] == 0) continue;
    Rows& to = openForMore(out[t], needs[t], pools[t]);
    cursors[t] = {to.data_ + to.size_, stamped ? to.timestamps() + to.size_ : nullptr,
                  hashed ? to.hashes() + to.size_ : nullptr};
  }
  for (size_t i = 0; i < size_; ++i) {
    Cursor& cursor = cursors[targets[i]];
    ::new (static_cast<void*>(cursor.row++)) T(std::move(data_[i]));
    if (stamped) *cursor.timestamp++ = timestamps()[i];
    if (hashed) *cursor.hash++ = hashes()[i];
  }
  for (size_t t = 0; t < count; ++t) {
    if (needs[t] == 0) continue;
    Rows& to = static_cast<Rows&>(*out[t]);
    to.size_ += needs[t];
    if constexpr (kReusedRow<T>) to.constructed_ = to.size_;
  }
  clear();
}

/// Between two, as with two lanes, without a cursor in memory that the record before would have to have
/// moved.
template <typename T>
void Rows<T>::scatterInTwo(const uint32_t* targets, Batch* out, OutputPools pools) {
  const size_t inSecond = std::accumulate(targets, targets + size_, size_t{0});
  const size_t counts[2] = {size_ - inSecond, inSecond};
  Rows* to[2] = {nullptr, nullptr};
  for (size_t output : {0, 1}) {  // before any row moves: this may fail
    if (counts[output] > 0) to[output] = &openForMore(out[output], counts[output], pools[output]);
  }
  const size_t count = size_;
  if constexpr (kReusedRow<T>) destroyFrom(size_);
  for (size_t from = 0; from < count; from += SplitInTwo::kMost) {
    const SplitInTwo split(targets + from, std::min<size_t>(SplitInTwo::kMost, count - from));
    for (size_t output : {0, 1}) {
      const std::span<const uint16_t> places = split.of(output);
      if (places.empty()) continue;
      Rows& rows = *to[output];
      movePicked(data_ + from, places, rows.data_ + rows.size_);
      if (hasTimestamps()) movePicked(timestamps() + from, places, rows.timestamps() + rows.size_);
      if (hasHashes()) movePicked(hashes() + from, places, rows.hashes() + rows.size_);
      rows.size_ += static_cast<uint32_t>(places.size());
      if constexpr (kReusedRow<T>) rows.constructed_ = rows.size_;
    }
  }
  if constexpr (std::is_nothrow_move_constructible_v<T>) {  // no row is left to be ended
    size_ = 0;
    if constexpr (kReusedRow<T>) constructed_ = 0;
  }
  clear();
}

/// Room for `more` rows, which the caller constructs, in a batch that is taken from the pool if need be.
template <typename T>
Rows<T>& Rows<T>::openForMore(Batch& batch, size_t more, BatchPools& pools) {
  if (!batch) batch = rowsPool<T>(pools).acquire();
  Rows& to = static_cast<Rows&>(*batch);
  to.reserve(to.size_ + more);
  to.openSides(hasTimestamps(), hasHashes());
  if constexpr (kReusedRow<T>) to.destroyFrom(to.size_);
  return to;
}

template <typename T>
void Rows<T>::scatterSingly(const uint32_t* targets, Batch* out, OutputPools pools) {
  const bool stamped = hasTimestamps();
  const bool hashed = hasHashes();
  for (size_t i = 0; i < size_; ++i) {
    Batch& batch = out[targets[i]];
    if (!batch) {
      batch = rowsPool<T>(pools[targets[i]]).acquire();
      Rows& fresh = static_cast<Rows&>(*batch);
      fresh.reserve(kFirstRows);
      fresh.openSides(stamped, hashed);
    }
    Rows& to = static_cast<Rows&>(*batch);
    const size_t at = to.size_;
    to.emplace(std::move(data_[i]));
    if (stamped) to.timestamps()[at] = timestamps()[i];
    if (hashed) to.hashes()[at] = hashes()[i];
  }
  clear();
}

}  // namespace flott
