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

/// What becomes of columns that are not named.
enum class OtherColumns : uint8_t {
  kDropped,
  kKept,  // those that are there come first; a named one among them takes its place
};

class ColumnarProjection final : public Operator {
 public:
  ColumnarProjection(std::vector<ProjectedColumn> columns, OtherColumns others)
      : columns_(std::move(columns)), others_(others) {}

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
    names_.clear();
    values_.clear();
    for (const ProjectedColumn& column : allColumns(*schema)) {
      names_.push_back(column.name);
      values_.emplace_back(column.value);
    }
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

  std::vector<ProjectedColumn> allColumns(const arrow::Schema& schema) const {
    if (others_ == OtherColumns::kDropped) return columns_;
    std::vector<ProjectedColumn> all;
    for (const auto& field : schema.fields()) all.push_back({field->name(), col(field->name())});
    for (const ProjectedColumn& column : columns_) {
      const auto at = std::find_if(all.begin(), all.end(),
                                   [&](const ProjectedColumn& other) { return other.name == column.name; });
      if (at == all.end()) {
        all.push_back(column);
      } else {
        *at = column;
      }
    }
    return all;
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

  const std::vector<ProjectedColumn> columns_;
  const OtherColumns others_;
  // As bound:
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

void checkNames(const std::vector<ProjectedColumn>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (columns[i].name != columns[j].name) continue;
      throw Error(ErrorKind::kUser,
                  "a projection has two columns '" + columns[i].name + "': give one of them another name");
    }
  }
}

}  // namespace

std::shared_ptr<const OperatorFactory> columnarProject(std::vector<ProjectedColumn> columns) {
  checkNames(columns);
  return operatorFactory<ColumnarProjection>(std::move(columns), OtherColumns::kDropped);
}

std::shared_ptr<const OperatorFactory> columnarWith(std::vector<ProjectedColumn> columns) {
  checkNames(columns);
  return operatorFactory<ColumnarProjection>(std::move(columns), OtherColumns::kKept);
}

}  // namespace flott
