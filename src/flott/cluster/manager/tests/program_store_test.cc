#include "flott/cluster/manager/program_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "flott/base/tests/error_text.h"
#include "flott/cluster/manager/job_request.h"
#include "flott/cluster/manager/program_files.h"
#include "flott/env/posix/processes.h"
#include "flott/env/posix/real_env.h"

namespace flott {
namespace {

class Programs : public testing::Test {
 protected:
  Programs() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  ProgramFile upload(ProgramStore& store, const std::string& name, const std::string& bytes) {
    const std::string file = store.uploadFolder() + "/upload";
    std::ofstream(file) << bytes;
    const ProgramFile described{name, hashOfFile(env.files, file), bytes.size()};
    store.addBlob(described.hash, file);
    return described;
  }
  size_t blobs() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder + "/store/blobs"), {}));
  }

  const std::string folder = testing::TempDir() + "/flott-programs-test-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::unique_ptr<RealEnv> real = makeRealEnv();
  const Env env = real->env();
};

const std::string kScript = "#!/bin/sh\nexit 3\n";

TEST_F(Programs, AreKeptByContent) {
  ProgramStore store(env, folder + "/store");
  const ProgramFile library = upload(store, "libcount.so", "library");
  const StoredProgram one = store.add({upload(store, "count", kScript), library});
  const StoredProgram two = store.add({upload(store, "sum", "#!/bin/sh\nexit 4\n"), library});
  EXPECT_EQ(blobs(), 3u);
  EXPECT_NE(one.id, two.id);
  EXPECT_EQ(store.add(one.files).id, one.id) << "again";
  EXPECT_EQ(store.list().size(), 2u);
  EXPECT_EQ(store.find(one.id)->files, one.files);
  const auto processes = makeProcesses(env.clock);
  EXPECT_EQ(processes->start({.program = store.executable(one)})->wait(Duration::seconds(60)),
            (ProcessEnd{.status = 3}));
  EXPECT_TRUE(std::filesystem::exists(store.libraryFolder(one) + "/libcount.so"));

  ProgramStore again(env, folder + "/store");
  EXPECT_EQ(again.list().size(), 2u);
  EXPECT_TRUE(again.remove(one.id));
  EXPECT_FALSE(again.remove(one.id));
  EXPECT_EQ(blobs(), 2u) << "the library is the other one's, too";
  EXPECT_EQ(again.find(one.id), std::nullopt);
  EXPECT_TRUE(again.remove(two.id));
  EXPECT_EQ(blobs(), 0u);
}

TEST_F(Programs, HaveTheNamesThatTheirUsersGaveThem) {
  ProgramStore store(env, folder + "/store");
  for (const char* name : {"program", "lib", "program.new"}) {
    const StoredProgram one = store.add({upload(store, name, kScript), upload(store, "one.so", "library")});
    EXPECT_TRUE(std::filesystem::is_regular_file(store.executable(one))) << name;
    EXPECT_EQ(store.find(one.id)->name, name);
  }
}

TEST_F(Programs, SayWhatIsMissing) {
  ProgramStore store(env, folder + "/store");
  const ProgramFile there = upload(store, "count", kScript);
  const ProgramFile lacking{"libcount.so", "0123456789abcdef0000000000000007", 7};
  EXPECT_EQ(store.missing({there, lacking}), std::vector<std::string>{lacking.hash});
}

TEST_F(Programs, ThatWereDamagedOnTheirWayAreRefused) {
  ProgramStore store(env, folder + "/store");
  const std::string file = store.uploadFolder() + "/upload";
  std::ofstream(file) << "other bytes";
  const std::string text =
      errorText([&] { store.addBlob("0123456789abcdef000000000000000b", file); }, ErrorKind::kUser);
  EXPECT_NE(text.find("cut off or changed on its way"), std::string::npos) << text;
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(blobs(), 0u);
}

TEST_F(Programs, MustBeOnes) {
  ProgramStore store(env, folder + "/store");
  const ProgramFile text = upload(store, "poem", "to be or not to be");
  EXPECT_EQ(errorText([&] { store.add({text}); }, ErrorKind::kUser),
            "'poem' is no program that this system can start");
  const std::string hash = text.hash;
  for (const char* name : {"", ".", "..", "../../etc/passwd", "a/b", ".program", ".lib"}) {
    const std::string why = errorText([&] { store.add({{name, hash, 1}}); }, ErrorKind::kUser);
    EXPECT_NE(why.find("is no name for one"), std::string::npos) << why;
  }
  EXPECT_NE(errorText(
                [&] {
                  store.add({{"a", "../../x", 1}});
                },
                ErrorKind::kUser)
                .find("is no hash"),
            std::string::npos);
  EXPECT_NE(errorText([&] { programFilesOf("{\"files\":7}"); }, ErrorKind::kUser).find("cannot be read"),
            std::string::npos);
  EXPECT_EQ(store.find("../../../etc"), std::nullopt);
  EXPECT_FALSE(store.hasBlob("../lock"));
}

TEST_F(Programs, BringTheirOwnLibraries) {
  const std::string loader =
      "\tlinux-vdso.so.1 (0x00007ffc)\n"
      "\tlibarrow.so.2200 => /opt/arrow/libarrow.so.2200 (0x00007f)\n"
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n"
      "\tlibfmt.so.9 => /usr/lib/x86_64-linux-gnu/libfmt.so.9 (0x00007f)\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
  EXPECT_EQ(ownLibraries("./count", loader), std::vector<std::string>{"/opt/arrow/libarrow.so.2200"});
  EXPECT_EQ(
      errorText([&] { ownLibraries("./count", loader + "\tlibgone.so.1 => not found\n"); }, ErrorKind::kUser),
      "program './count' needs the library libgone.so.1, which is not found: install it, or name its "
      "folder in LD_LIBRARY_PATH");
  const auto processes = makeProcesses(env.clock);
  const std::vector<LocalFile> files = filesOfProgram(env, *processes, "/bin/sh");
  ASSERT_EQ(files.size(), 1u) << "those of the system are everywhere";
  EXPECT_EQ(files.front().file.name, "sh");
  EXPECT_EQ(errorText([&] { filesOfProgram(env, *processes, folder + "/none"); }, ErrorKind::kUser),
            "program '" + folder + "/none' cannot be run: there is no such file");
}

TEST_F(Programs, GetTheirArgumentsAsAShellDoes) {
  EXPECT_EQ(wordsOf("--input  'two words' --name=\"it's\" ''"),
            (std::vector<std::string>{"--input", "two words", "--name=it's", ""}));
  EXPECT_EQ(wordsOf("  "), std::vector<std::string>{});
  EXPECT_EQ(errorText([] { wordsOf("--a 'b"); }, ErrorKind::kUser),
            "the arguments have a quote ' without an end");
}

}  // namespace
}  // namespace flott
