#include "flott/rest/java_throwable.h"

#include <gtest/gtest.h>

#include <string>

namespace flott {
namespace {

std::string decoded(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t group = 0;
  int bits = 0;
  for (const char c : base64) {
    if (c == '=') break;
    group = group << 6 | static_cast<uint32_t>(digits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 255);
  }
  return bytes;
}

// What a Java of version 17 has read as the exception, with this message and this stack trace.
TEST(JavaThrowable, IsWhatJavaReads) {
  EXPECT_EQ(javaThrowable("disk full"),
            "rO0ABXNyAClvcmcuYXBhY2hlLmZsaW5rLnV0aWwuU2VyaWFsaXplZFRocm93YWJsZWUWnfUfpxPzAgACTAAZZnVsbF"
            "N0cmluZ2lmaWVkU3RhY2tUcmFjZXQAEkxqYXZhL2xhbmcvU3RyaW5nO0wAFm9yaWdpbmFsRXJyb3JDbGFzc05hbWV0"
            "ABJMamF2YS9sYW5nL1N0cmluZzt4cgATamF2YS5sYW5nLkV4Y2VwdGlvbtD9Hz4aOxzEAgAAeHIAE2phdmEubGFuZy"
            "5UaHJvd2FibGXVxjUnOXe4ywIAAUwADWRldGFpbE1lc3NhZ2V0ABJMamF2YS9sYW5nL1N0cmluZzt4cHQACWRpc2sg"
            "ZnVsbHQAGGZsb3R0OjpFcnJvcjogZGlzayBmdWxsCnQADGZsb3R0OjpFcnJvcg==");
}

TEST(JavaThrowable, TextsHaveTheirLengthsAndNoBytesThatJavaRefuses) {
  const std::string bytes = decoded(javaThrowable("ü€ \xf0\x9f\x98\x80 \xff\x80 \xe2\x82"));
  const std::string text = "ü€ ? ? ?";
  EXPECT_NE(bytes.find("\x74" + std::string("\0\x0b", 2) + text + "\x74" + std::string("\0\x1a", 2) +
                       "flott::Error: " + text + "\n"),
            std::string::npos);
  EXPECT_EQ(decoded(javaThrowable(std::string("a\0b", 3))).find(std::string("a\0b", 3)), std::string::npos);
  EXPECT_LT(javaThrowable(std::string(1 << 20, 'x')).size(), size_t{50'000});
}

}  // namespace
}  // namespace flott
