// Which checkpoints need which shared files: a file goes when the last one that needs it does.
//
// A checkpoint needs its files while it is retained, and while one is under way that was told to build on it.
// Owned by the coordinator, used on the master's lane.
//
//   registry.retain(first);                      // complete
//   registry.hold(first.id);                     // the next one builds on it
//   registry.retain(next);                       // … and is complete
//   auto useless = registry.letGo(first.id);     // so that nothing builds on the first: none, it is retained
//   useless = registry.letGo(first.id);          // replaced: what `next` does not have
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "flott/base/types.h"
#include "flott/state/checkpoint_metadata.h"

namespace flott {

class SharedFileRegistry {
 public:
  void retain(const CheckpointMetadata& checkpoint);
  /// Of one that was retained.
  void hold(CheckpointId checkpoint);
  /// Ends one retain() or hold(). Returns the files that nobody needs any more. Does nothing for checkpoints
  /// that are not known.
  std::vector<SharedFile> letGo(CheckpointId checkpoint);
  /// All files that somebody needs, by pathOf().
  std::set<std::string> needed() const;

 private:
  struct Need {
    int holders = 0;
    std::vector<SharedFile> files;
  };
  std::map<CheckpointId, Need> checkpoints_;
  std::map<std::string, size_t> users_;  // by path, checkpoints that have the file
};

}  // namespace flott
