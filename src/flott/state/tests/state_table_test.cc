#include "flott/state/state_table.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/tests/table_fixture.h"

namespace flott {
namespace {

enum class Color : uint8_t { kRed, kGreen, kBlue };

struct Visit {
  std::string page;
  int32_t seconds = 0;
  auto operator<=>(const Visit&) const = default;
};

struct Page {
  std::array<int64_t, 200> counters{};  // 1600 bytes: outside the slot
  std::string title;
  bool operator==(const Page&) const = default;
};

template <typename T>
T make(Random& random, uint64_t range);
template <>
int64_t make(Random& random, uint64_t range) {
  return static_cast<int64_t>(random.below(range)) - static_cast<int64_t>(range / 2);
}
template <>
int8_t make(Random& random, uint64_t) {
  return static_cast<int8_t>(random.next());
}
template <>
Color make(Random& random, uint64_t) {
  return static_cast<Color>(random.below(3));
}
template <>
KeyGroup make(Random& random, uint64_t range) {
  return KeyGroup(static_cast<uint32_t>(random.below(range)));
}
template <>
std::string make(Random& random, uint64_t range) {
  const uint64_t n = random.below(range);
  return (n % 3 == 0 ? "a word that does not fit into the string itself " : "w") + std::to_string(n);
}
template <>
Visit make(Random& random, uint64_t range) {
  return {make<std::string>(random, range), static_cast<int32_t>(random.below(3))};
}
template <>
double make(Random& random, uint64_t range) {
  return static_cast<double>(random.below(range)) / 4;
}
template <>
Page make(Random& random, uint64_t range) {
  Page page;
  page.counters[random.below(200)] = 7;
  page.title = make<std::string>(random, range);
  return page;
}

/// Random writes, reads and removals, with phases that grow and shrink the table, against std::map.
template <typename K, typename V>
void runModel(uint64_t seed, uint64_t range, size_t steps, uint64_t coldCache = 0) {
  auto fixture = TableFixture<K, V>::onDisk(coldCache);
  std::map<K, V> model;
  Random random(seed);
  for (size_t step = 0; step < steps; ++step) {
    const K key = make<K>(random, range);
    const bool shrinking = (step / (steps / 8)) % 2 == 1;
    const uint64_t deed = random.below(10);
    if (deed < (shrinking ? 2u : 7u)) {
      const V value = make<V>(random, 1000);
      fixture.at(key) = value;
      model[key] = value;
    } else if (deed < 9) {
      ASSERT_EQ(fixture.erase(key), model.erase(key) == 1);
    } else {
      const V* found = fixture.find(key);
      const auto expected = model.find(key);
      ASSERT_EQ(found != nullptr, expected != model.end());
      if (found != nullptr) {
        ASSERT_EQ(*found, expected->second);
      }
    }
    if (step % (steps / 16) == 0) {
      ASSERT_NO_FATAL_FAILURE(fixture.expectEquals(model));
    }
  }
  fixture.expectEquals(model);
  fixture.table.clear();
  fixture.expectEquals({});
  EXPECT_EQ(fixture.home.budget.used(), 0u);
  EXPECT_EQ(fixture.home.pool.usedBytes(), 0u);
}

TEST(StateTable, Int64KeysMatchAModel) { runModel<int64_t, int64_t>(1, 60'000, 400'000); }
TEST(StateTable, FewInt64KeysMatchAModel) { runModel<int64_t, int64_t>(2, 50, 20'000); }
TEST(StateTable, NarrowKeysMatchAModel) { runModel<int8_t, double>(3, 0, 5'000); }
TEST(StateTable, EnumKeysMatchAModel) { runModel<Color, std::string>(4, 0, 1'000); }
TEST(StateTable, StrongKeysMatchAModel) { runModel<KeyGroup, int64_t>(5, 1'000, 20'000); }
TEST(StateTable, StringKeysMatchAModel) { runModel<std::string, std::string>(6, 20'000, 120'000); }
TEST(StateTable, StructKeysMatchAModel) { runModel<Visit, int64_t>(7, 5'000, 60'000); }
TEST(StateTable, DoubleKeysMatchAModel) { runModel<double, Visit>(8, 5'000, 60'000); }
TEST(StateTable, LargeValuesMatchAModel) { runModel<int64_t, Page>(9, 2'000, 20'000); }

TEST(ColdStateTable, Int64KeysMatchAModel) { runModel<int64_t, int64_t>(11, 20'000, 100'000, 100'000); }
TEST(ColdStateTable, FewInt64KeysMatchAModel) { runModel<int64_t, int64_t>(12, 50, 10'000, 1); }
TEST(ColdStateTable, NarrowKeysMatchAModel) { runModel<int8_t, double>(13, 0, 5'000, 1); }
TEST(ColdStateTable, EnumKeysMatchAModel) { runModel<Color, std::string>(14, 0, 1'000, 1); }
TEST(ColdStateTable, StringKeysMatchAModel) {
  runModel<std::string, std::string>(16, 5'000, 40'000, 200'000);
}
TEST(ColdStateTable, StructKeysMatchAModel) { runModel<Visit, int64_t>(17, 300, 8'000, 20'000); }
TEST(ColdStateTable, DoubleKeysMatchAModel) { runModel<double, Visit>(18, 1'000, 10'000, 50'000); }
TEST(ColdStateTable, LargeValuesMatchAModel) { runModel<int64_t, Page>(19, 500, 5'000, 200'000); }

TEST(StateTable, KeyZeroIsAKeyLikeOthers) {
  TableFixture<int64_t, int64_t> fixture;
  EXPECT_EQ(fixture.find(0), nullptr);
  EXPECT_FALSE(fixture.erase(0));
  fixture.at(0) = 5;
  for (int64_t key = 1; key < 20'000; ++key) fixture.at(key) = key;
  ASSERT_NE(fixture.find(0), nullptr);
  EXPECT_EQ(*fixture.find(0), 5);
  for (int64_t key = 20'000; key < 40'000; ++key) EXPECT_EQ(fixture.find(key), nullptr);
  EXPECT_TRUE(fixture.erase(0));
  EXPECT_EQ(fixture.find(0), nullptr);
  EXPECT_EQ(fixture.table.size(), 19'999u);
}

TEST(StateTable, OrderDependsOnTheKeysOnly) {
  TableFixture<std::string, int64_t> forwards, backwards;
  for (int i = 0; i < 5'000; ++i) forwards.at("key " + std::to_string(i)) = i;
  for (int i = 9'999; i >= 0; --i) backwards.at("key " + std::to_string(i)) = i;
  for (int i = 5'000; i < 10'000; ++i) backwards.erase("key " + std::to_string(i));
  EXPECT_EQ(forwards.inOrder(), backwards.inOrder());
}

TEST(StateTable, OrderIsTheSameAtEveryParallelism) {
  TableFixture<int64_t, int64_t> whole;
  for (int64_t key = 0; key < 30'000; ++key) whole.at(key) = key * key;
  for (const uint32_t parallelism : {2u, 3u, 7u}) {
    std::vector<std::pair<int64_t, int64_t>> joined;
    for (uint32_t subtask = 0; subtask < parallelism; ++subtask) {
      TableFixture<int64_t, int64_t> part(128, keyGroupRange(subtask, 128, parallelism));
      for (int64_t key = 29'999; key >= 0; --key) {
        if (subtaskOf(keyGroupOf(hashKey(key), 128), 128, parallelism) == subtask) part.at(key) = key * key;
      }
      for (const auto& entry : part.inOrder()) joined.push_back(entry);
    }
    EXPECT_EQ(joined, whole.inOrder());
  }
}

TEST(StateTable, WorksWithAnyNumberOfKeyGroups) {
  for (const uint32_t maxParallelism : {1u, 2u, 4096u}) {
    TableFixture<int64_t, int64_t> fixture(maxParallelism);
    std::map<int64_t, int64_t> model;
    for (int64_t key = 0; key < 20'000; ++key) model[key] = fixture.at(key) = -key;
    fixture.expectEquals(model);
  }
}

/// A key whose hash is what the test says.
struct Forged {
  uint64_t hash = 0;
  int64_t number = 0;
  auto operator<=>(const Forged&) const = default;
};

}  // namespace

template <>
struct Codec<Forged> {
  static constexpr std::string_view kName = "forged";
  static void encode(const Forged& forged, ByteWriter& out) {
    out.fixed(forged.hash);
    out.fixed(forged.number);
  }
  static void decode(ByteReader& in, Forged& forged) {
    forged.hash = in.fixed<uint64_t>();
    forged.number = in.fixed<int64_t>();
  }
};

namespace {

TEST(StateTable, KeysWithOneHashAreToldApartAndOrderedByTheirBytes) {
  TableFixture<Forged, int64_t> up, down;
  const auto put = [](TableFixture<Forged, int64_t>& to, uint64_t hash, int64_t number) {
    to.table.findOrInsert(hash, Forged{hash, number}) = number;
  };
  for (const uint64_t hash : {uint64_t{0}, uint64_t{1}, uint64_t{77} << 50}) {
    for (int64_t n = 0; n < 200; ++n) put(up, hash, n);
    for (int64_t n = 199; n >= 0; --n) put(down, hash, n);
  }
  EXPECT_EQ(up.table.size(), 600u);
  EXPECT_EQ(up.inOrder(), down.inOrder());
  const uint64_t hash = uint64_t{77} << 50;
  for (int64_t n = 0; n < 200; ++n) ASSERT_EQ(*up.table.find(hash, Forged{hash, n}), n);
  EXPECT_EQ(up.table.find(hash, Forged{hash, 200}), nullptr);
}

TEST(StateTable, ManyKeysWithOneHashDoNotExplodeTheDirectory) {
  TableFixture<Forged, int64_t> fixture;
  const uint64_t hash = 12345;
  for (int64_t n = 0; n < 6'000; ++n) fixture.table.findOrInsert(hash, Forged{hash, n}) = n;
  EXPECT_EQ(fixture.table.size(), 6'000u);
  EXPECT_LT(fixture.untyped.bytes(), 2'000'000u);
  for (int64_t n = 0; n < 6'000; n += 100) ASSERT_EQ(*fixture.table.find(hash, Forged{hash, n}), n);
}

void walkWithChanges(uint64_t coldCache) {
  auto fixture = TableFixture<int64_t, int64_t>::onDisk(coldCache);
  for (int64_t key = 0; key < 10'000; ++key) fixture.at(key) = key;
  StateTable::Cursor cursor;
  StateTable::Entry entry;
  Random random(5);
  std::map<int64_t, int> seen;
  uint64_t last = 0;
  int64_t added = 1'000'000;
  while (fixture.untyped.next(cursor, entry)) {
    const int64_t key = *static_cast<const int64_t*>(entry.key);
    EXPECT_GE(entry.hash, last);
    last = entry.hash;
    if (key < 1'000'000) ++seen[key];
    switch (random.below(3)) {
      case 0:
        fixture.erase(key);
        break;
      case 1:
        fixture.at(added++) = 0;
        break;
      default:
        break;
    }
  }
  EXPECT_EQ(seen.size(), 10'000u);
  for (const auto& [key, times] : seen) ASSERT_EQ(times, 1) << key;
}
TEST(StateTable, CursorSurvivesChanges) { walkWithChanges(0); }
TEST(ColdStateTable, CursorSurvivesChanges) { walkWithChanges(30'000); }

/// Batches of upserts, with entries erased in between, against a map.
template <typename K, typename MakeKey>
void runUpsertModel(uint64_t seed, MakeKey makeKey, uint64_t coldCache = 0) {
  auto fixture = TableFixture<K, int64_t>::onDisk(coldCache);
  std::map<K, int64_t> model;
  Random random(seed);
  for (int batch = 0; batch < 300; ++batch) {
    std::vector<K> keys;
    std::vector<uint64_t> hashes;
    for (uint64_t count = random.below(600); keys.size() < count;)
      hashes.push_back(hashKey(keys.emplace_back(makeKey(random))));
    size_t i = 0;
    fixture.table.upsert(
        hashes, i, [&](size_t n) -> const K& { return keys[n]; },
        [&](int64_t& fresh, size_t at) {
          ASSERT_EQ(at, i);
          ASSERT_EQ(fresh, 0) << keys[i];
          ASSERT_TRUE(model.emplace(keys[i], i + 1).second) << keys[i];
          fresh = static_cast<int64_t>(i) + 1;
        },
        [&](int64_t& sum, size_t at) {
          ASSERT_EQ(at, i);
          ASSERT_EQ(sum, model.at(keys[i])) << keys[i];
          model[keys[i]] = sum += static_cast<int64_t>(i) + 1;
        });
    ASSERT_EQ(i, keys.size());
    for (size_t n = 0; n < keys.size(); n += 50) {
      fixture.erase(keys[n]);
      model.erase(keys[n]);
    }
  }
  fixture.expectEquals(model);
}

TEST(StateTable, UpsertsIntegers) {
  runUpsertModel<int64_t>(6, [](Random& random) { return static_cast<int64_t>(random.below(50'000)); });
}
TEST(StateTable, UpsertsFewIntegersAmongThemZero) {
  runUpsertModel<int64_t>(7, [](Random& random) { return static_cast<int64_t>(random.below(7)) - 3; });
}
TEST(StateTable, UpsertsSomeIntegersAroundZero) {
  runUpsertModel<int64_t>(13, [](Random& random) { return static_cast<int64_t>(random.below(900)) - 450; });
}
TEST(StateTable, UpsertsStrings) {
  runUpsertModel<std::string>(8, [](Random& random) { return make<std::string>(random, 3'000); });
}

TEST(ColdStateTable, UpsertsIntegers) {
  runUpsertModel<int64_t>(
      9, [](Random& random) { return static_cast<int64_t>(random.below(50'000)); }, 200'000);
}
TEST(ColdStateTable, UpsertsFewIntegersAmongThemZero) {
  runUpsertModel<int64_t>(
      10, [](Random& random) { return static_cast<int64_t>(random.below(7)) - 3; }, 1);
}
TEST(ColdStateTable, UpsertsStrings) {
  runUpsertModel<std::string>(
      11, [](Random& random) { return make<std::string>(random, 3'000); }, 100'000);
}
TEST(ColdStateTable, UpsertsKeysWhoseBytesAreNotTheKey) {
  runUpsertModel<double>(
      12,
      [](Random& random) { return static_cast<double>(random.below(40)) * (random.below(2) == 0 ? 1 : -1); },
      1);
}

TEST(StateTable, UpsertThatThrowsTellsWhere) {
  TableFixture<int64_t, int64_t> fixture;
  const std::vector<int64_t> keys = {3, 4, 3, 5};
  std::vector<uint64_t> hashes;
  for (const int64_t key : keys) hashes.push_back(hashKey(key));
  size_t i = 0;
  EXPECT_THROW(fixture.table.upsert(
                   hashes, i, [&](size_t n) { return keys[n]; }, [](int64_t& fresh, size_t) { fresh = 1; },
                   [](int64_t&, size_t) { throw std::runtime_error("again"); }),
               std::runtime_error);
  EXPECT_EQ(i, 2u);
  fixture.expectEquals({{3, 1}, {4, 1}});
}

void locateWithChanges(uint64_t coldCache) {
  auto fixture = TableFixture<int64_t, int64_t>::onDisk(coldCache);
  std::map<int64_t, int64_t> model;
  Random random(6);
  Located located;
  for (int batch = 0; batch < 300; ++batch) {
    std::vector<int64_t> keys(1 + random.below(600));
    std::vector<uint64_t> hashes;
    for (int64_t& key : keys) {
      key = static_cast<int64_t>(random.below(50'000));
      hashes.push_back(hashKey(key));
    }
    fixture.table.locate(
        hashes, [&](size_t i) { return keys[i]; }, located);
    for (size_t i = 0; i < keys.size(); ++i) {
      const bool fresh = !model.contains(keys[i]);
      bool inserted = false;
      int64_t& sum =
          fixture.table.findOrInsert(hashes[i], keys[i], located, i, [&](int64_t&) { inserted = true; });
      ASSERT_EQ(inserted, fresh);
      sum += static_cast<int64_t>(i) + 1;
      model[keys[i]] += static_cast<int64_t>(i) + 1;
      if (i % 50 == 7) {  // the next one moves, goes, or is another's place
        const int64_t victim = keys[(i + 1) % keys.size()];
        fixture.erase(victim);
        model.erase(victim);
      }
    }
  }
  fixture.expectEquals(model);
}
TEST(StateTable, LocatedKeysAreFoundAlsoAfterChanges) { locateWithChanges(0); }
TEST(ColdStateTable, LocatedKeysAreFoundAlsoAfterChanges) { locateWithChanges(300'000); }

void locateStrings(int batches, uint64_t coldCache = 0) {
  auto fixture = TableFixture<std::string, int64_t>::onDisk(coldCache);
  std::map<std::string, int64_t> model;
  Random random(7);
  Located located;
  for (int batch = 0; batch < batches; ++batch) {
    std::vector<std::string> keys(200);
    std::vector<uint64_t> hashes;
    for (std::string& key : keys) hashes.push_back(hashKey(key = make<std::string>(random, 3'000)));
    fixture.table.locate(
        hashes, [&](size_t i) { return keys[i]; }, located);
    for (size_t i = 0; i < keys.size(); ++i) {
      fixture.table.findOrInsert(hashes[i], keys[i], located, i) += 1;
      model[keys[i]] += 1;
    }
  }
  fixture.expectEquals(model);
}
TEST(StateTable, LocatedStringsAreFound) { locateStrings(100); }
TEST(ColdStateTable, LocatedStringsAreFound) { locateStrings(20, 30'000); }

TEST(StateTable, MemoryIsAtMostTwiceTheKeysAndValues) {
  TableFixture<int64_t, int64_t> fixture;
  for (int64_t key = 0; key < 1'500'000; ++key) {
    fixture.at(static_cast<int64_t>(hashInt64(key))) = key;
    if (key >= 300'000 && key % 20'000 == 0) {
      const double content = 16.0 * static_cast<double>(fixture.table.size());
      ASSERT_LT(static_cast<double>(fixture.untyped.bytes()), 1.8 * content) << key;
      // With holes and the most that was ever needed.
      ASSERT_LT(static_cast<double>(fixture.home.pool.heldBytes()), (key == 1'000'000 ? 2 : 2.25) * content)
          << key;
    }
  }
}

TEST(StateTable, WorksWhateverSizeWasExpected) {
  for (const size_t expected : {0u, 1'000u, 100'000u, 900'000u}) {
    TableFixture<int64_t, int64_t> fixture;
    fixture.untyped.expect(expected);
    EXPECT_EQ(fixture.home.pool.usedBytes(), 0u);
    std::map<int64_t, int64_t> model;
    for (int64_t key = 0; key < 100'000; ++key) model[key] = fixture.at(key) = key;
    fixture.expectEquals(model);
    fixture.table.clear();
    EXPECT_EQ(fixture.home.pool.usedBytes(), 0u);
    fixture.at(1) = 1;
    EXPECT_EQ(fixture.inOrder().size(), 1u);
  }
}

TEST(StateTable, EmptyTableCostsNextToNothing) {
  TableFixture<int64_t, int64_t> fixture;
  EXPECT_LE(fixture.untyped.bytes(), 128 * (sizeof(DirectoryEntry) + sizeof(SearchStart)));
  EXPECT_EQ(fixture.home.pool.heldBytes(), 0u);
}

TEST(StateTable, MemoryIsGivenBackWhenEntriesGo) {
  TableFixture<int64_t, int64_t> fixture;
  for (int64_t key = 0; key < 200'000; ++key) fixture.at(key) = key;
  for (int64_t key = 0; key < 198'000; ++key) fixture.erase(key);
  EXPECT_LT(fixture.home.pool.usedBytes(), 300'000u);
  for (int64_t key = 198'000; key < 200'000; ++key) EXPECT_TRUE(fixture.erase(key));
  EXPECT_EQ(fixture.home.pool.usedBytes(), 0u);
}

TEST(StateTable, BudgetFailsWithTheWayOut) {
  TableFixture<int64_t, int64_t> fixture(128, {0, 128}, 1 << 20);
  int64_t key = 0;
  const std::string text = errorText([&] {
    for (;; ++key) fixture.at(key) = key;
  });
  EXPECT_TRUE(text.starts_with("state 'words' holds ")) << text;
  EXPECT_NE(text.find("of the 1024 KB for state are in use and 10 % stay free: keep state on disk with "
                      "state.backend.type: rocksdb, or give the task more memory"),
            std::string::npos)
      << text;
  EXPECT_LE(fixture.home.budget.used(), (1u << 20) * 9 / 10);
  for (int64_t k = 0; k < key; ++k) ASSERT_EQ(*fixture.find(k), k);  // the table is whole
}

TEST(StateTable, BudgetCountsWhatValuesHold) {
  TableFixture<int64_t, std::vector<int64_t>> fixture(128, {0, 128}, 8 << 20);
  const std::string text = errorText([&] {
    for (int64_t i = 0;; ++i) {
      fixture.at(i % 10).push_back(i);
      fixture.untyped.noteHeapChange();
    }
  });
  EXPECT_NE(text.find("state 'words' holds "), std::string::npos);
}

}  // namespace
}  // namespace flott
