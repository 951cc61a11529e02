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
    const CheckpointMetadata read = storage.readMetadata(path);
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

TEST_F(Storage, KeepsWhatWasInChannels) {
  CheckpointMetadata metadata = completed(3);
  const std::string before = metadata.encode();
  metadata.channels.push_back(
      {.task = OperatorId(9), .subtask = 1, .elements = storage.write(metadata.id, "t", {"abcd"})[0]});
  const CheckpointMetadata read = CheckpointMetadata::decode(metadata.encode());
  EXPECT_EQ(read.channels, metadata.channels);
  EXPECT_EQ(read.operators, metadata.operators);
  EXPECT_EQ(read.stateBytes(), 130u);
  EXPECT_EQ(before[8], 2) << "without any, older programs can read it";
  EXPECT_EQ(metadata.encode()[8], 3);
  EXPECT_TRUE(CheckpointMetadata::decode(before).channels.empty());
}

TEST_F(Storage, AFileOfChannelsThatIsGoneFailsTheCheckpoint) {
  CheckpointMetadata metadata = completed(3);
  metadata.channels.push_back({.task = OperatorId(9), .subtask = 0});
  metadata.channels[0].elements = storage.write(metadata.id, "task-7-0", {std::string(200, 'c')})[0];
  sim.files().remove("cp/job/chk-3/task-7-0");
  EXPECT_NE(failure([&] { storage.complete(metadata); }, ErrorKind::kTransient).find("task-7-0"),
            std::string::npos);
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
    EXPECT_NE(failure([&] { storage.readMetadata("cp/job/chk-3"); }, ErrorKind::kCorruption)
                  .find("file 'cp/job/chk-3/_metadata'"),
              std::string::npos);
    sim.files().put("cp/job/chk-3/_metadata", good.substr(0, at));
    EXPECT_NE(failure([&] { storage.readMetadata("cp/job/chk-3"); }, ErrorKind::kCorruption)
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
  EXPECT_EQ(
      failure([&] { storage.readMetadata("cp/none"); }, ErrorKind::kUser),
      "no checkpoint at 'cp/none': there is no file 'cp/none/_metadata'. Give the folder of a completed "
      "checkpoint or savepoint, one with a _metadata file in it");
  EXPECT_EQ(
      failure([&] { locatedFolder("s4://bucket/cp"); }, ErrorKind::kUser),
      "'s4://bucket/cp' has the unknown scheme 's4': did you mean 's3'? There are file, s3, s3a, s3p, gs, "
      "gcs, abfs, abfss or hdfs");
  EXPECT_EQ(failure([&] { locatedFolder("s3:///cp"); }, ErrorKind::kUser),
            "'s3:///cp' names no bucket: write s3://bucket/path");
  EXPECT_EQ(locatedFolder("s3://bucket/cp/"), "s3://bucket/cp");
  EXPECT_EQ(locatedFolder("file:///a/b"), "/a/b");
  EXPECT_EQ(locatedFolder("/a:b/c"), "/a:b/c");
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

TEST_F(Storage, AWrittenFileThatIsGoneOrCutOffFailsTheCheckpoint) {
  CheckpointMetadata metadata{.id = CheckpointId(3)};
  OperatorSnapshot op{.id = OperatorId(9)};
  op.subtasks.push_back({.keyed = storage.write(metadata.id, "task", {std::string(200, 'x')})[0]});
  metadata.operators.push_back(op);
  sim.files().put("cp/job/chk-3/task", std::string(150, 'x'));
  EXPECT_EQ(failure([&] { storage.complete(metadata); }, ErrorKind::kTransient),
            "file 'cp/job/chk-3/task' was written, but now has only 150 of 200 bytes. See who else works in "
            "this folder");
  sim.files().remove("cp/job/chk-3/task");
  EXPECT_EQ(
      failure([&] { storage.complete(metadata); }, ErrorKind::kTransient),
      "file 'cp/job/chk-3/task' was written, but now it is not there. See who else works in this folder");
  EXPECT_FALSE(sim.files().stat("cp/job/chk-3/_metadata"));
}

TEST_F(Storage, ASweepLeavesWhatIsCompleteOrKept) {
  completed(3);
  completed(6);
  for (const uint64_t id : {4, 5, 7, 8}) storage.write(CheckpointId(id), "t", {std::string(200, 'z')});
  sim.files().put("cp/job/notes/chk-4", "not ours");
  EXPECT_EQ(storage.sweep("cp/job", {.upTo = 7, .ownAfter = 3, .keep = {CheckpointId(5)}}), CheckpointId(8));
  std::string left;
  for (const FileInfo& file : sim.files().listFiles("cp")) left += file.path + "\n";
  EXPECT_EQ(left,
            "cp/job/chk-3/_metadata\ncp/job/chk-3/task-0-1\ncp/job/chk-5/t\ncp/job/chk-8/t\n"
            "cp/job/notes/chk-4\n");
  EXPECT_EQ(storage.sweep("nowhere", {}), CheckpointId(0));
}

SharedFile sharedFile(CheckpointStorage& storage, uint64_t id, const std::string& name,
                      const std::string& content) {
  SharedFileWriter writer = storage.createShared(CheckpointId(id), "task-" + name, name);
  writer.write(content.substr(0, 3));
  writer.write(content.substr(3));
  return writer.finish();
}

CheckpointMetadata sharing(CheckpointStorage& storage, uint64_t id, std::vector<SharedFile> files) {
  CheckpointMetadata metadata{.id = CheckpointId(id), .triggered = Timestamp(77), .jobName = "job"};
  OperatorSnapshot& op = metadata.operators.emplace_back();
  op.id = OperatorId(9);
  SubtaskSnapshot& subtask = op.subtasks.emplace_back();
  subtask.cold.image = storage.write(metadata.id, "task", {"image"})[0];
  subtask.cold.files = std::move(files);
  storage.complete(metadata);
  return metadata;
}

std::string filesIn(SimulatedFiles& files, const std::string& folder) {
  std::string all;
  for (const FileInfo& file : files.listFiles(folder)) all += file.path.substr(folder.size() + 1) + "\n";
  return all;
}

TEST_F(Storage, CheckpointsShareFiles) {
  const SharedFile a = sharedFile(storage, 3, "a", "content of a");
  const SharedFile b = sharedFile(storage, 4, "b", "content of b");
  EXPECT_EQ(pathOf(b), "chk-4/task-b");
  sharing(storage, 3, {a});
  sharing(storage, 4, {a, b});
  EXPECT_EQ(filesIn(sim.files(), "cp/job"),
            "chk-3/_metadata\nchk-4/_metadata\nshared/chk-3/task-a\nshared/chk-4/task-b\n");
  const CheckpointMetadata read = storage.readMetadata("cp/job/chk-4");
  EXPECT_EQ(read.operators[0].subtasks[0].cold.files, (std::vector<SharedFile>{a, b}));
  EXPECT_EQ(read.stateBytes(), 5u + 24u);
  std::string content;
  storage.readShared(read.folder, a, [&](std::string_view part) { content += part; });
  EXPECT_EQ(content, "content of a");
  EXPECT_TRUE(storage.sharesWith(read.folder));
  EXPECT_FALSE(storage.sharesWith("cp/other/chk-4"));
  storage.removeShared({a});
  EXPECT_FALSE(sim.files().stat("cp/job/shared/chk-3")) << "it is empty";
  EXPECT_EQ(failure([&] { storage.checkShared(read); }, ErrorKind::kCorruption),
            "file 'cp/job/shared/chk-3/task-a' of a checkpoint is missing. Restore from another checkpoint");
  EXPECT_EQ(failure([&] { sharing(storage, 5, {a}); }, ErrorKind::kTransient),
            "file 'cp/job/shared/chk-3/task-a' of a checkpoint is missing, which was written. See who else "
            "works in this folder");
}

TEST_F(Storage, ASweepTakesSharedFilesThatNobodyNeeds) {
  const auto file = [&](uint64_t id, const std::string& name) {
    return sharedFile(storage, id, name, "content");
  };
  const SharedFile needed = file(3, "needed");
  sharing(storage, 6, {needed, file(6, "own")});
  file(3, "old");
  file(7, "under-way");
  file(9, "later");
  const SharedFile held = file(2, "held");
  file(5, "void");
  sim.files().put("cp/job/shared/notes", "not ours");
  EXPECT_EQ(storage.sweep("cp/job", {.upTo = 8, .keep = {CheckpointId(7)}, .keepShared = {pathOf(held)}}),
            CheckpointId(9))
      << "ids go on behind all that was written";
  EXPECT_EQ(filesIn(sim.files(), "cp/job/shared"),
            "chk-2/task-held\nchk-3/task-needed\nchk-6/task-own\nchk-7/task-under-way\nchk-9/task-later\n"
            "notes\n");
  // Where it cannot be read what a complete one needs, nothing goes.
  sim.files().put("cp/job/chk-6/_metadata", "damaged");
  storage.sweep("cp/job", {});
  EXPECT_TRUE(sim.files().stat("cp/job/shared/chk-3/task-needed"));
  storage.discardShared(CheckpointId(9));
  EXPECT_FALSE(sim.files().stat("cp/job/shared/chk-9"));
}

TEST_F(Storage, MetadataWithoutSharedFilesIsAsItWasBeforeThem) {
  const auto versionOf = [](const std::string& bytes) { return static_cast<int>(bytes.at(8)); };
  EXPECT_EQ(versionOf(completed(3).encode()), 2);
  const CheckpointMetadata shares = sharing(storage, 4, {sharedFile(storage, 4, "a", "content")});
  const std::string bytes = shares.encode();
  EXPECT_EQ(versionOf(bytes), 4);
  EXPECT_EQ(CheckpointMetadata::decode(bytes).operators, shares.operators);
  // Nor what channels held makes it later than it need be; together they are the latest format.
  CheckpointMetadata flowing = completed(5);
  flowing.channels.push_back(
      {.task = OperatorId(3), .subtask = 1, .elements = storage.write(flowing.id, "flow", {"abc"})[0]});
  EXPECT_EQ(versionOf(flowing.encode()), 3);
  CheckpointMetadata both = shares;
  both.channels = flowing.channels;
  EXPECT_EQ(versionOf(both.encode()), 4);
  const CheckpointMetadata again = CheckpointMetadata::decode(both.encode());
  EXPECT_EQ(again.operators, both.operators);
  EXPECT_EQ(again.channels, both.channels);
  CheckpointMetadata outside = shares;
  outside.operators[0].subtasks[0].cold.files[0].name = "../../elsewhere";
  EXPECT_NE(failure([&] { CheckpointMetadata::decode(outside.encode()); }, ErrorKind::kCorruption)
                .find("has a shared file with a name that is none"),
            std::string::npos);
}

TEST_F(Storage, AFileThatIsNotFinishedIsNotThere) {
  {
    StateFileWriter writer = storage.createFile("cp/job/chk-1", "part");
    writer.write("abc");
  }
  EXPECT_FALSE(sim.files().stat("cp/job/chk-1/part"));
  StateFileWriter writer = storage.createFile("cp/job/chk-1", "whole");
  writer.write("abc");
  writer.write("de");
  const StateHandle handle = writer.finish();
  EXPECT_EQ(storage.read("cp/job/chk-1", handle), "abcde");
  EXPECT_EQ(storage.readPart("cp/job/chk-1", handle, 1, 3), "bcd");
  storage.checkThere("cp/job/chk-1", handle);
  sim.files().put("cp/job/chk-1/whole", "abc");
  EXPECT_EQ(failure([&] { storage.checkThere("cp/job/chk-1", handle); }, ErrorKind::kCorruption),
            "file 'cp/job/chk-1/whole' of a checkpoint is cut off: it has 3 bytes instead of at least 5");
}

TEST_F(Storage, InAnObjectStoreItIsTheSame) {
  CheckpointStorage remote(sim.files(), {.folder = "s3://bucket/job", .inlineThreshold = 100}, &sim.stores());
  CheckpointMetadata metadata{.id = CheckpointId(3), .jobName = "job"};
  OperatorSnapshot op{.id = OperatorId(9)};
  const std::string path = "s3://bucket/job/chk-3/task";
  op.subtasks.push_back({.keyed = remote.write(metadata.id, "task", {"", std::string(200, 'x')})[1]});
  metadata.operators.push_back(op);
  remote.complete(metadata);
  EXPECT_EQ(remote.readMetadata("s3://bucket/job/chk-3").operators, metadata.operators);
  const StateHandle& handle = metadata.operators[0].subtasks[0].keyed;
  EXPECT_EQ(remote.read(metadata.folder, handle), std::string(200, 'x'));
  sim.stores().objects()[path][7] = 'y';
  EXPECT_NE(
      failure([&] { remote.read(metadata.folder, handle); }, ErrorKind::kCorruption).find("'" + path + "'"),
      std::string::npos);
  sim.stores().objects().erase(path);
  EXPECT_EQ(failure([&] { remote.read(metadata.folder, handle); }, ErrorKind::kCorruption),
            "file '" + path + "' of a checkpoint is missing. Restore from another checkpoint");
  sim.stores().fail("s3://bucket/job/chk-4", "NO_SUCH_BUCKET");
  EXPECT_EQ(
      failure([&] { remote.write(CheckpointId(4), "t", {std::string(200, 'x')}); }, ErrorKind::kTransient),
      "object 's3://bucket/job/chk-4/t' could not be written: NO_SUCH_BUCKET. Make the bucket 'bucket', or "
      "correct the name");
  remote.discard(CheckpointId(3));
  EXPECT_TRUE(sim.stores().objects().empty());
}

}  // namespace
}  // namespace flott
