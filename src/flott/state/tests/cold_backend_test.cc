// State on disk: a backend with a store does what one without does, step by step, and cuts to the same bytes.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/tests/error_text.h"
#include "flott/env/random.h"
#include "flott/state/keyed_backend.h"
#include "flott/state/tests/cold_fixture.h"
#include "flott/state/tests/stored_files.h"
#include "flott/state/tests/table_fixture.h"

namespace flott {
namespace {

using Strings = std::vector<std::string>;

/// A backend with states of all kinds, and what is done with them.
struct Side {
  explicit Side(Where where, RestoredKeyedState restored = {}) : Side(where(), std::move(restored)) {}
  explicit Side(const KeyedStateBackend::Options& options, RestoredKeyedState restored)
      : backend(typeOps<std::string>(), options, std::move(restored)) {
    value = backend.state(count);
    list = backend.state(ListStateDescriptor<std::string>("list"));
    map = backend.state(MapStateDescriptor<int64_t, std::string>("map"));
    sum = backend.state(ReducingStateDescriptor<int64_t>("sum", std::plus<int64_t>()));
    table = backend.table<std::string, int64_t>("table");
    slices = backend.slices<std::string, int64_t>("slices");
    timers = &backend.eventTimers();
  }

  void key(const std::string& k) {
    current = k;
    backend.setCurrentKey(hashKey(current), current);
  }
  std::string section() {
    KeyedSnapshotWriter writer(backend);
    while (!backend.encodeSome(1000)) {
    }
    return writer.finish();
  }
  /// All there is, in the order in which it is walked.
  Strings walk() {
    Strings all;
    backend.applyToAllKeys<std::string>(count, [&](const std::string& k, auto& state) {
      all.push_back(k + " " + std::to_string(state.get()));
    });
    const auto add = [&](uint64_t, const std::string& k, int64_t n) {
      all.push_back(k + ":" + std::to_string(n));
    };
    table.forEach(add);
    for (auto end = slices.first(); end; end = slices.after(*end)) {
      all.push_back("slice " + std::to_string(end->ms));
      slices.at(*end).forEach(add);
    }
    return all;
  }
  std::map<CollectingSink::Place, std::string> content() {
    CollectingSink sink;
    backend.cut(sink);
    while (!backend.encodeSome(1000)) {
    }
    return sink.all();
  }

  const ValueStateDescriptor<int64_t> count{"count"};
  KeyedStateBackend backend;
  ValueState<int64_t> value;
  ListState<std::string> list;
  MapState<int64_t, std::string> map;
  ReducingState<int64_t> sum;
  TypedTable<std::string, int64_t> table;
  SliceStore<std::string, int64_t> slices;
  TimerQueue* timers = nullptr;
  std::string current;
};

/// The same random steps on both; each says what it saw.
class Twins {
 public:
  Twins(uint64_t seed, uint64_t cacheBytes)
      : random_(seed), disk_{cacheBytes}, one_(std::in_place, Where()), other_(std::in_place, disk_) {}

  void run(int steps, uint64_t keys) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      const std::string key = "a key " + std::to_string(random_.below(keys));
      const uint64_t deed = random_.below(24);
      const uint64_t n = random_.below(6);
      EXPECT_EQ(act(*one_, deed, n, key), act(*other_, deed, n, key)) << "step " << step << ", deed " << deed;
      if (step % 100 == 0) batch(keys);
      if (step % 10 == 0) other_->backend.keepToBudget();
      if (step % 700 == 350) expectSame();
      if (step % 1000 == 500) restore();
      if (step % 1000 == 650) restoreFromFiles();
      if (step % 1000 == 800) cutDuringSteps(keys);
    }
    expectSame();
  }

 private:
  static std::string act(Side& side, uint64_t deed, uint64_t n, const std::string& key) {
    side.key(key);
    const auto number = static_cast<int64_t>(n);
    const Timestamp slice(number * 10);
    const uint64_t hash = hashKey(key);
    switch (deed) {
      case 0:
      case 1:
      case 2:
        side.value.set(side.value.get() + number);
        return std::to_string(side.value.get());
      case 3:
        side.value.clear();
        return side.value.has() ? "there" : "gone";
      case 4:
      case 5:
        side.list.add("element " + std::to_string(n));
        return std::to_string(side.list.get().size());
      case 6:
        side.list.clear();
        return "";
      case 7:
      case 8:
        side.map.put(number, key);
        return std::to_string(side.map.size());
      case 9:
        return side.map.remove(number) ? "removed" : "not there";
      case 10:
        return side.map.contains(number) ? *side.map.get(number) : "none";
      case 11:
      case 12:
        side.sum.add(number);
        return std::to_string(*side.sum.get());
      case 13:
        side.backend.stateIn(number, side.count).update([&](int64_t& count) { count += number; });
        return std::to_string(side.backend.stateIn(number, side.count).get());
      case 14:
        side.backend.clearNamespace(number);
        return "";
      case 15:
      case 16:
      case 17:
        return std::to_string(side.slices.at(slice).findOrInsert(hash, key) += number);
      case 18: {
        const auto table = side.slices.find(slice);
        return table && table->find(hash, key) != nullptr ? std::to_string(*table->find(hash, key)) : "none";
      }
      case 19:
        if (n == 0) side.slices.drop(slice);
        if (n == 1) side.backend.dropNamespace(number);
        return "";
      case 20:
        side.timers->add(side.backend.currentKey(), Timestamp(number));
        return std::to_string(side.timers->size());
      case 21: {
        Timer timer;
        return side.timers->popDue(Timestamp(number), timer) ? std::to_string(timer.key.hash) : "none due";
      }
      case 22:
        return side.table.erase(hash, key) ? "erased" : "not there";
      default:
        return std::to_string(side.table.findOrInsert(hash, key) += number);
    }
  }

  void batch(uint64_t keys) {
    Strings names(random_.below(300));
    std::vector<uint64_t> hashes;
    for (std::string& name : names) {
      name = "a key " + std::to_string(random_.below(keys));
      hashes.push_back(hashKey(name));
    }
    const auto nameOf = [&](size_t i) -> const std::string& { return names[i]; };
    const auto upsert = [&](Side& side) {
      std::vector<int64_t> seen;
      size_t at = 0;
      side.backend.fetch(hashes, nameOf);
      side.table.upsert(
          hashes, at, nameOf, [&](int64_t& fresh, size_t) { seen.push_back(fresh = -1); },
          [&](int64_t& count, size_t) { seen.push_back(++count); });
      return seen;
    };
    EXPECT_EQ(upsert(*one_), upsert(*other_));
  }

  void expectSame() {
    EXPECT_EQ(one_->walk(), other_->walk());
    EXPECT_EQ(one_->table.size(), other_->table.size());
    EXPECT_TRUE(one_->content() == other_->content()) << "cuts differ";
  }

  /// Each from the bytes of the other.
  void restore() {
    const auto restored = [](std::string section) {
      RestoredKeyedState state;
      state.add(std::move(section), {0, kDefaultMaxParallelism});
      return state;
    };
    std::string fromOne = one_->section();
    std::string fromOther = other_->section();
    one_.emplace(Where(), restored(std::move(fromOther)));
    other_.emplace(disk_, restored(std::move(fromOne)));
  }

  /// The one on disk from its own files, as it is or with another backend that takes them over on the way.
  void restoreFromFiles() {
    const StoredFiles::Cut cut = files_.cut(other_->backend);
    other_.reset();
    StoredFiles::Start start = files_.fetch({cut}, disk_);
    other_.emplace(start.options, std::move(start.restored));
    if (random_.below(3) > 0) return;
    one_.reset();
    start = files_.fetch({cut}, Where());
    one_.emplace(start.options, std::move(start.restored));
  }

  /// What is cut is what was there, whatever comes before all is encoded.
  void cutDuringSteps(uint64_t keys) {
    CollectingSink before, after;
    one_->backend.cut(before);
    other_->backend.cut(after);
    for (bool oneEnded = false, otherEnded = false; !oneEnded || !otherEnded;) {
      const std::string key = "a key " + std::to_string(random_.below(keys));
      const uint64_t deed = random_.below(24);
      EXPECT_EQ(act(*one_, deed, 0, key), act(*other_, deed, 0, key));
      if (!oneEnded) oneEnded = one_->backend.encodeSome(500);
      if (!otherEnded) otherEnded = other_->backend.encodeSome(500);
    }
    EXPECT_TRUE(before.all() == after.all()) << "cuts differ";
  }

  StoredFiles files_;
  Random random_;
  const Where disk_;
  std::optional<Side> one_, other_;
};

TEST(ColdBackend, DoesWhatMemoryDoesWithNoCacheAtAll) { Twins(1, 1).run(4'000, 50); }
TEST(ColdBackend, DoesWhatMemoryDoesWithASmallCache) {
  for (const uint64_t seed : {2, 3, 4}) Twins(seed, 60'000).run(12'000, 400);
}
TEST(ColdBackend, DoesWhatMemoryDoesWithManyKeys) { Twins(5, 300'000).run(30'000, 20'000); }
TEST(ColdBackend, DoesWhatMemoryDoesWhenAllFits) { Twins(6, 100 << 20).run(10'000, 400); }

TEST(ColdBackend, KeepsToItsCache) {
  KeyedStateBackend backend(typeOps<int64_t>(), Where{500'000}());
  auto count = backend.table<int64_t, int64_t>("count");
  for (int64_t key = 0; key < 200'000; ++key) {
    count.findOrInsert(hashKey(key), key) = key;
    ASSERT_LT(backend.budget().used(), 600'000u);
  }
  EXPECT_EQ(count.size(), 200'000u);
  int64_t sum = 0;
  count.forEach([&](uint64_t, int64_t, int64_t value) {
    sum += value;
    EXPECT_LT(backend.budget().used(), 700'000u);
  });
  EXPECT_EQ(sum, 199'999ll * 100'000);
}

TEST(ColdBackend, AnotherStatesMemoryIsGivenBackBetweenCalls) {
  KeyedStateBackend backend(typeOps<int64_t>(), Where{400'000}());
  auto first = backend.table<int64_t, int64_t>("first");
  auto second = backend.table<int64_t, int64_t>("second");
  for (int64_t key = 0; key < 10'000; ++key) first.findOrInsert(hashKey(key), key) = key;
  for (int64_t key = 0; key < 10'000; ++key) second.findOrInsert(hashKey(key), key) = key;
  backend.keepToBudget();
  EXPECT_LE(backend.budget().used(), 400'000u);
  for (int64_t key = 0; key < 10'000; ++key) {
    ASSERT_EQ(*first.find(hashKey(key), key), key);
    ASSERT_EQ(*second.find(hashKey(key), key), key);
  }
}

TEST(ColdBackend, AFolderThatCannotBeUsedIsNamedWithItsOption) {
  const auto open = [](std::string folder) {
    return errorText([&] { openRocksDb({.folder = folder, .folderOption = "io.tmp.dirs", .name = "s"}); });
  };
  const std::string text = open("/dev/null/state");
  EXPECT_EQ(text.substr(0, 63), "state cannot be kept in '/dev/null/state' (io.tmp.dirs): IO err");
  EXPECT_EQ(text.substr(text.rfind(':')), ": name a folder that can be written to");
}

}  // namespace
}  // namespace flott
