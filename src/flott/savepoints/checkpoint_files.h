// A checkpoint or savepoint that lies somewhere, opened for looking at: its metadata, and parts of its files.
//
// Parts are read as they are asked for, so that nobody has to hold a file in memory. State that was stored as
// the files of a store on disk is unpacked at once: written to a temporary file as it is in savepoints.
// Opened by readers and by the `flott state` command; one thread at a time; all calls block. Errors name the
// file; what is there but wrong is an Error(kCorruption).
//
//   CheckpointFiles files(env, {}, "s3://bucket/checkpoints/5f2c…/chk-41");
//   std::string section = files.read(files.metadata().operators[0].subtasks[0].keyed);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "flott/env/env.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"
#include "flott/state/state_stream.h"

namespace flott {

/// For people: "operator 'count' (uid 'word-count')".
std::string nameOf(const OperatorSnapshot& op);
/// The id that an operator with this uid has.
OperatorId operatorIdOf(const std::string& uid);
/// By its id's 16 hex digits, its uid or its name. Throws Error(kUser) that names the nearest when there is
/// none, or when the name is that of several.
const OperatorSnapshot& findOperator(const CheckpointMetadata& checkpoint, const std::string& which);

class CheckpointFiles final : public StateParts {
 public:
  /// `path` is a folder with a _metadata file in it, or that file; also as a URI. `stores` are the
  /// storeOptions().
  CheckpointFiles(const Env& env, const StringMap& stores, const std::string& path);

  const CheckpointMetadata& metadata() const { return metadata_; }
  CheckpointMetadata& metadata() { return metadata_; }
  /// All of it, checked.
  std::string read(const StateHandle& handle);
  /// A part of it, not checked. `offset + length` is within it.
  std::string readPart(const StateHandle& handle, uint64_t offset, uint64_t length) override;
  /// "file '/chk-7/task-0-1'", which is _metadata for what is inlined.
  std::string placeOf(const StateHandle& handle) const;
  [[noreturn]] void failChecksum(const StateHandle& handle) const override;

 private:
  void unpack(const OperatorSnapshot& op, size_t index, SubtaskSnapshot& subtask);
  FileReader* unpacked(const StateHandle& handle) const;

  Env env_;
  CheckpointStorage storage_;
  FolderStore local_;
  CheckpointMetadata metadata_;
  std::shared_ptr<ObjectStore> remote_;                          // null: the files are local
  std::map<std::string, std::unique_ptr<FileReader>> unpacked_;  // have no name any more; by that in handles
};

}  // namespace flott
