// Count windows: the operator behind countWindow(…), unless a trigger or an evictor is given.
//
// Without overlap the state of a key is a number and an accumulator, and goes away with each window. With a
// slide of its own it is the key's last records, of which a result is made at every slide-th. Batch-wise, as
// all keyed operators. What is incomplete at the end of the input is dropped, as in Flink. Results carry the
// timestamp of the record that completed them.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/window/global_windows.h"
#include "flott/operators/window/window_contents.h"
#include "flott/operators/window/window_function.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// What a key has of windows that do not overlap.
template <typename Acc>
struct Counted {
  int64_t count = 0;
  Acc acc{};
};

/// The last records of a key, twice a window of them at most, and how many came since the last result.
template <typename T>
struct Recent {
  int64_t sinceResult = 0;
  std::vector<T> records;
};

template <typename T, typename Selector, typename Accumulation, typename Emission>
class CountWindowBase : public Operator {
 protected:
  using K = typename Selector::Key;
  using Out = typename Emission::Out;
  static constexpr bool kKeyed = !std::is_same_v<K, NoKey>;

  CountWindowBase(Selector selector, Accumulation accumulation, Emission emission)
      : selector_(std::move(selector)),
        accumulation_(std::move(accumulation)),
        emission_(std::move(emission)) {}

 public:
  void open(OperatorContext& context) override {
    context_ = &context;
    state_ = &context.keyedState(typeOps<K>());
    sides_.open(context.pools());
    collector_.open(context.pools());
    windowContext_.open(*state_, sides_, false);
    openFunction(accumulation_, context);
    openFunction(emission_, context, state_);
  }
  void close() noexcept override {
    closeFunction(accumulation_);
    closeFunction(emission_);
  }

 protected:
  template <typename V>
  void take(Batch batch, TypedTable<K, V>& table) {
    batch_ = std::move(batch);
    next_ = 0;
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    if constexpr (kKeyed) {
      FLOTT_CHECK(rows.hasHashes());
      table.locate(
          {rows.hashes(), rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); },
          located_);
    }
  }

  /// add(record, hash, key, V&) for the records of the batch that are left.
  template <typename V, typename F>
  Step addBatch(TypedTable<K, V>& table, Output& output, F&& add) {
    const Rows<T>& rows = std::as_const(batch_).template rows<T>();
    const bool stamped = rows.hasTimestamps();
    sides_.start(output, stamped);
    collector_.start(output, stamped);
    collector_.clearFull();
    windowContext_.setTimes(eventTime().time, context_->processingTime());
    next_ = forEachRow(rows, next_, [&](size_t i) {
      timestamp_ = stamped ? rows.timestamps()[i] : Timestamp::min().ms;
      if constexpr (kKeyed) {
        decltype(auto) key = selector_(rows[i]);
        const uint64_t hash = rows.hashes()[i];
        add(rows[i], hash, key, table.findOrInsert(hash, key, located_, i));
      } else {
        const NoKey key;
        const uint64_t hash = hashKey(key);
        add(rows[i], hash, key, table.findOrInsert(hash, key));
      }
      return !collector_.full() && !sides_.full();
    });
    if (next_ < rows.size()) return Step::kMore;
    collector_.flush();
    sides_.flush();
    state_->clearCurrentKey();
    batch_.reset();
    return Step::kDone;
  }

  template <typename R>
  void emit(uint64_t hash, const K& key, R&& result) {
    state_->setCurrentKey(hash, key);
    collector_.setTimestamp(timestamp_);
    sides_.setTimestamp(timestamp_);
    emission_(key, windowContext_, std::forward<R>(result), collector_);
  }

  Selector selector_;
  Accumulation accumulation_;
  KeyedStateBackend* state_ = nullptr;

 private:
  Emission emission_;
  OperatorContext* context_ = nullptr;
  Located located_;
  Batch batch_;
  size_t next_ = 0;
  int64_t timestamp_ = 0;
  GlobalWindowContext windowContext_;
  Collector<Out> collector_;
  SideOutputs sides_;
};

/// Windows that do not overlap.
template <typename T, typename Selector, typename Accumulation, typename Emission>
class CountWindowOperator final : public CountWindowBase<T, Selector, Accumulation, Emission> {
  using Base = CountWindowBase<T, Selector, Accumulation, Emission>;
  using K = typename Selector::Key;
  using Acc = typename Accumulation::Acc;

 public:
  CountWindowOperator(Selector selector, int64_t size, Accumulation accumulation, Emission emission)
      : Base(std::move(selector), std::move(accumulation), std::move(emission)), size_(size) {}

  void open(OperatorContext& context) override {
    Base::open(context);
    table_ = this->state_->template table<K, Counted<Acc>>("count-windows");
  }
  Step onBatch(int, Batch batch, Output& output) override {
    this->take(std::move(batch), table_);
    return resume(output);
  }
  Step resume(Output& output) override {
    return this->addBatch(
        table_, output, [this](const T& record, uint64_t hash, const K& key, Counted<Acc>& counted) {
          if (counted.count == 0) {
            this->accumulation_.start(record, counted.acc);
          } else {
            this->accumulation_.add(record, counted.acc);
          }
          if constexpr (!std::is_trivially_copyable_v<Acc>) table_.untyped().noteHeapChange();
          if (++counted.count < size_) return;
          this->emit(hash, key, this->accumulation_.result(key, std::as_const(counted.acc)));
          table_.erase(hash, key);
        });
  }

 private:
  int64_t size_;
  TypedTable<K, Counted<Acc>> table_;
};

/// The last `size` records at every slide-th.
template <typename T, typename Selector, typename Accumulation, typename Emission>
class SlidingCountWindowOperator final : public CountWindowBase<T, Selector, Accumulation, Emission> {
  using Base = CountWindowBase<T, Selector, Accumulation, Emission>;
  using K = typename Selector::Key;

 public:
  SlidingCountWindowOperator(Selector selector, CountWindows windows, Accumulation accumulation,
                             Emission emission)
      : Base(std::move(selector), std::move(accumulation), std::move(emission)),
        size_(static_cast<size_t>(windows.size())),
        slide_(windows.slide()) {}

  void open(OperatorContext& context) override {
    Base::open(context);
    table_ = this->state_->template table<K, Recent<T>>("sliding-count-windows");
  }
  Step onBatch(int, Batch batch, Output& output) override {
    this->take(std::move(batch), table_);
    return resume(output);
  }
  Step resume(Output& output) override {
    return this->addBatch(
        table_, output, [this](const T& record, uint64_t hash, const K& key, Recent<T>& recent) {
          table_.untyped().noteHeapChange();
          std::vector<T>& records = recent.records;
          if (records.size() >= 2 * size_) records.erase(records.begin(), records.end() - (size_ - 1));
          records.push_back(record);
          if (++recent.sinceResult < slide_) return;
          recent.sinceResult = 0;
          const size_t count = records.size() < size_ ? records.size() : size_;
          accumulateAtOnce(
              std::span<const T>(records).last(count), key, this->accumulation_,
              [&](auto&& result) { this->emit(hash, key, std::forward<decltype(result)>(result)); });
        });
  }

 private:
  size_t size_;
  int64_t slide_;
  TypedTable<K, Recent<T>> table_;
};

}  // namespace flott
