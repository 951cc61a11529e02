#include "flott/operators/columnar/expression.h"

#include <arrow/compute/expression.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

namespace flott {
namespace {

ColumnExpression wrap(arrow::compute::Expression expression) {
  return ColumnExpression(std::make_shared<const arrow::compute::Expression>(std::move(expression)));
}

ColumnExpression literal(std::shared_ptr<arrow::Scalar> value) {
  return wrap(arrow::compute::literal(arrow::Datum(std::move(value))));
}

}  // namespace

std::string ColumnExpression::toString() const { return expression_->ToString(); }

ColumnExpression col(const std::string& name) { return wrap(arrow::compute::field_ref(name)); }

ColumnExpression lit(bool value) { return literal(arrow::MakeScalar(value)); }
ColumnExpression lit(int64_t value) { return literal(arrow::MakeScalar(value)); }
ColumnExpression lit(double value) { return literal(arrow::MakeScalar(value)); }
ColumnExpression lit(const std::string& value) { return literal(arrow::MakeScalar(value)); }
ColumnExpression lit(Timestamp value) {
  return literal(
      std::make_shared<arrow::TimestampScalar>(value.ms, arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")));
}

ColumnExpression columnFunction(const std::string& function, const std::vector<ColumnExpression>& arguments) {
  std::vector<arrow::compute::Expression> inner;
  inner.reserve(arguments.size());
  for (const ColumnExpression& argument : arguments) inner.push_back(argument.arrow());
  return wrap(arrow::compute::call(function, std::move(inner)));
}

ColumnExpression operator==(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("equal", {a, b});
}
ColumnExpression operator!=(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("not_equal", {a, b});
}
ColumnExpression operator<(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("less", {a, b});
}
ColumnExpression operator<=(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("less_equal", {a, b});
}
ColumnExpression operator>(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("greater", {a, b});
}
ColumnExpression operator>=(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("greater_equal", {a, b});
}
ColumnExpression operator&&(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("and_kleene", {a, b});
}
ColumnExpression operator||(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("or_kleene", {a, b});
}
ColumnExpression operator!(const ColumnExpression& a) { return columnFunction("invert", {a}); }
ColumnExpression operator+(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("add_checked", {a, b});
}
ColumnExpression operator-(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("subtract_checked", {a, b});
}
ColumnExpression operator*(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("multiply_checked", {a, b});
}
ColumnExpression operator/(const ColumnExpression& a, const ColumnExpression& b) {
  return columnFunction("divide_checked", {a, b});
}
ColumnExpression isNull(const ColumnExpression& a) { return columnFunction("is_null", {a}); }

}  // namespace flott
