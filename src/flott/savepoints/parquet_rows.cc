// Rows of a state as a Parquet file: types become nested Arrow types, values are appended part by part.
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "flott/data/arrow_status.h"
#include "flott/data/arrow_types.h"
#include "flott/data/describe.h"
#include "flott/data/described_columns.h"
#include "flott/savepoints/state_rows.h"

namespace flott {
namespace {

constexpr const char* kWhat = "the Parquet file";
constexpr int64_t kRowsAtOnce = 1024;
constexpr int64_t kRowGroupRows = 1 << 16;
constexpr uint64_t kRowGroupBytes = uint64_t{64} << 20;

/// A file that is only written to.
class OutputFile final : public arrow::io::OutputStream {
 public:
  explicit OutputFile(ByteOutput& output) : output_(output) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return written_; }
  arrow::Status Write(const void* data, int64_t bytes) override {
    output_({static_cast<const char*>(data), static_cast<size_t>(bytes)});
    written_ += bytes;
    return arrow::Status::OK();
  }

 private:
  ByteOutput& output_;
  int64_t written_ = 0;
  bool closed_ = false;
};

class ParquetRows final : public RowFormat {
 public:
  ParquetRows(const StateRowType& type, ByteOutput& output)
      : type_(type), file_(std::make_shared<OutputFile>(output)) {
    arrow::FieldVector fields;
    if (type.hasSubtask) fields.push_back(arrow::field("subtask", arrow::uint32(), false));
    if (type.key) fields.push_back(arrowField("key", *type.key));
    if (!type.nameSpace.empty()) {
      fields.push_back(type.nameSpaceIsTime ? arrowField(type.nameSpace, describe<Timestamp>())
                                            : arrow::field(type.nameSpace, arrow::int64()));
    }
    fields.push_back(arrowField(type.valueName, type.value));
    if (type.touched) fields.push_back(arrowField("touched", *type.touched));
    const auto schema = arrow::schema(fields);
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->max_row_group_length(kRowGroupRows)
                                ->build();
    writer_ = valueOf(
        parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), file_, properties), kWhat);
    batch_ =
        valueOf(arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool(), kRowsAtOnce), kWhat);
  }

  void row(const StateRow& row) override {
    int column = 0;
    if (type_.hasSubtask) {
      check(batch_->GetFieldAs<arrow::UInt32Builder>(column++)->Append(row.subtask), kWhat);
    }
    if (type_.key) append(*type_.key, row.key, column++);
    if (!type_.nameSpace.empty()) appendNameSpace(row.nameSpace, column++);
    append(type_.value, row.value, column++);
    if (type_.touched) append(*type_.touched, row.touched, column++);
    bytes_ += row.key.size() + row.value.size() + row.touched.size();
    ++rows_;
    if (rows_ % kRowsAtOnce == 0 || bytes_ >= kRowGroupBytes) flush();
  }

  void end() override {
    flush();
    check(writer_->Close(), kWhat);
  }

 private:
  void append(const TypeDescription& type, std::string_view bytes, int column) {
    ByteReader in(bytes);
    appendColumn(type, in, *batch_->GetField(column));
  }

  void appendNameSpace(int64_t nameSpace, int column) {
    arrow::ArrayBuilder& to = *batch_->GetField(column);
    if (nameSpace == kNoNamespace) {
      check(to.AppendNull(), kWhat);
    } else if (type_.nameSpaceIsTime) {
      check(static_cast<arrow::TimestampBuilder&>(to).Append(nameSpace), kWhat);
    } else {
      check(static_cast<arrow::Int64Builder&>(to).Append(nameSpace), kWhat);
    }
  }

  void flush() {
    if (bytes_ >= kRowGroupBytes) {
      check(writer_->NewBufferedRowGroup(), kWhat);
      bytes_ = 0;
    }
    check(writer_->WriteRecordBatch(*valueOf(batch_->Flush(), kWhat)), kWhat);
  }

  const StateRowType& type_;
  const std::shared_ptr<OutputFile> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::unique_ptr<arrow::RecordBatchBuilder> batch_;
  int64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<RowFormat> parquetRows(const StateRowType& type, ByteOutput& output) {
  return std::make_unique<ParquetRows>(type, output);
}

}  // namespace flott
