#include "flott/data/codec.h"

#include <gtest/gtest.h>

#include <chrono>

#include "flott/base/error.h"
#include "flott/data/tests/described_types.h"
#include "flott/data/tests/encoded.h"
#include "flott/data/tests/random_value.h"

namespace flott::test {

/// A type that is not described, with a codec of its own.
class Uuid {
 public:
  Uuid() = default;
  explicit Uuid(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  bool operator==(const Uuid&) const = default;

 private:
  std::string text_;
};

struct Visit {
  Uuid id;
  std::vector<Uuid> friends;
  bool operator==(const Visit&) const = default;
};

}  // namespace flott::test

template <>
struct flott::Codec<flott::test::Uuid> {
  static constexpr std::string_view kName = "uuid";
  static void encode(const test::Uuid& value, ByteWriter& out) { out.string(value.text()); }
  static void decode(ByteReader& in, test::Uuid& value) { value = test::Uuid(std::string(in.string())); }
};

namespace flott::test {
namespace {

template <typename T>
T decoded(std::string_view bytes) {
  T value{};
  ByteReader in(bytes);
  Codec<T>::decode(in, value);
  EXPECT_TRUE(in.atEnd());
  return value;
}

template <typename T>
std::string failure(std::string_view bytes) {
  T value{};
  ByteReader in(bytes);
  try {
    Codec<T>::decode(in, value);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
    return error.what();
  }
  return "no error";
}

using namespace std::literals;

TEST(Codec, WritesTheDocumentedBytes) {
  EXPECT_EQ(encoded(int32_t{258}), "\x02\x01\0\0"s);
  EXPECT_EQ(encoded(std::string("hi")), "\x02hi"s);
  EXPECT_EQ(encoded(true), "\x01"s);
  EXPECT_EQ(encoded(Color::kGreen), "\xf4\x01"s);
  EXPECT_EQ(encoded(std::chrono::duration<int32_t>(5)), "\x05\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encoded(Timestamp(7)), "\x07\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encoded(UserId(7)), "\x07\0\0\0"s);
  EXPECT_EQ(encoded(std::optional<int8_t>()), "\0"s);
  EXPECT_EQ(encoded(std::optional<int8_t>(3)), "\x01\x03"s);
  EXPECT_EQ(encoded(std::variant<int8_t, std::string>("x")), "\x01\x01x"s);
  EXPECT_EQ(encoded(std::vector<int16_t>{1, 2}), "\x02\x01\0\x02\0"s);
  EXPECT_EQ(encoded(std::vector<bool>{true, false}), "\x02\x01\0"s);
  EXPECT_EQ(encoded(std::array<int8_t, 2>{1, 2}), "\x01\x02"s);
  EXPECT_EQ(encoded(std::map<std::string, int8_t>{{"a", 1}}),
            "\x01\x01"
            "a\x01"s);
  EXPECT_EQ(encoded(WordCount{"to", 2}), "\x02to\x02\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encoded(Padded{1, 2, true}), "\x01\x02\0\0\0\0\0\0\0\x01"s);
}

TEST(Codec, NothingTakesAByteSoThatCountsCanBeChecked) {
  EXPECT_EQ(encoded(Nothing{}), "\0"s);
  EXPECT_EQ(encoded(std::tuple<>{}), "\0"s);
  EXPECT_EQ(encoded(std::array<std::string, 0>{}), "\0"s);
  EXPECT_EQ(decoded<std::vector<Nothing>>("\x03\0\0\0"sv).size(), 3u);
  EXPECT_EQ((decoded<std::vector<std::array<std::string, 0>>>("\x02\0\0"sv).size()), 2u);
}

TEST(Codec, UnorderedContainersHaveCanonicalBytes) {
  std::unordered_map<std::string, int32_t> forwards, backwards;
  std::unordered_set<int64_t> up, down;
  for (int i = 0; i < 200; ++i) {
    forwards.emplace("key " + std::to_string(i), i);
    backwards.emplace("key " + std::to_string(199 - i), 199 - i);
    up.insert(i * 1000);
    down.insert((199 - i) * 1000);
  }
  backwards.rehash(4096);
  down.rehash(4096);
  EXPECT_EQ(encoded(forwards), encoded(backwards));
  EXPECT_EQ(encoded(up), encoded(down));
  EXPECT_EQ(decoded<decltype(forwards)>(encoded(backwards)), forwards);
}

TEST(Codec, RandomValuesRoundTrip) {
  RandomValues random(1);
  Everything reused;
  for (int i = 0; i < 500; ++i) {
    const auto value = random.make<Everything>();
    const std::string bytes = encoded(value);
    EXPECT_EQ(decoded<Everything>(bytes), value);
    ByteReader in(bytes);
    Codec<Everything>::decode(in, reused);  // over what the last round left
    EXPECT_EQ(reused, value);
    EXPECT_EQ(encoded(reused), bytes);
  }
}

TEST(Codec, TimesOfChronoRoundTrip) {
  struct Times {
    std::chrono::duration<int16_t> wait;
    std::chrono::duration<float> took;
    std::chrono::system_clock::time_point when;
    bool operator==(const Times&) const = default;
  };
  RandomValues random(4);
  for (int i = 0; i < 100; ++i) {
    const auto value = random.make<std::vector<Times>>();
    EXPECT_EQ(decoded<std::vector<Times>>(encoded(value)), value);
  }
}

TEST(Codec, LocalStructsRoundTrip) {
  struct Inner {
    std::vector<std::string> tags;
  };
  struct Local {
    int id;
    Inner inner;
  };
  const auto copy = decoded<Local>(encoded(Local{3, {{"a", "b"}}}));
  EXPECT_EQ(copy.id, 3);
  EXPECT_EQ(copy.inner.tags, (std::vector<std::string>{"a", "b"}));
}

TEST(Codec, DescribedFieldsAreTheValue) {
  Temperature hot(36.6);
  hot.cachedRounded = 37;
  const std::string bytes = encoded(hot);
  EXPECT_EQ(bytes.size(), 8u);
  EXPECT_EQ(decoded<Temperature>(bytes).celsius, 36.6);
  EXPECT_EQ(decoded<Temperature>(bytes).cachedRounded, 0);
  EXPECT_EQ(decoded<Money>(encoded(Money(5, "CHF"))), Money(5, "CHF"));
}

TEST(Codec, ACodecOfTheUserIsUsedWhereverTheTypeIs) {
  const Visit visit{Uuid("a-1"), {Uuid("b-2"), Uuid("c-3")}};
  EXPECT_EQ(encoded(visit),
            "\x03"
            "a-1\x02\x03"
            "b-2\x03"
            "c-3");
  EXPECT_EQ(decoded<Visit>(encoded(visit)), visit);
}

TEST(Codec, DecodingReusesMemory) {
  const std::string bytes = encoded(std::vector<std::string>{std::string(100, 'a'), std::string(50, 'b')});
  std::vector<std::string> target{std::string(200, 'x'), std::string(200, 'y'), "z"};
  const char* const first = target[0].data();
  const std::string* const elements = target.data();
  ByteReader in(bytes);
  Codec<std::vector<std::string>>::decode(in, target);
  EXPECT_EQ(target[1], std::string(50, 'b'));
  EXPECT_EQ(target.size(), 2u);
  EXPECT_EQ(target.data(), elements);
  EXPECT_EQ(target[0].data(), first);
}

TEST(Codec, RefusesWhatIsNoValue) {
  EXPECT_EQ(failure<bool>("\x02"sv), "encoded data holds a bool that is neither true nor false at byte 1");
  EXPECT_EQ(failure<Switch>("\x02"sv), "encoded data holds a bool that is neither true nor false at byte 1");
  EXPECT_EQ(failure<std::optional<int>>("\x07"sv),
            "encoded data holds a bool that is neither true nor false at byte 1");
  EXPECT_EQ((failure<std::variant<int, bool>>("\x02"sv)),
            "encoded data holds a variant with an unknown alternative at byte 1");
  EXPECT_EQ(failure<std::string>("\x05"
                                 "abc"),
            "encoded data ends early at byte 1");
  EXPECT_EQ(failure<int64_t>("abc"), "encoded data ends early at byte 0");
  EXPECT_EQ(failure<std::vector<int32_t>>("\xff\xff\xff\xff\x0f"sv),
            "encoded data counts more items than it can hold at byte 5");
  EXPECT_EQ(failure<std::vector<Nothing>>("\xff\xff\xff\xff\x0f"sv),
            "encoded data counts more items than it can hold at byte 5");
  EXPECT_EQ((failure<std::map<int8_t, int8_t>>("\x02\x01\x01\x01\x02"sv)),
            "encoded data holds a map with a key twice at byte 5");
  EXPECT_EQ(failure<std::unordered_set<int8_t>>("\x02\x01\x01"sv),
            "encoded data holds a set with an element twice at byte 3");
}

// A chain of nodes, each the only child of the one before.
std::string chainBytes(int levels) {
  std::string bytes;
  ByteWriter out(bytes);
  for (int i = 0; i < levels; ++i) {
    out.fixed(int32_t{i});
    out.varint(i + 1 < levels ? 1 : 0);
  }
  return bytes;
}

TEST(Codec, LimitsNesting) {
  EXPECT_EQ(decoded<Node>(chainBytes(kMaxNesting)).value, 0);
  EXPECT_EQ(failure<Node>(chainBytes(kMaxNesting + 1)), "encoded data nests values too deep at byte 2504");
  EXPECT_EQ(failure<Node>(chainBytes(1'000'000)), "encoded data nests values too deep at byte 2504");

  Node chain;
  for (int i = 0; i < kMaxNesting; ++i) {
    Node above;
    above.children.push_back(std::move(chain));
    chain = std::move(above);
  }
  try {
    encoded(chain);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
    EXPECT_STREQ(
        error.what(),
        "a value holds more than 500 lists, maps or optionals inside each other: it could not be read back. "
        "Keep such a structure flat, with indexes instead of nesting");
  }
}

// Whatever the bytes are, decoding ends in a value or in kCorruption; under ASan and UBSan this is the proof.
TEST(Codec, BrokenBytesNeverDoHarm) {
  RandomValues random(2);
  Everything target;
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = encoded(random.make<Everything>());
    if (i % 3 == 0) {
      bytes.resize(random.below(bytes.size()));
    } else {
      for (size_t flips = 1 + random.below(4); flips > 0; --flips) {
        bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
      }
    }
    try {
      ByteReader in(bytes);
      Codec<Everything>::decode(in, target);
      EXPECT_LE(encoded(target).size(), bytes.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 3000);
}

static_assert(reflect::kBulk<Point> && reflect::kBulk<std::array<Point, 3>> && reflect::kBulk<int[2]>);
static_assert(!reflect::kBulk<Padded> && !reflect::kBulk<bool> && !reflect::kBulk<Switch> &&
              !reflect::kBulk<Nothing>);
static_assert(reflect::kFixedSize<Padded> == 10 && reflect::kFixedSize<WordCount> == 0);
static_assert(reflect::leastSize<Everything>() > 100);

struct View {
  int id;
  std::vector<std::string_view> texts;
};
struct Derived : Point {
  int z = 0;
};
static_assert(Encodable<Everything> && Encodable<Node> && Encodable<Uuid>);
static_assert(!Encodable<View> && !Encodable<std::optional<View>> && !Encodable<Derived> && !Encodable<int*>);
static_assert(!Encodable<std::chrono::steady_clock::time_point> && !Encodable<std::multimap<int, int>>);

}  // namespace
}  // namespace flott::test
