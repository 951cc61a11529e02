// A column expression made ready for batches of one schema. Private to the columnar operators; one operator's
// own.
#pragma once

#include <arrow/compute/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "flott/data/columns.h"
#include "flott/operators/columnar/expression.h"

namespace flott::columnar {

class BoundExpression {
 public:
  explicit BoundExpression(ColumnExpression expression)
      : expression_(std::move(expression)), what_("expression " + expression_.toString()) {}

  /// Throws Error(kUser) when a column is missing or a type does not fit.
  void bind(const arrow::Schema& schema);
  std::shared_ptr<arrow::DataType> type() const;
  /// Index of the column that the expression merely names; -1 when it computes something.
  int plainColumn() const { return plainColumn_; }
  /// A value for each record of the batch, which has columns as those of bind().
  std::shared_ptr<arrow::Array> evaluate(const Columns& columns) const;

 private:
  ColumnExpression expression_;
  std::string what_;                                   // for errors
  std::shared_ptr<arrow::compute::Expression> bound_;  // to the columns it uses
  std::vector<int> used_;
  int plainColumn_ = -1;
};

}  // namespace flott::columnar
