// A function as the end of a columnar stream: called with each batch of columns as an Arrow record batch.
#pragma once

#include <utility>

#include "flott/data/columns.h"
#include "flott/operators/function.h"

namespace flott {

template <typename F>
class ColumnsSink final : public Operator {
 public:
  explicit ColumnsSink(F function) : function_(std::move(function)) {}

  void open(OperatorContext& context) override { openFunction(function_, context); }
  void close() noexcept override { closeFunction(function_); }
  Step onBatch(int, Batch batch, Output&) override {
    Columns& columns = columnsOf(batch);
    columns.compact();
    function_(std::as_const(*columns.records()));
    return Step::kDone;
  }

 private:
  F function_;
};

}  // namespace flott
