// Makes few large files of a file sink's many small ones, before anybody sees them.
//
// Parts that are closed and pending come here instead of being committed. They are gathered by folder; when a
// folder has enough bytes, or has waited for enough checkpoints, its parts are joined to a new hidden part on
// an off-load thread. That part is committed in their place, and behind it come commits that remove them. All
// that is gathered or being joined is in the state, and so is the name of what it is joined to: after a
// failure that file is removed, and the joining done again. So what is public is either all of the parts or
// none, and was never public before.
//
//   gather ─▶ ripe ─▶ join (off-loaded) ─▶ take() at a barrier ─▶ committed: published, the parts removed
//
// Used by PartFiles, on the task's thread. One joining at a time; behind() is true while too many wait.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/function.h"
#include "flott/base/memory_size.h"
#include "flott/connectors/files/part_file.h"

namespace flott {

class BulkFormat;
class OperatorContext;
template <typename T>
class OperatorListState;
class PartStore;

/// When pending files of a folder are made one.
struct CompactionPolicy {
  /// After so many checkpoints, whatever there is.
  int checkpoints = 10;
  /// As soon as they have so many bytes together. A file of this size is published as it is.
  MemorySize size = MemorySize::mb(128);
};

class PartCompaction {
 public:
  /// The name of a new part in a folder.
  using NewPart = MoveFunction<PartFile(const std::string& folder)>;

  /// `head` is what each file of rows begins with; `bulk` is null for these.
  /// Without a policy parts are committed as they are, also those that another program had gathered.
  PartCompaction(std::optional<CompactionPolicy> policy, std::string head,
                 std::shared_ptr<const BulkFormat> bulk);
  ~PartCompaction();

  /// Takes over what was restored. Returns the files that were being made then, which nobody needs.
  std::vector<PartFile> open(OperatorContext& context, std::shared_ptr<PartStore> store, NewPart newPart);
  void gather(std::vector<PartFile> closed);
  /// Whatever is gathered is to be joined: no more follows.
  void finish();
  /// Nothing is being joined or waits to be.
  bool idle() const { return !joining_ && ripe_.empty(); }
  bool behind() const { return ripe_.size() > kRipeGroups; }
  /// What is to be committed, in this order.
  std::vector<PartFile> take();
  void cut();

 private:
  /// Groups that may wait to be joined before the sink takes no more records.
  static constexpr size_t kRipeGroups = 16;

  struct Group {
    std::vector<PartFile> parts;
    uint64_t bytes = 0;
    int checkpoints = 0;  // since the first of them came
  };
  struct Joining;

  void add(PartFile part);
  /// It is committed as it is.
  void pass(PartFile part);
  void start();
  void done(Joining& joining);

  const std::optional<CompactionPolicy> policy_;
  const std::string head_;
  const std::shared_ptr<const BulkFormat> bulk_;
  OperatorContext* context_ = nullptr;
  std::shared_ptr<PartStore> store_;
  NewPart newPart_;
  OperatorListState<PartFile>* gatheredState_ = nullptr;
  OperatorListState<PartFile>* madeState_ = nullptr;
  std::vector<PartFile> restored_;       // until the first call that gathers
  std::map<std::string, Group> groups_;  // by folder
  std::deque<Group> ripe_;
  std::shared_ptr<Joining> joining_;  // on an off-load thread
  std::vector<PartFile> finished_;    // to be taken
  std::vector<PartFile> source_;      // what that was made of, until it is taken
  std::vector<PartFile> made_;        // what of that was made by joining
};

}  // namespace flott
