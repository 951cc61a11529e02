#include "flott/formats/parquet_writer.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <exception>
#include <string>
#include <utility>

#include "flott/data/arrow_status.h"
#include "flott/data/arrow_types.h"
#include "flott/data/described_columns.h"

namespace flott {
namespace {

constexpr const char* kWhat = "the Parquet file";
constexpr int64_t kRowsAtOnce = 1024;

arrow::Compression::type codecOf(ParquetCompression compression) {
  switch (compression) {
    case ParquetCompression::kNone:
      return arrow::Compression::UNCOMPRESSED;
    case ParquetCompression::kSnappy:
      return arrow::Compression::SNAPPY;
    case ParquetCompression::kGzip:
      return arrow::Compression::GZIP;
    case ParquetCompression::kLz4:
      return arrow::Compression::LZ4;
    case ParquetCompression::kZstd:
      return arrow::Compression::ZSTD;
  }
  return arrow::Compression::UNCOMPRESSED;
}

void nameElements(TypeDescription& type) {
  for (TypeDescription& part : type.parts) nameElements(part);
  if (type.kind != TypeKind::kTuple) return;
  for (size_t i = 0; i < type.parts.size(); ++i) type.fieldNames.push_back("f" + std::to_string(i));
}

/// Where the library writes to. What the function throws passes by the library, which knows no exceptions of
/// others, and is thrown again behind it.
class FunctionStream final : public arrow::io::OutputStream {
 public:
  explicit FunctionStream(ParquetWriter::Out out) : out_(std::move(out)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return written_; }
  arrow::Status Write(const void* data, int64_t bytes) override {
    if (dropped_ || failure_) return arrow::Status::Cancelled("the file is given up");
    try {
      out_({static_cast<const char*>(data), static_cast<size_t>(bytes)});
    } catch (...) {
      failure_ = std::current_exception();
      return arrow::Status::IOError("the file cannot be written");
    }
    written_ += bytes;
    return arrow::Status::OK();
  }

  /// A library's file that is destroyed ends itself; nobody is to see that.
  void drop() { dropped_ = true; }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  ParquetWriter::Out out_;
  int64_t written_ = 0;
  bool closed_ = false;
  bool dropped_ = false;
  std::exception_ptr failure_;
};

}  // namespace

void checkParquetOptions(const ParquetOptions& options) {
  const arrow::Compression::type codec = codecOf(options.compression);
  const std::string name = arrow::util::Codec::GetCodecAsString(codec);
  if (!arrow::util::Codec::IsAvailable(codec) && codec != arrow::Compression::UNCOMPRESSED) {
    throw Error(ErrorKind::kUser, "the Arrow library of this build cannot compress with " + name +
                                      ": choose another ParquetOptions::compression");
  }
  if (options.compressionLevel) {
    const bool has = arrow::util::Codec::SupportsCompressionLevel(codec);
    const auto range = [&] {
      return "from " + std::to_string(*arrow::util::Codec::MinimumCompressionLevel(codec)) + " to " +
             std::to_string(*arrow::util::Codec::MaximumCompressionLevel(codec));
    };
    if (!has || *options.compressionLevel < *arrow::util::Codec::MinimumCompressionLevel(codec) ||
        *options.compressionLevel > *arrow::util::Codec::MaximumCompressionLevel(codec)) {
      throw Error(ErrorKind::kUser,
                  name + " has no level " + std::to_string(*options.compressionLevel) +
                      (has ? ": its levels go " + range() : ": leave ParquetOptions::compressionLevel out"));
    }
  }
  if (options.rowGroupSize.bytes == 0) {
    throw Error(ErrorKind::kUser,
                "a row group of 0 bytes has no room for a record: give a larger "
                "ParquetOptions::rowGroupSize");
  }
}

TypeDescription parquetRow(const TypeDescription& type) {
  TypeDescription row = type;
  nameElements(row);
  if ((row.kind != TypeKind::kStruct && row.kind != TypeKind::kTuple) || row.parts.empty()) {
    throw Error(ErrorKind::kUser, type.toString() +
                                      " has no fields that could be the columns of a Parquet file: map the "
                                      "records to a struct that has");
  }
  if (const auto path = jsonPart(row)) {
    throw Error(ErrorKind::kUser,
                "field '" + *path + "' of " + type.toString() +
                    " cannot be a column of a Parquet file: columns hold numbers, bools, strings, enums and "
                    "times, and structs, optionals, lists, sets and maps of these, but no variants, types "
                    "with a codec of their own, structs that contain themselves or have no fields, or "
                    "optional keys of maps. Map the records to a struct without it");
  }
  return row;
}

std::shared_ptr<arrow::Schema> parquetSchema(const TypeDescription& row) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < row.parts.size(); ++i) fields.push_back(arrowField(row.fieldNames[i], row.parts[i]));
  return arrow::schema(std::move(fields));
}

struct ParquetWriter::State {
  std::shared_ptr<FunctionStream> stream;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  uint64_t rowGroupBytes = 0;
  uint64_t held = 0;

  void done(const arrow::Status& status) const {
    stream->rethrow();
    check(status, kWhat);
  }
};

ParquetWriter::ParquetWriter(const std::shared_ptr<arrow::Schema>& schema, const ParquetOptions& options,
                             Out out)
    : state_(std::make_unique<State>()) {
  parquet::WriterProperties::Builder properties;
  properties.compression(codecOf(options.compression));
  if (options.compressionLevel) properties.compression_level(*options.compressionLevel);
  state_->rowGroupBytes = options.rowGroupSize.bytes;
  state_->stream = std::make_shared<FunctionStream>(std::move(out));
  auto writer = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), state_->stream,
                                                 properties.build());
  state_->done(writer.status());
  state_->writer = std::move(writer).ValueUnsafe();
}

ParquetWriter::~ParquetWriter() { state_->stream->drop(); }

void ParquetWriter::write(const arrow::RecordBatch& records, uint64_t bytes) {
  State& state = *state_;
  if (state.held >= state.rowGroupBytes) {
    state.done(state.writer->NewBufferedRowGroup());
    state.held = 0;
  }
  state.done(state.writer->WriteRecordBatch(records));
  state.held += bytes;
}

uint64_t ParquetWriter::held() const { return state_->held; }

void ParquetWriter::close() {
  state_->done(state_->writer->Close());
  state_->held = 0;
}

ParquetRecordWriter::ParquetRecordWriter(const TypeDescription& row, const ParquetOptions& options,
                                         ParquetWriter::Out out)
    : row_(row), schema_(parquetSchema(row)), file_(schema_, options, std::move(out)) {
  batch_ =
      valueOf(arrow::RecordBatchBuilder::Make(schema_, arrow::default_memory_pool(), kRowsAtOnce), kWhat);
}

ParquetRecordWriter::~ParquetRecordWriter() = default;

void ParquetRecordWriter::write(std::string_view records) {
  ByteReader in(records);
  while (!in.atEnd()) {
    const size_t before = in.offset();
    for (int64_t row = 0; row < kRowsAtOnce && !in.atEnd(); ++row) appendColumns(row_, in, *batch_);
    file_.write(*valueOf(batch_->Flush(), kWhat), in.offset() - before);
  }
}

}  // namespace flott
