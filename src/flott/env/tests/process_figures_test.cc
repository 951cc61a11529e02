#include "flott/env/posix/process_figures.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <vector>

#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

TEST(ProcessFigures, AreThoseOfThisProcess) {
  ProcessReader reader;
  const ProcessFigures before = reader.read();
  EXPECT_GE(before.cores, 1);
  EXPECT_GT(before.cpuNanos, 0);
  EXPECT_GE(before.cpuLoad, 0);
  EXPECT_LE(before.cpuLoad, 1);
  EXPECT_GT(before.residentBytes, before.anonymousBytes);
  EXPECT_GT(before.anonymousBytes, 1u << 16);
  EXPECT_GE(before.threads, 1);
  EXPECT_GE(before.openFiles, 1);
  EXPECT_GT(before.mostFiles, before.openFiles);

  constexpr size_t kMore = size_t{16} << 20;
  const std::vector<char> memory(kMore, 'x');
  std::vector<std::ifstream> files;
  for (int i = 0; i < 5; ++i) files.emplace_back("/proc/self/status");
  const ProcessFigures after = reader.read();
  EXPECT_GE(after.cpuNanos, before.cpuNanos);
  EXPECT_EQ(after.openFiles, before.openFiles + 5);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_GE(after.allocatedBytes, before.allocatedBytes + kMore);
  EXPECT_GE(after.heapBytes, after.allocatedBytes);
  EXPECT_GE(after.anonymousBytes, before.anonymousBytes + kMore / 2);
#endif
}

TEST(ProcessFigures, CountThreads) {
  const std::unique_ptr<RealEnv> real = makeRealEnv();
  const Env env = real->env();
  ProcessReader reader;
  const int64_t before = reader.read().threads;
  const std::unique_ptr<Parker> parker = env.threads.makeParker();
  std::atomic<bool> mayEnd{false};
  const auto thread = env.threads.start({.name = "waits"}, [&] {
    while (!mayEnd) parker->park(kNoDeadline);
  });
  EXPECT_EQ(reader.read().threads, before + 1);
  mayEnd = true;
  parker->unpark();
  thread->join();
}

TEST(ProcessFigures, TheHostHasAName) { EXPECT_NE(hostName(), ""); }

}  // namespace
}  // namespace flott
