// Combines the records of a key before they go through an exchange, so that a key with many records sends
// few.
//
// A cache of partial results, one slot for each hash of a key, of a fixed size: a key that finds another one
// in its slot sends that one on and takes the place. Everything in the cache goes on before a watermark, a
// barrier or the end of the input, and when the oldest of it has waited for `maxDelay`. So memory and delay
// are bounded, and nothing of it is state. What a partial result replaces are the records of its key since
// the last one; its timestamp is the latest of theirs.
//
// Owned by one task, called by its lane only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "flott/data/key.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"

namespace flott {

/// Bounds of what a combining operator holds back, in each subtask.
struct PreAggregateOptions {
  size_t maxKeys = 4096;  // rounded up to a power of two
  Duration maxDelay = Duration::millis(100);
};

/// Throws Error(kUser) for bounds that hold nothing.
void checkPreAggregateOptions(const PreAggregateOptions& options);

/// Accumulation is one of window/accumulations.h, Partial puts a key and its accumulator out.
template <typename T, typename Selector, typename Accumulation, typename Partial>
class LocalCombineOperator final : public Operator {
  using K = typename Selector::Key;
  using Acc = typename Accumulation::Acc;
  using Out = typename Partial::Out;

  struct Slot {
    bool used = false;
    uint64_t hash = 0;
    int64_t timestamp = 0;
    K key{};
    Acc acc{};
  };

 public:
  LocalCombineOperator(PreAggregateOptions options, Selector selector, Accumulation accumulation)
      : maxDelay_(options.maxDelay),
        selector_(std::move(selector)),
        accumulation_(std::move(accumulation)),
        slots_(std::bit_ceil(options.maxKeys)),
        shift_(63 - std::countr_zero(slots_.size())) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    collector_.open(context.pools());
    openFunction(accumulation_, context);
  }
  void close() noexcept override { closeFunction(accumulation_); }

  Step onBatch(int, Batch batch, Output& output) override {
    const Rows<T>& rows = batch.rows<T>();
    const bool stamped = rows.hasTimestamps();
    begin(output, stamped);
    forEachRow(rows, 0, [&](size_t i) {
      const uint64_t hash = hashKey<K>(selector_(rows[i]));
      Slot& slot = slots_[hash >> 1 >> shift_];
      const int64_t timestamp = stamped ? rows.timestamps()[i] : 0;
      if (slot.used && slot.hash == hash && keyEquals<K>(slot.key, selector_(rows[i]))) {
        accumulation_.add(rows[i], slot.acc);
        slot.timestamp = std::max(slot.timestamp, timestamp);
        return;
      }
      if (slot.used) putOut(slot);
      take(slot, hash, rows[i], timestamp);
    });
    collector_.flush();
    if (used_ > 0 && alarm_ == Timestamp::max()) {
      context_->setAlarm(alarm_ = context_->processingTime() + maxDelay_);
    }
    return Step::kDone;
  }

  Step onEventTime(Watermark watermark, Output& output) override {
    watermark_ = watermark;
    return resume(output);
  }
  Step onProcessingTime(Timestamp, Output& output) override {
    alarm_ = Timestamp::max();
    return resume(output);
  }
  Step onEndOfInput(int, Output& output) override { return resume(output); }
  Step beforeBarrier(CheckpointId, Output& output) override { return resume(output); }

  Step resume(Output& output) override {
    begin(output, stamped_);
    if (!putOutAll([this] { return collector_.full(); })) return Step::kMore;
    collector_.flush();
    if (const auto watermark = std::exchange(watermark_, Watermark()); watermark.time != Timestamp::min())
      output.emitWatermark(watermark);
    return Step::kDone;
  }

 private:
  /// Partial results with timestamps and without do not mix.
  void begin(Output& output, bool stamped) {
    collector_.start(output, stamped_);
    collector_.clearFull();
    if (stamped == stamped_) return;
    putOutAll([] { return false; });
    stamped_ = stamped;
    collector_.start(output, stamped_);
  }

  void take(Slot& slot, uint64_t hash, const T& record, int64_t timestamp) {
    slot.acc = Acc();
    accumulation_.start(record, slot.acc);
    slot.key = selector_(record);
    slot.hash = hash;
    slot.timestamp = timestamp;
    slot.used = true;
    ++used_;
  }

  void putOut(Slot& slot) {
    collector_.setTimestamp(slot.timestamp);
    Partial::putOut(slot.key, std::move(slot.acc), collector_);
    slot.used = false;
    --used_;
  }

  /// From next_ on. False when it stopped.
  template <typename Stop>
  bool putOutAll(Stop&& stop) {
    for (; used_ > 0 && next_ < slots_.size(); ++next_) {
      if (!slots_[next_].used) continue;
      if (stop()) return false;
      putOut(slots_[next_]);
    }
    next_ = 0;
    return true;
  }

  const Duration maxDelay_;
  Selector selector_;
  Accumulation accumulation_;
  OperatorContext* context_ = nullptr;
  std::vector<Slot> slots_;  // by the leading bits of the hash
  const int shift_;          // 63 − their number: with one slot the distance would be 64
  size_t used_ = 0;
  size_t next_ = 0;  // of a round that has stopped
  bool stamped_ = false;
  Watermark watermark_;  // to follow the round
  Timestamp alarm_ = Timestamp::max();
  Collector<Out> collector_;
};

// Partials.

/// A folded record is a record.
template <typename T>
struct RecordPartial {
  using Out = T;
  template <typename K>
  static void putOut(const K&, T&& acc, Collector<T>& out) {
    out.collect(std::move(acc));
  }
};

/// An accumulator travels with its key.
template <typename K, typename Acc>
struct KeyPartial {
  using Out = std::pair<K, Acc>;
  static void putOut(const K& key, Acc&& acc, Collector<Out>& out) { out.emplace(key, std::move(acc)); }
};

/// The key of what KeyPartial puts out.
template <typename K, typename Acc>
using PartialKey = MemberSelector<std::pair<K, Acc>, K>;

/// Spreads the records of each key over up to `salts` subtasks: its place in the batch is a record's salt.
template <typename T, typename Selector>
class SaltedHasher final : public KeyHasher {
 public:
  SaltedHasher(Selector selector, uint32_t salts) : selector_(std::move(selector)), salts_(salts) {}
  void hash(Batch& batch) const override {
    const Rows<T>& rows = batch.rows<T>();
    uint64_t* hashes = batch->enableHashes();
    uint32_t salt = 0;
    forEachRow(rows, 0, [&](size_t i) {
      hashes[i] = combineHashes(hashKey<typename Selector::Key>(selector_(rows[i])), hashInt64(salt));
      salt = salt + 1 == salts_ ? 0 : salt + 1;
    });
  }
  std::string keyText(const Batch& batch, size_t i) const override {
    return toText<typename Selector::Key>(selector_(batch.rows<T>()[i]));
  }

 private:
  Selector selector_;
  uint32_t salts_;
};

}  // namespace flott
