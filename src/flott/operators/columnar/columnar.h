// Operators over columns: a filter that copies nothing, a projection, and the way back to records.
//
// Made for the plan by the API and the SQL planner; the operators run in a task as any other and take batches
// of Columns. An expression is bound to the columns when the first batch comes, and again only when a batch
// has other columns. Rows that a filter left out are never computed on, so that `x != 0`, then `10 / x` is
// safe.
//
//   auto totals = columnarProject({{"city", col("city")}, {"total", col("price") * col("amount")}});
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/data/columns.h"
#include "flott/data/typed_columns.h"
#include "flott/operators/columnar/expression.h"
#include "flott/operators/function.h"

namespace flott {

/// The event times of a batch of columns as milliseconds. Throws Error(kUser) when there is no such column,
/// when it is neither a time nor int64 milliseconds, or when a row has none; rows are counted from
/// `rowsBefore`.
std::vector<int64_t> eventTimesOf(const Columns& columns, const std::string& column, uint64_t rowsBefore);

template <typename T>
class ColumnsToRows final : public Operator {
 public:
  explicit ColumnsToRows(std::string timeColumn) : timeColumn_(std::move(timeColumn)) {}

  void open(OperatorContext& context) override { rows_.emplace("", context.pools()); }

  Step onBatch(int, Batch batch, Output& output) override {
    Columns& columns = columnsOf(batch);
    columns.compact();
    rows_->take(*columns.records(), before_);
    const std::string& time = timeColumn_.empty() ? columns.timeColumn() : timeColumn_;
    stamped_ = !time.empty();
    if (stamped_) times_ = eventTimesOf(columns, time, before_);
    given_ = 0;
    before_ += columns.size();
    return resume(output);
  }
  Step resume(Output& output) override {
    while (Batch batch = rows_->next()) {
      const size_t count = batch.size();
      if (stamped_) std::copy_n(times_.data() + given_, count, batch->enableTimestamps());
      given_ += count;
      output.emit(std::move(batch));
      if (output.full()) return Step::kMore;
    }
    return Step::kDone;
  }

 private:
  const std::string timeColumn_;
  std::optional<RowsOfColumns<T>> rows_;
  uint64_t before_ = 0;  // rows of earlier batches
  bool stamped_ = false;
  std::vector<int64_t> times_;  // of the batch at hand
  size_t given_ = 0;            // rows of it that are out
};

/// Keeps the rows for which `predicate` is true (not false, not null), by a selection vector.
std::shared_ptr<const OperatorFactory> columnarFilter(ColumnExpression predicate);

struct ProjectedColumn {
  std::string name;
  ColumnExpression value;
};

/// Makes rows of these columns, in this order. A plain col() is passed on without a copy, and stays the time
/// or weight column if it was. Throws Error(kUser) when two columns have one name.
std::shared_ptr<const OperatorFactory> columnarProject(std::vector<ProjectedColumn> columns);

/// Makes rows of all columns that there are and of these: one with the name of another takes its place.
std::shared_ptr<const OperatorFactory> columnarWith(std::vector<ProjectedColumn> columns);

/// Makes a T of each row, by the names of its fields. `timeColumn` gives the records their timestamps, or,
/// when it is empty, the time column of the batches if they have one. Throws Error(kUser) when a column is
/// missing or does not fit.
template <typename T>
std::shared_ptr<const OperatorFactory> columnsToRows(std::string timeColumn = {}) {
  return operatorFactory<ColumnsToRows<T>>(std::move(timeColumn));
}

}  // namespace flott
