#include "flott/formats/text_value.h"

#include <gtest/gtest.h>

#include "flott/base/time.h"

namespace flott {
namespace {

// As toString() shows it, or the reason why it is none.
std::string time(std::string_view text) {
  Timestamp value;
  const char* problem = parseValue(text, TypeKind::kTimestamp, &value);
  return problem != nullptr ? problem : toString(value);
}

TEST(TextValueTest, TimesInEveryWriting) {
  EXPECT_EQ(time("2026-01-31"), "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(time("2026-01-31 23:59"), "2026-01-31T23:59:00.000Z");
  EXPECT_EQ(time("2026-01-31T23:59:58"), "2026-01-31T23:59:58.000Z");
  EXPECT_EQ(time("2026-01-31T23:59:58.1Z"), "2026-01-31T23:59:58.100Z");
  EXPECT_EQ(time("2026-01-31T23:59:58.123456789Z"), "2026-01-31T23:59:58.123Z");
  EXPECT_EQ(time("2026-01-31T23:59:58+01:00"), "2026-01-31T22:59:58.000Z");
  EXPECT_EQ(time("2026-01-31T23:59:58-0530"), "2026-02-01T05:29:58.000Z");
  EXPECT_EQ(time("2024-02-29"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(time("0000-03-01"), "0000-03-01T00:00:00.000Z");
  EXPECT_EQ(time("0"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time("-86400000"), "1969-12-31T00:00:00.000Z");
}

TEST(TextValueTest, WhatIsNoTime) {
  for (const char* text :
       {"", "x", "2026-13-01", "2026-04-31", "2026-00-01", "2023-02-29", "2026-1-31", "2026-01-31T",
        "2026-01-31T24:00", "2026-01-31T23:60", "2026-01-31T23:59:60", "2026-01-31T23:59:58.",
        "2026-01-31T23:59Zx", "2026-01-31T23:59+", "2026-01-31x", "26-01-31", "2026/01/31"}) {
    EXPECT_EQ(time(text), "is not a time: write 2026-01-31T12:00:00.000Z, or milliseconds since 1970")
        << text;
  }
}

TEST(TextValueTest, AFailedParseLeavesTheValue) {
  int32_t number = 7;
  EXPECT_STREQ(parseValue("99999999999", TypeKind::kInt32, &number),
               "is out of range: int32 goes from -2147483648 to 2147483647");
  EXPECT_STREQ(parseValue("7x", TypeKind::kInt32, &number), "is not a number");
  EXPECT_EQ(number, 7);
  double real = 7;
  EXPECT_STREQ(parseValue("1e999", TypeKind::kDouble, &real), "is out of range for a number of this size");
  EXPECT_EQ(real, 7);
}

}  // namespace
}  // namespace flott
