// Finds the files of a source, cuts them into splits and hands these out: one list for all readers, in order.
//
// Lives in the master. Listing blocks, so it goes through callAsync(). Bounded, it lists once; continuous,
// again and again, and remembers each file's time of change, so that only new files and changed ones become
// splits. That memory grows with the number of files that are there.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flott/connectors/files/split_reading.h"
#include "flott/env/files.h"
#include "flott/operators/typed_source.h"

namespace flott {

/// What a checkpoint keeps.
struct FileEnumeratorState {
  bool listed = false;                    // bounded: the splits are all there are
  std::map<std::string, Timestamp> seen;  // continuous: time of change by path
  std::vector<FileSplit> unassigned;
};

class FileEnumerator final : public TypedEnumerator<FileSplit, FileEnumeratorState> {
 public:
  FileEnumerator(std::vector<std::string> paths, std::shared_ptr<const FileFormat> format,
                 const FileSourceOptions& options, FileEnumeratorState restored);

  void start(EnumeratorContext<FileSplit>& context) override;
  void addReader(SubtaskIndex) override {}
  void handleSplitRequest(SubtaskIndex reader) override;
  void addSplitsBack(std::vector<FileSplit> splits, SubtaskIndex reader) override;
  FileEnumeratorState snapshot() const override;

 private:
  bool continuous() const { return options_.discoveryInterval.ms > 0; }
  void list();
  void take(const std::vector<FileInfo>& files);
  void cut(const FileInfo& file, uint64_t splitSize);
  void handOut();

  const std::vector<std::string> paths_;
  const std::shared_ptr<const FileFormat> format_;
  const FileSourceOptions options_;
  bool listed_;
  std::map<std::string, Timestamp> seen_;
  std::deque<FileSplit> unassigned_;
  std::deque<SubtaskIndex> waiting_;
  EnumeratorContext<FileSplit>* context_ = nullptr;
};

/// The files behind one path of FilePaths, sorted. A path where nothing is: Error(kUser), or no files if it
/// `mayCome`.
std::vector<FileInfo> findFiles(Files& files, const std::string& path, bool mayCome);

}  // namespace flott
