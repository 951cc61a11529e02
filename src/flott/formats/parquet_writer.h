// Parquet: record batches, or encoded records of one type, as a file.
//
// Sinks write files with it. Rows are gathered in a row group, encoded and compressed, and go out when the
// group is large; so a row group is what is held in memory. Bytes go to a function as they come. Where that
// function throws, the writer throws the same. One thread at a time; blocks as the function does.
//
//   ParquetRecordWriter file(parquetRow(describe<Order>()), {}, [&](std::string_view bytes) { out += bytes;
//   }); file.write(encodedOrders); file.close();
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "flott/base/function.h"
#include "flott/base/memory_size.h"
#include "flott/data/type_description.h"

namespace arrow {
class RecordBatchBuilder;
}

namespace flott {

enum class ParquetCompression : uint8_t { kNone, kSnappy, kGzip, kLz4, kZstd };

struct ParquetOptions {
  ParquetCompression compression = ParquetCompression::kSnappy;
  /// Of gzip and zstd: higher is smaller and slower. Nothing: what the library takes.
  std::optional<int> compressionLevel = {};
  /// Of the records as they are before they are encoded.
  MemorySize rowGroupSize = MemorySize::mb(64);
};

/// Throws Error(kUser) for options that make no sense or that this build has no compression for.
void checkParquetOptions(const ParquetOptions& options);

/// The type of records as that of a file's rows: elements of tuples get the names f0, f1, …. Throws
/// Error(kUser) that names the first field that cannot be a column.
TypeDescription parquetRow(const TypeDescription& type);

class ParquetWriter {
 public:
  using Out = MoveFunction<void(std::string_view)>;

  ParquetWriter(const std::shared_ptr<arrow::Schema>& schema, const ParquetOptions& options, Out out);
  /// Without close() the file stays unfinished.
  ~ParquetWriter();

  /// `bytes`: how large the records are, for the size of row groups.
  void write(const arrow::RecordBatch& records, uint64_t bytes);
  /// Bytes of records in the row group that is not written yet.
  uint64_t held() const;
  /// Writes the rest, and what stands at the end of a file. The last call.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ParquetRecordWriter {
 public:
  /// `row` is a parquetRow() and must outlive the writer.
  ParquetRecordWriter(const TypeDescription& row, const ParquetOptions& options, ParquetWriter::Out out);
  ~ParquetRecordWriter();

  /// Encoded records, one behind another.
  void write(std::string_view records);
  ParquetWriter& file() { return file_; }
  const ParquetWriter& file() const { return file_; }

 private:
  const TypeDescription& row_;
  const std::shared_ptr<arrow::Schema> schema_;
  ParquetWriter file_;
  std::unique_ptr<arrow::RecordBatchBuilder> batch_;
};

/// The columns of a parquetRow().
std::shared_ptr<arrow::Schema> parquetSchema(const TypeDescription& row);

}  // namespace flott
