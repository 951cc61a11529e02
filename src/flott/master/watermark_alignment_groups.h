// The alignment groups of a job: how far their members are, and how far each may go.
//
// A member is one subtask of a source. The slowest member of a group that counts decides for all; one that
// has not said anything yet, is idle or has ended does not count. Owned by the master.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/types.h"
#include "flott/operators/watermark_alignment.h"

namespace flott {

class WatermarkAlignmentGroups {
 public:
  void add(int vertex, WatermarkAlignment alignment) { sources_.emplace(vertex, std::move(alignment)); }
  std::vector<int> sources() const;
  const WatermarkAlignment& of(int vertex) const { return sources_.at(vertex); }
  /// Timestamp::max(): does not count. Vertices without alignment are ignored.
  void report(int vertex, SubtaskIndex subtask, Timestamp time);
  /// What the watermark of the source's readers may reach; Timestamp::max() for no limit.
  Timestamp limit(int vertex) const;

 private:
  std::map<int, WatermarkAlignment> sources_;
  std::map<std::string, std::map<std::pair<int, int>, Timestamp>> members_;  // by group: vertex, subtask
};

}  // namespace flott
