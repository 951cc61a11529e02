// Operators over columns: a filter that copies nothing, a projection, and the way back to records.
//
// Made for the plan by the API and the SQL planner; the operators run in a task as any other and take batches
// of Columns. An expression is bound to the columns when the first batch comes, and again only when a batch
// has other columns. Rows that a filter left out are never computed on, so that `x != 0`, then `10 / x` is
// safe.
//
//   env.fromSource(columnarParquet("trips"))
//       .transform<Columns>("Expensive", columnarFilter(col("price") > lit(10)))
//       .transform<Trip>("Trips", columnsToRows<Trip>())
//
//   auto totals = columnarProject({{"city", col("city")}, {"total", col("price") * col("amount")}});
#pragma once

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

template <typename T>
class ColumnsToRows final : public Operator {
 public:
  void open(OperatorContext& context) override { rows_.emplace("", context.pools()); }

  Step onBatch(int, Batch batch, Output& output) override {
    Columns& columns = columnsOf(batch);
    columns.compact();
    rows_->take(*columns.records(), before_);
    before_ += columns.size();
    return resume(output);
  }
  Step resume(Output& output) override {
    while (Batch batch = rows_->next()) {
      output.emit(std::move(batch));
      if (output.full()) return Step::kMore;
    }
    return Step::kDone;
  }

 private:
  std::optional<RowsOfColumns<T>> rows_;
  uint64_t before_ = 0;  // rows of earlier batches
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

/// Makes a T of each row, by the names of its fields. Throws Error(kUser) when a column is missing or does
/// not fit.
template <typename T>
std::shared_ptr<const OperatorFactory> columnsToRows() {
  return operatorFactory<ColumnsToRows<T>>();
}

}  // namespace flott
