// Which Arrow type a described type is as a column, and the other way for plain values.
//
// Whoever makes columns of records, states or schemas asks here, so that a kind of value is the same type
// everywhere. Structs, lists and maps nest; enums are their numbers, durations their counts, points in time
// are timestamps in UTC. What Arrow has no type for, or none that ends, is text in JSON; see jsonPart() for
// those that would rather refuse it. Pure functions: any thread.
//
//   arrowField("at", describe<std::optional<Timestamp>>())   ->   at: timestamp[ms, tz=UTC]
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>

#include "flott/data/type_description.h"

namespace flott {

/// For kBool … kString; null for others.
std::shared_ptr<arrow::DataType> plainArrowType(TypeKind kind);
/// The other way; nothing for types that are no plain values. The three types of text are strings.
std::optional<TypeKind> plainKind(const arrow::DataType& type);

/// Whether the type is text in JSON as a column: variants, types with a codec of their own, recursive ones
/// and structs without fields.
bool isJsonColumn(const TypeDescription& type);
/// The path of the first part that isJsonColumn(), or is a key without a value for each entry: "address.zip",
/// "tags[].name"; nothing when there is none.
std::optional<std::string> jsonPart(const TypeDescription& type);

/// Optional values and points in time, which may be unset, are nullable.
std::shared_ptr<arrow::Field> arrowField(const std::string& name, const TypeDescription& type);
/// Parts of tuples have the names that the description has, or else their numbers.
std::shared_ptr<arrow::DataType> arrowType(const TypeDescription& type);

}  // namespace flott
