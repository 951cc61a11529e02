#include "flott/data/arrow_types.h"

#include <arrow/type.h>

#include <utility>

#include "flott/data/arrow_status.h"
#include "flott/data/described_bytes.h"

namespace flott {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

// The types that are the same thing on both sides. Of several for one kind the first is made.
constexpr std::pair<arrow::Type::type, TypeKind> kPlain[] = {
    {arrow::Type::BOOL, TypeKind::kBool},           {arrow::Type::INT8, TypeKind::kInt8},
    {arrow::Type::INT16, TypeKind::kInt16},         {arrow::Type::INT32, TypeKind::kInt32},
    {arrow::Type::INT64, TypeKind::kInt64},         {arrow::Type::UINT8, TypeKind::kUint8},
    {arrow::Type::UINT16, TypeKind::kUint16},       {arrow::Type::UINT32, TypeKind::kUint32},
    {arrow::Type::UINT64, TypeKind::kUint64},       {arrow::Type::FLOAT, TypeKind::kFloat},
    {arrow::Type::DOUBLE, TypeKind::kDouble},       {arrow::Type::STRING, TypeKind::kString},
    {arrow::Type::LARGE_STRING, TypeKind::kString}, {arrow::Type::STRING_VIEW, TypeKind::kString},
};

std::string partName(const TypeDescription& type, size_t i) {
  return type.fieldNames.empty() ? std::to_string(i) : type.fieldNames[i];
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

}  // namespace

TypePtr plainArrowType(TypeKind kind) {
  for (const auto& [id, plain] : kPlain) {
    if (plain == kind) return valueOf(arrow::type_singleton(id), toString(kind));
  }
  return nullptr;
}

std::optional<TypeKind> plainKind(const arrow::DataType& type) {
  for (const auto& [id, plain] : kPlain) {
    if (id == type.id()) return plain;
  }
  return std::nullopt;
}

bool isJsonColumn(const TypeDescription& type) {
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

std::optional<std::string> jsonPart(const TypeDescription& type) {
  if (isJsonColumn(type)) return "";
  for (size_t i = 0; i < type.parts.size(); ++i) {
    const bool isKey = type.kind == TypeKind::kMap && i == 0;
    std::optional<std::string> inside = jsonPart(type.parts[i]);
    if (isKey && type.parts[i].kind == TypeKind::kOptional) inside = "";
    if (!inside) continue;
    switch (type.kind) {
      case TypeKind::kStruct:
      case TypeKind::kTuple:
        return partName(type, i) + (inside->empty() || inside->starts_with('[') ? "" : ".") + *inside;
      case TypeKind::kMap:
        return (isKey ? "[key]" : "[]") + std::string(inside->empty() ? "" : ".") + *inside;
      case TypeKind::kOptional:
        return inside;
      default:
        return "[]" + std::string(inside->empty() ? "" : ".") + *inside;
    }
  }
  return std::nullopt;
}

std::shared_ptr<arrow::Field> arrowField(const std::string& name, const TypeDescription& type) {
  const bool nullable = type.kind == TypeKind::kOptional || type.kind == TypeKind::kTimestamp;
  return arrow::field(name, arrowType(type), nullable);
}

TypePtr arrowType(const TypeDescription& type) {
  if (isJsonColumn(type)) return arrow::utf8();
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
        fields.push_back(arrowField(partName(type, i), type.parts[i]));
      return arrow::struct_(fields);
    }
    default:
      return plainArrowType(type.kind);
  }
}

}  // namespace flott
