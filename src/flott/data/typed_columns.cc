#include "flott/data/typed_columns.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstring>

#include "flott/base/time.h"
#include "flott/data/arrow_status.h"
#include "flott/data/arrow_types.h"
#include "flott/data/columns.h"

namespace flott {
namespace {

using arrow::Type;

// The Arrow type that a kind of field is copied from.
std::shared_ptr<arrow::DataType> typeFor(TypeKind kind) {
  return kind == TypeKind::kTimestamp ? arrow::timestamp(arrow::TimeUnit::MILLI) : plainArrowType(kind);
}

// Whether every value of `from` is one of `to`. Of times, what is finer than a millisecond is lost.
bool fits(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() == Type::DICTIONARY) {
    return fits(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  if (to.id() == Type::TIMESTAMP) {
    return from.id() == Type::TIMESTAMP || from.id() == Type::DATE32 || from.id() == Type::DATE64;
  }
  if (to.id() == Type::STRING) return arrow::is_string(from.id()) || from.id() == Type::STRING_VIEW;
  if (from.id() == to.id()) return true;
  if (arrow::is_floating(to.id())) return from.id() == Type::FLOAT && to.id() == Type::DOUBLE;
  if (!arrow::is_integer(from.id()) || !arrow::is_integer(to.id())) return false;
  const bool widens = to.bit_width() > from.bit_width();
  return widens && (arrow::is_unsigned_integer(from.id()) || arrow::is_signed_integer(to.id()));
}

template <typename V>
void fillNumbers(const FlatField& field, const arrow::Array& column, int64_t from, size_t count, char* record,
                 size_t size) {
  const V* values = column.data()->GetValues<V>(1) + from;
  for (size_t i = 0; i < count; ++i, record += size) {
    if (field.optional && column.IsNull(from + static_cast<int64_t>(i))) {
      field.clearIn(record);
    } else {
      std::memcpy(field.valueIn(record), &values[i], sizeof(V));
    }
  }
}

template <typename A, typename Set>
void fillEach(const FlatField& field, const arrow::Array& column, int64_t from, size_t count, char* record,
              size_t size, Set&& set) {
  const auto& values = static_cast<const A&>(column);
  for (size_t i = 0; i < count; ++i, record += size) {
    const int64_t row = from + static_cast<int64_t>(i);
    if (field.optional && column.IsNull(row)) {
      field.clearIn(record);
    } else {
      set(field.valueIn(record), values, row);
    }
  }
}

void fillColumn(const FlatField& field, const arrow::Array& column, int64_t from, size_t count, char* records,
                size_t size) {
  switch (column.type()->id()) {
    case Type::BOOL:
      return fillEach<arrow::BooleanArray>(field, column, from, count, records, size,
                                           [](void* value, const auto& values, int64_t row) {
                                             *static_cast<bool*>(value) = values.Value(row);
                                           });
    case Type::STRING:
      return fillEach<arrow::StringArray>(field, column, from, count, records, size,
                                          [](void* value, const auto& values, int64_t row) {
                                            static_cast<std::string*>(value)->assign(values.GetView(row));
                                          });
    case Type::INT8:
    case Type::UINT8:
      return fillNumbers<int8_t>(field, column, from, count, records, size);
    case Type::INT16:
    case Type::UINT16:
      return fillNumbers<int16_t>(field, column, from, count, records, size);
    case Type::INT32:
    case Type::UINT32:
    case Type::FLOAT:
      return fillNumbers<int32_t>(field, column, from, count, records, size);
    default:
      return fillNumbers<int64_t>(field, column, from, count, records, size);
  }
}

}  // namespace

TypedColumns::TypedColumns(std::vector<FlatField> fields, std::string origin)
    : fields_(std::move(fields)), origin_(std::move(origin)) {}
TypedColumns::~TypedColumns() = default;

void TypedColumns::take(const arrow::RecordBatch& records, uint64_t rowsBefore) {
  columns_.clear();
  rows_ = records.num_rows();
  try {
    for (const FlatField& field : fields_) takeColumn(field, records, rowsBefore);
  } catch (Error& error) {
    if (origin_.empty()) throw;
    throw std::move(error).at(origin_);
  }
}

void TypedColumns::takeColumn(const FlatField& field, const arrow::RecordBatch& records,
                              uint64_t rowsBefore) {
  std::shared_ptr<arrow::Array> column = records.column(columnIndex(*records.schema(), field.name));
  const std::shared_ptr<arrow::DataType> wanted = typeFor(field.kind);
  if (!fits(*column->type(), *wanted)) {
    throw Error(ErrorKind::kUser, "column '" + field.name + "' is " + column->type()->ToString() +
                                      ", but the field is " + std::string(toString(field.kind)) +
                                      ": give the field a type that holds every value of the column");
  }
  if (!field.optional && column->null_count() > 0) {
    int64_t row = 0;
    while (column->IsValid(row)) ++row;
    throw Error(ErrorKind::kUser, "column '" + field.name + "' has no value in row " +
                                      std::to_string(rowsBefore + static_cast<uint64_t>(row) + 1) +
                                      ", but the field is not optional: make it a std::optional");
  }
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(wanted);
  options.allow_time_truncate = true;
  if (!column->type()->Equals(*wanted)) {
    column = valueOf(arrow::compute::Cast(*column, wanted, options), "column '" + field.name + "'");
  }
  columns_.push_back(std::move(column));
}

void TypedColumns::fill(int64_t from, size_t count, void* records, size_t size) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    fillColumn(fields_[i], *columns_[i], from, count, static_cast<char*>(records), size);
  }
}

}  // namespace flott
