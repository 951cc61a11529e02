#include "flott/state/key_type.h"

#include <algorithm>
#include <cstring>

#include "flott/base/error.h"
#include "flott/data/type_description.h"

namespace flott {
namespace {

/// Of custom types nothing is known.
bool hasEqualBytes(const TypeDescription& type) {
  if (type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble || type.kind == TypeKind::kCustom)
    return false;
  return std::all_of(type.parts.begin(), type.parts.end(), hasEqualBytes);
}

}  // namespace

KeyType::KeyType(const TypeOps& ops) : ops_(&ops), equalInBytes_(hasEqualBytes(ops.description())) {
  const TypeDescription* type = &ops.description();
  if (ops.hash == nullptr) {
    throw Error(ErrorKind::kUser, "a stream cannot be keyed by " + type->toString() +
                                      ": use a number, a string, or a struct of such");
  }
  if (type->kind == TypeKind::kEnum) type = &type->parts.at(0);
  switch (type->kind) {
    case TypeKind::kInt8:
    case TypeKind::kInt16:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      negative_ = true;
      [[fallthrough]];
    case TypeKind::kBool:
    case TypeKind::kUint8:
    case TypeKind::kUint16:
    case TypeKind::kUint32:
    case TypeKind::kUint64:
      bytes_ = static_cast<uint8_t>(ops.size);
      break;
    default:
      break;
  }
}

uint64_t KeyType::word(uint64_t hash, const void* key) const {
  if (!isWord()) return hashWord(hash);
  uint64_t word = 0;
  std::memcpy(&word, key, bytes_);
  const int unused = 64 - 8 * bytes_;
  return negative_ ? static_cast<uint64_t>(static_cast<int64_t>(word << unused) >> unused) : word;
}

int compareEncoded(const TypeOps& ops, const void* a, const void* b) {
  std::string first, second;
  ByteWriter firstOut(first), secondOut(second);
  ops.encode(a, firstOut);
  ops.encode(b, secondOut);
  return first.compare(second);
}

}  // namespace flott
