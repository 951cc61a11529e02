#include "flott/master/watermark_alignment_groups.h"

#include <algorithm>

namespace flott {

std::vector<int> WatermarkAlignmentGroups::sources() const {
  std::vector<int> vertices;
  for (const auto& [vertex, alignment] : sources_) vertices.push_back(vertex);
  return vertices;
}

void WatermarkAlignmentGroups::report(int vertex, SubtaskIndex subtask, Timestamp time) {
  const auto source = sources_.find(vertex);
  if (source != sources_.end()) members_[source->second.group][{vertex, subtask.value}] = time;
}

Timestamp WatermarkAlignmentGroups::limit(int vertex) const {
  const WatermarkAlignment& alignment = sources_.at(vertex);
  Timestamp slowest = Timestamp::max();
  if (const auto members = members_.find(alignment.group); members != members_.end()) {
    for (const auto& [member, time] : members->second) slowest = std::min(slowest, time);
  }
  return slowest > Timestamp::max() - alignment.maxDrift ? Timestamp::max() : slowest + alignment.maxDrift;
}

}  // namespace flott
