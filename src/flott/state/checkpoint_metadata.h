// What a completed checkpoint consists of: for each operator and subtask where its state lies.
//
// Small state is in the metadata itself. Made by the coordinator in the master from what tasks acknowledged,
// read by whoever restores. Stored with a format version and a checksum. A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/time.h"
#include "flott/base/types.h"
#include "flott/data/checkpoint_properties.h"

namespace flott {

/// Some bytes of a snapshot: inlined, or a stretch of a file.
struct StateHandle {
  std::string inlined;
  std::string file;  // name within the checkpoint's folder; empty: inlined
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t checksum = 0;  // XXH3 of the bytes

  bool empty() const { return length == 0; }
  bool operator==(const StateHandle&) const = default;
};

/// A whole file that later checkpoints may have in common with the one that wrote it. It lies beside the
/// folders of checkpoints: shared/chk-<writtenBy>/<name>.
struct SharedFile {
  CheckpointId writtenBy;
  std::string name;
  std::string nameInStore;  // the local file that it was
  uint64_t length = 0;
  uint64_t checksum = 0;  // XXH3 of the bytes

  bool operator==(const SharedFile&) const = default;
};

/// What lies in shared files: a store on disk, as its files, or state in memory, segment by segment.
struct ColdSnapshot {
  /// A ColdImage beside a section with the rest, or a SharedSection in place of one; empty: there is no such
  /// part.
  StateHandle image;
  std::vector<SharedFile> files;

  uint64_t bytes() const;
  bool operator==(const ColdSnapshot&) const = default;
};

struct SubtaskSnapshot {
  bool finished = false;  // it had worked off all its input: it has no state, and is not to run again
  StateHandle keyed;      // a section, without what is in `cold`
  StateHandle operatorState;
  ColdSnapshot cold = {};

  /// `cold` is a SharedSection.
  bool sharesSegments() const { return keyed.empty() && !cold.image.empty(); }
  bool operator==(const SubtaskSnapshot&) const = default;
};

struct OperatorSnapshot {
  OperatorId id;
  std::string name;
  std::string uid;  // empty when the user gave none
  uint32_t maxParallelism = 0;
  std::vector<SubtaskSnapshot> subtasks;
  std::string enumerator;  // of a source: its split enumerator's state

  bool hasState() const;
  bool operator==(const OperatorSnapshot&) const = default;
};

/// What was on its way to one task, or had not left it, where a barrier has overtaken it.
struct ChannelSnapshot {
  OperatorId task;  // the head of its chain
  uint32_t subtask = 0;
  StateHandle elements;

  bool operator==(const ChannelSnapshot&) const = default;
};

struct CheckpointMetadata {
  CheckpointId id;
  Timestamp triggered;
  std::string jobName;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  std::vector<OperatorSnapshot> operators;
  std::vector<ChannelSnapshot> channels;  // of unaligned checkpoints
  /// Folder that the files lie in; known where it was read or written, not stored.
  std::string folder;

  uint64_t stateBytes() const;
  /// f(const SharedFile&) for each that it refers to.
  template <typename F>
  void forEachShared(F&& f) const {
    for (const OperatorSnapshot& op : operators) {
      for (const SubtaskSnapshot& subtask : op.subtasks) {
        for (const SharedFile& file : subtask.cold.files) f(file);
      }
    }
  }
  std::string encode() const;
  /// Throws Error(kCorruption) unless the bytes are what encode() gave; a format of a later version is
  /// Error(kUser).
  static CheckpointMetadata decode(std::string_view bytes);
};

}  // namespace flott
