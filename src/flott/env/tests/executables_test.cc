#include "flott/env/executables.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "flott/base/tests/error_text.h"
#include "flott/env/file_lock.h"
#include "flott/env/posix/processes.h"
#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

class Executables : public testing::Test {
 protected:
  Executables() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
    return folder + "/" + name;
  }
  const std::string folder = testing::TempDir() + "/flott-executables-test-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(Executables, AreToldApartByTheirBeginning) {
  const ProgramHeader shell = readProgramHeader("/bin/sh");
  EXPECT_EQ(shell.kind, ProgramHeader::Kind::kProgram);
  EXPECT_TRUE(shell.forThisMachine);
  EXPECT_TRUE(shell.loadsLibraries);
  EXPECT_EQ(shell.machine, thisMachine());
  EXPECT_EQ(readProgramHeader(file("script", "#!/bin/sh\nexit 3\n")).kind, ProgramHeader::Kind::kScript);
  EXPECT_EQ(readProgramHeader(file("text", "to be or not to be")).kind, ProgramHeader::Kind::kNone);
  EXPECT_EQ(readProgramHeader(file("empty", "")).kind, ProgramHeader::Kind::kNone);
  EXPECT_EQ(errorText([&] { readProgramHeader(folder + "/none"); }, ErrorKind::kUser),
            "file '" + folder + "/none' does not exist");
}

TEST_F(Executables, OfOtherMachinesSayWhichOnes) {
  std::ifstream shell("/bin/sh", std::ios::binary);
  std::string bytes(64, '\0');
  shell.read(bytes.data(), 64);
  bytes[18] = static_cast<char>(243);  // e_machine: RISC-V
  bytes[19] = 0;
  const ProgramHeader header = readProgramHeader(file("foreign", bytes));
  EXPECT_EQ(header.kind, ProgramHeader::Kind::kProgram);
  EXPECT_FALSE(header.forThisMachine);
  EXPECT_EQ(header.machine, "riscv");
}

TEST_F(Executables, RunUnderTheirNewName) {
  const auto real = makeRealEnv();
  const std::string program = folder + "/program";
  makeExecutable(file("blob", "#!/bin/sh\nexit 3\n"), program);
  const auto processes = makeProcesses(real->env().clock);
  EXPECT_EQ(processes->start({.program = program})->wait(Duration::seconds(60)), (ProcessEnd{.status = 3}));
  makeExecutable(file("other", "#!/bin/sh\nexit 4\n"), program);
  EXPECT_EQ(processes->start({.program = program})->wait(Duration::seconds(60)), (ProcessEnd{.status = 4}));
}

TEST_F(Executables, LocksAreHeldByOne) {
  std::unique_ptr<FileLock> first = lockFile(folder + "/lock");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(lockFile(folder + "/lock"), nullptr);
  first.reset();
  EXPECT_NE(lockFile(folder + "/lock"), nullptr);
}

}  // namespace
}  // namespace flott
