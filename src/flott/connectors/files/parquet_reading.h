// Reads a split of a Parquet file: its row groups, as columns or as records.
//
// Off-load threads read and decode; while some batches are emitted the next are decoded. The conversion of
// columns to records happens on the task's thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/connectors/files/split_reading.h"
#include "flott/data/rows.h"
#include "flott/formats/typed_columns.h"

namespace flott {

/// Makes batches of a part's columns.
class ColumnsConsumer {
 public:
  virtual ~ColumnsConsumer() = default;
  /// Takes a record batch; `rowsBefore` it in the file.
  virtual void take(std::shared_ptr<arrow::RecordBatch> records, uint64_t rowsBefore) = 0;
  /// The next batch of what it took; empty when all is given.
  virtual Batch give() = 0;
};

/// Makes the consumer of one split: `file` is for errors.
using MakeConsumer = std::unique_ptr<ColumnsConsumer> (*)(const std::string& file, BatchPools& pools);

/// Columns that the consumer needs; none: all.
std::shared_ptr<const FileFormat> parquetFormat(std::vector<std::string> columns, MakeConsumer consumer);

std::shared_ptr<const FileFormat> columnarParquetFormat(std::vector<std::string> columns);

int64_t rowsOf(const arrow::RecordBatch& records);

template <typename T>
class RowsConsumer final : public ColumnsConsumer {
 public:
  RowsConsumer(const std::string& file, BatchPools& pools)
      : columns_(flatFields<T>(), file), pool_(rowsPool<T>(pools)) {}

  void take(std::shared_ptr<arrow::RecordBatch> records, uint64_t rowsBefore) override {
    columns_.take(*records, rowsBefore);
    size_ = rowsOf(*records);
    next_ = 0;
  }
  Batch give() override {
    const auto count = static_cast<size_t>(std::min<int64_t>(size_ - next_, Rows<T>::kRows));
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
  int64_t size_ = 0;
  int64_t next_ = 0;
};

template <typename T>
std::shared_ptr<const FileFormat> typedParquetFormat() {
  std::vector<std::string> names;
  for (const FlatField& field : flatFields<T>()) names.push_back(field.name);
  return parquetFormat(std::move(names),
                       [](const std::string& file, BatchPools& pools) -> std::unique_ptr<ColumnsConsumer> {
                         return std::make_unique<RowsConsumer<T>>(file, pools);
                       });
}

}  // namespace flott
