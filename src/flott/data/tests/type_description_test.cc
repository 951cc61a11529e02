#include "flott/data/type_description.h"

#include <gtest/gtest.h>

#include <chrono>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/data/describe.h"
#include "flott/data/tests/described_types.h"

namespace flott::test {
namespace {

TEST(TypeDescription, NamesEveryKind) {
  EXPECT_EQ(
      describe<Everything>().toString(),
      "struct{flag: bool, letter: int8, i8: int8, u16: uint16, i32: int32, u64: uint64, f: float, d: double, "
      "color: enum(int16), lamp: enum(bool), text: string, at: timestamp(ms), took: duration(ms), "
      "user: int32, note: optional<string>, "
      "choice: variant<int32, string, struct{x: int32, y: int32}>, "
      "rows: list<struct{small: int8, big: int64, flag: bool}>, bits: list<bool>, "
      "corners: array<struct{x: int32, y: int32}, 2>, plain: array<int16, 3>, "
      "named: map<string, struct{x: int32, y: int32}>, loose: map<int64, string>, sorted: set<int32>, "
      "words: set<string>, pair: tuple<int32, string>, triple: tuple<bool, double, struct{}>, "
      "tree: struct{value: int32, children: list<^0>}, price: struct{cents_: int64, currency_: string}}");
}

TEST(TypeDescription, DurationsSayTheirUnit) {
  EXPECT_EQ(describe<std::chrono::milliseconds>(), describe<Duration>());
  EXPECT_EQ(describe<std::chrono::system_clock::time_point>().toString(), "timestamp(ns)");
  EXPECT_EQ(describe<std::chrono::minutes>().toString(), "duration(min)");
  EXPECT_EQ(describe<std::chrono::duration<double>>().toString(), "duration(s, double)");
  EXPECT_EQ((describe<std::chrono::duration<int, std::ratio<1, 60>>>().toString()), "duration(1/60 s)");
}

TEST(TypeDescription, KnowsLocalStructsAndStructsOfMacros) {
  struct Local {
    int first;
    std::vector<Local> rest;
  };
  EXPECT_EQ(describe<Local>().toString(), "struct{first: int32, rest: list<^0>}");
  EXPECT_EQ(describe<Temperature>().toString(), "struct{celsius: double}");
}

struct Tree;
struct Branch {
  std::vector<Tree> trees;
};
struct Tree {
  Branch branch;
  std::optional<std::vector<Tree>> more;
};

TEST(TypeDescription, MutualRecursionCountsStructs) {
  EXPECT_EQ(describe<Tree>().toString(), "struct{branch: struct{trees: list<^1>}, more: optional<list<^0>>}");
  EXPECT_EQ(describe<Branch>().toString(),
            "struct{trees: list<struct{branch: ^1, more: optional<list<^0>>}>}");
}

TEST(TypeDescription, ToJson) {
  EXPECT_EQ(describe<int32_t>().toJson(), R"("int32")");
  struct Row {
    std::string name;
    std::map<std::string, std::optional<double>> values;
    std::array<Color, 4> colors;
    Timestamp at;
    std::pair<bool, int> pair;
    std::vector<Row> rows;
  };
  EXPECT_EQ(
      describe<Row>().toJson(),
      R"({"type":"struct","fields":[{"name":"name","type":"string"},)"
      R"({"name":"values","type":{"type":"map","key":"string","value":{"type":"optional","of":"double"}}},)"
      R"({"name":"colors","type":{"type":"array","length":4,"of":{"type":"enum","of":"int16"}}},)"
      R"({"name":"at","type":{"type":"timestamp","unit":"ms"}},)"
      R"({"name":"pair","type":{"type":"tuple","of":["bool","int32"]}},)"
      R"({"name":"rows","type":{"type":"list","of":{"type":"enclosing","levels":0}}}]})");
}

std::string encoded(const TypeDescription& type) {
  std::string bytes;
  ByteWriter out(bytes);
  type.encode(out);
  return bytes;
}

TEST(TypeDescription, RoundTripsAndHasAFingerprint) {
  const std::string bytes = encoded(describe<Everything>());
  ByteReader in(bytes);
  EXPECT_EQ(TypeDescription::decode(in), describe<Everything>());
  EXPECT_TRUE(in.atEnd());
  EXPECT_NE(describe<Point>().fingerprint(), describe<Padded>().fingerprint());
  // Stored beside data: a change of this number breaks what users have saved.
  EXPECT_EQ(describe<WordCount>().fingerprint(), 0x54ccbc4c43e95d81u);
}

TEST(TypeDescription, BrokenBytesAreCorruptionAndNothingElse) {
  const std::string bytes = encoded(describe<Everything>());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string broken = bytes;
    broken[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    try {
      ByteReader in(broken);
      const TypeDescription type = TypeDescription::decode(in);
      EXPECT_FALSE(type.toString().empty());
      EXPECT_FALSE(type.toJson().empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
    }
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_THROW(TypeDescription::decode(in), Error);
  }
}

TEST(TypeDescription, RefusesTypesNestedWithoutEnd) {
  std::string bytes;
  ByteWriter out(bytes);
  for (int i = 0; i < 100'000; ++i) {
    out.fixed(static_cast<uint8_t>(TypeKind::kList));
    out.string("");
    out.varint(0);
    out.varint(1);
  }
  ByteReader in(bytes);
  EXPECT_THROW(TypeDescription::decode(in), Error);
}

struct Address {
  std::string street;
  int32_t zip = 0;
};
struct AddressWithCity {
  std::string city;
  std::string street;
  int32_t zip = 0;
};
struct AddressZipText {
  std::string street;
  std::string zip;
};
template <typename A>
struct Person {
  std::string name;
  std::vector<A> addresses;
};

TEST(Compatibility, FieldsMayComeAndGo) {
  const auto same = compare(describe<Person<Address>>(), describe<Person<Address>>());
  EXPECT_EQ(same.verdict, Compatibility::Verdict::kSame);

  const auto grown = compare(describe<Person<Address>>(), describe<Person<AddressWithCity>>());
  EXPECT_EQ(grown.verdict, Compatibility::Verdict::kMigratable);
  EXPECT_EQ(grown.added, std::vector<std::string>{"addresses[].city"});
  EXPECT_TRUE(grown.removed.empty());

  const auto shrunk = compare(describe<AddressWithCity>(), describe<Address>());
  EXPECT_EQ(shrunk.verdict, Compatibility::Verdict::kMigratable);
  EXPECT_EQ(shrunk.removed, std::vector<std::string>{"city"});
}

TEST(Compatibility, OrderOfFieldsIsNoPartOfTheType) {
  struct Swapped {
    int32_t zip;
    std::string street;
  };
  const auto swapped = compare(describe<Address>(), describe<Swapped>());
  EXPECT_EQ(swapped.verdict, Compatibility::Verdict::kMigratable);
  EXPECT_TRUE(swapped.added.empty() && swapped.removed.empty());
}

TEST(Compatibility, ATypeMayNotChange) {
  const auto changed = compare(describe<Person<Address>>(), describe<Person<AddressZipText>>());
  EXPECT_EQ(changed.verdict, Compatibility::Verdict::kIncompatible);
  EXPECT_EQ(changed.problem, "field 'addresses[].zip' was int32 and is now string");
  EXPECT_EQ(compare(describe<int32_t>(), describe<int64_t>()).problem,
            "the value was int32 and is now int64");
  EXPECT_EQ((compare(describe<std::array<int, 2>>(), describe<std::array<int, 3>>()).problem),
            "the value was array<int32, 2> and is now array<int32, 3>");
}

}  // namespace
}  // namespace flott::test
