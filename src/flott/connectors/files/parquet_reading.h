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
#include "flott/data/typed_columns.h"

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

template <typename T>
class RowsConsumer final : public ColumnsConsumer {
 public:
  RowsConsumer(const std::string& file, BatchPools& pools) : rows_("file '" + file + "'", pools) {}

  void take(std::shared_ptr<arrow::RecordBatch> records, uint64_t rowsBefore) override {
    rows_.take(*records, rowsBefore);
  }
  Batch give() override { return rows_.next(); }

 private:
  RowsOfColumns<T> rows_;
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
