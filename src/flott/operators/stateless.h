// Operators without state: map, filter, flat map.
//
// Each is one loop over the batch around the user's function. Where the record type stays the same the batch
// is changed in place and handed on.
#pragma once

#include <cstring>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"

namespace flott {

template <typename In, typename Out, typename F>
class MapOperator final : public Operator {
 public:
  explicit MapOperator(F function) : function_(std::move(function)) {}

  void open(OperatorContext& context) override {
    pool_ = &rowsPool<Out>(context.pools());
    openFunction(function_, context);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<In>& in = batch.rows<In>();
    if constexpr (std::is_same_v<In, Out> && std::is_move_assignable_v<Out>) {
      forEachRow(in, 0, [&](size_t i) { in[i] = function_(std::as_const(in[i])); });
      batch->dropHashes();
      output.emit(std::move(batch));
    } else {
      Batch result = pool_->acquire();
      Rows<Out>& out = result.rows<Out>();
      out.reserve(in.size());
      forEachRow(in, 0, [&](size_t i) { out.emplace(function_(std::as_const(in[i]))); });
      out.takeTimestamps(in);
      output.emit(std::move(result));
    }
    return Step::kDone;
  }

 private:
  F function_;
  BatchPool* pool_ = nullptr;
};

template <typename T, typename F>
class FilterOperator final : public Operator {
 public:
  explicit FilterOperator(F function) : function_(std::move(function)) {}

  void open(OperatorContext& context) override { openFunction(function_, context); }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int, Batch batch, Output& output) override {
    Rows<T>& rows = batch.rows<T>();
    int64_t* timestamps = rows.hasTimestamps() ? rows.timestamps() : nullptr;
    size_t kept = 0;
    forEachRow(rows, 0, [&](size_t i) {
      const bool keep = function_(std::as_const(rows[i]));
      if constexpr (std::is_trivially_copyable_v<T> && sizeof(T) <= 64) {
        rows[kept] = rows[i];  // without a branch: the predicate is hard to predict
        if (timestamps != nullptr) timestamps[kept] = timestamps[i];
        kept += keep ? 1 : 0;
      } else if (keep) {
        if (kept != i) {
          rows[kept] = std::move(rows[i]);
          if (timestamps != nullptr) timestamps[kept] = timestamps[i];
        }
        ++kept;
      }
    });
    rows.truncate(kept);
    rows.dropHashes();
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  F function_;
};

template <typename In, typename Out, typename F>
class FlatMapOperator final : public Operator {
 public:
  explicit FlatMapOperator(F function) : function_(std::move(function)) {}

  void open(OperatorContext& context) override {
    collector_.open(context.pools());
    openFunction(function_, context);
  }
  void close() noexcept override { closeFunction(function_); }

  Step onBatch(int, Batch batch, Output& output) override {
    batch_ = std::move(batch);
    next_ = 0;
    return resume(output);
  }

  Step resume(Output& output) override {
    Rows<In>& in = batch_.rows<In>();
    const bool stamped = in.hasTimestamps();
    collector_.start(output, stamped);
    collector_.clearFull();
    next_ = forEachRow(in, next_, [&](size_t i) {
      if (stamped) collector_.setTimestamp(in.timestamps()[i]);
      function_(std::as_const(in[i]), collector_);
      return !collector_.full();
    });
    if (next_ < in.size()) return Step::kMore;
    collector_.flush();
    batch_.reset();
    return Step::kDone;
  }

 private:
  F function_;
  Collector<Out> collector_;
  Batch batch_;
  size_t next_ = 0;
};

}  // namespace flott
