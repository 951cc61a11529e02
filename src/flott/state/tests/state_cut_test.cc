#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/tests/table_fixture.h"

namespace flott {
namespace {

/// Everything at once, in a cut of its own: what an unfinished cut must come to.
template <typename K, typename V>
std::map<CollectingSink::Place, std::string> contentOf(TableFixture<K, V>& fixture) {
  CollectingSink sink;
  fixture.untyped.cut(sink);
  size_t budget = std::numeric_limits<size_t>::max();
  EXPECT_TRUE(fixture.untyped.encodeSome(budget));
  EXPECT_EQ(sink.entries, fixture.table.size());
  return sink.all();
}

/// A second table with the same content, by way of a sink's bytes.
template <typename K, typename V>
void expectLoads(const std::map<CollectingSink::Place, std::string>& content, const std::map<K, V>& model) {
  TableFixture<K, V> copy;
  for (const auto& [place, bytes] : content) copy.untyped.load(KeyGroup(std::get<2>(place)), bytes);
  copy.expectEquals(model);
}

/// Writes by both ways that take a batch at once, and erases, between the parts of a cut.
template <typename K, typename V, typename MakeKey>
void runCutModel(uint64_t seed, MakeKey makeKey) {
  TableFixture<K, V> fixture;
  std::map<K, V> model;
  Random random(seed);
  Located located;
  for (int cut = 0; cut < 6; ++cut) {
    for (int i = 0; i < 6'000; ++i) {
      const K key = makeKey(random);
      model[key] = fixture.at(key) = V(random.below(1 << 30));
    }
    const std::map<CollectingSink::Place, std::string> expected = contentOf(fixture);
    const std::map<K, V> atCut = model;
    CollectingSink sink;
    fixture.untyped.cut(sink);
    bool finished = false;
    for (int batch = 0; !finished; ++batch) {
      std::vector<K> keys;
      std::vector<uint64_t> hashes;
      for (int i = 0; i < 100; ++i) {
        const K key = makeKey(random);
        if (cut % 2 == 0 && random.below(3) == 0) {  // else more is written before a segment is encoded
          fixture.erase(key);
          model.erase(key);
        } else {
          hashes.push_back(hashKey(keys.emplace_back(key)));
        }
      }
      const auto keyAt = [&](size_t i) -> const K& { return keys[i]; };
      const auto change = [&](V& value, size_t i) { model[keys[i]] = value = V(random.below(1 << 30)); };
      if (batch % 2 == 0) {
        size_t at = 0;
        fixture.table.upsert(hashes, at, keyAt, change, change);
      } else {
        fixture.table.locate(hashes, keyAt, located);
        for (size_t i = 0; i < keys.size(); ++i)
          change(fixture.table.findOrInsert(hashes[i], keys[i], located, i), i);
      }
      if (cut == 5 && batch == 3) {
        fixture.table.clear();
        model.clear();
      }
      size_t budget = 2'000;
      finished = fixture.untyped.encodeSome(budget);
    }
    EXPECT_EQ(sink.all(), expected) << "cut " << cut;
    EXPECT_EQ(sink.entries, atCut.size());
    expectLoads(sink.all(), atCut);
    fixture.expectEquals(model);
  }
}

int64_t someInteger(Random& random) { return static_cast<int64_t>(random.below(40'000)); }

TEST(StateCut, IsTheStateAtTheCutWhateverComesAfterInt64) { runCutModel<int64_t, int64_t>(1, someInteger); }
TEST(StateCut, IsTheStateAtTheCutWhateverComesAfterInt64WithValuesOfLessThanASlot) {
  runCutModel<int64_t, int32_t>(3, someInteger);
}
TEST(StateCut, IsTheStateAtTheCutWhateverComesAfterInt64WithValuesThatAreEncoded) {
  runCutModel<int64_t, std::optional<int64_t>>(4, someInteger);
}
TEST(StateCut, IsTheStateAtTheCutWhateverComesAfterString) {
  runCutModel<std::string, int64_t>(2, [](Random& random) {
    return "a key that lies outside of its string " + std::to_string(random.below(20'000));
  });
}

// What is written during a cut, here and there, does not make it encode more than what is asked for.
TEST(StateCut, AWriteDoesNotEncodeItsSegment) {
  TableFixture<int64_t, int64_t> fixture;
  for (int64_t key = 1; key < 50'000; ++key) fixture.at(key) = key;
  const std::map<CollectingSink::Place, std::string> content = contentOf(fixture);
  CollectingSink sink;
  fixture.untyped.cut(sink);
  for (int64_t key = 1; key < 51'000; key += 50) fixture.at(key) += 7;  // some are new
  EXPECT_EQ(sink.entries, 0u);
  size_t budget = std::numeric_limits<size_t>::max();
  ASSERT_TRUE(fixture.untyped.encodeSome(budget));
  EXPECT_EQ(sink.all(), content);
  EXPECT_EQ(*fixture.find(51), 58);
}

TEST(StateCut, BytesDoNotDependOnHistory) {
  TableFixture<std::string, int64_t> once, often;
  for (int i = 0; i < 3'000; ++i) once.at(std::to_string(i)) = i;
  for (int i = 9'000; i-- > 0;) often.at(std::to_string(i)) = i;
  for (int i = 3'000; i < 9'000; ++i) often.erase(std::to_string(i));
  EXPECT_EQ(contentOf(once), contentOf(often));
}

TEST(StateCut, IsFreeOfWorkWhenNothingIsAskedFor) {
  TableFixture<int64_t, int64_t> fixture;
  for (int64_t key = 0; key < 50'000; ++key) fixture.at(key) = key;
  CollectingSink sink;
  fixture.untyped.cut(sink);
  EXPECT_EQ(sink.entries, 0u);
  fixture.erase(7);  // one segment only
  EXPECT_GT(sink.entries, 0u);
  EXPECT_LE(sink.entries, 4096u);
  size_t budget = 10'000;
  EXPECT_FALSE(fixture.untyped.encodeSome(budget));
  EXPECT_EQ(budget, 0u);
  fixture.untyped.abandonCut();
  EXPECT_EQ(contentOf(fixture).size(), 128u);
}

struct Narrow {
  int32_t count;
  bool operator==(const Narrow&) const = default;
};

// Such entries are copied as they lie in memory, with and without a gap behind the value, and loaded in the
// order of the hash: that has to be what encoding and inserting each gives.
template <typename V>
void expectCopiesAreEncodings(int64_t keys, const std::function<V(int64_t)>& valueOf) {
  TableFixture<int64_t, V> fixture;
  std::map<int64_t, V> model;
  for (int64_t key = -keys / 2; key < keys / 2; ++key)
    model[key * key * key] = fixture.at(key * key * key) = valueOf(key);
  std::string encoded;
  ByteWriter out(encoded);
  for (const auto& [key, value] : fixture.inOrder()) {
    typeOps<int64_t>().encode(&key, out);
    typeOps<V>().encode(&value, out);
  }
  const std::map<CollectingSink::Place, std::string> content = contentOf(fixture);
  std::string copied;
  for (const auto& [place, bytes] : content) copied += bytes;
  EXPECT_EQ(copied, encoded);
  const auto load = [&](TableFixture<int64_t, V>& into) {
    for (const auto& [place, bytes] : content) into.untyped.load(KeyGroup(std::get<2>(place)), bytes);
  };
  for (const size_t expected : {size_t{0}, model.size(), model.size() / 50}) {
    TableFixture<int64_t, V> loaded;
    if (expected != 0) loaded.untyped.expect(expected);
    load(loaded);
    loaded.expectEquals(model);
    EXPECT_EQ(contentOf(loaded), content);
  }
  // Among entries that are there already.
  for (const int64_t more : {int64_t{10}, keys}) {
    TableFixture<int64_t, V> loaded;
    std::map<int64_t, V> both = model;
    for (int64_t key = 0; key < more; ++key) {
      const int64_t other = key * 1'000'003 + (int64_t{1} << 60);
      both[other] = loaded.at(other) = valueOf(key);
    }
    load(loaded);
    loaded.expectEquals(both);
  }
}

TEST(StateCut, CopiesOfEntriesAreTheirEncodings) {
  expectCopiesAreEncodings<int64_t>(20'000, [](int64_t key) { return key; });
  expectCopiesAreEncodings<Narrow>(20'000, [](int64_t key) { return Narrow{static_cast<int32_t>(key)}; });
  expectCopiesAreEncodings<int64_t>(3, [](int64_t key) { return key; });
}

TEST(StateCut, BrokenBytesAreRefused) {
  TableFixture<int64_t, int64_t> fixture;
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(int64_t{5});
  const KeyGroup group = keyGroupOf(hashKey(int64_t{5}), 128);
  const auto load = [&](KeyGroup into, const std::string& what) {
    return errorText([&] { fixture.untyped.load(into, what); }, ErrorKind::kCorruption);
  };
  EXPECT_EQ(load(group, bytes), "encoded data ends early at byte 8");
  fixture.table.clear();
  out.fixed(int64_t{6});
  EXPECT_EQ(load(KeyGroup(group.value ^ 1), bytes),
            "encoded data holds a key of another key group at byte 8");
  EXPECT_EQ(load(group, bytes + bytes), "encoded data holds a key twice at byte 24");
}

TEST(StateCut, OfABackendHasAllStatesSlicesAndTimers) {
  const auto open = [](KeyedStateBackend& backend) {
    return std::make_tuple(backend.state(ListStateDescriptor<int64_t>("list")),
                           backend.slices<std::string, int64_t>("slices"), &backend.eventTimers());
  };
  KeyedStateBackend backend(typeOps<std::string>(), {});
  auto [list, slices, timers] = open(backend);
  for (int64_t i = 0; i < 2'000; ++i) {
    const std::string key = "key " + std::to_string(i % 500);
    backend.setCurrentKey(hashKey(key), key);
    list.add(i);
    slices.at(Timestamp(i / 1000 * 10)).findOrInsert(hashKey(key), key) += i;
    timers->add(backend.currentKey(), Timestamp(i));
  }
  CollectingSink sink;
  backend.cut(sink);
  EXPECT_TRUE(backend.cutting());
  slices.drop(Timestamp(0));                             // after the cut: still part of it
  slices.at(Timestamp(20)).findOrInsert(1, "late") = 1;  // not part of it
  Timer timer;
  ASSERT_TRUE(timers->popDue(Timestamp(5), timer));
  while (!backend.encodeSome(1'000)) {
  }
  EXPECT_FALSE(backend.cutting());

  KeyedStateBackend restored(typeOps<std::string>(), {});
  auto [list2, slices2, timers2] = open(restored);
  for (const auto& [place, bytes] : sink.all()) {
    const auto& [state, nameSpace, group] = place;
    restored.load({.state = state, .nameSpace = nameSpace, .keyGroup = KeyGroup(group), .bytes = bytes});
  }
  restored.finishLoad();
  const std::string key = "key 7";
  restored.setCurrentKey(hashKey(key), key);
  EXPECT_EQ(std::vector<int64_t>(list2.get().begin(), list2.get().end()),
            (std::vector<int64_t>{7, 507, 1007, 1507}));
  EXPECT_EQ(*slices2.at(Timestamp(0)).find(hashKey(key), key), 7 + 507);
  EXPECT_EQ(*slices2.at(Timestamp(10)).find(hashKey(key), key), 1007 + 1507);
  EXPECT_FALSE(slices2.find(Timestamp(20)).has_value());
  EXPECT_EQ(timers2->size(), 2'000u);
  EXPECT_EQ(timers2->earliest(), Timestamp(0));
}

TEST(StateCut, RefusesAStateNobodyRegistered) {
  KeyedStateBackend backend(typeOps<int64_t>(), {.keyGroups = {0, 64}});
  EXPECT_EQ(errorText([&] { backend.load({.state = "old", .bytes = ""}); }),
            "the snapshot holds a state 'old' that the operator does not have: register it under this name "
            "in open()");
  (void)backend.state(ValueStateDescriptor<int64_t>("new"));
  EXPECT_EQ(errorText([&] { backend.load({.state = "new", .keyGroup = KeyGroup(64), .bytes = ""}); },
                      ErrorKind::kBug),
            "key group 64 of state 'new' was given to a subtask that does not own it");
}

}  // namespace
}  // namespace flott
