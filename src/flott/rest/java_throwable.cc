#include "flott/rest/java_throwable.h"

#include <algorithm>
#include <cstdint>

namespace flott {
namespace {

// Of the Java Object Serialization Specification, section 6.4.
constexpr uint8_t kObject = 0x73;
constexpr uint8_t kClass = 0x72;
constexpr uint8_t kString = 0x74;
constexpr uint8_t kEnd = 0x78;
constexpr uint8_t kNull = 0x70;
constexpr uint8_t kSerializable = 2;
constexpr size_t kMostBytes = 16 << 10;  // a text has a length of two bytes

class JavaStream {
 public:
  JavaStream() : bytes_("\xac\xed\x00\x05", 4) {}

  JavaStream& byte(uint8_t value) {
    bytes_ += static_cast<char>(value);
    return *this;
  }
  JavaStream& number(uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) byte(static_cast<uint8_t>(value >> shift));
    return *this;
  }
  JavaStream& text(std::string_view utf) {
    number(utf.size(), 2);
    bytes_ += utf;
    return *this;
  }
  JavaStream& string(std::string_view utf) { return byte(kString).text(utf); }
  /// The class that the last one extends comes next, or kNull.
  JavaStream& javaClass(std::string_view name, uint64_t version,
                        std::initializer_list<std::string_view> texts) {
    byte(kClass).text(name).number(version, 8).byte(kSerializable).number(texts.size(), 2);
    for (const std::string_view field : texts) byte('L').text(field).string("Ljava/lang/String;");
    return byte(kEnd);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// As Java writes it: at most three bytes a character, none of them zero.
std::string javaUtf(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size() && out.size() < kMostBytes;) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xc2 && first < 0xe0 ? 2
                          : (first & 0xf0) == 0xe0        ? 3
                                                          : 0;
    bool good = length > 0 && first != 0 && i + length <= text.size();
    for (size_t k = 1; good && k < length; ++k) good = (static_cast<uint8_t>(text[i + k]) & 0xc0) == 0x80;
    if (good) {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    out += '?';
    for (++i; i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80; ++i) {
    }
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string javaThrowable(std::string_view text) {
  const std::string utf = javaUtf(text);
  JavaStream stream;
  stream.byte(kObject)
      .javaClass("org.apache.flink.util.SerializedThrowable", 7284183123441947635,
                 {"fullStringifiedStackTrace", "originalErrorClassName"})
      .javaClass("java.lang.Exception", static_cast<uint64_t>(-3387516993124229948), {})
      .javaClass("java.lang.Throwable", static_cast<uint64_t>(-3042686055658047285), {"detailMessage"})
      .byte(kNull);
  // Fields of the topmost class first. What is not there, such as the cause, is null.
  stream.string(utf).string("flott::Error: " + utf + "\n").string("flott::Error");
  return base64(stream.bytes());
}

}  // namespace flott
