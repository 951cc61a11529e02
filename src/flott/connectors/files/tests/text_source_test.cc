#include <gtest/gtest.h>

#include <algorithm>

#include "flott/connectors/files/file_source.h"
#include "flott/connectors/files/tests/file_job.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/simulated.h"
#include "flott/formats/tests/compressed.h"

namespace flott {
namespace {

using Lines = std::vector<std::string>;

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

class TextSourceTest : public testing::Test {
 protected:
  Lines read(const FilePaths& paths, FileSourceOptions options = {}, int readers = 1) {
    FileJob job(textFiles(paths, options).factory, world_.env(), readers);
    job.run();
    EXPECT_TRUE(job.ended());
    return job.taken<std::string>();
  }
  std::string errorOf(const FilePaths& paths) {
    try {
      read(paths);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUser);
      return error.what();
    }
    return "no error";
  }
  static FileSourceOptions sizes(uint64_t split, uint64_t block) {
    return {.splitSize = MemorySize(split), .blockSize = MemorySize(block)};
  }

  SimulatedEnv world_{1};
};

TEST_F(TextSourceTest, EverySplitAndBlockSizeGivesTheSameLines) {
  const std::string text =
      "to be\r\nor not\n\n\nto be, that is\nthe question:\r\n" + std::string(40, 'x') + "\nend";
  world_.files().put("in.txt", text);
  const Lines whole = read("in.txt");
  ASSERT_EQ(whole, (Lines{"to be", "or not", "", "", "to be, that is", "the question:", std::string(40, 'x'),
                          "end"}));
  for (uint64_t split = 1; split <= text.size() + 2; ++split) {
    for (const uint64_t block : {1, 2, 3, 7, 16, 1000}) {
      EXPECT_EQ(read("in.txt", sizes(split, block)), whole) << split << " " << block;
    }
    EXPECT_EQ(sorted(read("in.txt", sizes(split, 5), 3)), sorted(whole)) << split;
  }
}

TEST_F(TextSourceTest, ShortReadsChangeNothing) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "line " + std::to_string(i) + "\n";
  world_.files().put("in.txt", text);
  world_.files().put("in.gz", gzipped(text));
  const Lines plain = read("in.txt");
  ASSERT_EQ(plain.size(), 50u);
  for (const char* path : {"in.txt", "in.gz"}) {
    world_.files().setFault(path, FileFault::kShortReads);
    EXPECT_EQ(read(path), plain);
    EXPECT_EQ(read(path, sizes(17, 9)), plain);
  }
}

TEST_F(TextSourceTest, GoesOnExactlyWhereASnapshotWasTaken) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "line " + std::to_string(i) + (i % 5 == 0 ? "\r\n" : "\n");
  world_.files().put("in/a.txt", text);
  world_.files().put("in/b.txt.gz", gzipped("first\nsecond\nthird"));
  const Lines whole = sorted(read("in"));
  for (const uint64_t split : {13, 100, 10'000}) {
    const auto factory = textFiles("in", sizes(split, 20)).factory;
    size_t steps = 0;
    for (bool more = true; more; ++steps) {
      FileJob first(factory, world_.env(), 2);
      for (size_t i = 0; i < steps && more; ++i) more = first.step();
      const FileJob::Snapshot snapshot = first.snapshot();
      FileJob second(factory, world_.env(), 3, snapshot.enumerator);
      second.giveBack(snapshot.splits);
      second.run();
      EXPECT_TRUE(second.ended());
      Lines all = first.taken<std::string>();
      for (std::string& line : second.taken<std::string>()) all.push_back(std::move(line));
      EXPECT_EQ(sorted(all), whole) << split << " " << steps;
    }
    EXPECT_GT(steps, 10u);
  }
}

TEST_F(TextSourceTest, CompressedFilesAreReadWhole) {
  const std::string text = "a\nb\nc";
  world_.files().put("in/x.gz", gzipped(text) + gzipped("d\ne\n"));
  world_.files().put("in/y.zst", zstded(text));
  EXPECT_EQ(read("in", sizes(2, 3)), (Lines{"a", "b", "cd", "e", "a", "b", "c"}));
}

TEST_F(TextSourceTest, FoldersPatternsAndHiddenFiles) {
  for (const char* path :
       {"in/b.txt", "in/a.txt", "in/sub/c.txt", "in/.hidden", "in/_tmp/d.txt", "in/sub/_e.txt"}) {
    world_.files().put(path, std::string(path) + "\n");
  }
  world_.files().put("in/empty.txt", "");
  EXPECT_EQ(read("in"), (Lines{"in/a.txt", "in/b.txt", "in/sub/c.txt"}));
  EXPECT_EQ(read("in/"), (Lines{"in/a.txt", "in/b.txt", "in/sub/c.txt"}));
  EXPECT_EQ(read("in/**/*.txt"), (Lines{"in/_tmp/d.txt", "in/a.txt", "in/b.txt", "in/sub/c.txt"}));
  EXPECT_EQ(read("in/.hidden"), Lines{"in/.hidden"});
  EXPECT_EQ(read({"in/b.txt", "in/*.txt"}), (Lines{"in/b.txt", "in/a.txt"}));
}

TEST_F(TextSourceTest, ErrorsSayWhatToDo) {
  EXPECT_EQ(errorOf("nowhere"),
            "there is no file or folder 'nowhere': check the path, and the folder you run in if the path is "
            "relative");
  EXPECT_EQ(errorOf("in/*.txt"),
            "no file matches 'in/*.txt': check the pattern and the folder you run in (a pattern means files; "
            "write folder/** for all files below a folder)");
  EXPECT_EQ(errorOf(std::vector<std::string>{}), "a file source has no path: give a file, folder or pattern");
  world_.files().put("secret.txt", "x");
  world_.files().setFault("secret.txt", FileFault::kUnreadable);
  EXPECT_EQ(
      errorOf("secret.txt"),
      "file 'secret.txt' may not be read: permission denied; check its owner and mode, and those of the "
      "folders above it");
  const std::string bytes = gzipped("some text to be cut");
  world_.files().put("cut.gz", bytes.substr(0, 20));
  EXPECT_EQ(errorOf("cut.gz"),
            "file 'cut.gz': gzip data ends too early, at byte 20: wait until the file is complete, or make "
            "it again");
  world_.files().put("no.gz", "this is no gzip file");
  EXPECT_EQ(
      errorOf("no.gz"),
      "file 'no.gz': gzip data is damaged at byte 2: incorrect header check; make the file again, or take it "
      "out of the input");
}

TEST_F(TextSourceTest, AFileThatShrinksIsAnError) {
  world_.files().put("in.txt", std::string(100, 'x') + "\n");
  FileJob job(textFiles("in.txt", sizes(60, 10)).factory, world_.env(), 1);
  job.step();  // listed
  world_.files().put("in.txt", "x\n");
  try {
    job.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "file 'in.txt' has become shorter than byte 60 while it was read: let files be complete before "
        "they are put in place");
  }
}

TEST_F(TextSourceTest, AFailingDiskIsTransient) {
  world_.files().put("in.txt", "x\n");
  world_.files().setFault("in.txt", FileFault::kReadFails);
  try {
    read("in.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_NE(std::string(error.what()).find("'in.txt'"), std::string::npos);
  }
}

TEST_F(TextSourceTest, SplitsAreBalancedButNotTiny) {
  world_.files().put("in.txt", std::string(size_t{5} << 20, '\n'));
  FileJob job(textFiles("in.txt").factory, world_.env(), 4);
  job.run();
  EXPECT_EQ(job.splitsHandedOut(), 4u);
  EXPECT_EQ(job.taken<std::string>().size(), size_t{5} << 20);
  FileJob narrow(textFiles("in.txt").factory, world_.env(), 1);
  narrow.run();
  EXPECT_EQ(narrow.splitsHandedOut(), 1u);
  FileJob wide(textFiles("in.txt").factory, world_.env(), 40);
  wide.run();
  EXPECT_EQ(wide.splitsHandedOut(), 5u);
}

TEST_F(TextSourceTest, ContinuousDiscoveryReadsNewAndChangedFilesOnce) {
  const auto factory = textFiles("in", {.discoveryInterval = Duration::seconds(1)}).factory;
  EXPECT_EQ(factory->boundedness(), Boundedness::kContinuousUnbounded);
  FileJob job(factory, world_.env(), 2);
  job.run();
  EXPECT_FALSE(job.ended());
  world_.files().put("in/a.txt", "a1\n");
  job.passTime();
  job.run();
  EXPECT_EQ(job.taken<std::string>(), Lines{"a1"});
  job.passTime();
  job.run();
  world_.clock().advance(Duration::seconds(1));
  world_.files().put("in/b.txt", "b1\n");
  world_.files().put("in/a.txt", "a1\na2\n");
  const FileJob::Snapshot snapshot = job.snapshot();
  job.passTime();
  job.run();
  EXPECT_EQ(sorted(job.taken<std::string>()), (Lines{"a1", "a1", "a2", "b1"}));
  EXPECT_FALSE(job.ended());
  // What was seen before the snapshot is not read again.
  FileJob restored(factory, world_.env(), 1, snapshot.enumerator);
  restored.giveBack(snapshot.splits);
  restored.run();
  EXPECT_EQ(sorted(restored.taken<std::string>()), (Lines{"a1", "a2", "b1"}));
}

TEST(RealTextSourceTest, ReadsRealFilesInParts) {
  const auto real = makeRealEnv({.log = {.level = LogLevel::kError}});
  Env env = real->env();
  const std::string folder = testing::TempDir() + "flott_text_source";
  env.files.makeFolders(folder);
  std::string text;
  Lines expected;
  for (int i = 0; i < 20'000; ++i) {
    expected.push_back("line number " + std::to_string(i));
    text += expected.back() + "\n";
  }
  const auto writer = env.files.create(folder + "/a.txt", WriteMode::kCreate);
  writer->write(text);
  writer->close();
  FileJob job(textFiles(folder, {.splitSize = MemorySize::kb(50), .blockSize = MemorySize::kb(16)}).factory,
              env, 3);
  job.run();
  EXPECT_EQ(sorted(job.taken<std::string>()), sorted(expected));
  EXPECT_EQ(job.splitsHandedOut(), 7u);
  env.files.remove(folder + "/a.txt");
  env.files.remove(folder);
}

}  // namespace
}  // namespace flott
