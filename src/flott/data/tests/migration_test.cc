// Values that were written as an older type, read as a newer one.
#include "flott/data/migration.h"

#include <gtest/gtest.h>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/base/tests/error_text.h"
#include "flott/data/codec.h"
#include "flott/data/describe.h"
#include "flott/data/tests/described_types.h"
#include "flott/data/tests/encoded.h"
#include "flott/data/tests/random_value.h"

namespace flott::test {

/// A type with a codec of its own.
struct Tag {
  std::string text;
  bool operator==(const Tag&) const = default;
};

}  // namespace flott::test

template <>
struct flott::Codec<flott::test::Tag> {
  static constexpr std::string_view kName = "tag";
  static void encode(const test::Tag& value, ByteWriter& out) { out.string(value.text); }
  static void decode(ByteReader& in, test::Tag& value) { value.text = in.string(); }
};

namespace flott::test {
namespace {

template <typename Now, typename Was>
Now migrated(const Was& was) {
  EXPECT_EQ(compare(describe<Was>(), describe<Now>()).problem, "");
  // As a snapshot has it: without what only the program knows.
  std::string schema;
  ByteWriter schemaOut(schema);
  describe<Was>().encode(schemaOut);
  ByteReader schemaIn(schema);
  const Migration migration(TypeDescription::decode(schemaIn), describe<Now>());
  const std::string bytes = encoded(was) + "the next";
  ByteReader in(bytes);
  std::string rewritten;
  ByteWriter out(rewritten);
  migration.run(in, out);
  EXPECT_EQ(in.remaining(), 8u) << "not the whole value was read, or more";
  Now now{};
  ByteReader back(rewritten);
  Codec<Now>::decode(back, now);
  EXPECT_TRUE(back.atEnd());
  return now;
}

TEST(Migration, FieldsAreAddedWithTheirInitialisers) {
  struct Was {
    std::string user;
    int32_t visits = 0;
  };
  struct Now {
    int16_t level = 7;
    std::string user;
    std::string country = "unknown";
    int32_t visits = 0;
    std::vector<int64_t> recent = {1, 2};
    double score;
    bool operator==(const Now&) const = default;
  };
  EXPECT_EQ(migrated<Now>(Was{"ann", 3}), (Now{7, "ann", "unknown", 3, {1, 2}, 0.0}));
}

TEST(Migration, FieldsAreRemoved) {
  struct Was {
    std::vector<std::optional<std::string>> notes;
    std::string user;
    std::map<std::string, Point> places;
    int32_t visits = 0;
    std::variant<int32_t, std::string> last;
  };
  struct Now {
    int32_t visits = 0;
  };
  EXPECT_EQ(migrated<Now>(Was{{"a", {}, "ccc"}, "ann", {{"x", {1, 2}}}, 3, "end"}).visits, 3);
}

TEST(Migration, FieldsMove) {
  struct Was {
    std::string a;
    int32_t b = 0;
    std::string gone;
    std::vector<std::string> c;
  };
  struct Now {
    std::vector<std::string> c;
    int8_t fresh = 5;
    int32_t b = 0;
    std::string a;
    bool operator==(const Now&) const = default;
  };
  EXPECT_EQ(migrated<Now>(Was{"aa", 9, "gone", {"c", "cc"}}), (Now{{"c", "cc"}, 5, 9, "aa"}));
}

struct InnerWas {
  int32_t kept = 0;
  std::string dropped;
};
struct InnerNow {
  int64_t added = 11;
  int32_t kept = 0;
  bool operator==(const InnerNow&) const = default;
};
template <typename Inner>
struct Outer {
  Inner plain;
  std::optional<Inner> maybe;
  std::optional<Inner> absent;
  std::vector<Inner> list;
  std::array<Inner, 2> two{};
  std::map<std::string, Inner> byName;
  std::unordered_map<int32_t, std::vector<Inner>> loose;
  std::pair<Inner, std::string> pair;
  std::variant<int32_t, Inner> choice;
  std::string end;
  bool operator==(const Outer&) const = default;
};

TEST(Migration, StructsInsideOfAnything) {
  const auto fill = [](auto make) {
    Outer<decltype(make(0))> all;
    all.plain = make(1);
    all.maybe = make(2);
    all.list = {make(3), make(4)};
    all.two = {make(5), make(6)};
    all.byName = {{"a", make(7)}, {"b", make(8)}};
    all.loose = {{1, {make(9)}}, {2, {}}, {3, {make(10), make(11)}}};
    all.pair = {make(12), "pair"};
    all.choice = make(13);
    all.end = "end";
    return all;
  };
  const auto was = fill([](int32_t i) { return InnerWas{i, std::string(static_cast<size_t>(i), 'x')}; });
  EXPECT_EQ(migrated<Outer<InnerNow>>(was), fill([](int32_t i) { return InnerNow{11, i}; }));
}

TEST(Migration, DefaultsOfAStructInAStructAreThoseOfItsOwnType) {
  struct Was {
    struct Limits {
      int32_t low = 0;
    } limits;
  };
  struct Now {
    struct Limits {
      int32_t low = 0;
      int32_t high = 100;
    } limits{1, 2};
  };
  EXPECT_EQ(migrated<Now>(Was{{5}}).limits.low, 5);
  EXPECT_EQ(migrated<Now>(Was{{5}}).limits.high, 100);
}

struct TreeWas {
  int32_t value = 0;
  std::vector<TreeWas> children;
};
struct TreeNow {
  std::vector<TreeNow> children;
  std::string label = "leaf";
  int32_t value = 0;
  bool operator==(const TreeNow&) const = default;
};

TEST(Migration, TypesThatContainThemselves) {
  const TreeWas was{1, {{2, {{3, {}}}}, {4, {}}}};
  EXPECT_EQ(migrated<TreeNow>(was), (TreeNow{{{{{{}, "leaf", 3}}, "leaf", 2}, {{}, "leaf", 4}}, "leaf", 1}));
  struct ForestWas {
    TreeWas left;
    std::string name;
  };
  struct ForestNow {
    std::string name;
    TreeNow left;
    std::map<int32_t, TreeNow> more;
    Node other{8, {{9, {}}}};
  };
  const ForestNow forest = migrated<ForestNow>(ForestWas{was, "wood"});
  EXPECT_EQ(forest.name, "wood");
  EXPECT_EQ(forest.left.children.size(), 2u);
  EXPECT_EQ(forest.other.children.at(0).value, 9);
}

TEST(Migration, StructsWithoutFields) {
  struct Empty {};
  struct Full {
    std::string text = "new";
    bool operator==(const Full&) const = default;
  };
  EXPECT_EQ(migrated<Full>(Empty()), Full());
  EXPECT_EQ(encoded(migrated<Empty>(Full())), encoded(Empty()));
  struct Other {
    int8_t other = 3;
  };
  EXPECT_EQ(migrated<Other>(Full()).other, 3) << "nothing of it stayed";
  EXPECT_EQ((migrated<std::vector<Full>>(std::vector<Empty>(3))), std::vector<Full>(3));
}

TEST(Migration, AVariantMayGetMoreAlternatives) {
  using Was = std::variant<int32_t, InnerWas>;
  using Now = std::variant<int32_t, InnerNow, std::string>;
  EXPECT_EQ(migrated<Now>(Was(4)), Now(4));
  EXPECT_EQ(migrated<Now>(Was(InnerWas{4, "x"})), Now(InnerNow{11, 4}));
  using Fewer = std::variant<int32_t>;
  EXPECT_EQ((compare(describe<Was>(), describe<Fewer>()).problem),
            "the value was variant<int32, struct{kept: int32, dropped: string}> and is now variant<int32>");
}

TEST(Migration, AnEnumMayGetMoreValues) {
  enum class Was : uint8_t { kA, kB };
  enum class Now : uint8_t { kA, kB, kC };
  EXPECT_EQ(compare(describe<Was>(), describe<Now>()).verdict, Compatibility::Verdict::kSame);
  enum class Wider : uint32_t { kA };
  EXPECT_EQ(compare(describe<Was>(), describe<Wider>()).problem,
            "the value was enum(uint8) and is now enum(uint32)");
}

TEST(Migration, KeysAndElementsOfSetsStay) {
  EXPECT_EQ(
      (compare(describe<std::map<std::string, int32_t>>(), describe<std::map<int64_t, int32_t>>()).problem),
      "the value was map<string, int32> and is now map<int64, int32>");
  struct KeyWas {
    int32_t a = 0;
    auto operator<=>(const KeyWas&) const = default;
  };
  struct KeyNow {
    int32_t a = 0;
    int32_t b = 0;
    auto operator<=>(const KeyNow&) const = default;
  };
  struct Was {
    std::set<KeyWas> seen;
  };
  struct Now {
    std::set<KeyNow> seen;
  };
  EXPECT_EQ(compare(describe<Was>(), describe<Now>()).problem,
            "field 'seen' was set<struct{a: int32}> and is now set<struct{a: int32, b: int32}>");
}

TEST(Migration, TypesWithACodecOfTheirOwn) {
  struct Was {
    Tag first;
    std::vector<Tag> tags;
    int32_t n = 0;
  };
  struct Now {
    int32_t n = 0;
    std::vector<Tag> tags;
    Tag added{"new"};
    bool operator==(const Now&) const = default;
  };
  EXPECT_EQ(migrated<Now>(Was{{"first"}, {{"a"}, {"bb"}}, 3}), (Now{3, {{"a"}, {"bb"}}, {"new"}}));
  struct Without {
    int32_t n = 0;
  };
  std::string schema;
  ByteWriter out(schema);
  describe<Was>().encode(out);
  ByteReader in(schema);
  const TypeDescription stored = TypeDescription::decode(in);
  EXPECT_EQ(
      errorText([&] { Migration(stored, describe<Without>()); }),
      "field 'first' was removed, but its values are tag, which only a codec can read past, and the type "
      "does not use it any more: keep the field");
  EXPECT_EQ(ValueSkipper(stored).obstacle(), "tag");
  EXPECT_EQ(ValueSkipper(stored, &describe<Now>()).obstacle(), "");
}

// Around values of any kind.
template <typename T>
struct AroundWas {
  int32_t n = 0;
  T kept;
  T dropped;
  std::string s;
};
template <typename T>
struct AroundNow {
  std::string s;
  T added;
  T kept;
  int32_t n = 0;
};

template <typename T>
void roundTrip(RandomValues& random) {
  for (int i = 0; i < 200; ++i) {
    const AroundWas<T> was{static_cast<int32_t>(random.next()), random.make<T>(), random.make<T>(), "text"};
    const auto now = migrated<AroundNow<T>>(was);
    ASSERT_EQ(now.n, was.n);
    ASSERT_EQ(now.s, was.s);
    ASSERT_EQ(encoded(now.kept), encoded(was.kept));
    ASSERT_EQ(encoded(now.added), encoded(T()));
  }
}

TEST(Migration, ReadsPastEveryKindOfValue) {
  RandomValues random(1);
  roundTrip<Everything>(random);
  roundTrip<Node>(random);
  roundTrip<Padded>(random);
  roundTrip<Nothing>(random);
  roundTrip<std::vector<Nothing>>(random);
  roundTrip<std::array<std::string, 3>>(random);
  roundTrip<std::vector<std::map<int32_t, std::optional<Node>>>>(random);
}

TEST(Migration, BrokenBytesAreRefused) {
  RandomValues random(2);
  const Migration migration(describe<AroundWas<Everything>>(), describe<AroundNow<Everything>>());
  const ValueSkipper skipper(describe<AroundWas<Everything>>());
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = encoded(AroundWas<Everything>{1, random.make<Everything>(), {}, "x"});
    if (i % 2 == 0) bytes.resize(random.below(bytes.size()));
    for (int flips = 0; flips < 3 && !bytes.empty(); ++flips)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    std::string rewritten;
    ByteWriter out(rewritten);
    ByteReader in(bytes);
    ByteReader again(bytes);
    try {
      migration.run(in, out);
      skipper.skip(again);
      EXPECT_EQ(in.offset(), again.offset());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorruption) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  const Migration trees(describe<TreeWas>(), describe<TreeNow>());
  std::string nested = std::string("\x01\x00\x00\x00", 4);
  for (int i = 0; i < 2000; ++i) nested += std::string("\x01\x02\x00\x00\x00", 5);
  ByteReader in(nested);
  std::string rewritten;
  ByteWriter out(rewritten);
  EXPECT_EQ(errorText([&] { trees.run(in, out); }, ErrorKind::kCorruption).find("nests values too deep") !=
                std::string::npos,
            true);
}

}  // namespace
}  // namespace flott::test
