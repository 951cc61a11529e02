// What travels between operators: a batch of records behind one small vtable.
//
// A Batch is a single-owner handle; its body is either typed rows (Rows<T>, rows.h) or columns (Columns,
// columns.h). Beside the records a body may carry one event timestamp a record, and after a keyBy one 64-bit
// key hash a record. A batch belongs to one task at a time, so nothing here is synchronised; handing it to
// another task through a channel hands over ownership. Destroying a handle gives the body back to the pool it
// came from, on whatever thread that is.
//
//   Batch batch = pool.acquire();
//   Rows<Click>& clicks = batch.rows<Click>();
//   clicks.emplace(user, url);
//   output.emit(std::move(batch));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "flott/base/error.h"

namespace flott {

class BatchPool;
class BatchPools;
class Batch;
class ByteReader;
class ByteWriter;
class Columns;
struct TypeDescription;
template <typename T>
class Rows;

/// Aimed size of a batch's records in bytes; a batch of rows holds about this much divided by sizeof(row).
inline constexpr size_t kBatchBytes = 16 * 1024;

/// Finds the lane's pool for batches of one type.
using PoolOf = BatchPool& (*)(BatchPools&);

/// The pools that batches for several outputs come from.
class OutputPools {
 public:
  /// Implicit: all from one.
  OutputPools(BatchPools& all) : all_(&all) {}
  /// One for each output, which outlive this.
  explicit OutputPools(BatchPools* const* each) : each_(each) {}

  BatchPools& operator[](size_t output) const { return each_ == nullptr ? *all_ : *each_[output]; }

 private:
  BatchPools* all_ = nullptr;
  BatchPools* const* each_ = nullptr;
};

/// Identity of a body's type inside this process: the address of a tag, one per type.
using BatchTypeTag = const void*;
template <typename T>
inline constexpr char kRowsTag = 0;

/// The records of a batch. Implementations: Rows<T>, Columns.
class BatchBody {
 public:
  virtual ~BatchBody();
  BatchBody(const BatchBody&) = delete;
  BatchBody& operator=(const BatchBody&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  BatchTypeTag tag() const { return tag_; }

  // One event timestamp (ms since the epoch) a record, or none at all.
  bool hasTimestamps() const { return hasTimestamps_; }
  int64_t* timestamps() { return timestamps_.get(); }
  const int64_t* timestamps() const { return timestamps_.get(); }
  /// Makes room for a timestamp a record; what it holds is undefined until written.
  int64_t* enableTimestamps();
  void dropTimestamps() { hasTimestamps_ = false; }
  /// Takes the timestamps of a batch of the same size.
  void takeTimestamps(BatchBody& from);

  // One key hash a record, or none.
  bool hasHashes() const { return hasHashes_; }
  uint64_t* hashes() { return hashes_.get(); }
  const uint64_t* hashes() const { return hashes_.get(); }
  uint64_t* enableHashes();
  void dropHashes() { hasHashes_ = false; }

  /// Records it holds before it counts as full; rows may be appended beyond.
  size_t capacity() const { return capacity_; }
  bool full() const { return size_ >= capacity_; }

  /// Bytes of the records, heap included where it is known cheaply; for limits and metrics.
  virtual size_t bytes() const = 0;
  /// The memory behind it, also what no record uses.
  virtual size_t heldBytes() const { return bytes(); }
  /// Cuts the batch in two: this one keeps the records before `at`, the result has the rest.
  virtual Batch splitOff(size_t at, BatchPools& pools) = 0;
  /// Moves record i to out[targets[i]], with its timestamp and hash, and leaves this batch empty. An empty
  /// handle in `out` gets a batch from `pools`. Batches may grow over their capacity.
  virtual void scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) = 0;
  /// Moves all records of `other`, of the same type, to the end of this batch.
  virtual void append(Batch other) = 0;
  /// A deep copy, from `pools`. Throws Error(kUser) when the records cannot be copied.
  virtual Batch clone(BatchPools& pools) const = 0;
  /// The lane's pool for batches of this type.
  virtual BatchPool& poolIn(BatchPools& pools) const = 0;
  virtual void encode(ByteWriter& out) const = 0;
  /// Appends what encode() wrote. Broken bytes throw Error(kCorruption) and leave the batch as it was or
  /// partly filled.
  virtual void decode(ByteReader& in) = 0;
  /// Back to empty, ready to be filled again; keeps its memory within reason.
  virtual void clear() = 0;
  /// Record i as a user would want to read it in an error message.
  virtual std::string print(size_t i) const = 0;
  virtual const TypeDescription& description() const = 0;

 protected:
  BatchBody(BatchTypeTag tag, size_t capacity) : capacity_(static_cast<uint32_t>(capacity)), tag_(tag) {}
  /// For bodies whose records are added one by one: room in the side arrays for `capacity` records.
  void growSides(size_t capacity);
  void moveSides(size_t from, BatchBody& to);
  /// Turns timestamps and hashes on, in a batch that has them already or is empty.
  void openSides(bool timestamps, bool hashes);
  /// Records the side arrays must have room for.
  size_t sideRoom() const { return room_ > 0 ? room_ : capacity_; }
  void encodeSides(ByteWriter& out) const;
  void decodeSides(ByteReader& in, size_t oldSize);
  void clearSides() {
    size_ = 0;
    hasTimestamps_ = hasHashes_ = false;
  }

  uint32_t size_ = 0;
  uint32_t capacity_;
  uint32_t room_ = 0;  // records that fit without growing; the side arrays that are in use have as much

 private:
  friend class BatchPool;
  friend class Batch;

  BatchTypeTag tag_;
  bool hasTimestamps_ = false;
  bool hasHashes_ = false;
  uint32_t timestampRoom_ = 0;
  uint32_t hashRoom_ = 0;
  std::unique_ptr<int64_t[]> timestamps_;
  std::unique_ptr<uint64_t[]> hashes_;
  BatchPool* home_ = nullptr;      // where it goes when its handle dies; null: deleted
  BatchBody* nextFree_ = nullptr;  // link in the pool's stack
};

/// Single-owner handle; empty after a move.
class Batch {
 public:
  Batch() = default;
  explicit Batch(std::unique_ptr<BatchBody> body) : body_(body.release()) {}
  Batch(Batch&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Batch& operator=(Batch&& other) noexcept {
    if (this != &other) {
      reset();
      body_ = std::exchange(other.body_, nullptr);
    }
    return *this;
  }
  ~Batch() { reset(); }

  explicit operator bool() const { return body_ != nullptr; }
  BatchBody* operator->() { return body_; }
  const BatchBody* operator->() const { return body_; }
  BatchBody& operator*() { return *body_; }
  const BatchBody& operator*() const { return *body_; }
  /// Records in it; 0 for an empty handle.
  size_t size() const { return body_ == nullptr ? 0 : body_->size(); }

  /// The rows of a typed batch. The type is checked.
  template <typename T>
  Rows<T>& rows() {
    FLOTT_CHECK(body_ != nullptr && body_->tag() == &kRowsTag<T>, "batch of another record type");
    return static_cast<Rows<T>&>(*body_);
  }
  template <typename T>
  const Rows<T>& rows() const {
    return const_cast<Batch*>(this)->rows<T>();
  }

  void reset();

 private:
  friend class BatchPool;
  explicit Batch(BatchBody* body) : body_(body) {}

  BatchBody* body_ = nullptr;
};

}  // namespace flott
