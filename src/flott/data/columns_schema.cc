#include <arrow/type.h>

#include <array>
#include <utility>

#include "flott/base/nearest.h"
#include "flott/data/arrow_types.h"
#include "flott/data/columns.h"
#include "flott/data/type_description.h"

namespace flott {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

TypeDescription describeType(const arrow::DataType& type);

TypeDescription describeField(const arrow::Field& field) {
  TypeDescription inner = describeType(*field.type());
  if (!field.nullable()) return inner;
  TypeDescription optional;
  optional.kind = TypeKind::kOptional;
  optional.add(std::move(inner));
  return optional;
}

std::string unitName(arrow::TimeUnit::type unit) {
  static constexpr std::array<const char*, 4> kNames = {"s", "ms", "us", "ns"};
  return kNames[static_cast<size_t>(unit)];
}

TypeDescription describeType(const arrow::DataType& type) {
  TypeDescription out;
  if (const auto plain = plainKind(type)) {
    out.kind = *plain;
    return out;
  }
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      out.kind = TypeKind::kTimestamp;
      out.name = unitName(static_cast<const arrow::TimestampType&>(type).unit());
      break;
    case arrow::Type::DURATION:
      out.kind = TypeKind::kDuration;
      out.name = unitName(static_cast<const arrow::DurationType&>(type).unit());
      break;
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
      out.kind = TypeKind::kList;
      out.add(describeField(*type.field(0)));
      break;
    case arrow::Type::MAP:
      out.kind = TypeKind::kMap;
      out.add(describeField(*static_cast<const arrow::MapType&>(type).key_field()));
      out.add(describeField(*static_cast<const arrow::MapType&>(type).item_field()));
      break;
    case arrow::Type::STRUCT:
      out.kind = TypeKind::kStruct;
      for (const auto& field : type.fields()) out.add(field->name(), describeField(*field));
      break;
    case arrow::Type::DICTIONARY:
      return describeType(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      out.kind = TypeKind::kCustom;
      out.name = type.ToString();
  }
  return out;
}

TypePtr typeOf(const TypeDescription& description, const std::string& field) {
  if (TypePtr plain = plainArrowType(description.kind)) return plain;
  if (description.kind == TypeKind::kEnum) return typeOf(description.parts[0], field);
  if (description.kind == TypeKind::kTimestamp && description.name == "ms") return arrowType(description);
  throw Error(ErrorKind::kUser, "field '" + field + "' is " + description.toString() +
                                    " and cannot be a column: columns hold numbers, bools, strings and "
                                    "timestamps, or std::optional of these");
}

}  // namespace

template <>
const TypeDescription& describe<Columns>() {
  static const TypeDescription kColumns = [] {
    TypeDescription type;
    type.kind = TypeKind::kCustom;
    type.name = "columns";
    return type;
  }();
  return kColumns;
}

TypeDescription describeSchema(const arrow::Schema& schema) {
  TypeDescription type;
  type.kind = TypeKind::kStruct;
  for (const auto& field : schema.fields()) type.add(field->name(), describeField(*field));
  return type;
}

std::shared_ptr<arrow::Schema> schemaOf(const TypeDescription& description) {
  if (description.kind != TypeKind::kStruct) {
    throw Error(ErrorKind::kUser, description.toString() + " has no fields: columns need a struct of them");
  }
  arrow::FieldVector fields;
  for (size_t i = 0; i < description.parts.size(); ++i) {
    const TypeDescription& part = description.parts[i];
    const bool optional = part.kind == TypeKind::kOptional;
    const std::string& name = description.fieldNames[i];
    fields.push_back(arrow::field(name, typeOf(optional ? part.parts[0] : part, name), optional));
  }
  return arrow::schema(std::move(fields));
}

Error unknownColumn(const std::string& name, std::span<const std::string_view> known) {
  std::string text = "there is no column '" + name + "'";
  const std::string_view nearest = nearestOf(name, known);
  text += nearest.empty() ? "." : "; did you mean '" + std::string(nearest) + "'?";
  text += " The columns are: ";
  const char* separator = "";
  for (const std::string_view column : known) {
    (text += separator) += column;
    separator = ", ";
  }
  return Error(ErrorKind::kUser, std::move(text));
}

int columnIndex(const arrow::Schema& schema, const std::string& name) {
  const int index = schema.GetFieldIndex(name);
  if (index >= 0) return index;
  std::vector<std::string_view> known;
  for (const auto& field : schema.fields()) known.push_back(field->name());
  throw unknownColumn(name, known);
}

}  // namespace flott
