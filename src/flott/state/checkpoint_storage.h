// Where checkpoints lie: the files of one job's checkpoints, and how one becomes complete.
//
//   <dir>/<job>/chk-7/<task files>      state of each task, as far as it is not small
//   <dir>/<job>/chk-7/_metadata         written last, by renaming: with it the checkpoint is complete
//
// Without a folder everything is inlined in the metadata, which then only lives in the master's memory: a job
// survives the failures of its tasks, not the end of its process. All calls block, so they run on off-load
// threads; different checkpoints and files may be worked on at once. Everything that is read is checked
// against its checksum; errors name the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flott/env/files.h"
#include "flott/state/checkpoint_metadata.h"

namespace flott {

struct CheckpointStorageOptions {
  std::string folder;  // of the job's checkpoints; empty: none
  uint64_t inlineThreshold = 20 << 10;
};

class CheckpointStorage {
 public:
  CheckpointStorage(Files& files, CheckpointStorageOptions options);

  const std::string& folder() const { return options_.folder; }
  std::string folderOf(CheckpointId checkpoint) const;

  /// Writes the state of one task, section by section, to the file `name` of the checkpoint, unless it is
  /// small. Throws Error(kTransient).
  std::vector<StateHandle> write(CheckpointId checkpoint, const std::string& name,
                                 std::vector<std::string> sections);
  /// Throws Error(kCorruption) when the bytes are not those that were written.
  std::string read(const std::string& folder, const StateHandle& handle);

  /// Makes the checkpoint complete, and sets metadata.folder.
  void complete(CheckpointMetadata& metadata);
  /// Removes all files of the checkpoint, complete or not. No error when there are none.
  void discard(CheckpointId checkpoint);

  /// `path` is the folder of a checkpoint, or its _metadata; also as file: URI. Throws Error(kUser) when
  /// there is none, Error(kCorruption) when it is damaged.
  static CheckpointMetadata readMetadata(Files& files, const std::string& path);

 private:
  Files& files_;
  const CheckpointStorageOptions options_;
};

/// The path that a path or file: URI names. Throws Error(kUser) for other schemes.
std::string localPath(const std::string& uri);

}  // namespace flott
