// Rows on their way to PostgreSQL: the text of each value, as the server reads it.
//
// A writer fills them on its task's thread, record by record; an off-load thread makes of each column an
// array, which is one parameter of the statement. What a C++ type becomes is decided in PostgresRow::add().
// One thread at a time.
//
//   PostgresRows rows(std::make_shared<std::vector<std::string>>(…));   // the columns: {"id", "name"}
//   rows.row().add(7).add("seven");
//   rows.endRow();
//   rows.array(1, all)   ->   {"seven"}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/data/describe.h"

namespace flott {

namespace postgres {

using reflect::FirstPart;
using reflect::kShape;

/// A point of the system's clock: microseconds since 1970 can be told.
template <typename T>
concept SystemTime = kShape<T>
== Shape::kChronoTimePoint&& std::is_integral_v<typename T::rep>&& requires { T::clock::to_time_t; };

template <typename T>
consteval bool isValue() {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::kOptional) {
    return kShape<FirstPart<T>> != Shape::kOptional && isValue<FirstPart<T>>();
  } else if constexpr (shape == Shape::kStrong) {
    return isValue<FirstPart<T>>();
  } else if constexpr (shape == Shape::kList) {
    return std::is_same_v<FirstPart<T>, uint8_t>;
  } else {
    return shape == Shape::kBool || shape == Shape::kInteger || shape == Shape::kFloat ||
           shape == Shape::kEnum || shape == Shape::kString || shape == Shape::kTimestamp || SystemTime<T>;
  }
}

/// Microseconds since 1970 from a count of units, rounded down.
int64_t microsOf(int64_t count, int64_t numerator, int64_t denominator);

}  // namespace postgres

/// What can be a value of a column: bool, integers, floating point, strings, Timestamp, time points of the
/// system's clock, bytes (std::vector<uint8_t>), enums (as their number), strong types and std::optional of
/// these.
template <typename T>
concept PostgresValue = postgres::isValue<T>();

class PostgresRows;

/// The row at hand: a value for each column, in their order.
class PostgresRow {
 public:
  template <PostgresValue T>
  PostgresRow& add(const T& value) {
    constexpr Shape shape = reflect::kShape<T>;
    if constexpr (shape == Shape::kOptional) {
      return value.has_value() ? add(*value) : addNull();
    } else if constexpr (shape == Shape::kStrong) {
      return add(value.value);
    } else if constexpr (shape == Shape::kList) {
      return addBytes(value.data(), value.size());
    } else if constexpr (shape == Shape::kEnum) {
      return add(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (shape == Shape::kBool) {
      return addText(value ? "t" : "f");
    } else if constexpr (shape == Shape::kInteger) {
      return addInteger(value);
    } else if constexpr (shape == Shape::kFloat) {
      return addFloat(value);
    } else if constexpr (shape == Shape::kString) {
      return addText(value);
    } else if constexpr (shape == Shape::kTimestamp) {
      return addTimestamp(value);
    } else {
      return addMicros(postgres::microsOf(value.time_since_epoch().count(), T::period::num, T::period::den));
    }
  }
  PostgresRow& add(std::string_view text) { return addText(text); }
  PostgresRow& add(const char* text) { return addText(text); }
  PostgresRow& addNull();
  /// Of any column type, in the form in which the server reads it: "{\"a\": 1}" for jsonb. Throws
  /// Error(kUser) when it holds a zero byte.
  PostgresRow& addText(std::string_view text);

 private:
  friend class PostgresRows;
  explicit PostgresRow(PostgresRows& rows) : rows_(&rows) {}

  template <typename I>
  PostgresRow& addInteger(I value) {
    if constexpr (std::is_signed_v<I>) {
      return addSigned(value);
    } else {
      return addUnsigned(value);
    }
  }
  PostgresRow& addSigned(int64_t value);
  PostgresRow& addUnsigned(uint64_t value);
  PostgresRow& addFloat(float value);
  PostgresRow& addFloat(double value);
  PostgresRow& addBytes(const uint8_t* bytes, size_t size);
  /// min() and max() are −infinity and infinity.
  PostgresRow& addTimestamp(Timestamp time);
  PostgresRow& addMicros(int64_t micros);
  PostgresRow& end();

  PostgresRows* rows_;
};

class PostgresRows {
 public:
  /// The columns' names.
  explicit PostgresRows(std::shared_ptr<const std::vector<std::string>> names)
      : names_(std::move(names)), columns_(names_->size()) {}

  /// Add a value for each column, then call endRow(), which throws Error(kUser) when it is not one for each.
  PostgresRow row() { return PostgresRow(*this); }
  void endRow();

  size_t size() const { return rows_; }
  bool empty() const { return rows_ == 0; }
  uint64_t bytes() const { return text_.size() + cells_.size() * sizeof(uint64_t); }

  /// Nothing for NULL.
  std::optional<std::string_view> value(size_t row, size_t column) const;
  /// The column's values in these rows, as an array in the server's text form.
  std::string array(size_t column, const std::vector<size_t>& rows) const;
  std::vector<size_t> allRows() const;
  /// Without those whose values in `keys` come again in a later row.
  std::vector<size_t> lastOfEach(const std::vector<size_t>& keys) const;
  /// "id="7", name="seven", price=NULL": for messages; long values are cut.
  std::string describe(size_t row) const;

 private:
  friend class PostgresRow;
  static constexpr uint64_t kNull = uint64_t{1} << 63;

  const std::shared_ptr<const std::vector<std::string>> names_;
  const size_t columns_;
  size_t rows_ = 0;
  std::string text_;
  std::vector<uint64_t> cells_;  // where the value's text ends; with kNull it has none
};

}  // namespace flott
