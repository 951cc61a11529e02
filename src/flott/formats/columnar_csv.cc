#include "flott/formats/columnar_csv.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>

#include "flott/data/columns.h"
#include "flott/formats/csv.h"
#include "flott/formats/csv_scanner.h"

namespace flott {
namespace {

using RecordBatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Bytes that become one batch.
constexpr size_t kChunk = 256 * 1024;

class ColumnarCsvDecoder final : public RecordDecoder {
 public:
  ColumnarCsvDecoder(std::shared_ptr<arrow::Schema> schema, const CsvOptions& options, BatchPools& pools)
      : schema_(std::move(schema)), options_(options), scanner_(options), pools_(pools) {
    read_.use_threads = false;
    for (const auto& field : schema_->fields()) {
      read_.column_names.push_back(field->name());
      convert_.include_columns.push_back(field->name());
      convert_.column_types[field->name()] = field->type();
    }
    parse_.delimiter = options.delimiter;
    parse_.quoting = options.quote != '\0';
    parse_.quote_char = options.quote;
    parse_.escaping = options.escape != '\0';
    parse_.escape_char = options.escape;
    parse_.newlines_in_values = options.quotedNewlines;
    parse_.ignore_empty_lines = options.skipBlankLines;
    convert_.null_values = {options.nullText};
    convert_.strings_can_be_null = true;
    convert_.quoted_strings_can_be_null = false;
  }

  void begin(const std::string& file, std::string_view header) override {
    file_ = file;
    nextLine_ = 1;
    if (!options_.header || header.empty()) return;
    if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);
    header.remove_prefix(scanner_.ignored(header, true));
    if (header.empty()) return;
    scanner_.scan(header, true);
    std::vector<std::string_view> names;
    for (size_t i = 0; i < scanner_.size(); ++i) names.push_back(scanner_.value(i));
    for (const std::string& wanted : convert_.include_columns) {
      if (std::find(names.begin(), names.end(), wanted) == names.end())
        throw unknownColumn(wanted, names).at(file_ + ", header");
    }
    read_.column_names.assign(names.begin(), names.end());
  }

  Decoded decode(const BlockInput& in, Batch& out) override {
    const std::string_view chunk = in.bytes.substr(0, chunkSize(in));
    Decoded done{.bytes = chunk.size()};
    if (chunk.empty()) return done;
    if (!out) out = columnsPool(pools_).acquire();
    Columns& columns = columnsOf(out);
    arrow::Result<RecordBatchPtr> whole = parse(chunk);
    if (whole.ok()) {
      if ((*whole)->num_rows() > 0) columns.assign(*whole);
    } else {
      const std::vector<size_t> begins = boundaries(chunk);
      done.rejected = parseRange(chunk, 0, begins.size() - 1, begins, columns);
    }
    nextLine_ += std::count(chunk.begin(), chunk.end(), '\n');
    return done;
  }

 private:
  // Size of the whole records that the part owns, up to about kChunk.
  size_t chunkSize(const BlockInput& in) {
    const size_t want = std::min(in.owned, kChunk);
    if (want == 0) return 0;
    if (options_.quotedNewlines) {
      size_t end = 0;
      while (end < want) {
        if (scanner_.scan(in.bytes.substr(end), in.last) == CsvScanner::Result::kUnfinished) break;
        end += scanner_.used();
      }
      return end;
    }
    size_t lineFeed = in.bytes.find('\n', want - 1);
    if (lineFeed != std::string_view::npos) return lineFeed + 1;
    if (in.last) return in.bytes.size();
    lineFeed = in.bytes.rfind('\n', want - 1);
    return lineFeed == std::string_view::npos ? 0 : lineFeed + 1;
  }

  arrow::Result<RecordBatchPtr> parse(std::string_view text) const {
    arrow::csv::ReadOptions read = read_;
    read.block_size = static_cast<int32_t>(std::min<size_t>(text.size() + 1, INT32_MAX));
    auto input = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(text));
    const auto blank = [](char c) { return c == '\n' || c == '\r'; };
    if (std::all_of(text.begin(), text.end(), blank)) return arrow::RecordBatch::MakeEmpty(schema_);
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::csv::TableReader::Make(arrow::io::default_io_context(), input,
                                                                     read, parse_, convert_));
    ARROW_ASSIGN_OR_RAISE(auto table, reader->Read());
    ARROW_ASSIGN_OR_RAISE(auto records, table->CombineChunksToBatch());
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const arrow::Field& field = *schema_->field(i);
      if (!field.nullable() && records->column(i)->null_count() > 0)
        return arrow::Status::Invalid("column '", field.name(), "' has no value");
    }
    return arrow::RecordBatch::Make(schema_, records->num_rows(), records->columns());
  }

  // Where the records of the text begin; its end is the last entry.
  std::vector<size_t> boundaries(std::string_view text) {
    std::vector<size_t> begins;
    for (size_t at = 0; at < text.size(); at += scanner_.used()) {
      begins.push_back(at);
      scanner_.scan(text.substr(at), true);
    }
    begins.push_back(text.size());
    return begins;
  }

  // Returns how many of the records first … last - 1 were rejected. Under kFail only the first one is.
  size_t parseRange(std::string_view text, size_t first, size_t last, const std::vector<size_t>& begins,
                    Columns& columns) {
    const std::string_view part = text.substr(begins[first], begins[last] - begins[first]);
    const arrow::Result<RecordBatchPtr> records = parse(part);
    if (records.ok()) {
      if ((*records)->num_rows() == 0) return 0;
      Batch piece = columnsPool(pools_).acquire();
      columnsOf(piece).assign(*records);
      columns.append(std::move(piece));
      return 0;
    }
    if (last - first == 1) {
      reject(text.substr(0, begins[first]), part, records.status());
      return 1;
    }
    const size_t middle = first + (last - first) / 2;
    const size_t rejected = parseRange(text, first, middle, begins, columns);
    if (rejected > 0 && options_.badRecords == BadRecordPolicy::kFail) return rejected;
    return rejected + parseRange(text, middle, last, begins, columns);
  }

  void reject(std::string_view before, std::string_view record, const arrow::Status& why) {
    if (options_.badRecords == BadRecordPolicy::kCount) return;
    while (record.ends_with('\n') || record.ends_with('\r')) record.remove_suffix(1);
    // Arrow's row counts from the beginning of what it was given, which is this record alone.
    std::string reason = why.message();
    constexpr std::string_view kRow = "Row #1: ";
    if (const size_t row = reason.find(kRow); row != std::string::npos) reason.erase(row, kRow.size());
    bad_.push_back({.file = file_,
                    .line = nextLine_ + std::count(before.begin(), before.end(), '\n'),
                    .columnName = {},
                    .text = excerpt(record),
                    .reason = "does not fit the columns: " + reason});
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const CsvOptions options_;
  CsvScanner scanner_;
  BatchPools& pools_;
  arrow::csv::ReadOptions read_ = arrow::csv::ReadOptions::Defaults();
  arrow::csv::ParseOptions parse_ = arrow::csv::ParseOptions::Defaults();
  arrow::csv::ConvertOptions convert_ = arrow::csv::ConvertOptions::Defaults();
  std::string file_;
  int64_t nextLine_ = 1;
};

class ColumnarCsvFormat final : public BlockFormat {
 public:
  ColumnarCsvFormat(std::shared_ptr<arrow::Schema> schema, CsvOptions options)
      : schema_(std::move(schema)), options_(std::move(options)) {}

  std::unique_ptr<RecordDecoder> createDecoder(BatchPools& pools) const override {
    return std::make_unique<ColumnarCsvDecoder>(schema_, options_, pools);
  }
  bool splittable() const override { return !options_.quotedNewlines; }
  bool hasHeader() const override { return options_.header; }
  size_t headerSize(std::string_view start, bool last) const override {
    return csvHeaderSize(options_, start, last);
  }
  BadRecordPolicy badRecords() const override { return options_.badRecords; }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const CsvOptions options_;
};

}  // namespace

std::shared_ptr<const BlockFormat> columnarCsvFormat(std::shared_ptr<arrow::Schema> schema,
                                                     CsvOptions options) {
  checkCsvOptions(options);
  if (options.comment != '\0' || options.trim) {
    throw Error(
        ErrorKind::kUser,
        "columnar CSV knows neither comments nor trimming: read the file into records (csvFiles<T>), or "
        "clean it first");
  }
  return std::make_shared<ColumnarCsvFormat>(std::move(schema), std::move(options));
}

}  // namespace flott
