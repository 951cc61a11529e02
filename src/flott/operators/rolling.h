// Rolling aggregations of a keyed stream: one result for each record, its key's aggregate so far.
//
// Each works on a whole batch: the slots of all keys are prefetched, then updated one by one. Two forms:
// SumInPlace keeps only the number, for records that are nothing but key and number; Reduce keeps a record.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/state/typed_table.h"

namespace flott {

[[noreturn]] void throwSumOverflow(const std::string& sum, const std::string& added);

/// Integers that do not fit any more are an error, never a wrong number.
template <typename N>
N addChecked(N a, N b) {
  if constexpr (std::is_integral_v<N>) {
    N sum;
    if (__builtin_add_overflow(a, b, &sum)) [[unlikely]]
      throwSumOverflow(std::to_string(a), std::to_string(b));
    return sum;
  } else {
    return a + b;
  }
}

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
    table_.locate({hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
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

/// f(const T& soFar, const T& record) -> T; the first record of a key is its first result.
template <typename T, typename Selector, typename F>
class ReduceOperator final : public Operator {
  using K = typename Selector::Key;

 public:
  ReduceOperator(Selector selector, F function)
      : selector_(std::move(selector)), function_(std::move(function)) {}

  void open(OperatorContext& context) override {
    KeyedStateBackend& state = context.keyedState(typeOps<K>());
    table_ = state.template table<K, T>("reduced");
    openFunction(function_, context, &state);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<T>& rows = batch.rows<T>();
    const uint64_t* hashes = batch->hashes();
    table_.locate({hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
    forEachRow(rows, 0, [&](size_t i) {
      bool first = false;
      T& soFar = table_.findOrInsert(hashes[i], selector_(rows[i]), located_, i, [&](T& fresh) {
        fresh = rows[i];
        first = true;
      });
      if (first) return;
      soFar = function_(std::as_const(soFar), std::as_const(rows[i]));
      rows[i] = soFar;
    });
    batch->dropHashes();
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  Selector selector_;
  F function_;
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
    table_.locate({hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
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
