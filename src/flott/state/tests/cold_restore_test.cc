// Stores that are stored as their files: what was in them is there again, wherever its key groups go, and
// what a later cut has in common with an earlier one is not stored twice.
#include "flott/state/cold/cold_restore.h"

#include <gtest/gtest.h>

#include <set>

#include "flott/base/error.h"
#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/tests/stored_files.h"
#include "flott/state/tests/table_fixture.h"

namespace flott {
namespace {

using Values = std::map<int64_t, std::string>;

const ValueStateDescriptor<std::string> kText("text");

/// A backend with a value and a timer for each key, and one state that is registered or not.
struct Texts {
  explicit Texts(KeyedStateBackend::Options options, RestoredKeyedState restored = {}, bool withOther = true)
      : backend(typeOps<int64_t>(), options, std::move(restored)), text(backend.state(kText)) {
    if (withOther) other = backend.slices<int64_t, int64_t>("other");
  }
  void set(int64_t key, std::string value) {
    backend.setCurrentKey(hashKey(key), key);
    text.set(std::move(value));
    if (other) other->at(Timestamp(key % 3)).findOrInsert(hashKey(key), key) = key;
    backend.eventTimers().add(backend.currentKey(), Timestamp(key));
  }
  Values values() {
    Values all;
    backend.applyToAllKeys<int64_t>(kText, [&](int64_t key, ValueState<std::string>& state) {
      EXPECT_TRUE(all.emplace(key, state.get()).second);
    });
    return all;
  }
  std::set<int64_t> others() {
    std::set<int64_t> all;
    for (auto end = other->first(); end; end = other->after(*end)) {
      other->at(*end).forEach([&](uint64_t, int64_t key, int64_t value) {
        EXPECT_EQ(key, value);
        EXPECT_EQ(key % 3, end->ms);
        EXPECT_TRUE(all.insert(key).second);
      });
    }
    return all;
  }

  KeyedStateBackend backend;
  ValueState<std::string> text;
  std::optional<SliceStore<int64_t, int64_t>> other;
};

bool owns(KeyGroupRange groups, int64_t key, uint32_t max = 128) {
  return groups.contains(keyGroupOf(hashKey(key), max));
}

constexpr Where kDisk{20'000};

TEST(ColdRestore, ALaterCutWritesOnlyWhatIsNew) {
  StoredFiles stored;
  // All fits into the cache, so a cut makes one file; from four on RocksDB would join them in its own time.
  Texts texts(Where{10 << 20}());
  Values expected;
  const auto add = [&](int64_t from, int64_t to) {
    for (int64_t key = from; key < to; ++key) texts.set(key, expected[key] = "of " + std::to_string(key));
  };
  add(0, 3000);
  const StoredFiles::Cut first = stored.cut(texts.backend);
  EXPECT_EQ(first.written, 1u);
  EXPECT_EQ(first.written, first.cold->files.size());
  const StoredFiles::Cut same = stored.cut(texts.backend, &first);
  EXPECT_EQ(same.written, 0u) << "nothing has changed";
  EXPECT_EQ(same.cold->files, first.cold->files);
  add(2990, 3010);
  const StoredFiles::Cut second = stored.cut(texts.backend, &first);
  EXPECT_EQ(second.written, 1u);
  EXPECT_EQ(second.cold->files.size(), 2u);
  // Both can be read: the files of the first were not touched.
  for (const StoredFiles::Cut* cut : {&first, &second}) {
    StoredFiles::Start start = stored.fetch({*cut}, kDisk);
    EXPECT_EQ(stored.fetched, cut->cold->files.size()) << "the store is opened on the files";
    Texts restored(start.options, std::move(start.restored));
    Values values = restored.values();
    EXPECT_EQ(values.size(), cut == &first ? 3000u : 3010u);
    EXPECT_EQ(restored.others().size(), values.size());
    EXPECT_EQ(restored.backend.eventTimers().size(), values.size());
    if (cut == &second) {
      EXPECT_EQ(values, expected);
    }
  }
}

TEST(ColdRestore, KeyGroupsGoWhereTheyBelongAndTheStateGoesOn) {
  for (const Where where : {kDisk, Where{}}) {
    StoredFiles stored;
    Values expected;
    std::vector<StoredFiles::Cut> cuts;
    uint32_t storedMax = 128;
    Random random(where.cacheBytes);
    // At another number of key groups, too.
    struct Stage {
      uint32_t parallelism, max;
    };
    for (const Stage stage : {Stage{1, 128}, Stage{3, 128}, Stage{3, 128}, Stage{2, 256}, Stage{5, 64}}) {
      std::vector<StoredFiles::Cut> next;
      Values seen, now;
      for (uint32_t subtask = 0; subtask < stage.parallelism; ++subtask) {
        const KeyGroupRange groups = keyGroupRange(subtask, stage.max, stage.parallelism);
        const KeyedStateBackend::Options options{.keyGroups = groups, .maxParallelism = stage.max};
        // Cuts are made on disk, so that there are files.
        const bool last = stage.parallelism == 5;
        StoredFiles::Start start = stored.fetch(cuts, last ? where : kDisk, options, storedMax);
        Texts texts(start.options, std::move(start.restored));
        for (const auto& [key, value] : texts.values()) {
          EXPECT_TRUE(owns(groups, key, stage.max)) << key;
          seen.emplace(key, value);
        }
        EXPECT_EQ(texts.others().size(), texts.values().size());
        for (int64_t key = 0; key < 2000; ++key) {
          if (!owns(groups, key, stage.max) || random.below(3) > 0) continue;
          texts.backend.setCurrentKey(hashKey(key), key);
          const auto known = expected.find(key);
          EXPECT_EQ(texts.text.has(), known != expected.end()) << key;
          texts.set(key, std::to_string(key) + " at stage " + std::to_string(stage.parallelism));
        }
        next.push_back(stored.cut(texts.backend));
        for (const auto& [key, value] : texts.values()) now.emplace(key, value);
      }
      EXPECT_EQ(seen, expected) << "stage " << stage.parallelism;
      expected = now;
      cuts = std::move(next);
      storedMax = stage.max;
    }
    EXPECT_GT(expected.size(), 1500u);
  }
}

TEST(ColdRestore, AStateThatNobodyRegistersIsKept) {
  StoredFiles stored;
  StoredFiles::Cut cut;
  {
    Texts texts(kDisk());
    for (int64_t key = 0; key < 1000; ++key) texts.set(key, "a");
    cut = stored.cut(texts.backend);
  }
  // Where it is opened as it is, where it is copied, and in memory.
  for (const Where where : {kDisk, kDisk, Where{}}) {
    const bool byHalves = stored.fetched > 0;
    size_t kept = 0;
    for (const KeyGroupRange groups :
         byHalves ? std::vector<KeyGroupRange>{{0, 50}, {50, 128}} : std::vector<KeyGroupRange>{{0, 128}}) {
      StoredFiles::Start start = stored.fetch({cut}, where, {.keyGroups = groups});
      Texts without(start.options, std::move(start.restored), false);
      without.set(5'000'000, "later");
      const StoredFiles::Cut byFiles = stored.cut(without.backend);
      // And once more as pieces, as savepoints are.
      KeyedSnapshotWriter writer(without.backend);
      while (!without.backend.encodeSome(1000)) {
      }
      StoredFiles::Cut asPieces;
      asPieces.section = writer.finish();
      for (const StoredFiles::Cut& again : {byFiles, asPieces}) {
        StoredFiles::Start next = stored.fetch({again}, where, {.keyGroups = groups});
        Texts with(next.options, std::move(next.restored));
        kept += with.others().size();
        EXPECT_EQ(with.values().size(), with.others().size() + 1);
      }
    }
    EXPECT_EQ(kept, 2000u);
  }
}

TEST(ColdRestore, WhatIsDamagedOrMissingIsNamed) {
  StoredFiles stored;
  Texts texts(kDisk());
  for (int64_t key = 0; key < 1000; ++key) texts.set(key, "a");
  const StoredFiles::Cut cut = stored.cut(texts.backend);
  const std::string path = "/cp/job/shared/" + pathOf(cut.cold->files.at(0));
  const std::string good = stored.sim.files().content(path);
  const auto problem = [&] { return errorText([&] { stored.fetch({cut}, kDisk); }, ErrorKind::kCorruption); };
  std::string bad = good;
  bad[bad.size() / 2] ^= 1;
  stored.sim.files().put(path, bad);
  EXPECT_EQ(problem(), "file '" + path +
                           "' of a checkpoint is damaged: its bytes do not match their checksum. Restore "
                           "from another checkpoint");
  stored.sim.files().put(path, good.substr(0, 10));
  EXPECT_EQ(problem(), "file '" + path + "' of a checkpoint is cut off: it has 10 bytes instead of " +
                           std::to_string(good.size()) + ". Restore from another checkpoint");
  stored.sim.files().remove(path);
  EXPECT_EQ(problem(), "file '" + path + "' of a checkpoint is missing. Restore from another checkpoint");
}

TEST(ColdRestore, AnImageIsReadBackAndDamagedOnesAreRefused) {
  ColdImage image;
  image.manifestName = "MANIFEST-000005";
  image.manifest = std::string(100, 'm');
  image.states.push_back({{"count", "value", typeOps<int64_t>().description(), true}, 3, {{-5, 7}, {9, 1}}});
  const std::string bytes = image.encode();
  const ColdImage read = ColdImage::decode(bytes);
  EXPECT_EQ(read.encode(), bytes);
  EXPECT_EQ(read.states.at(0).entries, image.states.at(0).entries);
  EXPECT_EQ(read.states.at(0).number, 3);
  EXPECT_TRUE(read.states.at(0).schema.expires);
  for (size_t at = 0; at < bytes.size(); ++at) EXPECT_THROW(ColdImage::decode(bytes.substr(0, at)), Error);
  std::string later = bytes;
  later[4] = 2;
  EXPECT_NE(errorText([&] { ColdImage::decode(later); }).find("state on disk has format 2"),
            std::string::npos);
}

}  // namespace
}  // namespace flott
