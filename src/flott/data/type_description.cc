#include "flott/data/type_description.h"

#include <algorithm>
#include <array>
#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/hash.h"

namespace flott {
namespace {

constexpr std::array<std::string_view, 25> kKindNames = {
    "bool",  "int8",   "int16",  "int32",     "int64",    "uint8",  "uint16",   "uint32", "uint64",
    "float", "double", "string", "timestamp", "duration", "enum",   "optional", "list",   "array",
    "map",   "set",    "tuple",  "variant",   "struct",   "custom", "enclosing"};

// A type nested deeper was not written by a person.
constexpr int kMaxTypeDepth = 64;

// Is the number of parts, and of names, what the kind asks for?
bool wellFormed(const TypeDescription& type) {
  const size_t parts = type.parts.size();
  switch (type.kind) {
    case TypeKind::kEnum:
      return parts == 1 && type.parts[0].kind <= TypeKind::kUint64;
    case TypeKind::kOptional:
    case TypeKind::kList:
    case TypeKind::kArray:
    case TypeKind::kSet:
      return parts == 1;
    case TypeKind::kMap:
      return parts == 2;
    case TypeKind::kStruct:
    case TypeKind::kTuple:
    case TypeKind::kVariant:
      return true;
    default:
      return parts == 0;
  }
}

TypeDescription decodeAt(ByteReader& in, int depth, uint64_t enclosingStructs) {
  if (depth > kMaxTypeDepth) in.fail("nests types too deep");
  TypeDescription type;
  const uint8_t kind = in.fixed<uint8_t>();
  if (kind >= kKindNames.size()) in.fail("names an unknown kind of type");
  type.kind = static_cast<TypeKind>(kind);
  type.name = in.string();
  type.number = in.varint();
  if (type.kind == TypeKind::kEnclosing && type.number >= enclosingStructs)
    in.fail("points above its outermost struct");
  const bool isStruct = type.kind == TypeKind::kStruct;
  const size_t parts = in.count(4);  // kind, name, number, count
  type.parts.reserve(parts);
  for (size_t i = 0; i < parts; ++i) {
    if (isStruct) type.fieldNames.emplace_back(in.string());
    type.parts.push_back(decodeAt(in, depth + 1, enclosingStructs + (isStruct ? 1 : 0)));
  }
  if (!wellFormed(type)) in.fail("has a type with the wrong number of parts");
  return type;
}

void appendText(const TypeDescription& type, std::string& out);

void appendParts(const TypeDescription& type, std::string& out) {
  for (size_t i = 0; i < type.parts.size(); ++i) {
    if (i > 0) out += ", ";
    if (type.kind == TypeKind::kStruct) (out += type.fieldNames[i]) += ": ";
    appendText(type.parts[i], out);
  }
}

void appendText(const TypeDescription& type, std::string& out) {
  if (type.kind == TypeKind::kEnclosing) {
    (out += '^') += std::to_string(type.number);
    return;
  }
  out += toString(type.kind);
  switch (type.kind) {
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kCustom:
      ((out += '(') += type.name) += ')';
      break;
    case TypeKind::kEnum:
      out += '(';
      appendParts(type, out);
      out += ')';
      break;
    case TypeKind::kStruct:
      out += '{';
      appendParts(type, out);
      out += '}';
      break;
    case TypeKind::kArray:
      out += '<';
      appendParts(type, out);
      ((out += ", ") += std::to_string(type.number)) += '>';
      break;
    default:
      if (type.kind < TypeKind::kEnum) break;
      out += '<';
      appendParts(type, out);
      out += '>';
  }
}

void appendJson(const TypeDescription& type, std::string& out);

void appendJsonParts(const TypeDescription& type, std::string& out) {
  const bool isStruct = type.kind == TypeKind::kStruct;
  out += isStruct ? R"(,"fields":[)" : R"(,"of":[)";
  for (size_t i = 0; i < type.parts.size(); ++i) {
    if (i > 0) out += ',';
    if (isStruct) {
      out += R"({"name":)";
      appendQuoted(type.fieldNames[i], out);
      out += R"(,"type":)";
    }
    appendJson(type.parts[i], out);
    if (isStruct) out += '}';
  }
  out += ']';
}

void appendJson(const TypeDescription& type, std::string& out) {
  if (type.kind < TypeKind::kTimestamp) {
    appendQuoted(toString(type.kind), out);
    return;
  }
  out += R"({"type":)";
  appendQuoted(toString(type.kind), out);
  switch (type.kind) {
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      out += R"(,"unit":)";
      appendQuoted(type.name, out);
      break;
    case TypeKind::kCustom:
      out += R"(,"name":)";
      appendQuoted(type.name, out);
      break;
    case TypeKind::kEnclosing:
      (out += R"(,"levels":)") += std::to_string(type.number);
      break;
    case TypeKind::kMap:
      out += R"(,"key":)";
      appendJson(type.parts[0], out);
      out += R"(,"value":)";
      appendJson(type.parts[1], out);
      break;
    case TypeKind::kStruct:
    case TypeKind::kTuple:
    case TypeKind::kVariant:
      appendJsonParts(type, out);
      break;
    default:
      if (type.kind == TypeKind::kArray) (out += R"(,"length":)") += std::to_string(type.number);
      out += R"(,"of":)";
      appendJson(type.parts[0], out);
  }
  out += '}';
}

// Walks two descriptions side by side and notes where they differ.
class Comparison {
 public:
  Compatibility run(const TypeDescription& stored, const TypeDescription& now) {
    compareTypes(stored, now, "");
    if (!result_.problem.empty()) {
      result_.verdict = Compatibility::Verdict::kIncompatible;
    } else if (migrates_) {
      result_.verdict = Compatibility::Verdict::kMigratable;
    }
    return std::move(result_);
  }

 private:
  void compareTypes(const TypeDescription& stored, const TypeDescription& now, const std::string& path) {
    if (stored == now || !result_.problem.empty()) return;
    const bool sameHead = stored.kind == now.kind && stored.name == now.name && stored.number == now.number;
    if (sameHead && stored.kind == TypeKind::kStruct) {
      compareFields(stored, now, path);
    } else if (sameHead && stored.kind == TypeKind::kMap && stored.parts[0] == now.parts[0]) {
      compareTypes(stored.parts[1], now.parts[1], path + "[]");
    } else if (sameHead && mayChangeInside(stored, now)) {
      migrates_ = true;
      for (size_t i = 0; i < stored.parts.size(); ++i)
        compareTypes(stored.parts[i], now.parts[i], path + "[]");
    } else {
      const bool inField = path.find_first_not_of("[]") != std::string::npos;
      result_.problem = (inField        ? "field '" + path + "'"
                         : path.empty() ? "the value"
                                        : "an element") +
                        " was " + stored.toString() + " and is now " + now.toString();
    }
  }

  static bool mayChangeInside(const TypeDescription& stored, const TypeDescription& now) {
    switch (stored.kind) {
      case TypeKind::kOptional:
      case TypeKind::kList:
      case TypeKind::kArray:
        return true;
      case TypeKind::kTuple:
        return stored.parts.size() == now.parts.size();
      case TypeKind::kVariant:
        return stored.parts.size() <= now.parts.size();
      default:
        return false;
    }
  }

  void compareFields(const TypeDescription& stored, const TypeDescription& now, const std::string& path) {
    migrates_ = true;
    const std::string prefix = path.empty() ? "" : path + ".";
    for (size_t i = 0; i < stored.parts.size(); ++i) {
      const std::string& name = stored.fieldNames[i];
      const auto found = std::find(now.fieldNames.begin(), now.fieldNames.end(), name);
      if (found == now.fieldNames.end()) {
        result_.removed.push_back(prefix + name);
      } else {
        compareTypes(stored.parts[i], now.parts[static_cast<size_t>(found - now.fieldNames.begin())],
                     prefix + name);
      }
    }
    for (const std::string& name : now.fieldNames) {
      if (std::find(stored.fieldNames.begin(), stored.fieldNames.end(), name) == stored.fieldNames.end()) {
        result_.added.push_back(prefix + name);
      }
    }
  }

  Compatibility result_;
  bool migrates_ = false;
};

}  // namespace

std::string_view toString(TypeKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string durationUnit(intmax_t numerator, intmax_t denominator, bool floating) {
  struct Unit {
    intmax_t numerator;
    intmax_t denominator;
    const char* name;
  };
  static constexpr Unit kUnits[] = {
      {1, 1'000'000'000, "ns"}, {1, 1'000'000, "us"}, {1, 1000, "ms"}, {1, 1, "s"},
      {60, 1, "min"},           {3600, 1, "h"},       {86400, 1, "d"}};
  std::string name = std::to_string(numerator) + "/" + std::to_string(denominator) + " s";
  for (const Unit& unit : kUnits) {
    if (unit.numerator == numerator && unit.denominator == denominator) name = unit.name;
  }
  return floating ? name + ", double" : name;
}

void appendQuoted(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string TypeDescription::toString() const {
  std::string text;
  appendText(*this, text);
  return text;
}

std::string TypeDescription::toJson() const {
  std::string text;
  appendJson(*this, text);
  return text;
}

uint64_t TypeDescription::fingerprint() const {
  std::string bytes;
  ByteWriter out(bytes);
  encode(out);
  return hashBytes(bytes);
}

void TypeDescription::encode(ByteWriter& out) const {
  out.fixed(static_cast<uint8_t>(kind));
  out.string(name);
  out.varint(number);
  out.varint(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (kind == TypeKind::kStruct) out.string(fieldNames[i]);
    parts[i].encode(out);
  }
}

TypeDescription TypeDescription::decode(ByteReader& in) { return decodeAt(in, 0, 0); }

void TypeDescription::add(TypeDescription part) { parts.push_back(std::move(part)); }

void TypeDescription::add(std::string_view fieldName, TypeDescription part) {
  fieldNames.emplace_back(fieldName);
  add(std::move(part));
}

Compatibility compare(const TypeDescription& stored, const TypeDescription& now) {
  return Comparison().run(stored, now);
}

}  // namespace flott
