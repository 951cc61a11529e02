// Copies of what tasks have written of checkpoints, on a disk of their own machine: a task that starts again
// there reads them instead of the files where checkpoints lie.
//
//   <folder>/chk-7/task-1-0                 of <checkpoints>/chk-7/task-1-0
//   <folder>/shared/chk-5/task-1-0-…        of <checkpoints>/shared/chk-5/task-1-0-…
//
// A CheckpointStorage that has one writes each file twice and reads the copy where it is there and whole: the
// checksum that the checkpoint has of it must fit. So nothing is believed of what lies in the folder, and
// nothing is lost with it: a copy that cannot be written is none, one that cannot be read or does not fit is
// removed, and the log says so. Of each task there are the copies of the newest complete checkpoint and of
// those under way; several processes may use one folder. Any thread; blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "flott/base/function.h"
#include "flott/base/types.h"
#include "flott/env/files.h"
#include "flott/env/object_store.h"
#include "flott/state/checkpoint_metadata.h"

namespace flott {

class Logger;

class LocalCopies {
 public:
  struct Options {
    std::string folder;       // of the copies, of this job alone
    std::string checkpoints;  // of the job, as CheckpointStorage::folder()
    bool reads = true;        // otherwise copies are only made
  };
  /// What is referred to outlives it.
  LocalCopies(Files& files, Logger& log, Options options);
  ~LocalCopies();

  const std::string& folder() const { return options_.folder; }

  // Never throw. `path` is that of the file itself; files that are not of the job's own checkpoints have no
  // copies.

  /// Null: there will be none. What it writes may be less than what it is given; it appears with close().
  std::unique_ptr<ObjectWriter> create(const std::string& path);
  void put(const std::string& path, std::span<const std::string> parts);
  /// The bytes of a section that lies at `handle.offset` of the file. Nothing where there is no copy that
  /// fits.
  std::optional<std::string> read(const std::string& path, const StateHandle& handle);
  /// A part of it.
  std::optional<std::string> readPart(const std::string& path, const StateHandle& handle, uint64_t offset,
                                      uint64_t length);
  /// Hands over the whole file, a part at a time, and returns true; or nothing, and false. Throws
  /// Error(kTransient) when it turns out after the first part that it does not fit; then it is gone.
  bool readAll(const std::string& path, uint64_t length, uint64_t checksum,
               MoveFunction<void(std::string_view)>& take);

  /// A task ("task-1-0") needs nothing of checkpoints before this one, nor shared files (pathOf()) other than
  /// these.
  void completed(const std::string& task, CheckpointId checkpoint, const std::set<std::string>& shared);
  /// The checkpoint will never be complete.
  void abandoned(const std::string& task, CheckpointId checkpoint);
  /// The job has ended.
  void removeAll();

 private:
  class Writer;
  /// Where a copy of the file is, or would be.
  std::optional<std::string> placeOf(const std::string& path) const;
  bool isWhole(const std::string& place, uint64_t offset, uint64_t length, uint64_t checksum, bool anew);
  bool fits(const std::string& place, uint64_t offset, uint64_t length, uint64_t checksum);
  void reject(const std::string& place, const std::string& why);
  void removeOf(const std::string& task, const std::string& folder);
  void removeIfEmpty(const std::string& folder);

  Files& files_;
  Logger& log_;
  const Options options_;
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

}  // namespace flott
