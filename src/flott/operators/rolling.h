// Rolling aggregations of a keyed stream: one result for each record, its key's aggregate so far.
//
// Two of them turn the batch into the result in place: SumInPlace keeps only the number, for records that are
// nothing but key and number; Reduce keeps a record.
#pragma once

#include <utility>

#include "flott/operators/folds.h"
#include "flott/operators/keyed_update.h"

namespace flott {

/// Sum of one member where the record consists of the key and that member only: the state is the number, and
/// the batch is turned into the result in place.
template <typename T, typename Selector, typename N>
class SumInPlaceOperator final : public Operator {
  using K = typename Selector::Key;

 public:
  SumInPlaceOperator(Selector selector, N T::*member) : selector_(std::move(selector)), member_(member) {}

  void open(OperatorContext& context) override {
    table_ = context.keyedState(typeOps<K>()).template table<K, N>("sum");
  }

  Step onBatch(int, Batch batch, Output& output) override {
    updateByKey(
        table_, batch.rows<T>(), selector_, [this](T& row, N& sum) { sum = row.*member_; },
        [this](T& row, N& sum) { row.*member_ = sum = addChecked(sum, row.*member_); });
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  Selector selector_;
  N T::*member_;
  TypedTable<K, N> table_;
};

/// A fold (folds.h) over the records of each key.
template <typename T, typename Selector, typename Fold>
class ReduceOperator final : public Operator {
  using K = typename Selector::Key;

 public:
  ReduceOperator(Selector selector, Fold fold) : selector_(std::move(selector)), fold_(std::move(fold)) {}

  void open(OperatorContext& context) override {
    KeyedStateBackend& state = context.keyedState(typeOps<K>());
    table_ = state.template table<K, T>("reduced");
    openFunction(fold_, context, &state);
  }
  void close() noexcept override { closeFunction(fold_); }

  Step onBatch(int, Batch batch, Output& output) override {
    updateByKey(
        table_, batch.rows<T>(), selector_, [](T& row, T& fresh) { fresh = row; },
        [this](T& row, T& soFar) {
          fold_(soFar, std::as_const(row));
          row = soFar;
        });
    batch->dropHashes();
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  Selector selector_;
  Fold fold_;
  TypedTable<K, T> table_;
};

/// An aggregate function with createAccumulator(), add(record, accumulator), getResult(accumulator).
template <typename T, typename Selector, typename F, typename Acc, typename Out>
class AggregateOperator final : public Operator {
  using K = typename Selector::Key;

 public:
  AggregateOperator(Selector selector, F function)
      : selector_(std::move(selector)), function_(std::move(function)) {}

  void open(OperatorContext& context) override {
    KeyedStateBackend& state = context.keyedState(typeOps<K>());
    table_ = state.template table<K, Acc>("aggregated");
    pool_ = &rowsPool<Out>(context.pools());
    openFunction(function_, context, &state);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<T>& rows = batch.rows<T>();
    Batch result = pool_->acquire();
    Rows<Out>& out = result.rows<Out>();
    out.reserve(rows.size());
    const auto add = [&](T& row, Acc& accumulator) {
      function_.add(std::as_const(row), accumulator);
      out.emplace(function_.getResult(std::as_const(accumulator)));
    };
    updateByKey(
        table_, rows, selector_,
        [&](T& row, Acc& fresh) {
          fresh = function_.createAccumulator();
          add(row, fresh);
        },
        add);
    out.takeTimestamps(rows);
    output.emit(std::move(result));
    return Step::kDone;
  }

 private:
  Selector selector_;
  F function_;
  TypedTable<K, Acc> table_;
  BatchPool* pool_ = nullptr;
};

}  // namespace flott
