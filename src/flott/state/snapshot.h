// Where the bytes of a cut go: the one door between state in memory and whatever keeps snapshots.
//
// After cut() a backend hands over every segment exactly once, as it was at the cut: early when the task is
// about to write to it, otherwise in the backend's own time. Called on the thread of the owning task; an
// implementation must copy what it keeps and return quickly (compressing and writing belong to other
// threads).
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "flott/base/types.h"

namespace flott {

/// Namespace of a table that has none; windows use the end of their slice.
inline constexpr int64_t kNoNamespace = std::numeric_limits<int64_t>::min();

/// A piece of one state in one key group: entries in the order of their key hash, each the encoded key and
/// then the encoded value. Pieces of a key group put in the order of `firstHash` are that key group's
/// canonical encoding, whatever the size and shape of the segments were.
struct SegmentImage {
  std::string_view state;
  int64_t nameSpace = kNoNamespace;
  KeyGroup keyGroup{};
  uint64_t firstHash = 0;
  uint32_t entries = 0;
  std::string_view bytes;
  /// Which of the schemas of this name it is of: others than the first are of states that were restored from
  /// subtasks with different ones, and are not registered yet.
  uint32_t variant = 0;
  bool restored = false;  // of a state that is not registered yet
};

class SegmentSink {
 public:
  virtual ~SegmentSink() = default;
  /// `image` is valid during the call only. May throw: the cut is then void and the task fails.
  virtual void take(const SegmentImage& image) = 0;
  /// Whether it has the segment from an earlier cut, and so is not handed it: `image` is without entries, and
  /// `changed` says how many cuts the backend had made when the segment last changed.
  virtual bool has(const SegmentImage& image, uint64_t changed) {
    (void)image;
    (void)changed;
    return false;
  }
};

}  // namespace flott
