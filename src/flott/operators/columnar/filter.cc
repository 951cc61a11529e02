#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "flott/data/arrow_status.h"
#include "flott/operators/columnar/bound_expression.h"
#include "flott/operators/columnar/columnar.h"
#include "flott/operators/function.h"

namespace flott {
namespace {

class ColumnarFilter final : public Operator {
 public:
  explicit ColumnarFilter(ColumnExpression predicate) : predicate_(std::move(predicate)) {}

  // Idempotent and safe from any thread: Arrow registers its functions once.
  void open(OperatorContext&) override { check(arrow::compute::Initialize(), "preparing Arrow's functions"); }

  Step onBatch(int, Batch batch, Output& output) override {
    Columns& columns = columnsOf(batch);
    bind(columns.records()->schema());
    const std::shared_ptr<arrow::Array> verdict = predicate_.evaluate(columns);
    std::vector<uint32_t> kept = trueRows(static_cast<const arrow::BooleanArray&>(*verdict), columns);
    if (kept.size() < columns.size()) {
      columns.dropHashes();
      columns.select(std::move(kept));
    }
    output.emit(std::move(batch));
    return Step::kDone;
  }

 private:
  void bind(const std::shared_ptr<arrow::Schema>& schema) {
    if (schema_ != nullptr && (schema == schema_ || schema->Equals(*schema_))) return;
    predicate_.bind(*schema);
    if (predicate_.type()->id() != arrow::Type::BOOL) {
      throw Error(ErrorKind::kUser, "a filter needs a condition, but its expression is " +
                                        predicate_.type()->ToString() +
                                        ": compare it with something, as in col(\"price\") > lit(10)");
    }
    schema_ = schema;
  }

  // Writes every row and moves on only behind true ones: no branch to mispredict.
  static std::vector<uint32_t> trueRows(const arrow::BooleanArray& verdict, const Columns& columns) {
    const std::vector<uint32_t>* selection = columns.selection();
    std::vector<uint32_t> rows(columns.size());
    size_t kept = 0;
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      rows[kept] = selection != nullptr ? (*selection)[i] : static_cast<uint32_t>(i);
      kept += verdict.IsValid(at) && verdict.Value(at) ? 1 : 0;
    }
    rows.resize(kept);
    return rows;
  }

  columnar::BoundExpression predicate_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

std::shared_ptr<const OperatorFactory> columnarFilter(ColumnExpression predicate) {
  return operatorFactory<ColumnarFilter>(std::move(predicate));
}

}  // namespace flott
