// The store on its own: what it reads and writes, and what it says when its disk fails.
#include "flott/state/cold/rocksdb_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "flott/base/error.h"
#include "flott/env/random.h"
#include "flott/state/cold/cold_side.h"
#include "flott/state/snapshot.h"
#include "flott/state/tests/cold_fixture.h"

namespace flott {
namespace {

namespace fs = std::filesystem;

/// As a key of a table.
std::string numbered(uint64_t n) {
  std::string key = ColdKey::prefix(0, static_cast<int64_t>(n >> 8));
  ColdKey::appendOrder(n, key);
  return key + "key";
}

TEST(RocksDbStore, MatchesAMap) {
  const std::shared_ptr<ColdStore> store = newTestStore();
  std::map<std::string, std::string> model;
  Random random(1);
  const auto expectScan = [&](const std::string& from, const std::string& to) {
    auto expected = model.lower_bound(from);
    for (auto scan = store->scan(from, to); scan->valid(); scan->next(), ++expected) {
      ASSERT_NE(expected, model.end());
      ASSERT_EQ(scan->key(), expected->first);
      ASSERT_EQ(scan->value(), expected->second);
    }
    EXPECT_EQ(expected, model.lower_bound(to));
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = numbered(random.below(3'000));
    const uint64_t deed = random.below(100);
    if (deed < 70) {
      store->put(key, model[key] = std::string(random.below(50), 'x') + std::to_string(step));
    } else if (deed < 95) {
      store->erase(key);
      model.erase(key);
    } else if (deed == 95) {
      const std::string from = ColdKey::prefix(0, static_cast<int64_t>(random.below(12)));
      const std::string to = from + '\xff';
      store->eraseRange(from, to);
      model.erase(model.lower_bound(from), model.lower_bound(to));
    }
    if (step % 50 != 0) continue;
    store->commit();
    EXPECT_EQ(store->pendingBytes(), 12u) << "a batch without content has a header";
    std::vector<std::string> keys;
    for (uint64_t n = random.below(100); n < 3'000; n += 1 + random.below(100)) keys.push_back(numbered(n));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    const auto& values = store->get(views);
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto found = model.find(keys[i]);
      ASSERT_EQ(values[i].has_value(), found != model.end());
      if (values[i]) {
        ASSERT_EQ(*values[i], found->second);
      }
    }
    if (step % 1'000 == 0) expectScan(numbered(random.below(3'000)), numbered(3'000));
  }
  store->commit();
  expectScan(numbered(0), numbered(3'000));
}

TEST(RocksDbStore, AScanSeesWhatWasThereWhenItWasMade) {
  const std::shared_ptr<ColdStore> store = newTestStore();
  for (uint64_t n = 0; n < 1'000; ++n) store->put(numbered(n), "before");
  store->commit();
  const auto scan = store->scan(numbered(0), numbered(5'000));
  for (uint64_t n = 0; n < 5'000; ++n) store->put(numbered(n), "after");
  store->eraseRange(numbered(100), numbered(200));
  store->commit();
  size_t entries = 0;
  for (; scan->valid(); scan->next(), ++entries) ASSERT_EQ(scan->value(), "before");
  EXPECT_EQ(entries, 1'000u);
}

TEST(RocksDbStore, KeysAreInTheOrderOfStateNamespaceAndHash) {
  std::string last;
  for (const uint16_t state : {0, 1, 300}) {
    for (const int64_t nameSpace : {kNoNamespace, int64_t{-5}, int64_t{0}, int64_t{7}}) {
      for (const uint64_t order : {uint64_t{0}, uint64_t{255}, uint64_t{256}, ~uint64_t{0}}) {
        std::string key = ColdKey::prefix(state, nameSpace);
        ColdKey::appendOrder(order, key);
        key += "key";
        EXPECT_GT(key, last);
        last = key;
        const ColdKey parts = ColdKey::parse(key);
        EXPECT_EQ(parts.state, state);
        EXPECT_EQ(parts.nameSpace, nameSpace);
        EXPECT_EQ(parts.order, order);
        EXPECT_EQ(parts.key, "key");
      }
    }
  }
  EXPECT_THROW(ColdKey::parse(std::string_view(last).substr(0, 9)), Error);
}

/// A store whose folder can be found.
struct OpenStore {
  explicit OpenStore(const std::string& name) : root(testing::TempDir() + "/flott-" + name) {
    fs::remove_all(root);
    store = openRocksDb({.folder = root,
                         .folderOption = "state.backend.rocksdb.localdir",
                         .name = "db",
                         .memory = nullptr,
                         .blockCache = MemorySize::kb(8),
                         .writeBuffer = MemorySize::kb(64)});
  }
  ~OpenStore() {
    store.reset();
    fs::remove_all(root);
  }
  void write(uint64_t entries) {
    for (uint64_t n = 0; n < entries; ++n) {
      store->put(numbered(n * 0x9e3779b97f4a7c15u), std::string(100, 'v'));
      if (n % 100 == 0) store->commit();
    }
    store->commit();
  }
  const std::string root;
  std::shared_ptr<ColdStore> store;
};

template <typename F>
Error errorOf(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::kBug, "nothing was thrown");
}

TEST(RocksDbStore, DamagedFilesAreToldWithTheirPlace) {
  OpenStore open("damaged");
  open.write(1'300);  // some files, but too few to be merged meanwhile
  size_t files = 0;
  for (const auto& file : fs::directory_iterator(open.root + "/db-0")) {
    if (file.path().extension() != ".sst") continue;
    ++files;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    for (int64_t at = 100; at < static_cast<int64_t>(file.file_size()) / 2; at += 1000) {
      bytes.seekp(at);
      bytes.write("damage", 6);
    }
  }
  ASSERT_GT(files, 0u);
  const Error error = errorOf([&] {
    for (auto scan = open.store->scan(numbered(0), "\xff\xff\xff\xff\xff\xff\xff\xff\xff"); scan->valid();) {
      scan->next();
    }
  });
  EXPECT_EQ(error.kind(), ErrorKind::kCorruption);
  EXPECT_EQ(std::string(error.what())
                .rfind("state in '" + open.root + "' (state.backend.rocksdb.localdir) is damaged: ", 0),
            0u)
      << error.what();
}

TEST(RocksDbStore, ADiskThatDoesNotTakeFilesIsToldWithTheOption) {
  OpenStore open("gone");
  fs::remove_all(open.root);
  const Error error = errorOf([&] { open.write(1'000'000); });
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_EQ(std::string(error.what())
                .rfind("state cannot be kept in '" + open.root + "' (state.backend.rocksdb.localdir): ", 0),
            0u)
      << error.what();
}

TEST(RocksDbStore, LeavesNothingBehindAndHasAFolderOfItsOwn) {
  const std::string root = testing::TempDir() + "/flott-own-folder";
  fs::remove_all(root);
  const auto open = [&] {
    return openRocksDb({.folder = root, .folderOption = "io.tmp.dirs", .name = "db"});
  };
  const auto folders = [&] { return std::distance(fs::directory_iterator(root), fs::directory_iterator()); };
  {
    const auto first = open();
    const auto second = open();
    EXPECT_EQ(folders(), 2);
    first->put("key", "of the first");
    first->commit();
    const std::string_view key = "key";
    EXPECT_FALSE(second->get({&key, 1}).front().has_value());
  }
  EXPECT_EQ(folders(), 0);
  // As a process leaves it that was killed.
  fs::create_directories(root + "/db-0");
  for (const char* name : {"OWNER", "LOCK", "CURRENT", "000007.sst"})
    std::ofstream(root + "/db-0/" + name) << "left";
  {
    const auto next = open();
    EXPECT_EQ(folders(), 1);
    EXPECT_FALSE(fs::exists(root + "/db-0/000007.sst"));
  }
  EXPECT_EQ(folders(), 0);
  fs::remove_all(root);
}

// RocksDB itself locks a folder when it writes there, and neither before nor where it only reads.
TEST(RocksDbStore, AFolderIsNotAbandonedWhileItIsFilledOrRead) {
  const std::string root = testing::TempDir() + "/flott-filled-folder";
  fs::remove_all(root);
  const RocksDbOptions options{.folder = root, .folderOption = "io.tmp.dirs", .name = "db"};
  auto first = openRocksDb(options);
  first->put("key", "value");
  first->commit();
  std::unique_ptr<ColdFiles> files = first->files();
  first.reset();
  RocksDbFolder filled(options);
  for (const ColdFiles::File& file : files->files()) {
    filled.begin(file.name);
    files->read(file, [&filled](std::string_view part) { filled.add(part); });
  }
  (void)openRocksDb(options);
  const auto read = filled.open(files->manifestName(), files->manifest(), true);
  (void)openRocksDb(options);
  EXPECT_TRUE(fs::exists(root + "/db-0")) << "of the files";
  EXPECT_TRUE(fs::exists(root + "/db-1/CURRENT")) << "of the one that is read";
  const std::string_view key = "key";
  EXPECT_EQ(read->get({&key, 1}).front(), "value");
  files.reset();
  EXPECT_FALSE(fs::exists(root + "/db-0"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace flott
