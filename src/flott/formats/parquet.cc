#include "flott/formats/parquet.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "flott/data/arrow_status.h"
#include "flott/data/columns.h"

namespace flott {
namespace {

// Parquet's own functions throw.
template <typename F>
auto guarded(const std::string& what, F&& call) {
  try {
    return call();
  } catch (const parquet::ParquetException& error) {
    throw Error(ErrorKind::kUser, what + ": " + error.what());
  }
}

void addLeaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) addLeaves(child, leaves);
}

uint64_t firstByte(const parquet::RowGroupMetaData& group) {
  const auto column = group.ColumnChunk(0);
  const int64_t offset = column->has_dictionary_page()
                             ? std::min(column->dictionary_page_offset(), column->data_page_offset())
                             : column->data_page_offset();
  return static_cast<uint64_t>(offset);
}

}  // namespace

struct ParquetPart::State {
  std::string what;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<int> groups;
  std::vector<int> leaves;
  uint64_t rowsBefore = 0;
  uint64_t skip = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches;
};

ParquetPart::ParquetPart(std::shared_ptr<arrow::io::RandomAccessFile> file, std::string name, ByteRange range,
                         const std::vector<std::string>& columns)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.what = "file '" + name + "' cannot be read as Parquet";
  guarded(state.what, [&] {
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(Columns::kRows);
    properties.set_pre_buffer(false);  // it would read on threads of its own
    parquet::arrow::FileReaderBuilder builder;
    check(builder.Open(std::move(file)), state.what);
    state.reader = valueOf(builder.properties(properties)->Build(), state.what);
    check(state.reader->GetSchema(&state.schema), state.what);
    const auto& fields = state.reader->manifest().schema_fields;
    for (const std::string& column : columns) {
      try {
        addLeaves(fields[static_cast<size_t>(columnIndex(*state.schema, column))], state.leaves);
      } catch (Error& error) {
        throw std::move(error).at("file '" + name + "'");
      }
    }
    if (columns.empty()) {
      for (const auto& field : fields) addLeaves(field, state.leaves);
    }
    const auto metadata = state.reader->parquet_reader()->metadata();
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const uint64_t at = firstByte(*metadata->RowGroup(group));
      if (at < range.begin) state.rowsBefore += static_cast<uint64_t>(metadata->RowGroup(group)->num_rows());
      if (at >= range.begin && at < range.end) state.groups.push_back(group);
    }
  });
}

ParquetPart::~ParquetPart() = default;

const std::shared_ptr<arrow::Schema>& ParquetPart::schema() const { return state_->schema; }

uint64_t ParquetPart::rowsBefore() const { return state_->rowsBefore; }

void ParquetPart::skip(uint64_t rows) {
  State& state = *state_;
  const auto metadata = state.reader->parquet_reader()->metadata();
  size_t whole = 0;
  for (; whole < state.groups.size(); ++whole) {
    const auto inGroup = static_cast<uint64_t>(metadata->RowGroup(state.groups[whole])->num_rows());
    if (inGroup > rows) break;
    rows -= inGroup;
  }
  state.groups.erase(state.groups.begin(), state.groups.begin() + static_cast<std::ptrdiff_t>(whole));
  state.skip = rows;
}

std::shared_ptr<arrow::RecordBatch> ParquetPart::next() {
  State& state = *state_;
  return guarded(state.what, [&]() -> std::shared_ptr<arrow::RecordBatch> {
    if (state.groups.empty()) return nullptr;
    if (state.batches == nullptr) {
      state.batches = valueOf(state.reader->GetRecordBatchReader(state.groups, state.leaves), state.what);
    }
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> records;
      check(state.batches->ReadNext(&records), state.what);
      if (records == nullptr || state.skip == 0) return records;
      const auto rows = static_cast<uint64_t>(records->num_rows());
      if (rows > state.skip) return records->Slice(static_cast<int64_t>(std::exchange(state.skip, 0)));
      state.skip -= rows;
    }
  });
}

}  // namespace flott
