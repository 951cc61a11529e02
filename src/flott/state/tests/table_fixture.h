// A state table of its own, for tests, and a sink that keeps what a cut hands over.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "flott/state/tests/cold_fixture.h"
#include "flott/state/typed_table.h"

namespace flott {

template <typename K, typename V>
struct TableFixture {
  explicit TableFixture(uint32_t maxParallelism = 128, KeyGroupRange groups = {0, 0},
                        uint64_t memoryLimit = std::numeric_limits<uint64_t>::max(), uint64_t coldCache = 0)
      : home(groups.size() == 0 ? KeyGroupRange{0, maxParallelism} : groups, maxParallelism, memoryLimit),
        cold(coldCache > 0 ? std::make_unique<ColdSide>(newTestStore(), coldCache) : nullptr) {}
  /// With a store on disk, and a cache of so many bytes.
  static TableFixture onDisk(uint64_t coldCache) {
    return TableFixture(128, {0, 0}, std::numeric_limits<uint64_t>::max(), coldCache);
  }

  TableHome home;
  std::unique_ptr<ColdSide> cold;
  KeyType key{typeOps<K>()};
  StateTable untyped{"words", key, typeOps<V>(), home, kNoNamespace, {cold.get(), 0}};
  TypedTable<K, V> table{untyped};

  V& at(const K& k) { return table.findOrInsert(hashKey(k), k); }
  const V* find(const K& k) const { return table.find(hashKey(k), k); }
  bool erase(const K& k) { return table.erase(hashKey(k), k); }

  std::vector<std::pair<K, V>> inOrder() const {
    std::vector<std::pair<K, V>> all;
    table.forEach([&](uint64_t, const K& k, const V& v) { all.emplace_back(k, v); });
    return all;
  }

  /// A walk by several slots at once sees what one by one sees.
  void expectSameInStretches() const {
    StateTable::Cursor oneByOne, inStretches;
    StateTable::Entry expected{};
    for (;;) {
      StateTable::Stretch stretch = untyped.nextStretch(inStretches);
      if (stretch.entries == 0) break;
      std::vector<std::pair<K, V>> some;
      for (; stretch.entries != 0; stretch.entries &= stretch.entries - 1) {
        std::byte* slot =
            stretch.slots + static_cast<size_t>(std::countr_zero(stretch.entries)) * untyped.layout().stride;
        some.push_back(copyOf({0, slot + untyped.layout().keyOffset, untyped.valueOf(slot)}));
      }
      for (const std::pair<K, V>& entry : some) {
        ASSERT_TRUE(untyped.next(oneByOne, expected));
        ASSERT_TRUE(entry == copyOf(expected));
      }
      ASSERT_EQ(inStretches.hash, expected.hash);
      ASSERT_EQ(inStretches.keyBytes, oneByOne.keyBytes);
    }
    EXPECT_FALSE(untyped.next(oneByOne, expected));
  }
  static std::pair<K, V> copyOf(const StateTable::Entry& entry) {
    return {*static_cast<const K*>(entry.key), *reinterpret_cast<const V*>(entry.value)};
  }

  /// Same content as the model, found both by walking and by key; hashes ascend.
  void expectEquals(const std::map<K, V>& model) const {
    ASSERT_EQ(table.size(), model.size());
    size_t seen = 0;
    uint64_t last = 0;
    table.forEach([&](uint64_t hash, const K& k, const V& v) {
      EXPECT_EQ(hash, hashKey(k));
      EXPECT_GE(hash, last);
      last = hash;
      const auto found = model.find(k);
      ASSERT_NE(found, model.end());
      EXPECT_EQ(found->second, v);
      ++seen;
    });
    EXPECT_EQ(seen, model.size());
    expectSameInStretches();
    for (const auto& [k, v] : model) {
      const V* found = find(k);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(*found, v);
    }
  }
};

/// Bytes by state, namespace and key group, in canonical order whatever the order of the pieces was.
class CollectingSink final : public SegmentSink {
 public:
  using Place = std::tuple<std::string, int64_t, uint32_t>;

  void take(const SegmentImage& image) override {
    auto& pieces = pieces_[{std::string(image.state), image.nameSpace, image.keyGroup.value}];
    EXPECT_TRUE(pieces.emplace(image.firstHash, image.bytes).second) << "a segment was handed over twice";
    entries += image.entries;
  }
  std::map<Place, std::string> all() const {
    std::map<Place, std::string> joined;
    for (const auto& [place, pieces] : pieces_) {
      for (const auto& [hash, bytes] : pieces) joined[place] += bytes;
    }
    return joined;
  }
  size_t entries = 0;

 private:
  std::map<Place, std::map<uint64_t, std::string>> pieces_;
};

}  // namespace flott
