#include "flott/connectors/files/part_file_sink.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/files/tests/plain_names.h"
#include "flott/connectors/tests/sink_run.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;

using Attempt = SinkRun<std::string>;

class PartFileSinkTest : public testing::Test {
 protected:
  Names names() {
    Names all;
    if (!world.files().stat("/out")) return all;
    for (const FileInfo& file : world.files().listFiles("/out")) all.push_back(plainName(file.path));
    return all;
  }
  Names contents() {
    Names all;
    for (const FileInfo& file : world.files().listFiles("/out")) {
      all.push_back(world.files().content(file.path));
    }
    return all;
  }
  std::string only() { return world.files().listFiles("/out").at(0).path; }

  SimulatedEnv world{1};
  FileSink<std::string> sink = FileSink<std::string>::forRowFormat("/out");
};

TEST_F(PartFileSinkTest, AFileIsHiddenUntilItsCheckpointIsComplete) {
  Attempt attempt(world, sink.withRollingPolicy({.onCheckpoint = true}));
  attempt.write({"a", "b"});
  EXPECT_EQ(names(), Names()) << "in the buffer";
  attempt.checkpoint(1);
  EXPECT_EQ(names(), (Names{"/out/.part-0-ID-0.inprogress.0"}));
  attempt.complete(1);
  EXPECT_EQ(names(), (Names{"/out/part-0-ID-0"}));
  EXPECT_EQ(contents(), (Names{"a\nb\n"}));
  attempt.checkpoint(2);
  attempt.write({"c"});
  attempt.checkpoint(3);
  EXPECT_EQ(names(), (Names{"/out/.part-0-ID-1.inprogress.2", "/out/part-0-ID-0"}));
}

TEST_F(PartFileSinkTest, AnAttemptThatLivesOnWritesToNoFileOfTheNext) {
  Attempt stopped(world, sink);
  stopped.write({"a"});
  stopped.checkpoint(1);
  Attempt next(world, sink, stopped.state(), 1);
  next.checkpoint(2);
  next.complete(2);
  stopped.write({"b"});
  stopped.checkpoint(2);
  EXPECT_EQ(contents(), (Names{"a\n"}));
}

TEST_F(PartFileSinkTest, AFileStaysOpenOverCheckpoints) {
  Attempt attempt(world, sink.withOutputFileConfig("words", ".txt"));
  attempt.write({"a"});
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_EQ(names(), (Names{"/out/.words-0-ID-0.txt.inprogress.0"}));
  EXPECT_EQ(contents(), (Names{"a\n"})) << "a checkpoint has it on the disk";
  attempt.write({"b"});
  attempt.end();
  EXPECT_TRUE(attempt.op->awaitsFinalCheckpoint());
  attempt.op->snapshotState(CheckpointId(2));
  attempt.complete(2);
  EXPECT_EQ(names(), (Names{"/out/words-0-ID-0.txt"}));
  EXPECT_EQ(contents(), (Names{"a\nb\n"}));
}

TEST_F(PartFileSinkTest, FilesAreClosedBySizeAgeAndInactivity) {
  Attempt attempt(world, sink.withRollingPolicy({.maxSize = MemorySize(6),
                                                 .interval = Duration::seconds(10),
                                                 .inactivity = Duration::seconds(3)}));
  attempt.write({"aa", "bb", "cc"});
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_EQ(names(), (Names{"/out/.part-0-ID-1.inprogress.0", "/out/part-0-ID-0"})) << "the first is large";
  EXPECT_EQ(attempt.task.wakesIn(), 3'000'000'000);
  attempt.advance(3000);
  attempt.checkpoint(2);
  attempt.complete(2);
  EXPECT_EQ(names(), (Names{"/out/part-0-ID-0", "/out/part-0-ID-1"})) << "the second was left alone";
  for (int i = 0; i < 5; ++i) {
    attempt.write({""});
    attempt.checkpoint(static_cast<uint64_t>(3 + i));
    attempt.complete(static_cast<uint64_t>(3 + i));
    EXPECT_EQ(names().size(), 3u);
    EXPECT_EQ(names()[0].find("/out/."), 0u) << "open: " << i;
    attempt.advance(2000);
  }
  attempt.checkpoint(9);
  attempt.complete(9);
  EXPECT_EQ(names(), (Names{"/out/part-0-ID-0", "/out/part-0-ID-1", "/out/part-0-ID-2"})) << "it is old";
  EXPECT_EQ(contents()[2], "\n\n\n\n\n");
}

TEST_F(PartFileSinkTest, BucketsAreFoldersAndFewAreOpenAtATime) {
  const auto byFirst = [](const std::string& line) { return "of/" + line.substr(0, 1); };
  Attempt attempt(world, sink.withBucketAssigner(byFirst).withMaxOpenFiles(2));
  for (const char* line : {"a1", "b1", "a2", "c1"}) {
    attempt.write({line});
    attempt.advance(1);
  }
  attempt.checkpoint(1);
  attempt.complete(1);
  EXPECT_EQ(names(), (Names{"/out/of/a/.part-0-ID-0.inprogress.0", "/out/of/b/part-0-ID-1",
                            "/out/of/c/.part-0-ID-2.inprogress.0"}));
  EXPECT_EQ(contents(), (Names{"a1\na2\n", "b1\n", "c1\n"}));
}

TEST_F(PartFileSinkTest, WhatIsNoFolderBelowIsRefused) {
  for (const std::string id : {"/a", "a/", "..", "a/../b", "a//b", "."}) {
    Attempt attempt(world, sink.withBucketAssigner([id](const std::string&) { return id; }));
    EXPECT_EQ(errorText([&] { attempt.write({"x"}); }),
              "the bucket '" + id +
                  "' is no folder below the sink's: let the bucket assigner give a relative path, such as "
                  "\"2024-05-01/10\"");
  }
}

TEST_F(PartFileSinkTest, AfterARestoreAnOpenFileIsCutAndLeftOversGo) {
  std::string state;
  {
    Attempt attempt(world, sink);
    attempt.write({"a"});
    attempt.checkpoint(1);
    state = attempt.state();
    attempt.write({"of no checkpoint"});
    attempt.checkpoint(2);  // void
    attempt.end();
  }
  world.files().put("/out/.part-1-0123456789abcdef01-0.inprogress.1", "somebody else's");
  Attempt attempt(world, sink, state, 1);
  attempt.write({"b"});
  attempt.checkpoint(3);
  attempt.complete(3);
  EXPECT_EQ(names(),
            (Names{"/out/.part-0-ID-0.inprogress.1", "/out/.part-1-ID-0.inprogress.1", "/out/part-0-ID-0"}));
  EXPECT_EQ(contents(), (Names{"b\n", "somebody else's", "a\n"}));
  Attempt again(world, sink, state, 2);
  EXPECT_EQ(names(), (Names{"/out/.part-1-ID-0.inprogress.1", "/out/part-0-ID-0"}));
  again.checkpoint(4);
  again.complete(4);
  EXPECT_EQ(again.task.metrics().count("alreadyCommittedCommittables"), 1) << "the first one again";
}

TEST_F(PartFileSinkTest, WhatSomebodyTookAwayFailsTheJob) {
  std::string state;
  std::string hidden;
  {
    Attempt attempt(world, sink.withRollingPolicy({.onCheckpoint = true}));
    attempt.write({"a"});
    attempt.checkpoint(1);
    state = attempt.state();
    hidden = only();
  }
  const std::string refused = "what was prepared for a checkpoint is refused for good: '";
  const std::string missing =
      "'. Its records would be missing; CommitOptions::rejected = RejectedCommits::kCount goes on without "
      "them";
  world.files().put(hidden, "");
  EXPECT_NE(errorText([&] { Attempt attempt(world, sink, state, 1); })
                .find(refused + hidden +
                      "' is shorter than it was: somebody has removed or changed what the sink had written"),
            std::string::npos);
  world.files().remove(hidden);
  EXPECT_NE(errorText([&] {
              Attempt attempt(world, sink, state, 1);
            }).find(refused + hidden + "' is not there any more: "),
            std::string::npos);
  std::string name = hidden.substr(0, hidden.find(".inprogress"));
  name.erase(name.find("/.") + 1, 1);
  world.files().put(name, "a\nb\n");
  EXPECT_NE(
      errorText([&] { Attempt attempt(world, sink, state, 1); })
          .find(refused + name +
                "' has 4 bytes, and the checkpoint knows of 2: it was published with a later checkpoint "
                "than the one that the job started from. Start from the later one; or cut the file to that "
                "length, and remove those that were published since, whose records come again"),
      std::string::npos);
}

TEST_F(PartFileSinkTest, ASlowDiskHoldsTheInputBack) {
  Attempt attempt(world, sink.withBufferSize(MemorySize(10)));
  Step step = Step::kDone;
  int lines = 0;
  for (; step == Step::kDone && lines < 100; ++lines) {
    step = attempt.op->onBatch(0, attempt.task.batchOf<std::string>({"0123456789"}), attempt.task);
  }
  EXPECT_EQ(step, Step::kWait);
  EXPECT_LT(lines, 10);
  while (attempt.task.runOffloaded()) {
    if (attempt.task.takeCall()) step = attempt.op->resume(attempt.task);
  }
  EXPECT_EQ(step, Step::kDone);
  attempt.checkpoint(1);
  EXPECT_EQ(contents()[0].size(), static_cast<size_t>(lines) * 11);
}

TEST_F(PartFileSinkTest, ADiskThatFailsFailsTheAttempt) {
  Attempt attempt(world, sink);
  attempt.write({"a"});
  world.files().setFreeBytes(0);
  EXPECT_NE(errorText([&] { attempt.checkpoint(1); }, ErrorKind::kTransient).find("/out/.part-0-"),
            std::string::npos);
}

TEST_F(PartFileSinkTest, OptionsThatMakeNoSenseAreRefused) {
  using Text = FileSink<std::string>;
  EXPECT_EQ(errorText([&] { Text::forRowFormat(""); }),
            "the file sink for '' has no path: name the folder that its files go to");
  EXPECT_EQ(errorText([&] { sink.withOutputFileConfig("_part", ""); }),
            "the file sink for '/out' has the prefix '_part', with which its finished files would be hidden: "
            "use one that begins with a letter");
  EXPECT_EQ(errorText([&] { sink.withOutputFileConfig("part", "/x"); }),
            "the file sink for '/out' has '/' in '/x', which is part of a name");
  EXPECT_EQ(errorText([&] { sink.withRollingPolicy({.maxSize = MemorySize(0)}); }),
            "the file sink for '/out' closes its files at 0 bytes: give a larger maxSize");
  EXPECT_EQ(errorText([&] { sink.withRollingPolicy({.interval = Duration()}); }),
            "the file sink for '/out' closes its files after no time: give a longer interval and inactivity");
  EXPECT_EQ(errorText([&] { sink.withBufferSize(MemorySize(0)); }),
            "the file sink for '/out' has no buffer: give it a size");
  EXPECT_EQ(errorText([&] { sink.withMaxOpenFiles(0); }),
            "the file sink for '/out' may open no file: raise maxOpenFiles");
}

std::string bucketAt(const std::string& pattern, int64_t seconds, UtcOffset zone = {}) {
  DateTimeBuckets buckets(pattern, zone);
  return std::string(buckets.at(Timestamp(seconds * 1000)));
}

TEST(DateTimeBuckets, FollowTheirPattern) {
  EXPECT_EQ(bucketAt("yyyy-MM-dd--HH", 0), "1970-01-01--00");
  EXPECT_EQ(bucketAt("yyyy-MM-dd--HH", 1'709'251'199), "2024-02-29--23") << "a leap day";
  EXPECT_EQ(bucketAt("yyyy-MM-dd--HH", 1'709'251'200), "2024-03-01--00");
  EXPECT_EQ(bucketAt("'dt='yyyyMMdd'/h='HHmmss", 4'102'444'799), "dt=20991231/h=235959");
  EXPECT_EQ(bucketAt("yyyy-MM-dd HH", 1'709'251'200, UtcOffset::minutes(-90)), "2024-02-29 22");
  EXPECT_EQ(bucketAt("yyyy-MM-dd", -1), "1969-12-31");
  DateTimeBuckets buckets("ss");
  EXPECT_EQ(buckets.at(Timestamp(59'999)), "59");
  EXPECT_EQ(buckets.at(Timestamp(60'000)), "00");
  EXPECT_EQ(errorText([] { DateTimeBuckets("yyyy-MMM"); }),
            "the pattern 'yyyy-MMM' of date-time buckets has 'MMM': use yyyy, MM, dd, HH, mm and ss, and put "
            "other text into '…'");
}

}  // namespace
}  // namespace flott
