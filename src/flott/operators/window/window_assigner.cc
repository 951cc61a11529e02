#include "flott/operators/window/window_assigner.h"

#include <algorithm>

namespace flott {

void mergeTimeWindows(std::span<const TimeWindow> windows, MergeCallback<TimeWindow>& merges) {
  std::vector<TimeWindow> sorted(windows.begin(), windows.end());
  std::sort(sorted.begin(), sorted.end());
  for (size_t first = 0; first < sorted.size();) {
    TimeWindow cover = sorted[first];
    size_t next = first + 1;
    for (; next < sorted.size() && sorted[next].start <= cover.end; ++next) {
      cover.end = std::max(cover.end, sorted[next].end);
    }
    if (next - first > 1) merges.merge(std::span(sorted).subspan(first, next - first), cover);
    first = next;
  }
}

}  // namespace flott
