// The logical type of a value, as data: what a snapshot, a savepoint or an exchange says about the bytes in
// it.
//
// It knows names of fields and kinds of values, never C++ names, sizes or layouts, so that stored data
// outlives a change of compiler or a renamed class. describe<T>() in describe.h makes one; `compare` tells
// whether stored data still fits a program. A plain value: any thread may read one.
//
//   describe<WordCount>().toString()   ->   struct{word: string, count: int64}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flott {

class ByteReader;
class ByteWriter;

/// Stored in snapshots: add at the end only.
enum class TypeKind : uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat,
  kDouble,
  kString,
  kTimestamp,
  kDuration,
  kEnum,      // parts: the integer it is stored as
  kOptional,  // parts: the element
  kList,      // parts: the element
  kArray,     // parts: the element; number: how many
  kMap,       // parts: key, value
  kSet,       // parts: the element
  kTuple,     // parts: the elements
  kVariant,   // parts: the alternatives
  kStruct,    // parts: the fields; fieldNames: their names
  kCustom,    // name: that of the Codec
  kEnclosing  // number: the struct so many levels up (0: the innermost) of which this is a part again
};

std::string_view toString(TypeKind kind);

/// What only the program that has the type can do with it. Neither stored nor part of what is compared.
struct NativeType {
  /// Of a struct: the encoded T().
  std::string (*encodedDefault)() = nullptr;
  /// Of a custom type: reads past one value.
  void (*skip)(ByteReader& in) = nullptr;

  bool operator==(const NativeType&) const { return true; }
};

struct TypeDescription {
  TypeKind kind = TypeKind::kBool;
  std::string name;     // custom types: that of the Codec; timestamps and durations: the unit
  uint64_t number = 0;  // array: length; kEnclosing: levels
  std::vector<std::string> fieldNames;
  std::vector<TypeDescription> parts;
  NativeType native = {};  // null where the description was decoded

  bool operator==(const TypeDescription&) const = default;

  /// "struct{word: string, seen: list<timestamp(ms)>}"; kEnclosing is "^0".
  std::string toString() const;
  /// A JSON string for a kind that says it all, else an object: {"type":"list","of":"string"}.
  std::string toJson() const;
  /// Equal descriptions have equal fingerprints, on every build and machine.
  uint64_t fingerprint() const;

  void encode(ByteWriter& out) const;
  /// Throws Error(kCorruption) unless the bytes are a well-formed description.
  static TypeDescription decode(ByteReader& in);

  void add(TypeDescription part);
  void add(std::string_view fieldName, TypeDescription part);
};

/// Unit of a std::ratio of seconds: "ms" for 1/1000, "ms, double" if its count is no integer.
std::string durationUnit(intmax_t numerator, intmax_t denominator, bool floating);

/// Appends text in double quotes, as JSON has it.
void appendQuoted(std::string_view text, std::string& out);

/// How a stored type relates to the one that a program has now.
struct Compatibility {
  enum class Verdict : uint8_t {
    kSame,          // the bytes can be decoded as they are
    kMigratable,    // fields were added, removed or moved: see Migration
    kIncompatible,  // see `problem`
  };
  Verdict verdict = Verdict::kSame;
  /// Paths of fields that only the program has ("address.zip"): they get their defaults.
  std::vector<std::string> added;
  /// Paths of fields that only the stored data has: they are dropped.
  std::vector<std::string> removed;
  /// "field 'address.zip' was int32 and is now string"; the first that was found.
  std::string problem;
};

/// Fields are matched by name, wherever they stand; reordering alone is kMigratable. Keys of maps and
/// elements of sets stay as they are; a variant may have more alternatives at its end.
Compatibility compare(const TypeDescription& stored, const TypeDescription& now);

}  // namespace flott
