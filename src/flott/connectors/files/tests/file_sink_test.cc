#include "flott/connectors/files/file_sink.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

struct Count {
  std::string word;
  int count;
};

class FileSinkTest : public testing::Test {
 protected:
  // One subtask of a sink.
  struct Subtask {
    Subtask(FileSinkTest& test, const std::shared_ptr<const OperatorFactory>& factory, int index = 0,
            int parallelism = 1)
        : task(&test.env_), sink(factory->create()) {
      task.operatorInfo.subtask = SubtaskIndex(index);
      task.operatorInfo.parallelism = parallelism;
      sink->open(task);
    }
    template <typename T>
    Step put(std::vector<T> rows) {
      return sink->onBatch(0, task.batchOf(std::move(rows)), task);
    }
    // To the end, as the runtime would.
    void finish() {
      Step step = sink->onEndOfInput(0, task);
      while (step != Step::kDone) {
        if (!task.runOffloaded()) FAIL() << "the sink waits for nothing";
        if (task.takeCall()) step = sink->resume(task);
      }
    }
    TestTask task;
    std::unique_ptr<Operator> sink;
  };
  std::string errorOf(Subtask& subtask) {
    try {
      subtask.finish();
    } catch (const Error& error) {
      last_ = error.kind();
      return error.what();
    }
    return "no error";
  }
  std::string content(const std::string& path) { return world_.files().content(path); }

  SimulatedEnv world_{4};
  Env env_ = world_.env();
  ErrorKind last_ = ErrorKind::kBug;
};

TEST_F(FileSinkTest, OneSubtaskWritesAFile) {
  Subtask sink(*this, textFileSink<std::string>("out/deep/a.txt"));
  EXPECT_EQ(sink.put<std::string>({"to", "be"}), Step::kDone);
  EXPECT_EQ(sink.put<std::string>({"or"}), Step::kDone);
  sink.finish();
  EXPECT_EQ(content("out/deep/a.txt"), "to\nbe\nor\n");
}

TEST_F(FileSinkTest, RecordsAsTextAndAsCsv) {
  Subtask text(*this, textFileSink<Count>("a.txt"));
  text.put<Count>({{"to", 1}});
  text.finish();
  EXPECT_EQ(content("a.txt"), "{word: \"to\", count: 1}\n");
  Subtask csv(*this, csvFileSink<Count>("a.csv", {.delimiter = ';', .header = true}));
  csv.put<Count>({{"to;be", 1}});
  csv.finish();
  EXPECT_EQ(content("a.csv"), "word;count\n\"to;be\";1\n");
  Subtask empty(*this, csvFileSink<Count>("empty.csv", {.header = true}));
  empty.finish();
  EXPECT_EQ(content("empty.csv"), "word,count\n");
}

TEST_F(FileSinkTest, SeveralSubtasksWritePartsOfAFolder) {
  const auto factory = textFileSink<std::string>("out");
  for (int i = 0; i < 3; ++i) {
    Subtask sink(*this, factory, i, 3);
    sink.put<std::string>({"from " + std::to_string(i)});
    sink.finish();
  }
  for (int i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(content("out/part-" + number), "from " + number + "\n");
  }
}

TEST_F(FileSinkTest, ExistingFilesAreRefused) {
  world_.files().put("a.txt", "precious");
  Subtask sink(*this, textFileSink<std::string>("a.txt"));
  EXPECT_EQ(errorOf(sink),
            "'a.txt' exists already: remove it, give another path, or let it be replaced "
            "(FileSinkOptions::existing = ExistingFiles::kOverwrite)");
  EXPECT_EQ(last_, ErrorKind::kUser);
  world_.files().put("out/part-3", "precious");
  Subtask other(*this, textFileSink<std::string>("out"), 0, 2);
  other.finish();
  Subtask same(*this, textFileSink<std::string>("out"), 1, 2);
  EXPECT_EQ(errorOf(same).substr(0, 28), "'out/part-3' exists already:");
  EXPECT_EQ(content("a.txt"), "precious");
}

TEST_F(FileSinkTest, OverwritingRemovesPartsOfAWiderRun) {
  for (const char* name : {"part-0", "part-1", "part-2", "part-3", "part-x", "notes"}) {
    world_.files().put("out/" + std::string(name), "old");
  }
  const auto factory = textFileSink<std::string>("out", {.existing = ExistingFiles::kOverwrite});
  for (int i = 0; i < 2; ++i) {
    Subtask sink(*this, factory, i, 2);
    sink.put<std::string>({"new"});
    sink.finish();
  }
  std::vector<std::string> left;
  for (const FileInfo& file : world_.files().listFolder("out"))
    left.push_back(file.path + "=" + content(file.path));
  EXPECT_EQ(left, (std::vector<std::string>{"out/notes=old", "out/part-0=new\n", "out/part-1=new\n",
                                            "out/part-x=old"}));
  world_.files().put("a.txt", "old and long");
  Subtask single(*this, textFileSink<std::string>("a.txt", {.existing = ExistingFiles::kOverwrite}));
  single.finish();
  EXPECT_EQ(content("a.txt"), "");
}

TEST_F(FileSinkTest, HoldsBackWhileTwoBuffersAreFull) {
  Subtask sink(*this, textFileSink<std::string>("a.txt", {.bufferSize = MemorySize(10)}));
  EXPECT_TRUE(sink.task.runOffloaded());  // opened
  EXPECT_TRUE(sink.task.takeCall());
  EXPECT_EQ(sink.sink->resume(sink.task), Step::kDone);
  EXPECT_EQ(sink.put<std::string>({"1234567890"}), Step::kDone);
  EXPECT_EQ(sink.task.offloaded(), std::vector<std::string>{"write to 'a.txt'"});
  EXPECT_EQ(sink.put<std::string>({"1234567890"}), Step::kWait);
  EXPECT_TRUE(sink.task.runOffloaded());
  EXPECT_EQ(content("a.txt"), "1234567890\n");
  EXPECT_TRUE(sink.task.takeCall());
  EXPECT_EQ(sink.sink->resume(sink.task), Step::kDone);
  EXPECT_EQ(sink.task.offloaded().size(), 1u);
  sink.finish();
  EXPECT_EQ(content("a.txt"), "1234567890\n1234567890\n");
}

TEST_F(FileSinkTest, LittleIsWrittenAfterAWhileAndBeforeABarrier) {
  Subtask sink(*this, textFileSink<std::string>("a.txt"));
  sink.put<std::string>({"a"});
  EXPECT_EQ(sink.task.alarm, Timestamp(2000));
  EXPECT_TRUE(sink.task.runOffloaded());
  EXPECT_EQ(content("a.txt"), "");
  EXPECT_EQ(sink.sink->onProcessingTime(Timestamp(2000), sink.task), Step::kDone);
  EXPECT_TRUE(sink.task.runOffloaded());
  EXPECT_EQ(content("a.txt"), "a\n");
  sink.put<std::string>({"b"});
  EXPECT_EQ(sink.sink->beforeBarrier(CheckpointId(1), sink.task), Step::kWait);
  EXPECT_TRUE(sink.task.runOffloaded());
  EXPECT_EQ(content("a.txt"), "a\nb\n");
  EXPECT_EQ(sink.sink->resume(sink.task), Step::kDone);
  EXPECT_EQ(sink.sink->beforeBarrier(CheckpointId(2), sink.task), Step::kWait) << "a flush each time";
}

TEST_F(FileSinkTest, FailuresNameTheFile) {
  world_.files().put("locked.txt", "");
  world_.files().setFault("locked.txt", FileFault::kReadOnly);
  Subtask locked(*this, textFileSink<std::string>("locked.txt", {.existing = ExistingFiles::kOverwrite}));
  EXPECT_EQ(
      errorOf(locked),
      "file 'locked.txt' may not be written: permission denied; check its owner and mode, and those of the "
      "folders above it");
  world_.files().setFreeBytes(3);
  Subtask full(*this, textFileSink<std::string>("full.txt"));
  full.put<std::string>({"too much"});
  EXPECT_EQ(errorOf(full),
            "file 'full.txt' cannot be written: no space left on device; free some space there");
  EXPECT_EQ(last_, ErrorKind::kTransient);
  EXPECT_THROW(textFileSink<std::string>(""), Error);
}

}  // namespace
}  // namespace flott
