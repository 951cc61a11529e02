// Columns as records of a user's struct, field by field.
//
// A column fits a field of the same name if each of its values does: integers may widen, float becomes
// double, times of any unit become milliseconds. Knows no C++ type, only the table of fields. One thread at a
// time.
//
//   TypedColumns typed(flatFields<Order>(), "in/a.parquet");
//   typed.take(*records, 0);
//   typed.fill(0, orders.size(), orders.data(), sizeof(Order));
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flott/formats/flat_record.h"

namespace flott {

/// Fills the fields of records from columns of the same names.
class TypedColumns {
 public:
  TypedColumns(std::vector<FlatField> fields, std::string file);
  ~TypedColumns();

  /// The columns of a batch come next. Throws Error(kUser) when a column is missing, its values do not fit
  /// into the field without loss, or a field that is not optional has no value; the row is counted from
  /// `firstRow`.
  void take(const arrow::RecordBatch& records, uint64_t rowsBefore);
  /// Fills `count` records, of the type that the fields describe and `size` bytes apart, from row `from` on.
  void fill(int64_t from, size_t count, void* records, size_t size) const;

 private:
  void takeColumn(const FlatField& field, const arrow::RecordBatch& records, uint64_t rowsBefore);

  const std::vector<FlatField> fields_;
  const std::string file_;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
};

}  // namespace flott
