// mapPartition: one call of a function with all records of a partition, or with all of each key.
//
// The elements come from an ExternalSorter, so there may be more of them than memory holds, and the results
// go into another, since nobody can take them while the function runs. The function runs on an off-load
// thread: it may take its time, and reading the next element may wait for the disk.
#pragma once

#include <concepts>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "flott/operators/collector.h"
#include "flott/operators/function.h"
#include "flott/operators/partition/full_window_operator.h"
#include "flott/operators/partition/sort_partition.h"
#include "flott/state/spill/external_sorter.h"
#include "flott/state/spill/record_order.h"

namespace flott {

/// The records of a partition, or of a key of it, in the order in which they came. They are read once, by
/// range-for or next(). Good during the call it is passed to.
template <typename T>
class PartitionElements {
 public:
  /// Where the next ones come from.
  class Source {
   public:
    virtual ~Source() = default;
    /// Puts some records into an empty block; none at the end.
    virtual void refill(Rows<T>& block) = 0;
  };
  class Iterator {
   public:
    explicit Iterator(PartitionElements& elements) : elements_(elements), at_(elements.next()) {}
    const T& operator*() const { return *at_; }
    const T* operator->() const { return at_; }
    Iterator& operator++() {
      at_ = elements_.next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return at_ == nullptr; }

   private:
    PartitionElements& elements_;
    const T* at_;
  };

  /// `block` is room for records on their way.
  PartitionElements(Source& source, Rows<T>& block) : source_(source), block_(block) { block_.clear(); }
  PartitionElements(const PartitionElements&) = delete;
  PartitionElements& operator=(const PartitionElements&) = delete;

  /// Good until the next call; null at the end.
  const T* next() {
    if (next_ == block_.size()) {
      block_.clear();
      next_ = 0;
      source_.refill(block_);
      if (block_.empty()) return nullptr;
    }
    return &block_[next_++];
  }
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

  /// Inside a catch block: throws what is being handled on, with the record read last.
  [[noreturn]] void throwAtCurrent() const { throwAtRecord(block_, next_ == 0 ? block_.size() : next_ - 1); }

 private:
  Source& source_;
  Rows<T>& block_;
  size_t next_ = 0;
};

/// Order is ArrivalOrder, or GroupedBy the key of the stream.
template <typename T, typename Order, typename Out, typename F>
class MapPartitionWork final : public PartitionWork {
  static constexpr bool kKeyed = Order::kSorts;

 public:
  MapPartitionWork(const SpillPlace& elements, const SpillPlace& results, uint64_t memory, Order order,
                   F function)
      : elements_(elements, memory / 2, std::move(order)),
        mapped_(results, memory / 2, {}),
        function_(std::move(function)) {}
  // Perhaps after the operator's end, when the last call has returned.
  ~MapPartitionWork() override { closeFunction(function_); }

  void open(OperatorContext& context) {
    RuntimeContext runtime(context, nullptr, &accumulators_);
    openFunction(function_, runtime);
  }

  void add(Batch batch) override {
    for (T& record : batch.rows<T>()) elements_.add(std::move(record));
  }
  bool full() const override { return elements_.full(); }
  void takeAccumulators(Accumulators& into) override { into.merge(accumulators_); }
  void spill() override { elements_.spill(); }

  void finish() override {
    elements_.finish();
    next_ = elements_.next();
    BatchPools pools;
    Collector<Out> collector;
    collector.open(pools);
    ResultOutput output(*this);
    collector.start(output, false);
    if constexpr (kKeyed) {
      while (next_ != nullptr) call(collector);
    } else {
      call(collector);  // of no elements, too
    }
    collector.flush();
    mapped_.finish();
  }

  void fill() override {
    for (Batch& batch : results) {
      if (!fillFrom(mapped_, batch.rows<Out>())) return;
    }
  }
  uint64_t spilledBytes() const override { return elements_.spilledBytes() + mapped_.spilledBytes(); }

 private:
  /// Gives the records up to the end of the group.
  class GroupSource final : public PartitionElements<T>::Source {
   public:
    explicit GroupSource(MapPartitionWork& work) : work_(work) {}
    void refill(Rows<T>& block) override {
      work_.stopIfCancelled();
      const Order& order = work_.elements_.order();
      for (T*& next = work_.next_; next != nullptr && !block.full() && order.isIn(*work_.group_, *next);
           next = work_.elements_.next()) {
        block.emplace(std::move(*next));
      }
    }

   private:
    MapPartitionWork& work_;
  };

  /// Takes what the collector gathered.
  class ResultOutput final : public Output {
   public:
    explicit ResultOutput(MapPartitionWork& work) : work_(work) {}
    void emit(Batch batch) override {
      work_.stopIfCancelled();
      for (Out& record : batch.rows<Out>()) work_.mapped_.add(std::move(record));
      if (work_.mapped_.full()) work_.mapped_.spill();
    }
    void emitSide(SideOutputIndex, Batch) override {}
    void emitWatermark(Watermark) override {}
    void emitStatus(WatermarkStatus) override {}
    bool full() const override { return false; }

   private:
    MapPartitionWork& work_;
  };

  void call(Collector<Out>& collector) {
    if (next_ != nullptr) group_ = elements_.order().groupOf(*next_);
    GroupSource source(*this);
    PartitionElements<T> elements(source, block_);
    try {
      function_(elements, collector);
    } catch (...) {
      elements.throwAtCurrent();
    }
    while (kKeyed && elements.next() != nullptr) {  // what the function left out
    }
  }

  void stopIfCancelled() const {
    if (cancelled.load(std::memory_order_relaxed)) throwPartitionCancelled();
  }

  ExternalSorter<T, Order> elements_;
  ExternalSorter<Out, ArrivalOrder<Out>> mapped_;
  F function_;
  Accumulators accumulators_;  // the task's own may be read while the function runs
  T* next_ = nullptr;          // of elements_
  Rows<T> block_;
  std::optional<typename Order::Group> group_;
};

template <typename T, typename Order, typename Out, typename F>
class MapPartitionOperator final : public FullWindowOperator {
 public:
  MapPartitionOperator(Order order, F function, ConfigOption<MemorySize> memory)
      : order_(std::move(order)), function_(std::move(function)), memory_(memory) {}

 protected:
  std::shared_ptr<PartitionWork> makeWork(OperatorContext& context) override {
    auto work = std::make_shared<MapPartitionWork<T, Order, Out, F>>(
        spillPlace(context, this), spillPlace(context, &function_),
        context.configuration().get(memory_).bytes, order_, std::move(function_));
    work->open(context);
    return work;
  }
  BatchPool& resultPool(BatchPools& pools) const override { return rowsPool<Out>(pools); }

 private:
  const Order order_;
  F function_;
  const ConfigOption<MemorySize> memory_;
};

}  // namespace flott
