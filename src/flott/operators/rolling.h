// Rolling aggregations of a keyed stream: one result for each record, its key's aggregate so far.
//
// Each works on a whole batch: the slots of all keys are prefetched, then updated one by one. Two forms:
// SumInPlace keeps only the number, for records that are nothing but key and number; Reduce keeps a record.
#pragma once

#include <utility>

#include "flott/operators/folds.h"
#include "flott/operators/key_selector.h"
#include "flott/state/typed_table.h"

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
    Rows<T>& rows = batch.rows<T>();
    const uint64_t* hashes = batch->hashes();
    table_.locate(
        {hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
    forEachRow(rows, 0, [&](size_t i) {
      T& row = rows[i];
      N& sum = table_.findOrInsert(hashes[i], selector_(row), located_, i);
      row.*member_ = sum = addChecked(sum, row.*member_);
    });
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  Selector selector_;
  N T::*member_;
  TypedTable<K, N> table_;
  Located located_;
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
    Rows<T>& rows = batch.rows<T>();
    const uint64_t* hashes = batch->hashes();
    table_.locate(
        {hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
    forEachRow(rows, 0, [&](size_t i) {
      bool first = false;
      T& soFar = table_.findOrInsert(hashes[i], selector_(rows[i]), located_, i, [&](T& fresh) {
        fresh = rows[i];
        first = true;
      });
      if (first) return;
      fold_(soFar, std::as_const(rows[i]));
      rows[i] = soFar;
    });
    batch->dropHashes();
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  Selector selector_;
  Fold fold_;
  TypedTable<K, T> table_;
  Located located_;
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
    const uint64_t* hashes = batch->hashes();
    table_.locate(
        {hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
    Batch result = pool_->acquire();
    Rows<Out>& out = result.rows<Out>();
    out.reserve(rows.size());
    forEachRow(rows, 0, [&](size_t i) {
      Acc& accumulator = table_.findOrInsert(hashes[i], selector_(rows[i]), located_, i,
                                             [&](Acc& fresh) { fresh = function_.createAccumulator(); });
      function_.add(std::as_const(rows[i]), accumulator);
      out.emplace(function_.getResult(std::as_const(accumulator)));
    });
    out.takeTimestamps(rows);
    output.emit(std::move(result));
    return Step::kDone;
  }

 private:
  Selector selector_;
  F function_;
  TypedTable<K, Acc> table_;
  Located located_;
  BatchPool* pool_ = nullptr;
};

}  // namespace flott
