// Columns as records of a user's struct, field by field.
//
// A column fits a field of the same name if each of its values does: integers may widen, float becomes
// double, times of any unit become milliseconds. Knows no C++ type, only the table of fields. One thread at a
// time.
//
//   RowsOfColumns<Order> orders("file 'in/a.parquet'", pools);
//   orders.take(*records, 0);
//   while (Batch batch = orders.next()) output.emit(std::move(batch));
#pragma once

#include <arrow/type_fwd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/data/flat_record.h"
#include "flott/data/rows.h"

namespace flott {

/// Fills the fields of records from columns of the same names.
class TypedColumns {
 public:
  /// `origin` stands before errors: "file 'a.parquet'". May be empty.
  TypedColumns(std::vector<FlatField> fields, std::string origin);
  ~TypedColumns();

  /// The columns of a batch come next. Throws Error(kUser) when a column is missing, its values do not fit
  /// into the field without loss, or a field that is not optional has no value; the row is counted from
  /// `rowsBefore`.
  void take(const arrow::RecordBatch& records, uint64_t rowsBefore);
  /// Rows of the batch.
  int64_t rows() const { return rows_; }
  /// Fills `count` records, of the type that the fields describe and `size` bytes apart, from row `from` on.
  void fill(int64_t from, size_t count, void* records, size_t size) const;

 private:
  void takeColumn(const FlatField& field, const arrow::RecordBatch& records, uint64_t rowsBefore);

  const std::vector<FlatField> fields_;
  const std::string origin_;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
  int64_t rows_ = 0;
};

/// Cuts record batches into batches of Rows<T>.
template <typename T>
class RowsOfColumns {
 public:
  /// As TypedColumns.
  RowsOfColumns(std::string origin, BatchPools& pools)
      : columns_(flatFields<T>(), std::move(origin)), pool_(rowsPool<T>(pools)) {}

  /// As TypedColumns::take(). What next() has not given yet is dropped.
  void take(const arrow::RecordBatch& records, uint64_t rowsBefore) {
    columns_.take(records, rowsBefore);
    next_ = 0;
  }
  /// Empty when all is given.
  Batch next() {
    const auto count = static_cast<size_t>(std::min<int64_t>(columns_.rows() - next_, Rows<T>::kRows));
    if (count == 0) return {};
    Batch batch = pool_.acquire();
    Rows<T>& rows = batch.rows<T>();
    rows.reserve(count);
    for (size_t i = 0; i < count; ++i) rows.emplace();
    columns_.fill(next_, count, rows.data(), sizeof(T));
    next_ += static_cast<int64_t>(count);
    return batch;
  }

 private:
  TypedColumns columns_;
  BatchPool& pool_;
  int64_t next_ = 0;
};

}  // namespace flott
