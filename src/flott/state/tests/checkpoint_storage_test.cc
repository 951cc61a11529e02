// Checkpoints on disk: what was written is read, and what is damaged, cut off or missing is named.
#include "flott/state/checkpoint_storage.h"

#include <gtest/gtest.h>

#include "flott/base/error.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

class Storage : public testing::Test {
 protected:
  static std::string failure(auto&& deed, ErrorKind kind) {
    try {
      deed();
    } catch (const Error& error) {
      EXPECT_EQ(toString(error.kind()), toString(kind));
      return error.what();
    }
    return "nothing was thrown";
  }
  CheckpointMetadata completed(uint64_t id) {
    CheckpointMetadata metadata{.id = CheckpointId(id), .triggered = Timestamp(77), .jobName = "job"};
    std::vector<StateHandle> handles =
        storage.write(metadata.id, "task-0-1", {std::string(50, 'a'), "", std::string(70, 'b')});
    OperatorSnapshot op{.id = OperatorId(9), .name = "count", .uid = "u", .maxParallelism = 128};
    op.subtasks.push_back({.finished = false, .keyed = handles[0], .operatorState = handles[2]});
    op.subtasks.push_back({.finished = true});
    op.enumerator = "splits";
    metadata.operators.push_back(op);
    storage.complete(metadata);
    return metadata;
  }
  static std::string damaged(std::string bytes, size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  }

  SimulatedEnv sim{1};
  CheckpointStorage storage{sim.files(), {.folder = "cp/job", .inlineThreshold = 100}};
};

TEST_F(Storage, GivesBackWhatWasWritten) {
  const CheckpointMetadata written = completed(3);
  EXPECT_EQ(written.folder, "cp/job/chk-3");
  for (const char* path : {"cp/job/chk-3", "cp/job/chk-3/", "cp/job/chk-3/_metadata", "file:cp/job/chk-3"}) {
    const CheckpointMetadata read = CheckpointStorage::readMetadata(sim.files(), path);
    EXPECT_EQ(read.id, CheckpointId(3));
    EXPECT_EQ(read.triggered, Timestamp(77));
    EXPECT_EQ(read.jobName, "job");
    EXPECT_EQ(read.operators, written.operators);
    EXPECT_EQ(read.folder, "cp/job/chk-3");
    EXPECT_EQ(read.stateBytes(), 126u);
    const SubtaskSnapshot& subtask = read.operators[0].subtasks[0];
    EXPECT_EQ(storage.read(read.folder, subtask.keyed), std::string(50, 'a'));
    EXPECT_EQ(storage.read(read.folder, subtask.operatorState), std::string(70, 'b'));
  }
}

TEST_F(Storage, SmallStateNeedsNoFile) {
  const std::vector<StateHandle> handles = storage.write(CheckpointId(1), "task", {"abc", "de"});
  EXPECT_EQ(handles[0].file, "");
  EXPECT_EQ(storage.read("nowhere", handles[1]), "de");
  EXPECT_FALSE(sim.files().stat("cp"));
}

TEST_F(Storage, WithoutAFolderEverythingIsInMemory) {
  CheckpointStorage memory(sim.files(), {.folder = "", .inlineThreshold = 0});
  const std::vector<StateHandle> handles = memory.write(CheckpointId(1), "task", {std::string(5000, 'x')});
  CheckpointMetadata metadata{.id = CheckpointId(1)};
  memory.complete(metadata);
  memory.discard(CheckpointId(1));
  EXPECT_EQ(memory.read("", handles[0]), std::string(5000, 'x'));
}

TEST_F(Storage, DiscardLeavesNothing) {
  completed(3);
  completed(4);
  storage.write(CheckpointId(5), "late", {std::string(200, 'z')});
  storage.discard(CheckpointId(3));
  storage.discard(CheckpointId(5));
  storage.discard(CheckpointId(5));
  std::string left;
  for (const FileInfo& file : sim.files().listFiles("cp")) left += file.path + "\n";
  EXPECT_EQ(left, "cp/job/chk-4/_metadata\ncp/job/chk-4/task-0-1\n");
}

TEST_F(Storage, EveryDamagedByteOfTheMetadataIsFound) {
  completed(3);
  const std::string good = sim.files().content("cp/job/chk-3/_metadata");
  for (size_t at = 0; at < good.size(); ++at) {
    sim.files().put("cp/job/chk-3/_metadata", damaged(good, at));
    EXPECT_NE(
        failure([&] { CheckpointStorage::readMetadata(sim.files(), "cp/job/chk-3"); }, ErrorKind::kCorruption)
            .find("file 'cp/job/chk-3/_metadata'"),
        std::string::npos);
    sim.files().put("cp/job/chk-3/_metadata", good.substr(0, at));
    EXPECT_NE(
        failure([&] { CheckpointStorage::readMetadata(sim.files(), "cp/job/chk-3"); }, ErrorKind::kCorruption)
            .find("file 'cp/job/chk-3/_metadata'"),
        std::string::npos);
  }
}

TEST_F(Storage, DamagedStateIsNamed) {
  const CheckpointMetadata metadata = completed(3);
  const std::string path = "cp/job/chk-3/task-0-1";
  const std::string good = sim.files().content(path);
  const SubtaskSnapshot& subtask = metadata.operators[0].subtasks[0];
  sim.files().put(path, damaged(good, 60));
  EXPECT_EQ(storage.read(metadata.folder, subtask.keyed), std::string(50, 'a')) << "not its bytes";
  EXPECT_EQ(
      failure([&] { storage.read(metadata.folder, subtask.operatorState); }, ErrorKind::kCorruption),
      "file 'cp/job/chk-3/task-0-1' of a checkpoint is damaged: the 70 bytes from 50 on do not match their "
      "checksum. Restore from another checkpoint");
  sim.files().put(path, good.substr(0, 100));
  EXPECT_EQ(failure([&] { storage.read(metadata.folder, subtask.operatorState); }, ErrorKind::kCorruption),
            "file 'cp/job/chk-3/task-0-1' of a checkpoint is cut off: it has 100 bytes instead of at least "
            "120");
}

TEST_F(Storage, SaysWhatIsNoCheckpoint) {
  EXPECT_EQ(failure([&] { CheckpointStorage::readMetadata(sim.files(), "cp/none"); }, ErrorKind::kUser),
            "no checkpoint at 'cp/none': there is no file 'cp/none'. Give the folder of a completed "
            "checkpoint, one with a _metadata file in it");
  EXPECT_NE(failure([&] { localPath("s3://bucket/cp"); }, ErrorKind::kUser).find("scheme 's3'"),
            std::string::npos);
  EXPECT_EQ(localPath("file:///a/b"), "/a/b");
  EXPECT_EQ(localPath("/a:b/c"), "/a:b/c");
}

TEST_F(Storage, AFullDiskFailsTheCheckpointAndNamesTheFile) {
  sim.files().setFreeBytes(100);
  EXPECT_NE(
      failure([&] { storage.write(CheckpointId(1), "task", {std::string(200, 'x')}); }, ErrorKind::kTransient)
          .find("cp/job/chk-1/task"),
      std::string::npos);
  storage.discard(CheckpointId(1));
  EXPECT_TRUE(sim.files().listFiles("cp").empty());
}

}  // namespace
}  // namespace flott
