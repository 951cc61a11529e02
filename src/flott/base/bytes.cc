#include "flott/base/bytes.h"

#include "flott/base/error.h"

namespace flott {

void ByteWriter::varint(uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(*raw(1));
    if (shift == 63 && byte > 1) fail("holds a varint over 64 bits");
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail("holds a varint over 10 bytes");
}

size_t ByteReader::count(size_t bytesEach) {
  const uint64_t n = varint();
  if (n > remaining() / (bytesEach == 0 ? 1 : bytesEach)) fail("counts more items than it can hold");
  return static_cast<size_t>(n);
}

void ByteReader::fail(const char* why) const {
  throw Error(ErrorKind::kCorruption,
              "encoded data " + std::string(why) + " at byte " + std::to_string(offset()));
}

}  // namespace flott
