// CSV as records of a user's struct, both ways.
//
// A line that is no record becomes a BadRecord that names file, line, column and reason;
// CsvOptions::badRecords says what then. All work happens on bytes in csv.cc, through the table of fields;
// what is a template here only knows the size of a record.
//
//   struct Order { int64_t id; std::optional<double> price; Timestamp at; };
//   auto format = csvFormat<Order>({.delimiter = ';', .header = true});
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/data/flat_record.h"
#include "flott/data/rows.h"
#include "flott/formats/block_format.h"
#include "flott/formats/csv_options.h"
#include "flott/formats/csv_scanner.h"
#include "flott/formats/record_encoder.h"

namespace flott {

/// Finds records in bytes and fills a struct from each. Belongs to one decoder.
class CsvRecordReader {
 public:
  CsvRecordReader(const CsvOptions& options, std::vector<FlatField> fields);

  /// As RecordDecoder::begin().
  void begin(const std::string& file, std::string_view header);
  /// Moves to the next record behind in.bytes[done.bytes], and `done` behind it. False when there is no whole
  /// one that the part owns.
  bool next(const BlockInput& in, Decoded& done);
  /// Fills the record, of the type that the fields describe, from the one at hand. False when it is bad;
  /// `record` may then be filled partly.
  bool read(void* record);
  /// After read() returned false.
  BadRecord bad() const;

 private:
  struct Column {
    std::string name;
    const FlatField* field = nullptr;  // null: not wanted
  };

  void takeHeader(std::string_view header);
  bool readValue(size_t column, void* record);
  bool reject(size_t column, std::string_view text, std::string reason);

  const CsvOptions options_;
  const std::vector<FlatField> fields_;
  CsvScanner scanner_;
  std::vector<Column> columns_;
  std::string file_;
  std::string_view record_;  // the text at hand, without its line feed
  CsvScanner::Result result_ = CsvScanner::Result::kRecord;
  int64_t nextLine_ = 1;
  int64_t line_ = 0;
  size_t badColumn_ = 0;  // from 1; 0: the record
  std::string badText_;
  std::string badReason_;
};

/// Appends a line with a record's values.
void appendCsv(const std::vector<FlatField>& fields, const void* record, const CsvOptions& options,
               std::string& out);
/// Appends a line with the fields' names.
void appendCsvHeader(const std::vector<FlatField>& fields, const CsvOptions& options, std::string& out);

/// Where a file's records begin, if its first line names the columns; see BlockFormat::headerSize().
size_t csvHeaderSize(const CsvOptions& options, std::string_view start, bool last);

template <typename T>
class CsvDecoder final : public RecordDecoder {
 public:
  CsvDecoder(const CsvOptions& options, BatchPools& pools)
      : policy_(options.badRecords), reader_(options, flatFields<T>()), pool_(rowsPool<T>(pools)) {}

  void begin(const std::string& file, std::string_view header) override { reader_.begin(file, header); }

  Decoded decode(const BlockInput& in, Batch& out) override {
    if (!out) out = pool_.acquire();
    Rows<T>& rows = out.rows<T>();
    Decoded done;
    while (!rows.full() && reader_.next(in, done)) {
      if (reader_.read(&rows.slot())) continue;
      rows.truncate(rows.size() - 1);
      ++done.rejected;
      if (policy_ != BadRecordPolicy::kCount) bad_.push_back(reader_.bad());
      if (policy_ == BadRecordPolicy::kFail) break;
    }
    return done;
  }

 private:
  const BadRecordPolicy policy_;
  CsvRecordReader reader_;
  BatchPool& pool_;
};

template <typename T>
class CsvFormat final : public BlockFormat {
 public:
  explicit CsvFormat(CsvOptions options) : options_(std::move(options)) { checkCsvOptions(options_); }

  std::unique_ptr<RecordDecoder> createDecoder(BatchPools& pools) const override {
    return std::make_unique<CsvDecoder<T>>(options_, pools);
  }
  bool splittable() const override { return !options_.quotedNewlines; }
  bool hasHeader() const override { return options_.header; }
  size_t headerSize(std::string_view start, bool last) const override {
    return csvHeaderSize(options_, start, last);
  }
  BadRecordPolicy badRecords() const override { return options_.badRecords; }

 private:
  const CsvOptions options_;
};

template <typename T>
class CsvEncoder final : public RecordEncoder {
 public:
  explicit CsvEncoder(CsvOptions options = {}) : options_(std::move(options)), fields_(flatFields<T>()) {
    checkCsvOptions(options_);
  }

  void begin(std::string& out) const override {
    if (options_.header) appendCsvHeader(fields_, options_, out);
  }
  void append(const T& record, std::string& out) const { appendCsv(fields_, &record, options_, out); }
  void encode(const Batch& batch, std::string& out) const override {
    for (const T& record : batch.rows<T>()) append(record, out);
  }

 private:
  const CsvOptions options_;
  const std::vector<FlatField> fields_;
};

/// Makes batches of Rows<T>. Throws Error(kUser) for options that contradict each other.
template <typename T>
std::shared_ptr<const BlockFormat> csvFormat(CsvOptions options = {}) {
  return std::make_shared<CsvFormat<T>>(std::move(options));
}

template <typename T>
std::shared_ptr<const RecordEncoder> csvEncoder(CsvOptions options = {}) {
  return std::make_shared<CsvEncoder<T>>(std::move(options));
}

}  // namespace flott
