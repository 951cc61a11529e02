#include "flott/savepoints/disposal.h"

#include <gtest/gtest.h>

#include "flott/savepoints/tests/written_checkpoint.h"

namespace flott {
namespace {

class DisposalTest : public testing::Test {
 protected:
  /// Its folder. A savepoint is a checkpoint that says so, and may lie anywhere.
  std::string write(CheckpointKind kind) {
    WordState state;
    for (int i = 0; i < 100; ++i) state.counts["word " + std::to_string(i)] = i;
    const std::string folder = CheckpointWriterOfTests(sim).write(state);
    CheckpointStorage storage(sim.files(), {.folder = {}, .stores = {}});
    CheckpointMetadata metadata = storage.readMetadata(folder);
    metadata.kind = kind;
    FolderStore(sim.files()).put(folder + "/_metadata", std::vector<std::string>{metadata.encode()});
    return folder;
  }
  size_t filesIn(const std::string& folder) { return FolderStore(sim.files()).list(folder).size(); }
  std::string refusal(const std::string& path) {
    try {
      disposeSavepoint(sim.env(), {}, path);
    } catch (const Error& error) {
      return error.what();
    }
    return "removed";
  }

  SimulatedEnv sim{1};
};

TEST_F(DisposalTest, AllFilesOfASavepointGo) {
  const std::string folder = write(CheckpointKind::kSavepoint);
  const size_t files = filesIn(folder);
  ASSERT_GE(files, 3u);
  const Disposal gone = disposeSavepoint(sim.env(), {}, folder);
  EXPECT_EQ(gone.folder, folder);
  EXPECT_EQ(gone.files, files);
  EXPECT_GT(gone.bytes, 1000u);
  EXPECT_TRUE(gone.left.empty());
  EXPECT_EQ(filesIn(folder), 0u);
  EXPECT_NE(refusal(folder).find("no checkpoint at '" + folder + "'"), std::string::npos) << refusal(folder);
}

TEST_F(DisposalTest, WhatIsNotTheSavepointsStays) {
  const std::string folder = write(CheckpointKind::kSavepoint);
  FolderStore(sim.files()).put(folder + "/notes.txt", std::vector<std::string>{"mine"});
  const Disposal gone = disposeSavepoint(sim.env(), {}, folder + "/_metadata");
  EXPECT_EQ(gone.left, (std::vector<std::string>{folder + "/notes.txt"}));
  EXPECT_EQ(filesIn(folder), 1u);
}

TEST_F(DisposalTest, AJobsCheckpointIsRefused) {
  const std::string folder = write(CheckpointKind::kCheckpoint);
  const size_t files = filesIn(folder);
  EXPECT_EQ(refusal(folder), "'" + folder +
                                 "' is checkpoint 7 of job 'words' and not a savepoint: the job removes its "
                                 "checkpoints itself. Those that it was to leave behind are its folder, all "
                                 "together: delete that");
  EXPECT_EQ(filesIn(folder), files);
}

TEST_F(DisposalTest, AFileOutsideOfTheFolderIsNotTouched) {
  const std::string folder = write(CheckpointKind::kSavepoint);
  CheckpointStorage storage(sim.files(), {.folder = {}, .stores = {}});
  CheckpointMetadata metadata = storage.readMetadata(folder);
  metadata.operators.back().subtasks.back().keyed.file = "../precious";
  FolderStore files(sim.files());
  files.put(folder + "/_metadata", std::vector<std::string>{metadata.encode()});
  files.put("precious", std::vector<std::string>{"mine"});
  EXPECT_EQ(refusal(folder), "the metadata names a file '../precious' that is not in the savepoint's folder");
  EXPECT_TRUE(files.size("precious"));
  EXPECT_TRUE(files.size(folder + "/_metadata")) << "it was looked at before anything was removed";
}

}  // namespace
}  // namespace flott
