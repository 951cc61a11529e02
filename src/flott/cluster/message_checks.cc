#include "flott/cluster/message_checks.h"

#include <algorithm>
#include <string>

#include "flott/base/error.h"
#include "flott/runtime/worker.h"

namespace flott {
namespace {

const JobVertex& at(const JobGraph& graph, int vertex) { return graph.vertices[static_cast<size_t>(vertex)]; }

void check(bool fits, const JobGraph& graph, int vertex, const std::string& what) {
  if (!fits) throw Error(ErrorKind::kBug, "it " + what + ": task '" + at(graph, vertex).name + "'");
}

bool isInput(const JobGraph& graph, int vertex, int edge) {
  const std::vector<int>& inputs = at(graph, vertex).inputEdges;
  return std::find(inputs.begin(), inputs.end(), edge) != inputs.end();
}

}  // namespace

void checkTask(const JobGraph& graph, int vertex, int subtask) {
  const bool known = vertex >= 0 && static_cast<size_t>(vertex) < graph.vertices.size() && subtask >= 0 &&
                     subtask < at(graph, vertex).parallelism;
  if (known) return;
  throw Error(ErrorKind::kBug, "it speaks of a task that the job does not have: subtask " +
                                   std::to_string(subtask) + " of vertex " + std::to_string(vertex));
}

void checkReads(const JobGraph& graph, int vertex) {
  check(at(graph, vertex).chain.front().source != nullptr, graph, vertex, "takes a task for a source");
}

void checkFits(const JobGraph& graph, int vertex, const TaskSnapshot& snapshot) {
  check(snapshot.operators.size() == at(graph, vertex).chain.size(), graph, vertex,
        "has state of another number of operators");
}

void checkFits(const JobGraph& graph, int vertex, const TaskTimes& times) {
  check(times.nodes.size() == at(graph, vertex).chain.size(), graph, vertex,
        "has times of another number of operators");
  for (const TaskTimes::Input& input : times.inputs) {
    check(isInput(graph, vertex, input.edge), graph, vertex, "has times of an exchange that is no input");
    const JobEdge& edge = graph.edges[static_cast<size_t>(input.edge)];
    check(input.sender >= 0 && input.sender < at(graph, edge.from).parallelism, graph, vertex,
          "has times of a sender that is none");
  }
}

// Senders of channels are those of the job before.
void checkFits(const JobGraph& graph, int vertex, const RestoredTask& restored) {
  check(restored.operators.empty() || restored.operators.size() == at(graph, vertex).chain.size(), graph,
        vertex, "restores another number of operators");
  for (const RestoredChannel& channel : restored.channels)
    check(isInput(graph, vertex, channel.edge), graph, vertex, "restores an exchange that is no input");
}

void checkPlaces(const JobGraph& graph, const std::set<std::pair<int, int>>& mine,
                 const std::set<std::pair<int, int>>& elsewhere) {
  const auto checkChannel = [&](std::pair<int, int> task, std::pair<int, int> other) {
    if (!mine.contains(task) || mine.contains(other) || elsewhere.contains(other)) return;
    check(false, graph, task.first, "does not say where a task is that this one has a channel with");
  };
  for (const JobEdge& edge : graph.edges) {
    const std::vector<std::vector<int>> reached = receiversOf(graph, edge);
    for (int sender = 0; sender < static_cast<int>(reached.size()); ++sender) {
      for (const int receiver : reached[static_cast<size_t>(sender)]) {
        checkChannel({edge.from, sender}, {edge.to, receiver});
        checkChannel({edge.to, receiver}, {edge.from, sender});
      }
    }
  }
}

}  // namespace flott
