// Sources of files: text lines, CSV and Parquet, as records or as columns.
//
// They list paths, folders and patterns, cut large files into parts that several subtasks read at once, and
// decompress gzip and zstd by the end of the name. Bounded, unless FileSourceOptions::discoveryInterval says
// otherwise. Which subtask reads which file, and so the order between files, is open; lines of one part keep
// their order.
//
//   env.fromSource(textFiles("logs/2026-*/*.log.gz"));
//   env.fromSource(csvFiles<Order>("orders", {.header = true}));
//   env.fromSource(columnarParquet("trips.parquet", {"city", "price"}));
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/connectors/files/block_files.h"
#include "flott/connectors/files/parquet_reading.h"
#include "flott/data/columns.h"
#include "flott/formats/csv.h"
#include "flott/operators/typed_source.h"

namespace flott {

/// A source over any format. Throws Error(kUser) when there is no path.
std::shared_ptr<const SourceFactory> fileSource(FilePaths paths, std::shared_ptr<const FileFormat> format,
                                                FileSourceOptions options);

/// Lines without their line feed.
SourceOf<std::string> textFiles(FilePaths paths, FileSourceOptions options = {});

/// A record for each line. Bad lines fail the job, are counted, or go to the side output badRecords().
template <typename T>
SourceOf<T> csvFiles(FilePaths paths, CsvOptions csv = {}, FileSourceOptions options = {}) {
  return {.factory = fileSource(std::move(paths), blockFiles(csvFormat<T>(std::move(csv))), options),
          .name = "CSV files"};
}

/// The columns that T has fields for are read, others are not.
template <typename T>
SourceOf<T> parquetFiles(FilePaths paths, FileSourceOptions options = {}) {
  return {.factory = fileSource(std::move(paths), typedParquetFormat<T>(), options), .name = "Parquet files"};
}

/// Only these columns are read; without any, all.
SourceOf<Columns> columnarParquet(FilePaths paths, std::vector<std::string> columns = {},
                                  FileSourceOptions options = {});

/// See columnarCsvFormat(); schemaOf(describe<T>()) makes a schema of a struct.
SourceOf<Columns> columnarCsv(FilePaths paths, std::shared_ptr<arrow::Schema> schema, CsvOptions csv = {},
                              FileSourceOptions options = {});

}  // namespace flott
