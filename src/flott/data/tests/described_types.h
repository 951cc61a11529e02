// Types that the tests of descriptions, codecs, keys and text share: one field of each kind.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/reflect.h"

namespace flott::test {

enum class Color : int16_t { kRed, kGreen = 500 };
enum class Switch : bool { kOff, kOn };

struct WordCount {
  std::string word;
  int64_t count = 0;
  bool operator==(const WordCount&) const = default;
};

struct Point {  // no padding: copied as a whole
  int32_t x = 0;
  int32_t y = 0;
  bool operator==(const Point&) const = default;
};

struct Padded {
  int8_t small = 0;
  int64_t big = 0;
  bool flag = false;
  bool operator==(const Padded&) const = default;
};

struct Nothing {
  bool operator==(const Nothing&) const = default;
};

struct Node {
  int32_t value = 0;
  std::vector<Node> children;
  bool operator==(const Node&) const = default;
};

class Money {
 public:
  Money() = default;
  Money(int64_t cents, std::string currency) : cents_(cents), currency_(std::move(currency)) {}
  bool operator==(const Money&) const = default;
  FLOTT_DESCRIBE(Money, cents_, currency_)

 private:
  int64_t cents_ = 0;
  std::string currency_;
};

struct Temperature {
  Temperature() = default;
  explicit Temperature(double degrees) : celsius(degrees) {}
  double celsius = 0;
  int cachedRounded = 0;  // not listed: no part of the value
};
FLOTT_DESCRIBE(Temperature, celsius)

using UserId = Strong<struct UserIdTag, int32_t>;

struct Everything {
  bool flag = false;
  char letter = 'a';
  int8_t i8 = 0;
  uint16_t u16 = 0;
  int32_t i32 = 0;
  uint64_t u64 = 0;
  float f = 0;
  double d = 0;
  Color color = Color::kRed;
  Switch lamp = Switch::kOff;
  std::string text;
  Timestamp at;
  Duration took;
  UserId user;
  std::optional<std::string> note;
  std::variant<int32_t, std::string, Point> choice;
  std::vector<Padded> rows;
  std::vector<bool> bits;
  std::array<Point, 2> corners{};
  int16_t plain[3] = {};
  std::map<std::string, Point> named;
  std::unordered_map<int64_t, std::string> loose;
  std::set<int32_t> sorted;
  std::unordered_set<std::string> words;
  std::pair<int32_t, std::string> pair;
  std::tuple<bool, double, Nothing> triple;
  Node tree;
  Money price;

  bool operator==(const Everything&) const = default;
};

}  // namespace flott::test
