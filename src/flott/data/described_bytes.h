// Encoded values without their C++ type: what a program that only has the TypeDescription can do with bytes.
//
// Codec<T> (codec.h) says how a T lies in bytes; this walks the same bytes by the description of T. It is for
// tools that look at stored data; engine code that knows T uses its codec. A type with a Codec of its own is
// only understood by the program that has it: see undescribedPart(). Pure functions: any thread. All that
// read throw Error(kCorruption) where the bytes cannot be of the type.
//
//   ByteReader in(bytes);
//   std::string json;
//   appendJson(describe<WordCount>(), in, json);     // {"word":"to","count":2}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/data/type_description.h"

namespace flott {

/// The first part of the type whose bytes nobody but its own Codec understands; null when there is none.
const TypeDescription* undescribedPart(const TypeDescription& type);

/// The structs that a part lies in, innermost first: what kEnclosing counts.
struct EnclosingTypes {
  const TypeDescription* type;
  const EnclosingTypes* above;
};

/// The struct that a kEnclosing part stands for, with those around it.
struct ResolvedType {
  const TypeDescription& type;
  const EnclosingTypes* above;
};
/// `type` itself unless it is a kEnclosing.
ResolvedType resolve(const TypeDescription& type, const EnclosingTypes* above);

void skipValue(const TypeDescription& type, ByteReader& in);
/// hashKey() of the value.
uint64_t hashOfKey(const TypeDescription& type, ByteReader& in);

/// Structs are objects, lists, arrays, tuples and sets are arrays. Maps are objects where their keys are
/// strings or integers, else arrays of {"key", "value"}. Points in time are text in UTC, null when unset;
/// numbers that JSON does not have are text. A variant is {"alternative": its index, "value": …}.
void appendJson(const TypeDescription& type, ByteReader& in, std::string& out);
/// Of a part, within the structs that it is a part of.
void appendJson(const TypeDescription& type, const EnclosingTypes* above, ByteReader& in, std::string& out);

/// A value as cells of a table: structs and tuples are one cell for each field, named "address.zip".
struct CellColumn {
  std::string name;
  const TypeDescription* type;  // of the cell; lives as long as the description it was made from
};
std::vector<CellColumn> cellColumns(const TypeDescription& type, const std::string& name);
/// Appends a text for each of cellColumns(): text and numbers as they are, nothing (null) as "", other
/// values as JSON.
void appendCells(const TypeDescription& type, ByteReader& in, std::vector<std::string>& cells);

// Parts of the encoding, for others that walk it.

int64_t readSigned(TypeKind kind, ByteReader& in);
uint64_t readUnsigned(TypeKind kind, ByteReader& in);
bool readBool(ByteReader& in);
/// Whether a time or duration is counted in a double, and not in an int64.
bool countsInDouble(const TypeDescription& time);
/// How many parts follow: of a list, set or map as stored, of an array always the same.
uint64_t readCount(const TypeDescription& container, ByteReader& in);
/// Which alternative of a variant follows.
size_t readAlternative(const TypeDescription& variant, ByteReader& in);

/// Text as it is, but that bytes which are no UTF-8 become U+FFFD.
std::string validUtf8(std::string_view text);

}  // namespace flott
