// Local copies of what checkpoints are made of: read where they are whole, and never needed.
#include "flott/state/local_copies.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {
namespace {

class Copies : public testing::Test {
 protected:
  Copies() { storage.useCopies(&copies); }

  std::vector<std::string> copied() {
    std::vector<std::string> all;
    if (!disk.files().stat("/local")) return all;
    for (const FileInfo& file : disk.files().listFiles("/local")) all.push_back(file.path);
    return all;
  }
  StateHandle streamed(uint64_t checkpoint, const std::string& name, const std::string& bytes) {
    StateFileWriter writer = storage.createFile(storage.folderOf(CheckpointId(checkpoint)), name);
    writer.write(bytes.substr(0, bytes.size() / 2));
    writer.write(bytes.substr(bytes.size() / 2));
    return writer.finish();
  }
  SharedFile shared(uint64_t checkpoint, const std::string& name, const std::string& bytes) {
    SharedFileWriter writer = storage.createShared(CheckpointId(checkpoint), name, "sst");
    writer.write(bytes);
    return writer.finish();
  }
  std::string readShared(const SharedFile& file) {
    std::string all;
    counting.readShared("/cp/job/chk-9", file, [&all](std::string_view part) { all += part; });
    return all;
  }
  /// So that it does not help to read there.
  void breakRemote() {
    for (const FileInfo& file : remote.files().listFiles("/cp"))
      remote.files().put(file.path, std::string(file.size, '?'));
  }
  std::string logged() {
    std::string all;
    for (const std::string& line : disk.log().lines()) all += line + "\n";
    return all;
  }

  SimulatedEnv remote{1};
  SimulatedEnv disk{2};
  LocalCopies copies{disk.files(), disk.log(), {.folder = "/local", .checkpoints = "/cp/job"}};
  CheckpointStorage storage{remote.files(), {.folder = "/cp/job", .inlineThreshold = 10}};
  FileBytesRead read;
  CheckpointStorage counting = [this] {
    storage.useCopies(&copies);
    return storage.countingIn(read);
  }();
};

TEST_F(Copies, AreReadInsteadOfTheCheckpoint) {
  const std::vector<StateHandle> sections =
      storage.write(CheckpointId(7), "task-1-0", {std::string(50, 'a'), std::string(70, 'b')});
  const StateHandle stream = streamed(7, "task-1-0-2", std::string(5000, 'c'));
  const SharedFile file = shared(6, "task-1-0-x", std::string(900, 'd'));
  EXPECT_EQ(copied(), (std::vector<std::string>{"/local/chk-7/task-1-0", "/local/chk-7/task-1-0-2",
                                                "/local/shared/chk-6/task-1-0-x"}));
  breakRemote();
  EXPECT_EQ(counting.read("/cp/job/chk-7", sections[1]), std::string(70, 'b'));
  EXPECT_EQ(counting.readPart("/cp/job/chk-7", stream, 4990, 10), std::string(10, 'c'));
  EXPECT_EQ(readShared(file), std::string(900, 'd'));
  EXPECT_EQ(read.fromCopies, 70 + 10 + 900);
  EXPECT_EQ(read.fromStorage, 0);
  EXPECT_EQ(logged(), "");
}

TEST_F(Copies, ThatAreDamagedOrCutOffAreRemovedAndTheCheckpointIsRead) {
  const std::vector<StateHandle> sections =
      storage.write(CheckpointId(7), "task-1-0", {std::string(50, 'a')});
  const StateHandle stream = streamed(7, "task-1-0-2", std::string(5000, 'c'));
  const SharedFile file = shared(7, "task-1-0-x", std::string(900, 'd'));
  disk.files().put("/local/chk-7/task-1-0", std::string(50, 'z'));
  disk.files().put("/local/chk-7/task-1-0-2", std::string(4999, 'c'));
  disk.files().setFault("/local/shared/chk-7/task-1-0-x", FileFault::kReadFails);
  EXPECT_EQ(counting.read("/cp/job/chk-7", sections[0]), std::string(50, 'a'));
  EXPECT_EQ(counting.readPart("/cp/job/chk-7", stream, 0, 5), "ccccc");
  EXPECT_EQ(readShared(file), std::string(900, 'd'));
  EXPECT_EQ(read.fromCopies, 0);
  EXPECT_EQ(read.fromStorage, 50 + 5 + 900);
  EXPECT_EQ(copied(), std::vector<std::string>());
  EXPECT_NE(logged().find("the local copy '/local/chk-7/task-1-0' is of no use, state is read from the "
                          "checkpoint: it is damaged"),
            std::string::npos)
      << logged();
  EXPECT_EQ(counting.read("/cp/job/chk-7", sections[0]), std::string(50, 'a')) << "without a word";
}

TEST_F(Copies, ThatChangeOrGoAfterTheyWereReadAreFoundOut) {
  const StateHandle stream = streamed(7, "task-1-0-2", std::string(5000, 'c'));
  const SharedFile file = shared(7, "task-1-0-x", std::string(900, 'd'));
  const auto readBoth = [&] {
    const int64_t before = read.fromCopies;
    EXPECT_EQ(counting.readPart("/cp/job/chk-7", stream, 0, 5), "ccccc");
    EXPECT_EQ(counting.readPart("/cp/job/chk-7", stream, 4990, 10), std::string(10, 'c'));
    EXPECT_EQ(readShared(file), std::string(900, 'd'));
    return read.fromCopies - before;
  };
  EXPECT_EQ(readBoth(), 5 + 10 + 900);
  disk.files().put("/local/chk-7/task-1-0-2", std::string(5000, 'z'));
  disk.files().put("/local/shared/chk-7/task-1-0-x", std::string(900, 'z'));
  EXPECT_EQ(readBoth(), 0);
  disk.files().put("/local/chk-7/task-1-0-2", std::string(5000, 'c'));
  disk.files().put("/local/shared/chk-7/task-1-0-x", std::string(900, 'd'));
  EXPECT_EQ(readBoth(), 5 + 10 + 900);
  disk.files().remove("/local/chk-7/task-1-0-2");
  disk.files().remove("/local/shared/chk-7/task-1-0-x");
  EXPECT_EQ(readBoth(), 0);
}

TEST_F(Copies, OfAnEarlierFileOfTheSameNameDoNotFit) {
  const StateHandle first = streamed(7, "task-1-0-2", std::string(50, 'a'));
  EXPECT_EQ(counting.readPart("/cp/job/chk-7", first, 0, 50), std::string(50, 'a'));
  storage.useCopies(nullptr);  // another machine writes it
  const StateHandle second = streamed(7, "task-1-0-2", std::string(50, 'b'));
  EXPECT_EQ(counting.readPart("/cp/job/chk-7", second, 0, 50), std::string(50, 'b'));
}

TEST_F(Copies, ThatCannotBeWrittenAreNone) {
  disk.files().setFreeBytes(60);
  const std::vector<StateHandle> sections =
      storage.write(CheckpointId(7), "task-1-0", {std::string(50, 'a')});
  const StateHandle stream = streamed(7, "task-1-0-2", std::string(5000, 'c'));
  EXPECT_EQ(copied(), (std::vector<std::string>{"/local/chk-7/task-1-0"}));
  EXPECT_EQ(counting.readPart("/cp/job/chk-7", stream, 4990, 10), std::string(10, 'c'));
  EXPECT_EQ(counting.read("/cp/job/chk-7", sections[0]), std::string(50, 'a'));
  EXPECT_NE(logged().find("a local copy of state is left out: "), std::string::npos) << logged();
}

TEST_F(Copies, AreOfTheJobsOwnCheckpointsAlone) {
  storage.writeTo("/savepoints/1", "task-1-0", {std::string(50, 'a')});
  storage.writeTo("/cp/job-2/chk-1", "task-1-0", {std::string(50, 'a')});
  storage.write(CheckpointId(7), "task-1-0", {"small"});
  EXPECT_EQ(copied(), std::vector<std::string>());
}

TEST_F(Copies, GoOnceTheirTaskDoesNotNeedThem) {
  for (uint64_t id = 5; id <= 8; ++id) {
    for (const char* task : {"task-1-0", "task-1-01", "task-2-0"})
      storage.write(CheckpointId(id), task, {std::string(50, 'a')});
    shared(id, "task-1-0-x", "bytes");
  }
  disk.files().put("/local/chk-6/task-1-0.inprogress", "of a process that was killed");
  copies.completed("task-1-0", CheckpointId(7), {"chk-5/task-1-0-x", "chk-7/task-1-0-x"});
  EXPECT_EQ(copied(), (std::vector<std::string>{
                          "/local/chk-5/task-1-01", "/local/chk-5/task-2-0", "/local/chk-6/task-1-01",
                          "/local/chk-6/task-2-0", "/local/chk-7/task-1-0", "/local/chk-7/task-1-01",
                          "/local/chk-7/task-2-0", "/local/chk-8/task-1-0", "/local/chk-8/task-1-01",
                          "/local/chk-8/task-2-0", "/local/shared/chk-5/task-1-0-x",
                          "/local/shared/chk-7/task-1-0-x", "/local/shared/chk-8/task-1-0-x"}));
  copies.abandoned("task-1-0", CheckpointId(8));
  for (const char* task : {"task-1-01", "task-2-0"}) copies.completed(task, CheckpointId(9), {});
  EXPECT_EQ(copied(), (std::vector<std::string>{"/local/chk-7/task-1-0", "/local/shared/chk-5/task-1-0-x",
                                                "/local/shared/chk-7/task-1-0-x"}));
  EXPECT_FALSE(disk.files().stat("/local/chk-6")) << "nor empty folders";
  copies.removeAll();
  EXPECT_FALSE(disk.files().stat("/local"));
}

TEST_F(Copies, MayBeMadeAndNotRead) {
  LocalCopies made(disk.files(), disk.log(), {.folder = "/local", .checkpoints = "/cp/job", .reads = false});
  storage.useCopies(&made);
  CheckpointStorage reader = storage.countingIn(read);
  const std::vector<StateHandle> sections =
      storage.write(CheckpointId(7), "task-1-0", {std::string(50, 'a')});
  EXPECT_EQ(copied().size(), 1u);
  EXPECT_EQ(reader.read("/cp/job/chk-7", sections[0]), std::string(50, 'a'));
  EXPECT_EQ(read.fromStorage, 50);
}

}  // namespace
}  // namespace flott
