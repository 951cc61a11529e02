// Lists on disk that are added to: without being read, and yet whole for whoever looks.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "flott/env/random.h"
#include "flott/state/cold/list_merge.h"
#include "flott/state/tests/stored_files.h"

namespace flott {
namespace {

/// Counts the keys that are looked up.
class CountingStore final : public ColdStore {
 public:
  explicit CountingStore(std::shared_ptr<ColdStore> store) : store_(std::move(store)) {}
  const std::vector<std::optional<std::string_view>>& get(std::span<const std::string_view> keys) override {
    asked += keys.size();
    return store_->get(keys);
  }
  std::unique_ptr<ColdScan> scan(std::string_view from, std::string_view to) override {
    fromTheBeginning += from.size() <= ColdKey::prefix(0, 0).size() ? 1 : 0;
    return store_->scan(from, to);
  }
  void put(std::string_view key, std::string_view value) override { store_->put(key, value); }
  void append(std::string_view key, std::string_view list) override { store_->append(key, list); }
  void erase(std::string_view key) override { store_->erase(key); }
  void eraseRange(std::string_view from, std::string_view to) override { store_->eraseRange(from, to); }
  void commit() override { store_->commit(); }
  size_t pendingBytes() const override { return store_->pendingBytes(); }
  void setFilter(std::shared_ptr<const ColdFilter> filter) override { store_->setFilter(std::move(filter)); }
  std::unique_ptr<ColdFiles> files() override { return store_->files(); }

  size_t asked = 0;
  size_t fromTheBeginning = 0;  // scans of a whole state or namespace

 private:
  const std::shared_ptr<ColdStore> store_;
};

const ListStateDescriptor<std::string> kList("list");

TEST(ColdLists, AreAddedToWithoutBeingRead) {
  const auto store = std::make_shared<CountingStore>(newTestStore());
  KeyedStateBackend backend(typeOps<int64_t>(), {.cold = store, .cacheBytes = 1});
  ListState<std::string> list = backend.state(kList);
  std::vector<int64_t> keys(200);
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < keys.size(); ++i) hashes.push_back(hashKey(keys[i] = static_cast<int64_t>(i)));
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    backend.fetch(hashes, [&](size_t i) { return keys[i]; });
    for (const int64_t key : keys) {
      backend.setCurrentKey(hashKey(key), key);
      list.add(std::to_string(round));
    }
    backend.keepToBudget();
  }
  EXPECT_EQ(store->asked, 0u);
  for (const int64_t key : keys) {
    backend.setCurrentKey(hashKey(key), key);
    ASSERT_EQ(list.get().size(), static_cast<size_t>(kRounds));
    for (int round = 0; round < kRounds; ++round)
      ASSERT_EQ(list.get()[static_cast<size_t>(round)], std::to_string(round));
  }
  EXPECT_GE(store->asked, keys.size());
  // Whoever reads has a batch looked up at once.
  store->asked = 0;
  backend.keepToBudget();
  backend.fetch(hashes, [&](size_t i) { return keys[i]; });
  EXPECT_EQ(store->asked, keys.size());
}

// What was erased takes its time to step over: a look for what is left must not begin before it each time.
TEST(ColdLists, OfAWindowGoOneByOne) {
  const auto store = std::make_shared<CountingStore>(newTestStore());
  KeyedStateBackend backend(typeOps<int64_t>(), {.cold = store, .cacheBytes = 1});
  constexpr int64_t kKeys = 500;
  std::vector<std::pair<uint64_t, int64_t>> inOrder;
  for (int64_t key = 0; key < kKeys; ++key) inOrder.emplace_back(hashKey(key), key);
  for (int round = 0; round < 2; ++round) {
    for (const auto& [hash, key] : inOrder) {
      backend.setCurrentKey(hash, key);
      backend.stateIn(7, kList).add("x");
    }
    backend.keepToBudget();
    store->fromTheBeginning = 0;
    // In the order of the hash, as windows fire, and in another one.
    if (round == 0) std::sort(inOrder.begin(), inOrder.end());
    for (const auto& [hash, key] : inOrder) {
      backend.setCurrentKey(hash, key);
      ASSERT_EQ(backend.stateIn(7, kList).get().size(), 1u);
      backend.clearNamespace(7);
    }
    EXPECT_LE(store->fromTheBeginning, 10u);
    std::reverse(inOrder.begin(), inOrder.end());
  }
  KeyedSnapshotWriter writer(backend);
  while (!backend.encodeSome(1000)) {
  }
  RestoredKeyedState restored;
  restored.add(writer.finish(), {0, kDefaultMaxParallelism});
  EXPECT_TRUE(restored.states().at("window:list").pieces.empty());
}

TEST(ColdLists, AreWholeWhateverHappens) {
  using Lists = std::map<int64_t, std::vector<std::string>>;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    StoredFiles stored;
    const Where where{seed % 2 == 0 ? uint64_t{1} : uint64_t{20'000}};
    Lists lists, windows;
    std::optional<KeyedStateBackend> backend(std::in_place, typeOps<int64_t>(), where());
    ListState<std::string> list = backend->state(kList);
    const auto windowed = [&] { return backend->stateIn(7, kList); };
    const auto expectList = [](const ListState<std::string>& state, const Lists& all, int64_t key) {
      const auto found = all.find(key);
      const std::span<const std::string> seen = state.get();
      const std::vector<std::string> is(seen.begin(), seen.end());
      ASSERT_EQ(is, found == all.end() ? std::vector<std::string>() : found->second);
    };
    for (int step = 0; step < 4000 && !HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      const auto key = static_cast<int64_t>(random.below(40));
      backend->setCurrentKey(hashKey(key), key);
      std::string text = std::to_string(step) + std::string(random.below(100), 'x');
      switch (random.below(16)) {
        case 0:
          expectList(list, lists, key);
          break;
        case 1:
          list.clear();
          lists.erase(key);
          break;
        case 2:
          list.set({text, "b"});
          lists[key] = {text, "b"};
          break;
        case 3: {
          const std::vector<std::string> two = {text, "c"};
          list.addAll(two);
          lists[key].insert(lists[key].end(), two.begin(), two.end());
          break;
        }
        case 4:
        case 5:
          windowed().add(text);
          windows[key].push_back(text);
          break;
        case 6:
          expectList(windowed(), windows, key);
          break;
        case 7:
          backend->clearNamespace(7);
          windows.erase(key);
          break;
        case 8:
          backend->keepToBudget();
          break;
        default:
          list.add(text);
          lists[key].push_back(text);
      }
      backend->clearCurrentKey();
      if (step % 500 == 400) {
        Lists seen;
        int64_t at = 0;
        backend->setCurrentKey(hashKey(at), at);
        backend->applyToAllKeys<int64_t>(kList, [&](int64_t k, ListState<std::string>& state) {
          const std::span<const std::string> all = state.get();
          seen[k].assign(all.begin(), all.end());
        });
        ASSERT_EQ(seen, lists);
      }
      if (step % 700 != 600) continue;
      // From a section or from files, to disk or for once to memory.
      const bool toMemory = random.below(4) == 0;
      StoredFiles::Start start;
      if (random.below(2) == 0) {
        const StoredFiles::Cut cut = stored.cut(*backend);
        backend.reset();
        start = stored.fetch({cut}, toMemory ? Where{} : where);
      } else {
        KeyedSnapshotWriter writer(*backend);
        while (!backend->encodeSome(300)) {
        }
        start.options = toMemory ? KeyedStateBackend::Options() : where();
        start.restored.add(writer.finish(), {0, kDefaultMaxParallelism});
      }
      backend.emplace(typeOps<int64_t>(), start.options, std::move(start.restored));
      list = backend->state(kList);
    }
  }
}

TEST(ListMerge, PutsListsOneBehindTheOther) {
  const auto encoded = [](const std::vector<std::string>& list) {
    std::string bytes;
    ByteWriter out(bytes);
    Codec<std::vector<std::string>>::encode(list, out);
    return bytes;
  };
  ListMerge merge;
  EXPECT_TRUE(merge.add(encoded({"a", "b"})));
  EXPECT_TRUE(merge.add(encoded({})));
  EXPECT_TRUE(merge.add(encoded(std::vector<std::string>(200, "c"))));
  std::vector<std::string> all(202, "c");
  all[0] = "a";
  all[1] = "b";
  EXPECT_EQ(merge.finish(), encoded(all));
  EXPECT_FALSE(merge.add(""));
  EXPECT_FALSE(merge.add(std::string(11, '\xff')));
}

}  // namespace
}  // namespace flott
