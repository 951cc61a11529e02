// Reading and writing of the engine's binary formats: little-endian fixed-width numbers, varints,
// length-prefixed strings.
//
// Writers append to a caller-owned std::string. A reader never reads past its view: broken input throws
// Error(kCorruption) with the offset, so that a decoder needs no checks of its own. Used by one thread at a
// time.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace flott {

/// Appends to a string that must outlive the writer.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  template <typename T>
  requires std::is_arithmetic_v<T>
  void fixed(T value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  /// LEB128, 1 to 10 bytes.
  void varint(uint64_t value);
  /// Small magnitudes of either sign become short varints.
  void zigzag(int64_t value) {
    varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void raw(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
  /// Length as a varint, then the bytes.
  void string(std::string_view bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }
  size_t size() const { return out_.size(); }
  std::string& buffer() { return out_; }

 private:
  std::string& out_;
};

/// Reads from a view that must outlive the reader.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  template <typename T>
  requires std::is_arithmetic_v<T> T fixed() {
    T value;
    std::memcpy(&value, raw(sizeof value), sizeof value);
    return value;
  }
  uint64_t varint();
  int64_t zigzag() {
    const uint64_t v = varint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  /// Pointer to the next `size` bytes, inside the view.
  const char* raw(size_t size) {
    if (size > remaining()) [[unlikely]]
      fail("ends early");
    const char* here = at_;
    at_ += size;
    return here;
  }
  /// The bytes stay in the view: copy them to keep them.
  std::string_view string() {
    const uint64_t size = varint();
    return {raw(size), static_cast<size_t>(size)};
  }
  /// A count of items that take at least `bytesEach` each: refuses counts the rest of the view cannot hold.
  size_t count(size_t bytesEach = 1);
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  bool atEnd() const { return at_ == end_; }
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  [[noreturn]] void fail(const char* why) const;

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace flott
