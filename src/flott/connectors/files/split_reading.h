// How one split is read: between the file reader, which keeps a few of these going, and a kind of format.
//
// Owned by a reader, called by its task's thread; what blocks is off-loaded. It begins to read when it is
// made, so that the next split's first bytes are there when the one before ends.
#pragma once

#include <memory>

#include "flott/connectors/files/file_source_options.h"
#include "flott/connectors/files/file_split.h"
#include "flott/operators/source.h"

namespace flott {

class SplitReading {
 public:
  virtual ~SplitReading() = default;
  /// As SourceReader::poll(); kEnd: the split is read.
  virtual Poll poll(Output& output) = 0;
  /// The split with its position behind what was emitted.
  virtual FileSplit split() const = 0;
};

/// Shared by master and tasks, and never changes.
class FileFormat {
 public:
  virtual ~FileFormat() = default;
  /// Whether the file may be read in parts.
  virtual bool splittable(const std::string& path) const = 0;
  virtual std::unique_ptr<SplitReading> read(SourceReaderContext& context, FileSplit split,
                                             const FileSourceOptions& options) const = 0;
};

}  // namespace flott
