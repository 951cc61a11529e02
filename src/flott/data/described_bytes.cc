#include "flott/data/described_bytes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "flott/base/error.h"
#include "flott/base/hash.h"
#include "flott/base/time.h"
#include "flott/data/key.h"
#include "flott/data/print.h"

namespace flott {
namespace {

// Calls within each other. A codec nests values no deeper than kMaxNesting, with a few calls for each level.
constexpr int kMaxValueDepth = 4096;

bool isStructLike(const TypeDescription& type) {
  return type.kind == TypeKind::kStruct || type.kind == TypeKind::kTuple;
}

bool isInteger(TypeKind kind) { return kind >= TypeKind::kInt8 && kind <= TypeKind::kUint64; }
bool isSigned(TypeKind kind) { return kind >= TypeKind::kInt8 && kind <= TypeKind::kInt64; }

/// Counts how deep the calls are.
class Depth {
 public:
  Depth(int& depth, const ByteReader& in) : depth_(depth) {
    if (++depth_ > kMaxValueDepth) in.fail("nests values too deep");
  }
  ~Depth() { --depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  int& depth_;
};

[[noreturn]] void failCustom(const ByteReader& in) {
  in.fail("has a value that only its own codec can decode");
}

std::string isoText(int64_t count, const std::string& unit) {
  if (unit == "ms") return toString(Timestamp(count));
  const int digits = unit == "s" ? 0 : unit == "us" ? 6 : unit == "ns" ? 9 : -1;
  if (digits < 0) return {};
  int64_t perSecond = 1;
  for (int i = 0; i < digits; ++i) perSecond *= 10;
  const int64_t seconds = count / perSecond - (count % perSecond < 0 ? 1 : 0);
  if (std::abs(seconds) > std::numeric_limits<int64_t>::max() / 1000) return {};
  std::string text = toString(Timestamp(seconds * 1000));
  text.resize(text.size() - 5);  // without ".000Z"
  if (digits > 0) {
    const std::string fraction = std::to_string(count - seconds * perSecond);
    text += '.' + std::string(static_cast<size_t>(digits) - fraction.size(), '0') + fraction;
  }
  return text + 'Z';
}

class JsonPrinter {
 public:
  JsonPrinter(ByteReader& in, std::string& out) : in_(in), out_(out) {}

  void value(const TypeDescription& part, const EnclosingTypes* around) {
    const Depth deeper(depth_, in_);
    const auto [type, above] = resolve(part, around);
    switch (type.kind) {
      case TypeKind::kString:
        return appendQuoted(validUtf8(in_.string()), out_);
      case TypeKind::kOptional:
        if (!readBool(in_)) {
          out_ += "null";
          return;
        }
        return value(type.parts[0], above);
      case TypeKind::kList:
      case TypeKind::kSet:
      case TypeKind::kArray:
        return elements(type, above);
      case TypeKind::kMap:
        return map(type, above);
      case TypeKind::kTuple:
      case TypeKind::kStruct:
        return fields(type, above);
      case TypeKind::kVariant: {
        const size_t index = readAlternative(type, in_);
        (out_ += R"({"alternative":)") += std::to_string(index);
        out_ += R"(,"value":)";
        value(type.parts[index], above);
        out_ += '}';
        return;
      }
      case TypeKind::kCustom:
        failCustom(in_);
      default:
        return scalar(type);
    }
  }

 private:
  void scalar(const TypeDescription& type) {
    switch (type.kind) {
      case TypeKind::kBool:
        out_ += readBool(in_) ? "true" : "false";
        return;
      case TypeKind::kFloat:
        return number(in_.fixed<float>());
      case TypeKind::kDouble:
        return number(in_.fixed<double>());
      case TypeKind::kEnum:
        return scalar(type.parts[0]);
      case TypeKind::kTimestamp:
        return time(type);
      case TypeKind::kDuration:
        if (countsInDouble(type)) return number(in_.fixed<double>());
        reflect::appendNumber(in_.fixed<int64_t>(), out_);
        return;
      default:
        if (isSigned(type.kind)) {
          reflect::appendNumber(readSigned(type.kind, in_), out_);
        } else {
          reflect::appendNumber(readUnsigned(type.kind, in_), out_);
        }
    }
  }

  template <typename N>
  void number(N value) {
    if (std::isfinite(value)) {
      reflect::appendNumber(value, out_);
    } else {
      out_ += std::isnan(value) ? R"("NaN")" : value > 0 ? R"("Infinity")" : R"("-Infinity")";
    }
  }

  void time(const TypeDescription& type) {
    if (countsInDouble(type)) return number(in_.fixed<double>());
    const auto count = in_.fixed<int64_t>();
    if (type.name == "ms" && Timestamp(count) == Timestamp::min()) {
      out_ += "null";
      return;
    }
    const std::string text = isoText(count, type.name);
    if (text.empty()) {
      reflect::appendNumber(count, out_);
    } else {
      appendQuoted(text, out_);
    }
  }

  void elements(const TypeDescription& type, const EnclosingTypes* above) {
    out_ += '[';
    const uint64_t count = readCount(type, in_);
    for (uint64_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      value(type.parts[0], above);
    }
    out_ += ']';
  }

  void map(const TypeDescription& type, const EnclosingTypes* above) {
    const TypeKind key = type.parts[0].kind;
    const bool object = key == TypeKind::kString || isInteger(key);
    out_ += object ? '{' : '[';
    const uint64_t count = readCount(type, in_);
    for (uint64_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (!object) out_ += R"({"key":)";
      if (isInteger(key)) out_ += '"';
      value(type.parts[0], above);
      if (isInteger(key)) out_ += '"';
      out_ += object ? ":" : R"(,"value":)";
      value(type.parts[1], above);
      if (!object) out_ += '}';
    }
    out_ += object ? '}' : ']';
  }

  void fields(const TypeDescription& type, const EnclosingTypes* above) {
    const bool isStruct = type.kind == TypeKind::kStruct;
    const EnclosingTypes here{&type, above};
    if (type.parts.empty()) in_.raw(1);
    out_ += isStruct ? '{' : '[';
    for (size_t i = 0; i < type.parts.size(); ++i) {
      if (i > 0) out_ += ',';
      if (isStruct) {
        appendQuoted(type.fieldNames[i], out_);
        out_ += ':';
      }
      value(type.parts[i], isStruct ? &here : above);
    }
    out_ += isStruct ? '}' : ']';
  }

  ByteReader& in_;
  std::string& out_;
  int depth_ = 0;
};

class Skipper {
 public:
  explicit Skipper(ByteReader& in) : in_(in) {}

  void value(const TypeDescription& part, const EnclosingTypes* around) {
    const Depth deeper(depth_, in_);
    const auto [type, above] = resolve(part, around);
    switch (type.kind) {
      case TypeKind::kString:
        in_.string();
        return;
      case TypeKind::kOptional:
        if (readBool(in_)) value(type.parts[0], above);
        return;
      case TypeKind::kList:
      case TypeKind::kSet:
      case TypeKind::kArray:
      case TypeKind::kMap: {
        const uint64_t count = readCount(type, in_);
        for (uint64_t i = 0; i < count; ++i) {
          for (const TypeDescription& each : type.parts) value(each, above);
        }
        return;
      }
      case TypeKind::kTuple:
      case TypeKind::kStruct: {
        const EnclosingTypes here{&type, above};
        if (type.parts.empty()) in_.raw(1);
        for (const TypeDescription& field : type.parts)
          value(field, type.kind == TypeKind::kStruct ? &here : above);
        return;
      }
      case TypeKind::kVariant:
        return value(type.parts[readAlternative(type, in_)], above);
      case TypeKind::kEnum:
        return value(type.parts[0], above);
      case TypeKind::kCustom:
        failCustom(in_);
      default:
        scalar(type.kind);
    }
  }

 private:
  void scalar(TypeKind kind) {
    if (kind == TypeKind::kBool) {
      readBool(in_);
    } else if (isInteger(kind)) {
      readUnsigned(kind, in_);
    } else {
      in_.raw(kind == TypeKind::kFloat ? 4 : 8);
    }
  }

  ByteReader& in_;
  int depth_ = 0;
};

class StoredKeyHasher {
 public:
  explicit StoredKeyHasher(ByteReader& in) : in_(in) {}

  uint64_t value(const TypeDescription& part, const EnclosingTypes* around) {
    const Depth deeper(depth_, in_);
    const auto [type, above] = resolve(part, around);
    switch (type.kind) {
      case TypeKind::kString:
        return hashBytes(in_.string());
      case TypeKind::kOptional:
        return readBool(in_) ? value(type.parts[0], above) : hashCellNull();
      case TypeKind::kList:
      case TypeKind::kArray: {
        const uint64_t count = readCount(type, in_);
        uint64_t hash = hashInt64(static_cast<int64_t>(count));
        for (uint64_t i = 0; i < count; ++i) hash = combineHashes(hash, value(type.parts[0], above));
        return hash;
      }
      case TypeKind::kTuple:
      case TypeKind::kStruct: {
        const EnclosingTypes here{&type, above};
        uint64_t hash = 0;
        for (size_t i = 0; i < type.parts.size(); ++i) {
          const uint64_t next = value(type.parts[i], type.kind == TypeKind::kStruct ? &here : above);
          hash = i == 0 ? next : combineHashes(hash, next);
        }
        return hash;
      }
      case TypeKind::kVariant: {
        const size_t index = readAlternative(type, in_);
        return combineHashes(hashInt64(static_cast<int64_t>(index)), value(type.parts[index], above));
      }
      case TypeKind::kEnum:
        return value(type.parts[0], above);
      case TypeKind::kMap:
      case TypeKind::kSet:
      case TypeKind::kCustom:
        in_.fail("has a key of a type that cannot be one");
      default:
        return scalar(type);
    }
  }

 private:
  uint64_t scalar(const TypeDescription& type) {
    switch (type.kind) {
      case TypeKind::kBool:
        return hashInt64(readBool(in_) ? 1 : 0);
      case TypeKind::kFloat:
        return hashDouble(in_.fixed<float>());
      case TypeKind::kDouble:
        return hashDouble(in_.fixed<double>());
      case TypeKind::kTimestamp:
      case TypeKind::kDuration:
        return countsInDouble(type) ? hashDouble(in_.fixed<double>()) : hashInt64(in_.fixed<int64_t>());
      default:
        if (isSigned(type.kind)) return hashInt64(readSigned(type.kind, in_));
        return hashInt64(static_cast<int64_t>(readUnsigned(type.kind, in_)));
    }
  }

  ByteReader& in_;
  int depth_ = 0;
};

void addColumns(const TypeDescription& type, const std::string& name, std::vector<CellColumn>& columns) {
  if (!isStructLike(type) || type.parts.empty()) {
    columns.push_back({name, &type});
    return;
  }
  for (size_t i = 0; i < type.parts.size(); ++i) {
    const std::string part = type.kind == TypeKind::kStruct ? type.fieldNames[i] : std::to_string(i);
    addColumns(type.parts[i], name.empty() ? part : name + "." + part, columns);
  }
}

void addCells(const TypeDescription& type, const EnclosingTypes* above, ByteReader& in,
              std::vector<std::string>& cells) {
  if (isStructLike(type) && !type.parts.empty()) {
    const EnclosingTypes here{&type, above};
    for (const TypeDescription& part : type.parts)
      addCells(part, type.kind == TypeKind::kStruct ? &here : above, in, cells);
    return;
  }
  std::string& cell = cells.emplace_back();
  const TypeDescription* plain = &type;
  if (type.kind == TypeKind::kOptional) {
    if (!readBool(in)) return;
    plain = &type.parts[0];
  }
  if (plain->kind == TypeKind::kString) {
    cell = validUtf8(in.string());
    return;
  }
  appendJson(*plain, above, in, cell);
  if (cell == "null") cell.clear();
  if (plain->kind == TypeKind::kTimestamp && cell.starts_with('"')) cell = cell.substr(1, cell.size() - 2);
}

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

}  // namespace

const TypeDescription* undescribedPart(const TypeDescription& type) {
  if (type.kind == TypeKind::kCustom) return &type;
  for (const TypeDescription& part : type.parts) {
    if (const TypeDescription* found = undescribedPart(part)) return found;
  }
  return nullptr;
}

ResolvedType resolve(const TypeDescription& type, const EnclosingTypes* above) {
  if (type.kind != TypeKind::kEnclosing) return {type, above};
  for (uint64_t level = type.number; level > 0 && above != nullptr; --level) above = above->above;
  FLOTT_CHECK(above != nullptr, "a type points above its outermost struct");  // decode() refuses it
  return {*above->type, above->above};
}

void skipValue(const TypeDescription& type, ByteReader& in) { Skipper(in).value(type, nullptr); }

uint64_t hashOfKey(const TypeDescription& type, ByteReader& in) {
  return StoredKeyHasher(in).value(type, nullptr);
}

void appendJson(const TypeDescription& type, ByteReader& in, std::string& out) {
  appendJson(type, nullptr, in, out);
}

void appendJson(const TypeDescription& type, const EnclosingTypes* above, ByteReader& in, std::string& out) {
  JsonPrinter(in, out).value(type, above);
}

std::vector<CellColumn> cellColumns(const TypeDescription& type, const std::string& name) {
  std::vector<CellColumn> columns;
  addColumns(type, name, columns);
  return columns;
}

void appendCells(const TypeDescription& type, ByteReader& in, std::vector<std::string>& cells) {
  addCells(type, nullptr, in, cells);
}

int64_t readSigned(TypeKind kind, ByteReader& in) {
  switch (kind) {
    case TypeKind::kInt8:
      return in.fixed<int8_t>();
    case TypeKind::kInt16:
      return in.fixed<int16_t>();
    case TypeKind::kInt32:
      return in.fixed<int32_t>();
    default:
      return in.fixed<int64_t>();
  }
}

uint64_t readUnsigned(TypeKind kind, ByteReader& in) {
  switch (kind) {
    case TypeKind::kInt8:
    case TypeKind::kUint8:
      return in.fixed<uint8_t>();
    case TypeKind::kInt16:
    case TypeKind::kUint16:
      return in.fixed<uint16_t>();
    case TypeKind::kInt32:
    case TypeKind::kUint32:
      return in.fixed<uint32_t>();
    default:
      return in.fixed<uint64_t>();
  }
}

bool readBool(ByteReader& in) {
  const auto byte = in.fixed<uint8_t>();
  if (byte > 1) in.fail("holds a bool that is neither true nor false");
  return byte != 0;
}

bool countsInDouble(const TypeDescription& time) { return time.name.ends_with(", double"); }

uint64_t readCount(const TypeDescription& container, ByteReader& in) {
  if (container.kind != TypeKind::kArray) return in.count(1);
  if (container.number == 0) in.raw(1);
  if (container.number > in.remaining()) in.fail("ends early");
  return container.number;
}

size_t readAlternative(const TypeDescription& variant, ByteReader& in) {
  const auto index = in.fixed<uint8_t>();
  if (index >= variant.parts.size()) in.fail("holds a variant with an unknown alternative");
  return index;
}

std::string validUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8Length(text);
    if (length > 0) {
      valid += text.substr(0, length);
    } else {
      valid += "\xef\xbf\xbd";
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

}  // namespace flott
