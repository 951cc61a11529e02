// A file of the environment as Arrow wants one to read from.
//
// Readers of Parquet files make one on the off-load thread that reads. What the file throws becomes a status,
// whose words name the file.
//
//   ParquetPart part(arrowFile(env.files.open(path)), path, {0, size}, {});
#pragma once

#include <arrow/io/type_fwd.h>

#include <memory>

namespace flott {

class FileReader;

std::shared_ptr<arrow::io::RandomAccessFile> arrowFile(std::unique_ptr<FileReader> reader);

}  // namespace flott
