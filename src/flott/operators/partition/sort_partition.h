// sortPartition: all records of a partition, or of each key, in order.
#pragma once

#include <memory>
#include <utility>

#include "flott/base/config.h"
#include "flott/base/memory_size.h"
#include "flott/data/rows.h"
#include "flott/operators/partition/full_window_operator.h"
#include "flott/state/spill/external_sorter.h"
#include "flott/state/spill/record_order.h"

namespace flott {

/// Moves records from a sorter into batches; false when the sorter is at its end.
template <typename T, typename Order>
bool fillFrom(ExternalSorter<T, Order>& sorter, Rows<T>& rows) {
  while (!rows.full()) {
    T* record = sorter.next();
    if (record == nullptr) return false;
    rows.emplace(std::move(*record));
  }
  return true;
}

template <typename T, typename Order>
class SortWork final : public PartitionWork {
 public:
  SortWork(SpillPlace place, uint64_t memory, Order order)
      : sorter_(std::move(place), memory, std::move(order)) {}

  void add(Batch batch) override {
    for (T& record : batch.rows<T>()) sorter_.add(std::move(record));
  }
  bool full() const override { return sorter_.full(); }
  void spill() override { sorter_.spill(); }
  void finish() override { sorter_.finish(); }
  void fill() override {
    for (Batch& batch : results) {
      if (!fillFrom(sorter_, batch.rows<T>())) return;
    }
  }
  uint64_t spilledBytes() const override { return sorter_.spilledBytes(); }

 private:
  ExternalSorter<T, Order> sorter_;
};

/// `memory` names the option of its size.
template <typename T, typename Order>
class SortPartitionOperator final : public FullWindowOperator {
 public:
  SortPartitionOperator(Order order, ConfigOption<MemorySize> memory)
      : order_(std::move(order)), memory_(memory) {}

 protected:
  std::shared_ptr<PartitionWork> makeWork(OperatorContext& context) override {
    return std::make_shared<SortWork<T, Order>>(spillPlace(context, this),
                                                context.configuration().get(memory_).bytes, order_);
  }
  BatchPool& resultPool(BatchPools& pools) const override { return rowsPool<T>(pools); }

 private:
  const Order order_;
  const ConfigOption<MemorySize> memory_;
};

}  // namespace flott
