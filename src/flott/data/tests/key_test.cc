#include "flott/data/key.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "flott/data/tests/described_types.h"
#include "flott/data/tests/random_value.h"
#include "flott/data/type_ops.h"

namespace flott::test {
namespace {

using namespace std::literals;

TEST(KeyHash, DependsOnTheValueAndNotOnTheType) {
  const uint64_t five = hashCellInt64(5);
  EXPECT_EQ(hashKey(int8_t{5}), five);
  EXPECT_EQ(hashKey(uint64_t{5}), five);
  EXPECT_EQ(hashKey(Timestamp(5)), five);
  EXPECT_EQ(hashKey(Duration(5)), five);
  EXPECT_EQ(hashKey(std::chrono::milliseconds(5)), five);
  EXPECT_EQ(hashKey(UserId(5)), five);
  EXPECT_EQ(hashKey(static_cast<Color>(5)), five);
  EXPECT_EQ(hashKey(std::optional<int>(5)), five);
  EXPECT_EQ(hashKey(std::tuple<int>(5)), five);
  EXPECT_EQ(hashKey(true), hashCellInt64(1));
  EXPECT_EQ(hashKey(-1), hashKey(int64_t{-1}));

  EXPECT_EQ(hashKey("bob"s), hashCellString("bob"));
  EXPECT_EQ(hashKey("bob"sv), hashKey("bob"));
  EXPECT_EQ(hashKey("bob"s), hashKey("bob"));
  const char* const pointer = "bob";
  EXPECT_EQ(hashKey(pointer), hashKey("bob"s));

  EXPECT_EQ(hashKey(0.5F), hashCellDouble(0.5));
  EXPECT_EQ(hashKey(-0.0), hashKey(0.0));
  EXPECT_EQ(hashKey(std::nan("1")), hashKey(-std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(hashKey(std::optional<std::string>()), hashCellNull());
}

TEST(KeyHash, CompositesJoinTheirParts) {
  const uint64_t joined = combineHashes(hashCellInt64(1), hashCellString("a"));
  EXPECT_EQ(hashKey(std::pair<int, std::string>(1, "a")), joined);
  EXPECT_EQ(hashKey(std::tuple<int64_t, std::string>(1, "a")), joined);
  EXPECT_EQ(hashKey(Money(1, "a")), joined);
  EXPECT_EQ(hashKey(std::vector<int>{1, 2}), hashKey(std::array<int64_t, 2>{1, 2}));
  EXPECT_NE(hashKey(std::vector<int>{1, 2}), hashKey(std::vector<int>{2, 1}));
  EXPECT_NE((hashKey(std::variant<int, int64_t>(std::in_place_index<0>, 1))),
            (hashKey(std::variant<int, int64_t>(std::in_place_index<1>, 1))));
}

// Savepoints depend on these numbers: they may never change.
TEST(KeyHash, IsFixedForever) {
  EXPECT_EQ(hashKey(0), 0xc77b3abb6f87acd9u);
  EXPECT_EQ(hashKey("flott"s), 0xa5d8d7ee30b7efb6u);
  EXPECT_EQ(hashKey(0.5), 0x5da9c77a7c72de31u);
  EXPECT_EQ(hashKey(WordCount{"to", 2}), 0xa3c70eafa8453cd6u);
  EXPECT_EQ(hashCellNull(), 0xd0a66a65c7528968u);
}

struct Label {  // no operator==
  std::string name;
  double weight;
  std::vector<std::optional<Point>> points;
};

TEST(KeyEquals, GoesByTheParts) {
  const Label tag{"a", std::nan(""), {Point{1, 2}, std::nullopt}};
  EXPECT_TRUE(keyEquals(tag, Label(tag)));
  EXPECT_EQ(hashKey(tag), hashKey(Label(tag)));
  EXPECT_FALSE(keyEquals(tag, Label{"b", tag.weight, tag.points}));
  EXPECT_FALSE(keyEquals(tag, Label{"a", 1, tag.points}));
  EXPECT_FALSE(keyEquals(tag, Label{"a", tag.weight, {Point{1, 2}}}));
  EXPECT_FALSE(keyEquals(tag, Label{"a", tag.weight, {Point{1, 3}, std::nullopt}}));
  EXPECT_TRUE(keyEquals(0.0, -0.0));
}

TEST(KeyEquals, StringsOfEveryLengthDifferByAnyByte) {
  EXPECT_GE(std::string().capacity() + 1, 16u);  // what may be read of any string
  for (size_t size = 0; size <= 40; ++size) {
    const std::string key(size, 'k');
    // What lies behind the end does not count: not in the object, nor on the heap of one that has shrunk.
    std::string same = key + "rest";
    same.resize(size);
    std::string shrunk(100, 'x');
    shrunk.assign(key);
    EXPECT_TRUE(keyEquals(key, same)) << size;
    EXPECT_TRUE(keyEquals(key, shrunk)) << size;
    EXPECT_FALSE(keyEquals(key, key + 'k')) << size;
    EXPECT_FALSE(keyEquals(key, key + '\0')) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string other = key;
      other[at] = '\0';
      EXPECT_FALSE(keyEquals(key, other)) << size << " at " << at;
      EXPECT_FALSE(keyEquals(shrunk, other)) << size << " at " << at;
    }
  }
}

TEST(KeyEquals, EqualKeysOfAnyTypeHashAlike) {
  using Wide = std::tuple<int8_t, std::variant<std::string, double>, std::vector<bool>, Color, Node, float>;
  RandomValues random(3);
  for (int i = 0; i < 500; ++i) {
    const auto a = random.make<Wide>();
    const auto b = i % 2 == 0 ? a : random.make<Wide>();
    EXPECT_EQ(keyEquals(a, b), a == b);
    EXPECT_EQ(hashKey(a) == hashKey(b), keyEquals(a, b));
  }
}

static_assert(Key<int> && Key<std::string> && Key<double> && Key<Label> && Key<Node> && Key<Money>);
static_assert(!Key<std::unordered_map<int, int>> && !Key<std::pair<int, std::set<int>>> && !Key<Nothing>);
static_assert(!Key<int*> && !Key<std::string_view>);

TEST(TypeOps, WorksOnRawMemory) {
  const TypeOps& ops = typeOps<WordCount>();
  EXPECT_EQ(ops.size, sizeof(WordCount));
  EXPECT_EQ(ops.align, alignof(WordCount));
  EXPECT_FALSE(ops.triviallyCopyable);
  EXPECT_TRUE(typeOps<Point>().triviallyCopyable);
  EXPECT_EQ(&ops.description(), &describe<WordCount>());

  alignas(WordCount) unsigned char a[sizeof(WordCount)], b[sizeof(WordCount)], c[sizeof(WordCount)];
  const WordCount word{"a word that is too long to lie inside", 3};
  ops.copyConstruct(a, &word);
  ops.relocate(b, a);
  ops.defaultConstruct(c);
  EXPECT_EQ(*reinterpret_cast<WordCount*>(b), word);
  EXPECT_FALSE(ops.equals(b, c));

  std::string bytes;
  ByteWriter out(bytes);
  ops.encode(b, out);
  ByteReader in(bytes);
  ops.decode(in, c);
  EXPECT_TRUE(ops.equals(b, c));
  EXPECT_EQ(ops.hash(b), hashKey(word));
  EXPECT_GE(ops.heapBytes(b), word.word.size());
  ops.destroy(b);
  ops.destroy(c);
}

TEST(TypeOps, OnlyKeysHashAndCompare) {
  EXPECT_EQ(typeOps<Everything>().hash, nullptr);
  EXPECT_EQ(typeOps<Everything>().equals, nullptr);
}

TEST(HeapBytes, CountsWhatLiesOutside) {
  EXPECT_EQ(heapBytes(Point{}), 0u);
  EXPECT_EQ(heapBytes("short"s), 0u);
  EXPECT_GE(heapBytes(std::string(1000, 'x')), 1000u);
  std::vector<std::string> lines(10, std::string(100, 'x'));
  EXPECT_GE(heapBytes(lines), 10 * (sizeof(std::string) + 100));
  EXPECT_LE(heapBytes(lines), 10 * (sizeof(std::string) + 200));
  const std::map<int, std::string> map{{1, std::string(100, 'x')}, {2, ""}};
  EXPECT_GE(heapBytes(map), 2 * sizeof(std::pair<const int, std::string>) + 100);
  const std::variant<int, std::string> variant(std::string(100, 'x'));
  EXPECT_GE(heapBytes(std::tuple(1, std::optional(variant))), 100u);
}

}  // namespace
}  // namespace flott::test
