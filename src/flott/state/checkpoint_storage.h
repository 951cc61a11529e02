// Where checkpoints lie: the files of one job's checkpoints, and how one becomes complete.
//
//   <dir>/<job>/chk-7/<task files>      state of each task, as far as it is not small
//   <dir>/<job>/chk-7/_metadata         written last, in one piece: with it the checkpoint is complete
//   <dir>/<job>/shared/chk-7/<files>    written for that checkpoint, and kept while later ones refer to them
//
// The folder is a path or a URI: s3://bucket/checkpoints. Each file appears whole, on a local disk by
// renaming, in an object store by one put. Before the metadata is written all files that it refers to are
// looked at, so that no checkpoint is complete that lacks some.
//
// Without a folder everything is inlined in the metadata, which then only lives in the master's memory: a job
// survives the failures of its tasks, not the end of its process. All calls block, so they run on off-load
// threads; different checkpoints and files may be worked on at once. Everything that is read is checked
// against its checksum; errors name the file. Where it was given LocalCopies, files are written there as well
// and read from there.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/running_hash.h"
#include "flott/env/files.h"
#include "flott/env/object_store.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/folder_store.h"
#include "flott/state/local_copies.h"

namespace flott {

struct CheckpointStorageOptions {
  std::string folder;  // of the job's checkpoints, as locatedFolder() gives it; empty: none
  uint64_t inlineThreshold = 20 << 10;
  StringMap stores = {};  // storeOptions()
};

/// Which checkpoints in a folder are not wanted any more.
struct CheckpointSweep {
  static constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
  /// Incomplete ones up to here go: nobody writes to them.
  uint64_t upTo = kAll;
  /// Of these up to `upTo`, complete ones behind this one go as well: they are the job's own.
  uint64_t ownAfter = kAll;
  /// These stay, with the shared files that they have written.
  std::set<CheckpointId> keep = {};
  /// These shared files stay, and those that a complete checkpoint refers to: by pathOf().
  std::set<std::string> keepShared = {};
};

/// "chk-7/task-1-0-000012.sst": where the file lies in the folder of shared files.
std::string pathOf(const SharedFile& file);

/// Writes a file, a part at a time. One thread at a time; the storage outlives it. Throws Error(kTransient).
class StateFileWriter {
 public:
  /// `copy` gets the same; null: nobody does.
  StateFileWriter(std::shared_ptr<ObjectStore> keeper, std::unique_ptr<ObjectWriter> object,
                  std::unique_ptr<ObjectWriter> copy, std::string name)
      : keeper_(std::move(keeper)), object_(std::move(object)), copy_(std::move(copy)) {
    handle_.file = std::move(name);
  }

  void write(std::string_view bytes);
  /// The file is there. Must be the last call.
  StateHandle finish();

 private:
  std::shared_ptr<ObjectStore> keeper_;
  std::unique_ptr<ObjectWriter> object_;
  std::unique_ptr<ObjectWriter> copy_;
  StateHandle handle_;
  RunningHash hash_;
};

/// The same for a shared file.
class SharedFileWriter {
 public:
  SharedFileWriter(StateFileWriter writer, SharedFile file)
      : writer_(std::move(writer)), file_(std::move(file)) {}

  void write(std::string_view bytes) { writer_.write(bytes); }
  SharedFile finish();

 private:
  StateFileWriter writer_;
  SharedFile file_;
};

/// What somebody has read of files, in bytes.
struct FileBytesRead {
  std::atomic<int64_t> fromCopies{0};
  std::atomic<int64_t> fromStorage{0};
};

class CheckpointStorage {
 public:
  /// `stores` may be null where all paths are local.
  CheckpointStorage(Files& files, CheckpointStorageOptions options, ObjectStores* stores = nullptr);

  /// Before its first use; outlives it. Null: there are none.
  void useCopies(LocalCopies* copies) { copies_ = copies; }
  LocalCopies* copies() const { return copies_; }
  /// The same, for one who wants to know what is read; both outlive it.
  CheckpointStorage countingIn(FileBytesRead& read) const {
    CheckpointStorage counting(*this);
    counting.read_ = &read;
    return counting;
  }

  const std::string& folder() const { return options_.folder; }
  /// Bytes of a task that are in the metadata instead of in a file.
  uint64_t inlineThreshold() const { return options_.inlineThreshold; }
  std::string folderOf(CheckpointId checkpoint) const;

  /// Writes the state of one task, section by section, to the file `name` of the checkpoint, unless it is
  /// small. Throws Error(kTransient).
  std::vector<StateHandle> write(CheckpointId checkpoint, const std::string& name,
                                 std::vector<std::string> sections);
  /// The same for a savepoint, whose folder may be anywhere.
  std::vector<StateHandle> writeTo(const std::string& folder, const std::string& name,
                                   std::vector<std::string> sections);
  /// Throws Error(kCorruption) when the bytes are not those that were written, or are not there.
  std::string read(const std::string& folder, const StateHandle& handle);

  /// A part of it, not checked. Throws Error(kCorruption) when it is not there.
  std::string readPart(const std::string& folder, const StateHandle& handle, uint64_t offset,
                       uint64_t length);
  [[noreturn]] static void failChecksum(const std::string& folder, const StateHandle& handle);
  /// Throws Error(kCorruption) when the file is not there, or is cut off; does not read it.
  void checkThere(const std::string& folder, const StateHandle& handle);
  /// A file of a checkpoint or savepoint in `folder`.
  StateFileWriter createFile(const std::string& folder, const std::string& name);

  /// A new file that later checkpoints may refer to, too; no other of the checkpoint has its name.
  SharedFileWriter createShared(CheckpointId checkpoint, const std::string& name,
                                const std::string& nameInStore);
  /// Hands over a shared file of the checkpoint in `folder`, a part at a time. Throws Error(kCorruption), at
  /// the latest at its end, when the bytes are not those that were written, or are not there.
  void readShared(const std::string& folder, const SharedFile& file,
                  MoveFunction<void(std::string_view)> take);
  /// Throws Error(kCorruption) that names a shared file of the checkpoint which is not there, or is cut off.
  void checkShared(const CheckpointMetadata& metadata);
  /// Of this job's own.
  void removeShared(const std::vector<SharedFile>& files);
  /// Whether the shared files of a checkpoint in `folder` lie among this job's own.
  bool sharesWith(const std::string& folder) const;

  /// Makes the checkpoint complete, and sets metadata.folder where it is empty. Throws Error(kTransient) when
  /// a file of it is not as it was written.
  void complete(CheckpointMetadata& metadata);
  /// Removes all files of the checkpoint, complete or not, but for shared ones. No error when there are none.
  void discard(CheckpointId checkpoint);
  void discard(const std::string& folderOfCheckpoint);
  /// Of one that is not complete: removes the shared files that were written for it.
  void discardShared(CheckpointId checkpoint);
  /// Removes what is not wanted of the checkpoints in the folder, and then shared files that no complete one
  /// refers to; the highest id that was there, or 0.
  CheckpointId sweep(const std::string& folder, const CheckpointSweep& what);
  /// Removes the job's folder if there is nothing in it.
  void removeIfEmpty();

  /// `path` is the folder of a checkpoint, or its _metadata; also as a URI. Throws Error(kUser) when there is
  /// none, Error(kCorruption) when it is damaged.
  CheckpointMetadata readMetadata(const std::string& path);

 private:
  ObjectStore& storeOf(const std::string& path, std::shared_ptr<ObjectStore>& keeper);
  void checkFiles(const CheckpointMetadata& metadata);
  /// Empty: there is none.
  std::string problemOfShared(const CheckpointMetadata& metadata);
  uint64_t sweepShared(const std::string& folder, const CheckpointSweep& what,
                       const std::set<uint64_t>& complete);

  void count(uint64_t bytes, bool fromCopy) {
    if (read_ != nullptr)
      (fromCopy ? read_->fromCopies : read_->fromStorage).fetch_add(static_cast<int64_t>(bytes));
  }

  FolderStore local_;
  ObjectStores* stores_;
  const CheckpointStorageOptions options_;
  LocalCopies* copies_ = nullptr;
  FileBytesRead* read_ = nullptr;
};

/// A path, or the path in a file: URI, or another URI with a scheme that is known; without '/' at its end.
/// Throws Error(kUser) for other schemes.
std::string locatedFolder(const std::string& uri);

}  // namespace flott
