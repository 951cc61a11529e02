#include "flott/runtime/state_backend.h"

#include <gtest/gtest.h>

#include "flott/base/config.h"
#include "flott/base/options.h"
#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

Configuration rocksDb() {
  Configuration configuration;
  configuration.set(kStateBackend, "rocksdb");
  return configuration;
}

TEST(StateBackend, InMemoryNeedsNothing) {
  const Configuration configuration;
  EXPECT_EQ(newColdMemory(configuration), nullptr);
  EXPECT_EQ(newColdStore(configuration, OperatorInfo(), nullptr), nullptr);
}

TEST(StateBackend, MemoryIsSharedUnlessItIsNotManaged) {
  Configuration configuration = rocksDb();
  EXPECT_NE(newColdMemory(configuration), nullptr);
  configuration.set(kRocksDbManagedMemory, false);
  EXPECT_EQ(newColdMemory(configuration), nullptr);
  configuration.set(kRocksDbFixedMemory, MemorySize::mb(8));
  EXPECT_NE(newColdMemory(configuration), nullptr);
}

TEST(StateBackend, PartsOfMemoryMustBeParts) {
  Configuration configuration = rocksDb();
  configuration.set(kRocksDbWriteBufferRatio, 1.5);
  EXPECT_EQ(
      errorText([&] { newColdMemory(configuration); }),
      "state.backend.rocksdb.memory.write-buffer-ratio is 1.5: give a part of the managed memory, from 0 "
      "to less than 1");
  configuration.set(kRocksDbWriteBufferRatio, 0.95);
  EXPECT_EQ(
      errorText([&] { newColdMemory(configuration); }),
      "state.backend.rocksdb.memory.write-buffer-ratio and "
      "state.backend.rocksdb.memory.high-prio-pool-ratio are more than 1 together: they are parts of one "
      "memory");
}

TEST(StateBackend, TheFolderIsThatOfItsOptionOrOneForTemporaryFiles) {
  Configuration configuration = rocksDb();
  configuration.set(kTmpDirs, testing::TempDir() + "/flott-state-backend");
  const auto open = [&] { return newColdStore(configuration, OperatorInfo(), nullptr); };
  EXPECT_NE(open(), nullptr);
  configuration.set(kTmpDirs, "/dev/null/tmp");
  EXPECT_EQ(errorText(open).substr(0, 54), "state cannot be kept in '/dev/null/tmp' (io.tmp.dirs):");
  configuration.set(kRocksDbLocalDir, "/dev/null/state");
  EXPECT_EQ(errorText(open).substr(0, 75),
            "state cannot be kept in '/dev/null/state' (state.backend.rocksdb.localdir):");
  configuration.set(kRocksDbLocalDir, ":");
  EXPECT_EQ(errorText(open),
            "state.backend.rocksdb.localdir names no folder: give one that state can be kept in");
}

}  // namespace
}  // namespace flott
