// Quotes and blanks in what HTTP says.
#include "flott/rest/http_text.h"

#include <gtest/gtest.h>

#include "flott/rest/refusal.h"

namespace flott {
namespace {

TEST(HttpText, WhatIsQuotedIsReadBack) {
  for (const std::string name : {"a.jar", "two words", "a\"b", "back\\slash", "a;b=c", "\\\"", "ü", ""})
    EXPECT_EQ(parameterOf("form-data; name=x; filename=" + inQuotes(name), "filename"), name);
  EXPECT_EQ(inQuotes("line\r\nbreak"), "\"linebreak\"");
}

TEST(HttpText, ParametersAreFoundByName) {
  EXPECT_EQ(parameterOf("form-data; name=\"a; filename=b\"; FileName = c ", "filename"), "c");
  EXPECT_EQ(parameterOf("form-data; name=a", "filename"), std::nullopt);
  EXPECT_EQ(parameterOf("form-data; name", "name"), std::nullopt);
  EXPECT_EQ(parameterOf("", "name"), std::nullopt);
  EXPECT_EQ(parameterOf("x; name=", "name"), "");
  EXPECT_THROW(parameterOf("x; name=\"a", "name"), Refusal);
}

TEST(HttpText, BlanksAndCase) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(lowerCase("Content-TYPE Ä"), "content-type Ä");
}

}  // namespace
}  // namespace flott
