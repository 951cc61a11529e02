// reduce and aggregate over a full window: one result for a partition, or for each key, at the end of the
// input.
//
// Only accumulators are kept: one, or one for each key in the state backend. What is accumulated is one of
// operators/window/accumulations.h. Results have no timestamps; the watermark waits until they are out.
#pragma once

#include <optional>
#include <utility>

#include "flott/operators/collector.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/window/accumulations.h"
#include "flott/state/keyed_backend.h"

namespace flott {

/// A partition without records has no result.
template <typename T, typename Accumulation, typename Out>
class FoldPartitionOperator final : public Operator {
  using Acc = typename Accumulation::Acc;

 public:
  static constexpr std::string_view kRefusesCheckpoints =
      "it keeps what it has aggregated outside of state until the input has ended";

  explicit FoldPartitionOperator(Accumulation accumulation) : accumulation_(std::move(accumulation)) {}

  void open(OperatorContext& context) override {
    pool_ = &rowsPool<Out>(context.pools());
    openFunction(accumulation_, context);
  }
  void close() noexcept override { closeFunction(accumulation_); }

  Step onBatch(int, Batch batch, Output&) override {
    const Rows<T>& rows = batch.rows<T>();
    forEachRow(rows, 0, [&](size_t i) {
      if (acc_.has_value()) {
        accumulation_.add(rows[i], *acc_);
      } else {
        accumulation_.start(rows[i], acc_.emplace());
      }
    });
    return Step::kDone;
  }
  Step onEventTime(Watermark watermark, Output&) override {
    held_ = watermark;
    return Step::kDone;
  }
  Step onEndOfInput(int, Output& output) override {
    if (acc_.has_value()) {
      Batch result = pool_->acquire();
      result.rows<Out>().emplace(accumulation_.result(NoKey(), *acc_));
      output.emit(std::move(result));
    }
    if (held_.time != Timestamp::min()) output.emitWatermark(held_);
    return Step::kDone;
  }

 private:
  Accumulation accumulation_;
  std::optional<Acc> acc_;
  BatchPool* pool_ = nullptr;
  Watermark held_;
};

template <typename T, typename Selector, typename Accumulation, typename Out>
class KeyedFoldPartitionOperator final : public Operator {
  using K = typename Selector::Key;
  using Acc = typename Accumulation::Acc;

 public:
  KeyedFoldPartitionOperator(Selector selector, Accumulation accumulation)
      : selector_(std::move(selector)), accumulation_(std::move(accumulation)) {}

  void open(OperatorContext& context) override {
    table_ = context.keyedState(typeOps<K>()).template table<K, Acc>("full-window");
    collector_.open(context.pools());
    openFunction(accumulation_, context);
  }
  void close() noexcept override { closeFunction(accumulation_); }

  Step onBatch(int, Batch batch, Output&) override {
    const Rows<T>& rows = batch.rows<T>();
    const uint64_t* hashes = batch->hashes();
    table_.locate(
        {hashes, rows.size()}, [&](size_t i) -> decltype(auto) { return selector_(rows[i]); }, located_);
    forEachRow(rows, 0, [&](size_t i) {
      bool first = false;
      Acc& acc = table_.findOrInsert(hashes[i], selector_(rows[i]), located_, i, [&](Acc& fresh) {
        accumulation_.start(rows[i], fresh);
        first = true;
      });
      if (!first) accumulation_.add(rows[i], acc);
    });
    return Step::kDone;
  }
  Step onEventTime(Watermark watermark, Output&) override {
    held_ = watermark;
    return Step::kDone;
  }
  Step onEndOfInput(int, Output& output) override { return resume(output); }

  Step resume(Output& output) override {
    collector_.start(output, false);
    collector_.clearFull();
    StateTable::Entry entry;
    while (table_.untyped().next(cursor_, entry)) {
      collector_.collect(accumulation_.result(*static_cast<const K*>(entry.key),
                                              std::as_const(*reinterpret_cast<const Acc*>(entry.value))));
      if (collector_.full()) return Step::kMore;
    }
    collector_.flush();
    if (held_.time != Timestamp::min()) output.emitWatermark(held_);
    return Step::kDone;
  }

 private:
  Selector selector_;
  Accumulation accumulation_;
  TypedTable<K, Acc> table_;
  Located located_;
  Collector<Out> collector_;
  StateTable::Cursor cursor_;
  Watermark held_;
};

}  // namespace flott
