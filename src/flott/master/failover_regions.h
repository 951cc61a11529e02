// The parts of a job that fail and start again on their own: tasks that channels connect, directly or by way
// of others, are one region.
//
// A job whose records are keyed somewhere is one region below and above that place. One of n pipelines side
// by side, or of parts that nothing connects, is several. Made once for a job; then only read.
//
//   FailoverRegions regions(graph);
//   for (TaskKey task : regions.tasks(regions.of(failed))) …;
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "flott/graph/job_graph.h"

namespace flott {

/// Vertex and subtask.
using TaskKey = std::pair<int, int>;
using TaskSet = std::set<TaskKey>;

class FailoverRegions {
 public:
  explicit FailoverRegions(const JobGraph& graph);

  size_t count() const { return regions_.size(); }
  size_t of(TaskKey task) const { return regionOf_.at(task); }
  const TaskSet& tasks(size_t region) const { return regions_[region]; }

 private:
  std::map<TaskKey, size_t> regionOf_;
  std::vector<TaskSet> regions_;
};

}  // namespace flott
