// What a columnar operator computes: a column, a constant, or a function of others.
//
// A thin value around an Arrow compute expression, so that users and the SQL planner can build one without
// Arrow's headers. It knows no schema: names and types are checked when the first batch comes. Arithmetic
// that overflows and division by zero fail the job; comparisons with null give null, and a filter drops those
// rows. Any thread.
//
//   col("price") * col("amount") > lit(1000) && col("city") == lit("Aachen")
#pragma once

#include <arrow/compute/type_fwd.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"

namespace flott {

class ColumnExpression {
 public:
  explicit ColumnExpression(std::shared_ptr<const arrow::compute::Expression> expression)
      : expression_(std::move(expression)) {}

  const arrow::compute::Expression& arrow() const { return *expression_; }
  /// As Arrow writes it: "(price > 10)".
  std::string toString() const;

 private:
  std::shared_ptr<const arrow::compute::Expression> expression_;
};

ColumnExpression col(const std::string& name);

ColumnExpression lit(bool value);
ColumnExpression lit(int64_t value);
ColumnExpression lit(double value);
ColumnExpression lit(const std::string& value);
ColumnExpression lit(Timestamp value);
inline ColumnExpression lit(const char* value) { return lit(std::string(value)); }
ColumnExpression lit(std::integral auto value) { return lit(static_cast<int64_t>(value)); }

/// One of Arrow's scalar functions by its name: columnFunction("utf8_upper", {col("city")}). Unknown names
/// and wrong types are an Error(kUser) at the first batch.
ColumnExpression columnFunction(const std::string& function, const std::vector<ColumnExpression>& arguments);

ColumnExpression operator==(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator!=(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator<(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator<=(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator>(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator>=(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator&&(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator||(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator!(const ColumnExpression& a);
ColumnExpression operator+(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator-(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator*(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression operator/(const ColumnExpression& a, const ColumnExpression& b);
ColumnExpression isNull(const ColumnExpression& a);

}  // namespace flott
