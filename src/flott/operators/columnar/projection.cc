#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "flott/data/arrow_status.h"
#include "flott/operators/columnar/bound_expression.h"
#include "flott/operators/columnar/columnar.h"
#include "flott/operators/context.h"
#include "flott/operators/function.h"

namespace flott {
namespace {

class ColumnarProjection final : public Operator {
 public:
  explicit ColumnarProjection(const std::vector<ProjectedColumn>& columns) {
    for (const ProjectedColumn& column : columns) {
      names_.push_back(column.name);
      values_.emplace_back(column.value);
    }
  }

  void open(OperatorContext& context) override {
    check(arrow::compute::Initialize(), "preparing Arrow's functions");
    pool_ = &columnsPool(context.pools());
  }

  Step onBatch(int, Batch batch, Output& output) override {
    Columns& in = columnsOf(batch);
    bind(in);
    arrow::ArrayVector arrays;
    const bool plain = std::all_of(values_.begin(), values_.end(),
                                   [](const auto& value) { return value.plainColumn() >= 0; });
    for (const columnar::BoundExpression& value : values_) {
      const bool asItIs = plain || (value.plainColumn() >= 0 && in.selection() == nullptr);
      arrays.push_back(asItIs ? in.records()->column(value.plainColumn()) : value.evaluate(in));
    }
    const int64_t rows = plain ? in.records()->num_rows() : static_cast<int64_t>(in.size());
    Batch result = pool_->acquire();
    Columns& out = columnsOf(result);
    out.assign(arrow::RecordBatch::Make(projected_, rows, std::move(arrays)));
    if (plain && in.selection() != nullptr) out.select(*in.selection());
    if (!time_.empty()) out.setTimeColumn(time_);
    if (!weight_.empty()) out.setWeightColumn(weight_);
    output.emit(std::move(result));
    return Step::kDone;
  }

 private:
  void bind(const Columns& in) {
    const std::shared_ptr<arrow::Schema>& schema = in.records()->schema();
    const bool known = schema_ != nullptr && (schema == schema_ || schema->Equals(*schema_)) &&
                       in.timeColumn() == timeBefore_ && in.weightColumn() == weightBefore_;
    if (known) return;
    arrow::FieldVector fields;
    for (size_t i = 0; i < values_.size(); ++i) {
      values_[i].bind(*schema);
      const int column = values_[i].plainColumn();
      const bool nullable = column < 0 || schema->field(column)->nullable();
      fields.push_back(arrow::field(names_[i], values_[i].type(), nullable));
    }
    projected_ = arrow::schema(std::move(fields));
    time_ = newName(*schema, in.timeColumn());
    weight_ = newName(*schema, in.weightColumn());
    if (weight_.empty() && !in.weightColumn().empty()) {
      throw Error(ErrorKind::kUser, "a projection of a changelog must keep its weight column '" +
                                        in.weightColumn() + "': add it to the columns");
    }
    schema_ = schema;
    timeBefore_ = in.timeColumn();
    weightBefore_ = in.weightColumn();
  }

  // Empty when the projection drops the column.
  std::string newName(const arrow::Schema& schema, const std::string& name) const {
    if (name.empty()) return {};
    const int index = columnIndex(schema, name);
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].plainColumn() == index) return names_[i];
    }
    return {};
  }

  std::vector<std::string> names_;
  std::vector<columnar::BoundExpression> values_;
  BatchPool* pool_ = nullptr;
  std::shared_ptr<arrow::Schema> schema_;  // of the input
  std::string timeBefore_;
  std::string weightBefore_;
  std::shared_ptr<arrow::Schema> projected_;
  std::string time_;
  std::string weight_;
};

}  // namespace

std::shared_ptr<const OperatorFactory> columnarProject(std::vector<ProjectedColumn> columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (columns[i].name != columns[j].name) continue;
      throw Error(ErrorKind::kUser,
                  "a projection has two columns '" + columns[i].name + "': give one of them another name");
    }
  }
  return operatorFactory<ColumnarProjection>(std::move(columns));
}

}  // namespace flott
