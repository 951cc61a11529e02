#include "flott/data/described_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/builder.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>

#include "flott/base/time.h"
#include "flott/data/arrow_status.h"
#include "flott/data/arrow_types.h"
#include "flott/data/described_bytes.h"

namespace flott {
namespace {

constexpr const char* kWhat = "columns";

/// Appends one encoded value to a builder of arrowType().
class Appender {
 public:
  explicit Appender(ByteReader& in) : in_(in) {}

  void value(const TypeDescription& type, const EnclosingTypes* above, arrow::ArrayBuilder& to) {
    if (isJsonColumn(type)) {
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

}  // namespace

void appendColumn(const TypeDescription& type, ByteReader& in, arrow::ArrayBuilder& to) {
  Appender(in).value(type, nullptr, to);
}

void appendColumns(const TypeDescription& type, ByteReader& in, arrow::RecordBatchBuilder& to) {
  const EnclosingTypes here{&type, nullptr};
  Appender appender(in);
  for (size_t i = 0; i < type.parts.size(); ++i) {
    appender.value(type.parts[i], type.kind == TypeKind::kStruct ? &here : nullptr,
                   *to.GetField(static_cast<int>(i)));
  }
}

}  // namespace flott
