// Operators over columns: a filter that copies nothing, and a projection.
//
// Made for the plan by the API and the SQL planner; the operators run in a task as any other and take batches
// of Columns. An expression is bound to the columns when the first batch comes, and again only when a batch
// has other columns. Rows that a filter left out are never computed on, so that `x != 0`, then `10 / x` is
// safe.
//
//   auto expensive = columnarFilter(col("price") > lit(10));
//   auto totals = columnarProject({{"city", col("city")}, {"total", col("price") * col("amount")}});
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flott/operators/columnar/expression.h"
#include "flott/operators/operator.h"

namespace flott {

/// Keeps the rows for which `predicate` is true (not false, not null), by a selection vector.
std::shared_ptr<const OperatorFactory> columnarFilter(ColumnExpression predicate);

struct ProjectedColumn {
  std::string name;
  ColumnExpression value;
};

/// Makes rows of these columns, in this order. A plain col() is passed on without a copy, and stays the time
/// or weight column if it was. Throws Error(kUser) when two columns have one name.
std::shared_ptr<const OperatorFactory> columnarProject(std::vector<ProjectedColumn> columns);

}  // namespace flott
