// State in memory whose checkpoints share segments: what a later cut writes is what changed, and each
// checkpoint can be read whatever was written, kept or given up since.
#include "flott/state/segment_catalog.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/env/simulated.h"
#include "flott/state/keyed_backend.h"

namespace flott::segment_catalog_test {
namespace {

const ValueStateDescriptor<int64_t> kCount("count");
const ValueStateDescriptor<std::string> kText("text");

/// Values, windows and timers, and what they should be.
struct States {
  explicit States(RestoredKeyedState restored = {})
      : backend(typeOps<int64_t>(), {}, std::move(restored)),
        count(backend.state(kCount)),
        text(backend.state(kText)),
        slices(backend.slices<int64_t, int64_t>("slices")) {}

  /// All entries, in words.
  std::map<std::string, std::string> content() {
    std::map<std::string, std::string> all;
    const auto put = [&all](const std::string& key, const std::string& value) {
      EXPECT_TRUE(all.emplace(key, value).second) << key;
    };
    backend.applyToAllKeys<int64_t>(kCount, [&](int64_t key, ValueState<int64_t>& state) {
      put("count " + std::to_string(key), std::to_string(state.get()));
    });
    backend.applyToAllKeys<int64_t>(kText, [&](int64_t key, ValueState<std::string>& state) {
      put("text " + std::to_string(key), state.get());
    });
    for (auto end = slices.first(); end; end = slices.after(*end)) {
      slices.at(*end).forEach([&](uint64_t, int64_t key, int64_t value) {
        put("slice " + std::to_string(end->ms) + " " + std::to_string(key), std::to_string(value));
      });
    }
    put("timers", std::to_string(backend.eventTimers().size()));
    return all;
  }

  void change(Random& random, int64_t keys) {
    const auto key = static_cast<int64_t>(random.below(static_cast<uint64_t>(keys)));
    const auto value = static_cast<int64_t>(random.below(1000));
    const uint64_t hash = hashKey(key);
    backend.setCurrentKey(hash, key);
    switch (random.below(8)) {
      case 0:
        return count.set(value);
      case 1:
        return count.clear();
      case 2:
        return text.set(std::string(random.below(40), 'x') + std::to_string(value));
      case 3:
        return text.clear();
      case 4:
        return (void)(slices.at(Timestamp(value / 100)).findOrInsert(hash, key) += value);
      case 5:
        return (void)slices.at(Timestamp(value / 100)).erase(hash, key);
      case 6:
        return backend.eventTimers().add(backend.currentKey(), Timestamp(value));
      default:
        return batch(random, key);
    }
  }
  /// Many keys at once, or all of a window.
  void batch(Random& random, int64_t first) {
    if (random.below(20) == 0) return slices.drop(Timestamp(static_cast<int64_t>(random.below(10))));
    auto table = slices.at(Timestamp(static_cast<int64_t>(random.below(10))));
    std::vector<int64_t> keys;
    std::vector<uint64_t> hashes;
    for (int64_t key = first; key < first + 30; ++key) {
      keys.push_back(key);
      hashes.push_back(hashKey(key));
    }
    const auto keyAt = [&](size_t i) { return keys[i]; };
    size_t at = 0;
    if (random.below(2) == 0) {
      table.upsert(
          hashes, at, keyAt, [](int64_t& fresh, size_t) { fresh = 1; },
          [](int64_t& value, size_t) { ++value; });
      return;
    }
    table.locate(hashes, keyAt, located);
    for (; at < keys.size(); ++at) table.findOrInsert(hashes[at], keys[at], located, at) += 2;
  }

  KeyedStateBackend backend;
  ValueState<int64_t> count;
  ValueState<std::string> text;
  SliceStore<int64_t, int64_t> slices;
  Located located;
};

struct Stored {
  CheckpointId id;
  std::shared_ptr<SegmentCatalog> catalog;
  ColdSnapshot snapshot;
  uint64_t written = 0;
};

class Checkpoints {
 public:
  /// `meanwhile` runs between portions of the encoding.
  template <typename F>
  Stored take(KeyedStateBackend& backend, const Stored* base, F&& meanwhile) {
    Stored stored{.id = CheckpointId(++last_)};
    KeyedSnapshotWriter writer(backend, KeyedSnapshotWriter::Sharing{base ? base->catalog : nullptr});
    while (!backend.encodeSome(500)) meanwhile();
    const std::string bytes = writer.finish();
    stored.written = bytes.size();
    stored.catalog = writer.takeCatalog();
    std::optional<SharedFile> file;
    if (!bytes.empty()) {
      SharedFileWriter out = storage.createShared(stored.id, "task", "segments");
      out.write(bytes);
      file = out.finish();
    }
    stored.catalog->finish(file ? &*file : nullptr);
    stored.snapshot.files = stored.catalog->files();
    stored.snapshot.image = storage.write(stored.id, "image", {stored.catalog->section().encode()}).front();
    return stored;
  }
  Stored take(KeyedStateBackend& backend, const Stored* base = nullptr) {
    return take(backend, base, [] {});
  }

  std::string read(const Stored& stored) {
    std::string section;
    readSharedSection(storage, storage.folderOf(stored.id), stored.snapshot,
                      [&section](std::string_view part) { section += part; });
    return section;
  }
  std::map<std::string, std::string> contentOf(const Stored& stored) {
    RestoredKeyedState restored;
    restored.add(read(stored), {0, kDefaultMaxParallelism});
    return States(std::move(restored)).content();
  }

  SimulatedEnv sim{1};
  CheckpointStorage storage{sim.files(), {.folder = "/cp/job", .inlineThreshold = 100}};

 private:
  uint64_t last_ = 0;
};

TEST(SegmentCatalog, EachCheckpointIsWhatWasThereAtItsCut) {
  uint64_t kept = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    Checkpoints checkpoints;
    States states;
    const auto keys = static_cast<int64_t>(1 + random.below(seed % 3 == 0 ? 5000 : 200));
    const auto change = [&](uint64_t most) {
      for (uint64_t n = random.below(most); n > 0; --n) states.change(random, keys);
    };
    std::deque<std::pair<Stored, std::map<std::string, std::string>>> complete;
    for (int cut = 0; cut < 25; ++cut) {
      change(random.below(3) == 0 ? 2000 : 20);
      // Like the master: any one of those that are kept, or none.
      const Stored* base =
          complete.empty() || random.below(8) == 0 ? nullptr : &complete[random.below(complete.size())].first;
      std::map<std::string, std::string> now = states.content();
      Stored stored = checkpoints.take(states.backend, base, [&] { change(5); });
      kept += stored.catalog->keptBytes();
      EXPECT_LE(stored.snapshot.files.size(), 17u);
      complete.emplace_back(std::move(stored), std::move(now));
      if (complete.size() > 4) complete.pop_front();
      const auto& [some, expected] = complete[random.below(complete.size())];
      ASSERT_EQ(checkpoints.contentOf(some), expected) << "seed " << seed << ", cut " << cut;
    }
  }
  EXPECT_GT(kept, 1'000'000u);
}

TEST(SegmentCatalog, WhatDidNotChangeIsNotWritten) {
  Checkpoints checkpoints;
  States states;
  for (int64_t key = 0; key < 50'000; ++key) {
    states.backend.setCurrentKey(hashKey(key), key);
    states.count.set(key);
  }
  const Stored first = checkpoints.take(states.backend);
  EXPECT_GT(first.written, 50'000u * 16);
  const Stored same = checkpoints.take(states.backend, &first);
  EXPECT_EQ(same.written, 0u);
  EXPECT_EQ(same.snapshot.files, first.snapshot.files);
  states.backend.setCurrentKey(hashKey(int64_t{7}), int64_t{7});
  states.count.set(8);
  EXPECT_EQ(states.count.get(), 8) << "reading changes nothing";
  const Stored second = checkpoints.take(states.backend, &same);
  EXPECT_GT(second.written, 0u);
  EXPECT_LE(second.written, 64u << 10) << "one segment";
  EXPECT_EQ(second.snapshot.files.size(), 2u);
  EXPECT_EQ(second.catalog->keptBytes() + second.written, first.written);
  EXPECT_EQ(checkpoints.contentOf(second), states.content());
  EXPECT_NE(checkpoints.contentOf(first), states.content());
}

TEST(SegmentCatalog, FilesOfWhichLittleIsNeededAreGivenUp) {
  Checkpoints checkpoints;
  States states;
  uint64_t most = 0;
  std::optional<Stored> last;
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    // All at first, then here and there.
    const int64_t from = round == 0 ? 0 : static_cast<int64_t>(random.below(19'000));
    for (int64_t key = from; key < (round == 0 ? 20'000 : from + 3); ++key) {
      states.backend.setCurrentKey(hashKey(key), key);
      states.count.set(round);
    }
    last = checkpoints.take(states.backend, last ? &*last : nullptr);
    uint64_t bytes = 0;
    for (const SharedFile& file : last->snapshot.files) bytes += file.length;
    EXPECT_LE(last->snapshot.files.size(), 17u);
    const uint64_t needed = last->catalog->keptBytes() + last->written;
    most = std::max(most, bytes * 100 / needed);
  }
  EXPECT_LT(most, 220u) << "per cent of what is needed";
  EXPECT_EQ(checkpoints.contentOf(*last), states.content());
}

TEST(SegmentCatalog, StateThatIsRegisteredLaterBeginsAnew) {
  Checkpoints checkpoints;
  KeyedStateBackend backend(typeOps<int64_t>(), {});
  ValueState<int64_t> count = backend.state(kCount);
  backend.setCurrentKey(hashKey(int64_t{1}), int64_t{1});
  count.set(5);
  const Stored first = checkpoints.take(backend);
  EXPECT_EQ(checkpoints.take(backend, &first).written, 0u);
  // Its name comes before the other's, whose number in the header is then another one.
  ValueState<int64_t> other = backend.state(ValueStateDescriptor<int64_t>("a"));
  other.set(6);
  const Stored second = checkpoints.take(backend, &first);
  EXPECT_EQ(second.catalog->keptBytes(), 0u);
  RestoredKeyedState restored;
  restored.add(checkpoints.read(second), {0, kDefaultMaxParallelism});
  KeyedStateBackend again(typeOps<int64_t>(), {}, std::move(restored));
  again.setCurrentKey(hashKey(int64_t{1}), int64_t{1});
  EXPECT_EQ(again.state(kCount).get(), 5);
  EXPECT_EQ(again.state(ValueStateDescriptor<int64_t>("a")).get(), 6);
}

TEST(SegmentCatalog, RestoredStateThatNobodyRegistersIsInEachCheckpoint) {
  Checkpoints checkpoints;
  States states;
  for (int64_t key = 0; key < 1000; ++key) {
    states.backend.setCurrentKey(hashKey(key), key);
    states.count.set(key);
  }
  const Stored first = checkpoints.take(states.backend);
  RestoredKeyedState restored;
  restored.add(checkpoints.read(first), {0, kDefaultMaxParallelism});
  KeyedStateBackend idle(typeOps<int64_t>(), {}, std::move(restored));
  const Stored second = checkpoints.take(idle);
  const Stored third = checkpoints.take(idle, &second);
  EXPECT_EQ(third.snapshot.files.size(), 1u);
  EXPECT_EQ(checkpoints.contentOf(third), states.content());
}

TEST(SharedSection, IsReadBackAndDamagedOnesAreRefused) {
  const SharedSection section{.header = "header", .stretches = {{0, 0, 10}, {0, 20, 5}, {2, 0, 7}}};
  const std::string bytes = section.encode();
  const SharedSection again = SharedSection::decode(bytes);
  EXPECT_EQ(again.header, section.header);
  EXPECT_EQ(again.stretches, section.stretches);
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW((void)SharedSection::decode(bytes.substr(0, length)), Error) << length;
  const auto textOf = [](const std::string& damaged) {
    return errorText([&] { (void)SharedSection::decode(damaged); }, ErrorKind::kCorruption);
  };
  EXPECT_NE(textOf(bytes + "x").find("has bytes left over"), std::string::npos);
  const SharedSection crossed{.header = "", .stretches = {{0, 5, 10}, {0, 0, 5}}};
  EXPECT_NE(textOf(crossed.encode()).find("not in order"), std::string::npos);
}

TEST(SharedSection, AStretchThatIsInNoFileIsDamage) {
  Checkpoints checkpoints;
  States states;
  states.backend.setCurrentKey(hashKey(int64_t{1}), int64_t{1});
  states.count.set(5);
  Stored stored = checkpoints.take(states.backend);
  for (const SharedSection::Stretch stretch : {SharedSection::Stretch{0, 0, 1000}, {0, 1000, 1}, {1, 0, 1}}) {
    stored.snapshot.image =
        checkpoints.storage.write(stored.id, "image", {SharedSection{"", {stretch}}.encode()}).front();
    const std::string text = errorText([&] { (void)checkpoints.read(stored); }, ErrorKind::kCorruption);
    EXPECT_NE(text.find("a stretch that is in none of them"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace flott::segment_catalog_test
