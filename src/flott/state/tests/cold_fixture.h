// Backends with a store on disk behind them, for tests that say the same of both.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "flott/state/cold/rocksdb_store.h"
#include "flott/state/keyed_backend.h"

namespace flott {

inline RocksDbOptions testStoreOptions() {
  return {.folder = testing::TempDir() + "/flott-cold-tests",
          .folderOption = "state.backend.rocksdb.localdir",
          .name = "test",
          .memory = nullptr,
          .blockCache = MemorySize::kb(64),
          .writeBuffer = MemorySize::kb(64)};
}

/// In a folder of its own, which goes with it.
inline std::shared_ptr<ColdStore> newTestStore() { return openRocksDb(testStoreOptions()); }

/// In memory, or on disk with a cache of so many bytes: 1 keeps nothing from one call to the next.
struct Where {
  uint64_t cacheBytes = 0;  // 0: in memory

  KeyedStateBackend::Options operator()(KeyedStateBackend::Options options = {}) const {
    if (cacheBytes > 0) {
      options.cold = newTestStore();
      options.cacheBytes = cacheBytes;
    }
    return options;
  }
};
inline void PrintTo(const Where& where, std::ostream* out) {
  *out << (where.cacheBytes == 0 ? "memory" : "disk with a cache of ") << where.cacheBytes;
}

inline const auto kEverywhere = testing::Values(Where{0}, Where{1}, Where{30'000}, Where{1 << 20});
inline std::string nameOfPlace(const testing::TestParamInfo<Where>& place) {
  return place.param.cacheBytes == 0 ? "Memory" : "DiskCache" + std::to_string(place.param.cacheBytes);
}

}  // namespace flott
