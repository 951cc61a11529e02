#include "flott/connectors/files/part_compaction.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/files/file_source.h"
#include "flott/connectors/files/part_file_sink.h"
#include "flott/connectors/files/tests/file_job.h"
#include "flott/connectors/files/tests/plain_names.h"
#include "flott/connectors/tests/sink_run.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;
using Attempt = SinkRun<std::string>;

struct HeadedLines {
  std::string head = "head\n";
  void begin(std::string& out) const { out += head; }
  void append(const std::string& line, std::string& out) const { out += line + "\n"; }
};

using Lines = FileSink<std::string, HeadedLines>;

class PartCompactionTest : public testing::Test {
 protected:
  static Lines lines(CompactionPolicy policy, const std::string& head = "head\n") {
    return FileSink<std::string>::forRowFormat("/out", HeadedLines{head})
        .withRollingPolicy({.onCheckpoint = true})
        .withCompaction(policy);
  }
  Names files(bool hidden) {
    Names found;
    if (!world.files().stat("/out")) return found;
    for (const FileInfo& file : world.files().listFiles("/out")) {
      if (file.path.substr(file.path.rfind('/') + 1).starts_with('.') == hidden) found.push_back(file.path);
    }
    return found;
  }
  Names published() {
    Names contents;
    for (const std::string& path : files(false)) contents.push_back(world.files().content(path));
    std::sort(contents.begin(), contents.end());
    return contents;
  }
  Names hidden() {
    Names names;
    for (const std::string& path : files(true)) names.push_back(plainName(path));
    return names;
  }
  /// Writes a line and makes a checkpoint of it.
  static void step(Attempt& attempt, const std::string& line, uint64_t checkpoint) {
    attempt.write({line});
    attempt.checkpoint(checkpoint);
    attempt.complete(checkpoint);
  }
  static void finish(Attempt& attempt, uint64_t checkpoint) {
    attempt.end();
    attempt.op->snapshotState(CheckpointId(checkpoint));
    attempt.complete(checkpoint);
  }

  SimulatedEnv world{1};
};

TEST_F(PartCompactionTest, FilesAreJoinedAfterSoManyCheckpointsAndThenPublished) {
  Attempt attempt(world, lines({.checkpoints = 2}));
  step(attempt, "a", 1);
  EXPECT_EQ(hidden(), (Names{"/out/.part-0-ID-0.inprogress.0"})) << "it waits for others";
  step(attempt, "b", 2);
  EXPECT_EQ(published(), Names()) << "they are joined, but not in a checkpoint";
  EXPECT_EQ(hidden(), (Names{"/out/.part-0-ID-0.inprogress.0", "/out/.part-0-ID-1.inprogress.1",
                             "/out/.part-0-ID-2.inprogress.2"}));
  step(attempt, "c", 3);
  EXPECT_EQ(published(), (Names{"head\na\nb\n"}));
  EXPECT_EQ(hidden(), (Names{"/out/.part-0-ID-3.inprogress.2"}));
  finish(attempt, 4);
  EXPECT_EQ(published(), (Names{"head\na\nb\n", "head\nc\n"}));
  EXPECT_EQ(hidden(), Names());
}

TEST_F(PartCompactionTest, FilesAreJoinedAsSoonAsTheyAreLargeEnough) {
  Attempt attempt(world, lines({.checkpoints = 100, .size = MemorySize(20)}));
  step(attempt, "a large line of its own", 1);
  EXPECT_EQ(published(), (Names{"head\na large line of its own\n"})) << "that needs nobody else";
  for (uint64_t i = 2; i < 5; ++i) step(attempt, "b", i);
  EXPECT_EQ(published().size(), 1u) << "three times 7 bytes are enough: they are joined";
  step(attempt, "c", 5);
  EXPECT_EQ(published(), (Names{"head\na large line of its own\n", "head\nb\nb\nb\n"}));
}

TEST_F(PartCompactionTest, FilesOfOtherFoldersStayApart) {
  const auto byFirst = [](const std::string& line) { return line.substr(0, 1); };
  Attempt attempt(world, lines({.checkpoints = 2}).withBucketAssigner(byFirst));
  for (uint64_t i = 1; i < 4; ++i) {
    attempt.write({"a" + std::to_string(i), "b" + std::to_string(i)});
    attempt.checkpoint(i);
    attempt.complete(i);
  }
  EXPECT_EQ(published(), (Names{"head\na1\na2\n", "head\nb1\nb2\n"}));
  EXPECT_EQ(files(false)[0].substr(0, 7), "/out/a/");
}

TEST_F(PartCompactionTest, WhatDoesNotFitIsPublishedAsItIs) {
  std::string state;
  {
    Attempt attempt(world, lines({.checkpoints = 100}, "another head\n"));
    step(attempt, "a", 1);
    state = attempt.state();
  }
  Attempt attempt(world, lines({.checkpoints = 100}), state, 1);
  step(attempt, "b", 2);
  step(attempt, "c", 3);
  finish(attempt, 4);
  EXPECT_EQ(published(), (Names{"another head\na\n", "head\nb\nc\n"}));
  EXPECT_EQ(hidden(), Names());
}

// Without a policy nobody would publish what is gathered.
TEST_F(PartCompactionTest, AnotherProgramWithoutCompactionPublishesWhatWasHeldBack) {
  std::string state;
  {
    Attempt attempt(world, lines({.checkpoints = 100}));
    step(attempt, "a", 1);
    step(attempt, "b", 2);
    state = attempt.state();
  }
  Attempt attempt(
      world,
      FileSink<std::string>::forRowFormat("/out", HeadedLines()).withRollingPolicy({.onCheckpoint = true}),
      state, 1);
  step(attempt, "c", 3);
  EXPECT_EQ(published(), (Names{"head\na\n", "head\nb\n", "head\nc\n"}));
  EXPECT_EQ(hidden(), Names());
}

// Each of the moments between two checkpoints at which an attempt can fail, and go on from the first.
TEST_F(PartCompactionTest, WhereverItFailsAllIsPublishedOnce) {
  size_t most = 0;
  for (size_t works = 0; works <= most; ++works) {
    SCOPED_TRACE(works);
    for (const std::string& path : files(false)) world.files().remove(path);
    std::string state;
    {
      Attempt attempt(world, lines({.checkpoints = 2}));
      step(attempt, "a", 1);
      attempt.write({"b"});
      attempt.checkpoint(2);
      attempt.op->onCheckpointEnded(CheckpointId(2), true);
      state = attempt.state();
      size_t done = 0;
      while (done < works && attempt.task.runOffloaded()) ++done;
      most = std::max(most, done + (attempt.task.offloaded().empty() ? 0 : 1));
      if (works % 2 == 1) attempt.write({"of no checkpoint"});
    }
    Attempt attempt(world, lines({.checkpoints = 2}), state, 1);
    step(attempt, "c", 3);
    step(attempt, "d", 4);
    step(attempt, "e", 5);
    Attempt again(world, lines({.checkpoints = 2}), attempt.state(), 2);
    finish(again, 6);
    std::string all;
    for (std::string content : published()) {
      EXPECT_TRUE(content.starts_with("head\n")) << content;
      all += content.substr(5);
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, "\n\n\n\n\nabcde");
    EXPECT_EQ(hidden(), Names());
  }
  EXPECT_GE(most, 1u);
}

// A joining that takes long is known to the checkpoints made meanwhile: what it leaves behind is removed.
TEST_F(PartCompactionTest, WhatAJoiningOfAFailedAttemptMadeIsRemoved) {
  std::string state;
  {
    Attempt attempt(world, lines({.checkpoints = 2}));
    step(attempt, "a", 1);
    attempt.write({"b"});
    attempt.checkpoint(2);  // the joining begins
    attempt.run();
    EXPECT_EQ(hidden().size(), 3u);
    attempt.op->snapshotState(CheckpointId(3));  // cut while nobody has taken what was made
    state = attempt.state();
  }
  Attempt attempt(world, lines({.checkpoints = 100}), state, 1);
  EXPECT_EQ(hidden(), (Names{"/out/.part-0-ID-0.inprogress.0", "/out/.part-0-ID-1.inprogress.1"}));
  finish(attempt, 4);
  EXPECT_EQ(published(), (Names{"head\na\nb\n"}));
}

TEST_F(PartCompactionTest, FilesThatSomebodyTookAwayFailTheJob) {
  std::string state;
  {
    Attempt attempt(world, lines({.checkpoints = 100}));
    step(attempt, "a", 1);
    step(attempt, "b", 2);
    state = attempt.state();
  }
  const std::string first = files(true)[0];
  world.files().remove(first);
  Attempt attempt(world, lines({.checkpoints = 100}), state, 1);
  EXPECT_EQ(
      errorText([&] { attempt.end(); }),
      "'" + first +
          "', which waits to be joined with others, is not there any more: somebody has removed or changed "
          "it, or it was joined and published with a later checkpoint than the one that the job started "
          "from. Start from the later one");
}

TEST_F(PartCompactionTest, WhenJoiningFallsBehindTheInputWaits) {
  Attempt attempt(world, lines({.checkpoints = 100, .size = MemorySize(14)}));
  Step step = Step::kDone;
  uint64_t checkpoints = 0;
  for (; step == Step::kDone && checkpoints < 100; ++checkpoints) {
    step = attempt.op->onBatch(0, attempt.task.batchOf<std::string>({"a"}), attempt.task);
    if (step != Step::kDone) break;
    step = attempt.op->beforeBarrier(CheckpointId(checkpoints + 1), attempt.task);
    // Only the writing of files is done; the joining, which began before, is left where it is.
    while (step == Step::kWait && !attempt.task.offloaded().empty()) {
      const Names works = attempt.task.offloaded();
      const auto write = std::find_if(works.begin(), works.end(),
                                      [](const std::string& work) { return work.starts_with("write"); });
      if (write == works.end()) break;
      attempt.task.runOffloaded(static_cast<size_t>(write - works.begin()));
      if (attempt.task.takeCall()) step = attempt.op->resume(attempt.task);
    }
    if (step == Step::kDone) attempt.op->snapshotState(CheckpointId(checkpoints + 1));
  }
  EXPECT_EQ(step, Step::kWait);
  EXPECT_GT(checkpoints, 30u);
  EXPECT_LT(checkpoints, 50u);
  while (attempt.task.runOffloaded()) {
    if (attempt.task.takeCall()) step = attempt.op->resume(attempt.task);
  }
  EXPECT_EQ(step, Step::kDone);
}

struct Pair {
  int64_t a = 0;
  std::string b;
};
struct Triple {
  int64_t a = 0;
  std::string b;
  std::optional<double> c;
};

TEST_F(PartCompactionTest, ParquetFilesAreJoinedRowGroupByRowGroup) {
  const ParquetOptions options{.rowGroupSize = MemorySize::kb(64)};
  const auto sinkOf = [&]<typename T>(T) {
    return FileSink<T>::forBulkFormat("/out", ParquetEncoder<T>(options)).withCompaction({.checkpoints = 3});
  };
  std::string state;
  {
    SinkRun<Pair> attempt(world, sinkOf(Pair()));
    for (int64_t i = 0; i < 6; ++i) {
      std::vector<Pair> some;
      for (int64_t n = i * 1000; n < i * 1000 + 1000; ++n) some.push_back({n, "number " + std::to_string(n)});
      attempt.write(some);
      attempt.checkpoint(static_cast<uint64_t>(i + 1));
      attempt.complete(static_cast<uint64_t>(i + 1));
    }
    EXPECT_EQ(files(false).size(), 1u);
    state = attempt.state();
  }
  {
    SinkRun<Triple> attempt(world, sinkOf(Triple()), state, 1);
    attempt.write({{1'000'000, "of another type", 0.5}});
    attempt.checkpoint(7);
    attempt.complete(7);
    attempt.end();
    attempt.op->snapshotState(CheckpointId(8));
    attempt.complete(8);
  }
  EXPECT_EQ(hidden(), Names());
  EXPECT_EQ(files(false).size(), 3u) << "columns that do not fit stay apart";
  FileJob job(parquetFiles<Pair>("/out").factory, world.env(), 1);
  job.run();
  std::vector<int64_t> all;
  for (const Pair& pair : job.taken<Pair>()) all.push_back(pair.a);
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 6001u);
  for (int64_t n = 0; n < 6000; ++n) EXPECT_EQ(all[static_cast<size_t>(n)], n);
}

TEST_F(PartCompactionTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(
      errorText([] { lines({.checkpoints = 0}); }),
      "the file sink for '/out' joins files after no checkpoint or no byte: give CompactionPolicy at least "
      "one of each");
  EXPECT_EQ(
      errorText([] { lines({}).withDeliveryGuarantee(DeliveryGuarantee::kAtLeastOnce); }),
      "the file sink for '/out' publishes files before they could be joined: leave out the compaction, or "
      "the delivery guarantee");
}

}  // namespace
}  // namespace flott
