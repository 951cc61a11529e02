// Rows of a state as a Parquet file: types become nested Arrow types, values are appended part by part.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
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
#include "flott/data/describe.h"
#include "flott/data/described_bytes.h"
#include "flott/savepoints/state_rows.h"

namespace flott {
namespace {

constexpr const char* kWhat = "the Parquet file";
constexpr int64_t kRowsAtOnce = 1024;
constexpr int64_t kRowGroupRows = 1 << 16;
constexpr uint64_t kRowGroupBytes = uint64_t{64} << 20;

using TypePtr = std::shared_ptr<arrow::DataType>;

/// What Parquet has no type for, or none that ends, is text.
bool isJson(const TypeDescription& type) {
  switch (type.kind) {
    case TypeKind::kVariant:
    case TypeKind::kEnclosing:
    case TypeKind::kCustom:
      return true;
    case TypeKind::kStruct:
    case TypeKind::kTuple:
      return type.parts.empty();
    default:
      return false;
  }
}

std::string fieldName(const TypeDescription& type, size_t i) {
  return type.kind == TypeKind::kStruct ? type.fieldNames[i] : std::to_string(i);
}

TypePtr arrowType(const TypeDescription& type);

std::shared_ptr<arrow::Field> arrowField(const std::string& name, const TypeDescription& type) {
  const bool nullable = type.kind == TypeKind::kOptional || type.kind == TypeKind::kTimestamp;
  return arrow::field(name, arrowType(type), nullable);
}

TypePtr timeType(const TypeDescription& type) {
  if (countsInDouble(type)) return arrow::float64();
  if (type.kind == TypeKind::kDuration) return arrow::int64();
  if (type.name == "s") return arrow::timestamp(arrow::TimeUnit::SECOND, "UTC");
  if (type.name == "ms") return arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  if (type.name == "us") return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  if (type.name == "ns") return arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
  return arrow::int64();
}

TypePtr scalarType(const TypeDescription& type) {
  switch (type.kind) {
    case TypeKind::kBool:
      return arrow::boolean();
    case TypeKind::kInt8:
      return arrow::int8();
    case TypeKind::kInt16:
      return arrow::int16();
    case TypeKind::kInt32:
      return arrow::int32();
    case TypeKind::kInt64:
      return arrow::int64();
    case TypeKind::kUint8:
      return arrow::uint8();
    case TypeKind::kUint16:
      return arrow::uint16();
    case TypeKind::kUint32:
      return arrow::uint32();
    case TypeKind::kUint64:
      return arrow::uint64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    default:
      return arrow::utf8();
  }
}

TypePtr arrowType(const TypeDescription& type) {
  if (isJson(type)) return arrow::utf8();
  switch (type.kind) {
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      return timeType(type);
    case TypeKind::kEnum:
    case TypeKind::kOptional:
      return arrowType(type.parts[0]);
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kArray:
      return arrow::list(arrowField("item", type.parts[0]));
    case TypeKind::kMap:
      return arrow::map(arrowType(type.parts[0]), arrowField("value", type.parts[1]));
    case TypeKind::kTuple:
    case TypeKind::kStruct: {
      arrow::FieldVector fields;
      for (size_t i = 0; i < type.parts.size(); ++i)
        fields.push_back(arrowField(fieldName(type, i), type.parts[i]));
      return arrow::struct_(fields);
    }
    default:
      return scalarType(type);
  }
}

/// Appends one encoded value to a builder of arrowType().
class Appender {
 public:
  explicit Appender(ByteReader& in) : in_(in) {}

  void value(const TypeDescription& type, const EnclosingTypes* above, arrow::ArrayBuilder& to) {
    if (isJson(type)) {
      std::string json;
      appendJson(type, above, in_, json);
      return done(as<arrow::StringBuilder>(to).Append(json));
    }
    switch (type.kind) {
      case TypeKind::kEnum:
        return value(type.parts[0], above, to);
      case TypeKind::kOptional:
        if (!readBool(in_)) return done(to.AppendNull());
        return value(type.parts[0], above, to);
      case TypeKind::kList:
      case TypeKind::kSet:
      case TypeKind::kArray:
        return list(type, above, as<arrow::ListBuilder>(to));
      case TypeKind::kMap:
        return map(type, above, as<arrow::MapBuilder>(to));
      case TypeKind::kTuple:
      case TypeKind::kStruct:
        return fields(type, above, as<arrow::StructBuilder>(to));
      default:
        return scalar(type, to);
    }
  }

 private:
  template <typename Builder>
  static Builder& as(arrow::ArrayBuilder& builder) {
    return static_cast<Builder&>(builder);
  }
  static void done(const arrow::Status& status) { check(status, kWhat); }

  void list(const TypeDescription& type, const EnclosingTypes* above, arrow::ListBuilder& to) {
    const uint64_t count = readCount(type, in_);
    done(to.Append());
    for (uint64_t i = 0; i < count; ++i) value(type.parts[0], above, *to.value_builder());
  }

  void map(const TypeDescription& type, const EnclosingTypes* above, arrow::MapBuilder& to) {
    const uint64_t count = readCount(type, in_);
    done(to.Append());
    for (uint64_t i = 0; i < count; ++i) {
      value(type.parts[0], above, *to.key_builder());
      value(type.parts[1], above, *to.item_builder());
    }
  }

  void fields(const TypeDescription& type, const EnclosingTypes* above, arrow::StructBuilder& to) {
    const EnclosingTypes here{&type, above};
    done(to.Append());
    for (size_t i = 0; i < type.parts.size(); ++i) {
      value(type.parts[i], type.kind == TypeKind::kStruct ? &here : above,
            *to.field_builder(static_cast<int>(i)));
    }
  }

  void time(const TypeDescription& type, arrow::ArrayBuilder& to) {
    if (countsInDouble(type)) return done(as<arrow::DoubleBuilder>(to).Append(in_.fixed<double>()));
    const auto count = in_.fixed<int64_t>();
    if (to.type()->id() != arrow::Type::TIMESTAMP) return done(as<arrow::Int64Builder>(to).Append(count));
    if (type.name == "ms" && Timestamp(count) == Timestamp::min()) return done(to.AppendNull());
    done(as<arrow::TimestampBuilder>(to).Append(count));
  }

  void scalar(const TypeDescription& type, arrow::ArrayBuilder& to) {
    switch (type.kind) {
      case TypeKind::kBool:
        return done(as<arrow::BooleanBuilder>(to).Append(readBool(in_)));
      case TypeKind::kInt8:
        return done(as<arrow::Int8Builder>(to).Append(in_.fixed<int8_t>()));
      case TypeKind::kInt16:
        return done(as<arrow::Int16Builder>(to).Append(in_.fixed<int16_t>()));
      case TypeKind::kInt32:
        return done(as<arrow::Int32Builder>(to).Append(in_.fixed<int32_t>()));
      case TypeKind::kInt64:
        return done(as<arrow::Int64Builder>(to).Append(in_.fixed<int64_t>()));
      case TypeKind::kUint8:
        return done(as<arrow::UInt8Builder>(to).Append(in_.fixed<uint8_t>()));
      case TypeKind::kUint16:
        return done(as<arrow::UInt16Builder>(to).Append(in_.fixed<uint16_t>()));
      case TypeKind::kUint32:
        return done(as<arrow::UInt32Builder>(to).Append(in_.fixed<uint32_t>()));
      case TypeKind::kUint64:
        return done(as<arrow::UInt64Builder>(to).Append(in_.fixed<uint64_t>()));
      case TypeKind::kFloat:
        return done(as<arrow::FloatBuilder>(to).Append(in_.fixed<float>()));
      case TypeKind::kDouble:
        return done(as<arrow::DoubleBuilder>(to).Append(in_.fixed<double>()));
      case TypeKind::kTimestamp:
      case TypeKind::kDuration:
        return time(type, to);
      default:
        return done(as<arrow::StringBuilder>(to).Append(validUtf8(in_.string())));
    }
  }

  ByteReader& in_;
};

/// A file that is only written to.
class OutputFile final : public arrow::io::OutputStream {
 public:
  explicit OutputFile(Output& output) : output_(output) {}

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
  Output& output_;
  int64_t written_ = 0;
  bool closed_ = false;
};

class ParquetRows final : public RowFormat {
 public:
  ParquetRows(const StateRowType& type, Output& output)
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
    Appender(in).value(type, nullptr, *batch_->GetField(column));
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

std::unique_ptr<RowFormat> parquetRows(const StateRowType& type, Output& output) {
  return std::make_unique<ParquetRows>(type, output);
}

}  // namespace flott
