// Records as Parquet, for FileSink::forBulkFormat().
//
// The columns are the fields of the record, nested as they are; see parquetRow() for what cannot be one.
// What is a template here only encodes a record by its codec; off-load threads make columns of that, encode
// and compress them.
//
//   orders.sinkTo(FileSink<Order>::forBulkFormat(
//       "out/orders", ParquetEncoder<Order>({.compression = ParquetCompression::kZstd})));
#pragma once

#include <memory>
#include <string>

#include "flott/base/bytes.h"
#include "flott/connectors/files/bulk_format.h"
#include "flott/data/describe.h"
#include "flott/formats/parquet_writer.h"

namespace flott {

/// Throws Error(kUser) where the type cannot be rows of a file, or for options that make no sense.
std::shared_ptr<const BulkFormat> parquetBulkFormat(const TypeDescription& type,
                                                    const ParquetOptions& options);

template <typename T>
class ParquetEncoder {
 public:
  explicit ParquetEncoder(const ParquetOptions& options = {})
      : format_(parquetBulkFormat(describe<T>(), options)) {}

  void append(const T& record, std::string& out) const {
    ByteWriter bytes(out);
    Codec<T>::encode(record, bytes);
  }
  const std::shared_ptr<const BulkFormat>& bulkFormat() const { return format_; }

 private:
  std::shared_ptr<const BulkFormat> format_;
};

}  // namespace flott
