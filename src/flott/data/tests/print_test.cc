#include "flott/data/print.h"

#include <gtest/gtest.h>

#include <chrono>

#include "flott/data/tests/described_types.h"

namespace flott::test {

enum class Level { kLow, kHigh };
std::string_view toString(Level level) { return level == Level::kLow ? "low" : "high"; }

namespace {

using namespace std::literals;

TEST(Print, TextAloneIsNotQuoted) {
  EXPECT_EQ(toText("to be"s), "to be");
  EXPECT_EQ(toText('c'), "c");
  EXPECT_EQ(toText(std::optional("to be"s)), R"("to be")");
}

TEST(Print, Composites) {
  EXPECT_EQ(toText(WordCount{"to", 2}), R"({word: "to", count: 2})");
  EXPECT_EQ(toText(std::pair("to"s, 2)), R"(("to", 2))");
  EXPECT_EQ(toText(std::vector<Point>{{1, 2}, {3, 4}}), "[{x: 1, y: 2}, {x: 3, y: 4}]");
  EXPECT_EQ(toText(std::map<std::string, bool>{{"a", true}, {"b", false}}), R"({"a": true, "b": false})");
  EXPECT_EQ(toText(std::set<int>{2, 1}), "{1, 2}");
  EXPECT_EQ(toText(Nothing{}), "{}");
  EXPECT_EQ(toText(std::vector<bool>{true, false}), "[true, false]");
  EXPECT_EQ(toText(std::variant<int, std::string>("x")), R"("x")");
  EXPECT_EQ(toText(std::optional<int>()), "null");
  EXPECT_EQ(toText(Money(5, "a\"b\n\x01")), R"({cents_: 5, currency_: "a\"b\n\u0001"})");
}

TEST(Print, Numbers) {
  EXPECT_EQ(toText(int8_t{-5}), "-5");
  EXPECT_EQ(toText(~uint64_t{0}), "18446744073709551615");
  EXPECT_EQ(toText(0.1), "0.1");
  EXPECT_EQ(toText(0.1F), "0.1");
  EXPECT_EQ(toText(Color::kGreen), "500");
  EXPECT_EQ(toText(UserId(7)), "7");
}

TEST(Print, TimesAndTypesWithTheirOwnText) {
  EXPECT_EQ(toText(Duration(5000)), "5 s");
  EXPECT_EQ(toText(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(toText(std::chrono::microseconds(3)), "3 us");
  EXPECT_EQ(toText(std::pair(Level::kHigh, Duration(250))), "(high, 250 ms)");
}

}  // namespace
}  // namespace flott::test
