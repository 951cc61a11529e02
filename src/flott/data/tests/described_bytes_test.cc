#include "flott/data/described_bytes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "flott/base/tests/error_text.h"
#include "flott/data/describe.h"
#include "flott/data/key.h"
#include "flott/data/tests/described_types.h"
#include "flott/data/tests/encoded.h"
#include "flott/data/tests/random_value.h"

namespace flott {
namespace {

using namespace test;

template <typename T>
std::string jsonOf(const T& value) {
  const std::string bytes = encoded(value);
  ByteReader in(bytes);
  std::string json;
  appendJson(describe<T>(), in, json);
  EXPECT_TRUE(in.atEnd()) << json;
  return json;
}

template <typename T>
std::string cellsOf(const T& value, const std::string& name) {
  const std::string bytes = encoded(value);
  ByteReader in(bytes);
  std::vector<std::string> cells;
  appendCells(describe<T>(), in, cells);
  EXPECT_TRUE(in.atEnd());
  const std::vector<CellColumn> columns = cellColumns(describe<T>(), name);
  EXPECT_EQ(columns.size(), cells.size());
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) text += columns[i].name + "=" + cells[i] + "|";
  return text;
}

template <typename T>
uint64_t hashOf(const T& key) {
  const std::string bytes = encoded(key);
  ByteReader in(bytes);
  const uint64_t hash = hashOfKey(describe<T>(), in);
  EXPECT_TRUE(in.atEnd());
  return hash;
}

TEST(DescribedBytes, AreJson) {
  EXPECT_EQ(jsonOf(WordCount{"to \"be\"\n", 2}), R"({"word":"to \"be\"\n","count":2})");
  EXPECT_EQ(jsonOf(true), "true");
  EXPECT_EQ(jsonOf(int8_t{-5}), "-5");
  EXPECT_EQ(jsonOf(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(jsonOf(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(jsonOf(0.1f), "0.1");
  EXPECT_EQ(jsonOf(std::vector<double>{0.5, -0.0, 1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0}),
            R"([0.5,-0,"Infinity","-Infinity","NaN"])");
  EXPECT_EQ(jsonOf(Color::kGreen), "500");
  EXPECT_EQ(jsonOf(Switch::kOn), "true");
  EXPECT_EQ(jsonOf(std::optional<int32_t>()), "null");
  EXPECT_EQ(jsonOf(std::optional<int32_t>(4)), "4");
  EXPECT_EQ(jsonOf(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ(jsonOf(std::array<Point, 2>{{{1, 2}, {3, 4}}}), R"([{"x":1,"y":2},{"x":3,"y":4}])");
  EXPECT_EQ(jsonOf(std::array<Point, 0>{}), "[]");
  EXPECT_EQ(jsonOf(Nothing{}), "{}");
  EXPECT_EQ(jsonOf(std::pair<int32_t, std::string>(1, "a")), R"([1,"a"])");
  EXPECT_EQ(jsonOf(std::set<int32_t>{3, 1}), "[1,3]");
  EXPECT_EQ(jsonOf(std::map<std::string, int32_t>{{"b", 1}, {"a", 2}}), R"({"a":2,"b":1})");
  EXPECT_EQ(jsonOf(std::unordered_map<int64_t, std::string>{{-7, "x"}}), R"({"-7":"x"})");
  EXPECT_EQ(jsonOf(std::map<bool, int32_t>{{true, 1}}), R"([{"key":true,"value":1}])");
  EXPECT_EQ(jsonOf(std::variant<int32_t, std::string>("x")), R"({"alternative":1,"value":"x"})");
  EXPECT_EQ(jsonOf(Node{1, {{2, {{3, {}}}}, {4, {}}}}),
            R"({"value":1,"children":[{"value":2,"children":[{"value":3,"children":[]}]},)"
            R"({"value":4,"children":[]}]})");
  EXPECT_EQ(jsonOf(Money(250, "EUR")), R"({"cents_":250,"currency_":"EUR"})");
  EXPECT_EQ(jsonOf(std::string("a\xff\xe2\x82\xac\xc0\xaf\xed\xa0\x80|")),
            "\"a\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\"");
}

TEST(DescribedBytes, TimesAreTextInUtc) {
  using namespace std::chrono;
  EXPECT_EQ(jsonOf(Timestamp(1'769'860'800'123)), R"("2026-01-31T12:00:00.123Z")");
  EXPECT_EQ(jsonOf(Timestamp::min()), "null");
  EXPECT_EQ(jsonOf(Duration(1500)), "1500");
  EXPECT_EQ(jsonOf(sys_time<microseconds>(microseconds(-1))), R"("1969-12-31T23:59:59.999999Z")");
  EXPECT_EQ(jsonOf(sys_time<nanoseconds>(nanoseconds(1'000'000'042))), R"("1970-01-01T00:00:01.000000042Z")");
  EXPECT_EQ(jsonOf(sys_seconds(seconds(60))), R"("1970-01-01T00:01:00Z")");
  EXPECT_EQ(jsonOf(sys_seconds(seconds::max())), "9223372036854775807");
  EXPECT_EQ(jsonOf(duration<double>(0.5)), "0.5");
  EXPECT_EQ(jsonOf(hours(3)), "3");
}

struct Address {
  std::string city;
  std::optional<int32_t> zip;
};
struct Customer {
  int64_t id = 0;
  Address address;
  std::vector<int32_t> orders;
  std::pair<bool, Timestamp> seen;
};

TEST(DescribedBytes, AreCells) {
  EXPECT_EQ(cellsOf(Customer{1, {"Bonn", std::nullopt}, {5, 6}, {true, Timestamp(0)}}, "value"),
            "value.id=1|value.address.city=Bonn|value.address.zip=|value.orders=[5,6]|value.seen.0=true|"
            "value.seen.1=1970-01-01T00:00:00.000Z|");
  EXPECT_EQ(cellsOf(Address{"a", 7}, ""), "city=a|zip=7|");
  EXPECT_EQ(cellsOf(std::string("x"), "key"), "key=x|");
  EXPECT_EQ(cellsOf(Node{1, {{2, {}}}}, "n"), "n.value=1|n.children=[{\"value\":2,\"children\":[]}]|");
}

TEST(DescribedBytes, KeysHashAsTheirTypesDo) {
  RandomValues random(3);
  using Composite = std::tuple<bool, uint32_t, double, std::string, std::optional<int16_t>, Point, Color,
                               std::variant<int32_t, std::string>, std::vector<uint8_t>, Timestamp,
                               std::array<Point, 2>, Node>;
  static_assert(Key<Composite>);
  for (int i = 0; i < 300; ++i) {
    const auto key = random.make<Composite>();
    EXPECT_EQ(hashOf(key), hashKey(key));
    const auto number = random.make<uint64_t>();
    EXPECT_EQ(hashOf(number), hashKey(number));
  }
  EXPECT_EQ(hashOf(UserId(-1)), hashKey(UserId(-1)));
  EXPECT_EQ(hashOf(-0.0f), hashKey(0.0));
  EXPECT_EQ(hashOf(std::chrono::duration<float>(2)), hashKey(std::chrono::duration<float>(2)));
}

TEST(DescribedBytes, AnyValueIsWalkedToItsEnd) {
  RandomValues random(7);
  for (int i = 0; i < 200; ++i) {
    const std::string bytes = encoded(random.make<Everything>());
    ByteReader in(bytes);
    skipValue(describe<Everything>(), in);
    EXPECT_TRUE(in.atEnd());
    jsonOf(random.make<Everything>());
    cellsOf(random.make<Everything>(), "value");
  }
}

TEST(DescribedBytes, BrokenBytesAreRefused) {
  RandomValues random(11);
  const std::string bytes = encoded(random.make<Everything>());
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string broken = bytes;
    broken[i / 8] = static_cast<char>(broken[i / 8] ^ 1 << i % 8);
    if (i % 3 == 0) broken.resize(i / 8);
    std::string json;
    ByteReader in(broken);
    try {
      appendJson(describe<Everything>(), in, json);
    } catch (const Error& error) {
      EXPECT_EQ(toString(error.kind()), toString(ErrorKind::kCorruption)) << error.what();
    }
  }
  // A struct that holds itself without end.
  TypeDescription endless;
  endless.kind = TypeKind::kStruct;
  TypeDescription self;
  self.kind = TypeKind::kEnclosing;
  endless.add("self", self);
  ByteReader in(bytes);
  EXPECT_EQ(errorText([&] { skipValue(endless, in); }, ErrorKind::kCorruption),
            "encoded data nests values too deep at byte 0");
}

struct Opaque {
  int32_t x = 0;
};

}  // namespace

template <>
struct Codec<Opaque> {
  static constexpr std::string_view kName = "opaque";
  static void encode(const Opaque& value, ByteWriter& out) { out.fixed(value.x); }
  static void decode(ByteReader& in, Opaque& value) { value.x = in.fixed<int32_t>(); }
};

namespace {

TEST(DescribedBytes, CustomTypesAreNamed) {
  const TypeDescription& type = describe<std::vector<std::optional<Opaque>>>();
  ASSERT_NE(undescribedPart(type), nullptr);
  EXPECT_EQ(undescribedPart(type)->toString(), "custom(opaque)");
  EXPECT_EQ(undescribedPart(describe<Everything>()), nullptr);
  EXPECT_EQ(errorText([] { jsonOf(Opaque{1}); }, ErrorKind::kCorruption),
            "encoded data has a value that only its own codec can decode at byte 0");
}

}  // namespace
}  // namespace flott
