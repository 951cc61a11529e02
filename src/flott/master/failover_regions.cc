#include "flott/master/failover_regions.h"

#include "flott/runtime/worker.h"

namespace flott {

FailoverRegions::FailoverRegions(const JobGraph& graph) {
  std::map<TaskKey, TaskKey> towards;  // another task of the same region; itself at the end of the way
  for (const JobVertex& vertex : graph.vertices) {
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask)
      towards[{vertex.id, subtask}] = {vertex.id, subtask};
  }
  const auto root = [&](TaskKey task) {
    while (towards[task] != task) task = towards[task] = towards[towards[task]];
    return task;
  };
  for (const JobEdge& edge : graph.edges) {
    const std::vector<std::vector<int>> reached = receiversOf(graph, edge);
    for (size_t sender = 0; sender < reached.size(); ++sender) {
      for (const int receiver : reached[sender])
        towards[root({edge.from, static_cast<int>(sender)})] = root({edge.to, receiver});
    }
  }
  std::map<TaskKey, size_t> numbers;
  for (const auto& [task, unused] : towards) {
    const auto [at, isNew] = numbers.emplace(root(task), regions_.size());
    if (isNew) regions_.emplace_back();
    regionOf_[task] = at->second;
    regions_[at->second].insert(task);
  }
}

}  // namespace flott
