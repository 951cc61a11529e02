#include "flott/operators/columnar/bound_expression.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "flott/data/arrow_status.h"

namespace flott::columnar {

void BoundExpression::bind(const arrow::Schema& schema) {
  used_.clear();
  arrow::FieldVector fields;
  for (const arrow::FieldRef& field : arrow::compute::FieldsInExpression(expression_.arrow())) {
    const int index = columnIndex(schema, *field.name());
    if (std::find(used_.begin(), used_.end(), index) != used_.end()) continue;
    used_.push_back(index);
    fields.push_back(schema.field(index));
  }
  plainColumn_ = expression_.arrow().field_ref() != nullptr ? used_.front() : -1;
  bound_ = std::make_shared<arrow::compute::Expression>(
      valueOf(expression_.arrow().Bind(arrow::Schema(std::move(fields))), what_));
}

std::shared_ptr<arrow::DataType> BoundExpression::type() const { return bound_->type()->GetSharedPtr(); }

std::shared_ptr<arrow::Array> BoundExpression::evaluate(const Columns& columns) const {
  std::shared_ptr<arrow::RecordBatch> input = valueOf(columns.records()->SelectColumns(used_), what_);
  const auto size = static_cast<int64_t>(columns.size());
  arrow::Datum result;
  if (const std::vector<uint32_t>* selection = columns.selection()) {
    Columns selected;
    selected.assign(std::move(input));
    selected.select(*selection);
    selected.compact();
    input = selected.records();
  }
  arrow::compute::ExecBatch batch(*input);
  batch.length = size;
  result = valueOf(arrow::compute::ExecuteScalarExpression(*bound_, batch), what_);
  if (result.is_scalar()) return valueOf(arrow::MakeArrayFromScalar(*result.scalar(), size), what_);
  return result.make_array();
}

}  // namespace flott::columnar
