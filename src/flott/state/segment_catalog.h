// Where the segments of state in memory lie when checkpoints share them: a cut writes those that changed
// since an earlier one, and refers to that one's files for the others.
//
// A section (keyed_snapshot.h) is then its header and stretches of files, put one after the other: whoever
// restores it sees no difference. The catalog, which says what is where, stays with the task that made the
// cut, for the next one to build on. Files of which less than half is still needed are not referred to any
// more, nor are the smaller ones when there are many: their segments are written anew.
//
//   SegmentCatalog catalog = writer.takeCatalog();          // the cut is encoded,
//   catalog.addFile(file);                                  // and what it gave is in this file
//   std::string image = catalog.section().encode();         // goes to the checkpoint, with catalog.files()
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/function.h"
#include "flott/state/checkpoint_metadata.h"
#include "flott/state/checkpoint_storage.h"

namespace flott {

/// A section in shared files, as a checkpoint stores it beside them (ColdSnapshot::image).
struct SharedSection {
  struct Stretch {
    uint32_t file = 0;  // its place among the files
    uint64_t offset = 0;
    uint64_t length = 0;

    bool operator==(const Stretch&) const = default;
  };

  std::string header;
  std::vector<Stretch> stretches;  // in the order of the files, and of the places in them

  std::string encode() const;
  /// Throws Error(kCorruption) unless the bytes are what encode() gave; a format of a later version is
  /// Error(kUser).
  static SharedSection decode(std::string_view bytes);
};

/// Hands over a section of the checkpoint in `folder`, a part at a time. Throws Error(kCorruption) that names
/// the file when it is damaged or missing, at the latest at the file's end.
void readSharedSection(CheckpointStorage& storage, const std::string& folder, const ColdSnapshot& stored,
                       MoveFunction<void(std::string_view)> take);

/// Of one cut of one operator's state.
class SegmentCatalog {
 public:
  /// Which segment it is.
  struct Id {
    uint64_t state = 0;  // its number in the header
    int64_t nameSpace = 0;
    uint64_t firstHash = 0;

    auto operator<=>(const Id&) const = default;
  };

  /// `cut` is its number. `base` is that of an earlier cut, or null.
  SegmentCatalog(uint64_t cut, std::string header, const SegmentCatalog* base);

  uint64_t cut() const { return cut_; }
  const std::string& header() const { return header_; }
  const std::vector<SharedFile>& files() const { return files_; }
  /// Of segments that are written anew, and of those that the base's files have.
  uint64_t writtenBytes() const { return writtenBytes_; }
  uint64_t keptBytes() const { return keptBytes_; }

  /// What was written has so many bytes of this segment next.
  void add(const Id& id, uint64_t bytes);
  /// The same, of what cannot be known again.
  void add(uint64_t bytes) { writtenBytes_ += bytes; }
  /// Whether the base has the segment where it may stay, as it has not changed since cut `changed`.
  bool keep(const SegmentCatalog& base, const Id& id, uint64_t changed);

  /// After the last segment: drops files that are not needed. `written` holds what was written, if that is
  /// anything.
  void finish(const SharedFile* written);
  SharedSection section() const;

 private:
  struct Place {
    uint32_t file = 0;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  std::vector<uint64_t> bytesByFile() const;

  const uint64_t cut_;
  const std::string header_;
  std::vector<SharedFile> files_;  // the base's, and after finish() that which was written
  std::vector<bool> givenUp_;      // of the base's files
  std::map<Id, Place> places_;
  uint64_t writtenBytes_ = 0;
  uint64_t keptBytes_ = 0;
  bool wrote_ = false;  // the last file is the cut's own, needed as a whole
};

}  // namespace flott
