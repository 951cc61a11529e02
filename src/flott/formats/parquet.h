// Parquet: a part of a file as record batches.
//
// A part owns the row groups whose first byte lies in it, so that any cut of a file into parts reads every
// row once. Only the wanted columns are read. Everything here blocks on the file, except TypedColumns; one
// thread at a time.
//
//   ParquetPart part(file, "in/a.parquet", {.begin = 0, .end = size}, {"id", "price"});
//   while (std::shared_ptr<arrow::RecordBatch> records = part.next()) …
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flott {

struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

class ParquetPart {
 public:
  /// Reads the footer. No columns: all of them. Throws Error(kUser) when it is no Parquet file or lacks a
  /// column.
  ParquetPart(std::shared_ptr<arrow::io::RandomAccessFile> file, std::string name, ByteRange range,
              const std::vector<std::string>& columns);
  ~ParquetPart();

  /// Of all columns of the file.
  const std::shared_ptr<arrow::Schema>& schema() const;
  /// Rows of the file before this part.
  uint64_t rowsBefore() const;
  /// Passes over rows, without reading whole row groups among them. Before next().
  void skip(uint64_t rows);
  /// Up to Columns::kRows rows; null at the end. Throws Error(kUser) when the file is damaged.
  std::shared_ptr<arrow::RecordBatch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flott
