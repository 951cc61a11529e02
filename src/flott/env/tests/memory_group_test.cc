#include "flott/env/posix/memory_group.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace flott::posix {
namespace {

class MemoryGroupTest : public testing::Test {
 protected:
  MemoryGroupTest() { std::filesystem::remove_all(folder_); }
  ~MemoryGroupTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  MemoryGroup read() { return readMemoryGroup(folder_ + "/ours", folder_ + "/groups"); }

 private:
  const std::string folder_ = testing::TempDir() + "/flott-memory-group-" +
                              testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(MemoryGroupTest, OfVersionTwo) {
  write("ours", "0::/jobs/one\n");
  write("groups/memory.events", "oom_kill 9\n");
  write("groups/jobs/one/memory.events", "low 0\nhigh 3\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n");
  write("groups/jobs/one/memory.max", "1048576\n");
  EXPECT_EQ(read().kills, 1);
  EXPECT_EQ(read().limitBytes, 1048576);
  write("groups/jobs/one/memory.max", "max\n");
  EXPECT_EQ(read().limitBytes, std::nullopt);
}

TEST_F(MemoryGroupTest, OfVersionOne) {
  write("ours", "9:name=systemd:/\n4:cpu,memory:/jobs/one\n0::/\n");
  write("groups/memory/jobs/one/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  write("groups/memory/jobs/one/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(read().kills, 2);
  EXPECT_EQ(read().limitBytes, std::nullopt);
}

TEST_F(MemoryGroupTest, WhosePathIsThatOutsideOfTheContainer) {
  write("ours", "0::/../outside\n");
  write("groups/memory.events", "oom_kill 5\n");
  EXPECT_EQ(read().kills, 5);
}

TEST_F(MemoryGroupTest, ThatTheSystemDoesNotTell) {
  EXPECT_EQ(read().kills, std::nullopt);
  EXPECT_EQ(read().limitBytes, std::nullopt);
  write("ours", "0::/\nnonsense");
  write("groups/memory.events", "oom_kill many");
  EXPECT_EQ(read().kills, std::nullopt);
}

}  // namespace
}  // namespace flott::posix
