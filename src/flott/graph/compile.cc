#include <algorithm>
#include <map>

#include "flott/base/error.h"
#include "flott/graph/internal/chaining.h"
#include "flott/graph/internal/resolve.h"
#include "flott/graph/job_graph.h"

namespace flott {
namespace {

class Compiler {
 public:
  explicit Compiler(const StreamGraph& graph)
      : graph_(graph),
        resolved_(resolve(graph)),
        chained_(chainedToInput(graph, resolved_)),
        chainedConsumers_(graph.nodes.size()),
        places_(graph.nodes.size()) {}

  JobGraph run() {
    job_.jobName = graph_.jobName;
    for (const StreamNode& node : graph_.nodes) {
      if (chained_[node.id - 1]) chainedConsumers_[node.inputs[0].from - 1].push_back(node.id);
    }
    // Only heads have inputs from other vertices, so the creation order of the heads is a topological order.
    for (const StreamNode& node : graph_.nodes) {
      if (node.inputs.empty()) addVertex(node);
    }
    for (const StreamNode& node : graph_.nodes) {
      if (!node.inputs.empty() && !chained_[node.id - 1]) addVertex(node);
    }
    for (const StreamNode& node : graph_.nodes) connect(node);
    for (JobVertex& vertex : job_.vertices) {
      std::stable_sort(vertex.inputEdges.begin(), vertex.inputEdges.end(),
                       [&](int a, int b) { return job_.edges[a].input < job_.edges[b].input; });
    }
    groupSlots();
    return std::move(job_);
  }

 private:
  struct Place {
    int vertex = 0;
    int chainIndex = 0;
  };

  void addVertex(const StreamNode& head) {
    const ResolvedNode& resolved = resolved_[head.id - 1];
    JobVertex vertex;
    vertex.id = static_cast<int>(job_.vertices.size());
    vertex.parallelism = resolved.parallelism;
    vertex.maxParallelism = resolved.maxParallelism;
    vertex.slotSharingGroup = resolved.slotSharingGroup;
    addToChain(head, vertex);
    appendInALine(head, displayName, vertex.name);
    if (graph_.vertexIndexPrefix) vertex.name = "[vertex-" + std::to_string(vertex.id) + "]" + vertex.name;
    if (graph_.cascadingDescriptions) {
      appendInALine(head, describe, vertex.description);
    } else {
      appendAsTree(head, "", vertex.description);
    }
    job_.vertices.push_back(std::move(vertex));
  }

  static std::string describe(const StreamNode& node) {
    return node.description.empty() ? displayName(node) : node.description;
  }

  const std::vector<int>& chainedAfter(const StreamNode& node) const {
    return chainedConsumers_[node.id - 1];
  }

  // "a -> b -> (c, d)"
  template <typename Text>
  void appendInALine(const StreamNode& node, Text&& text, std::string& line) const {
    line += text(node);
    const std::vector<int>& consumers = chainedAfter(node);
    const bool branches = consumers.size() > 1;
    for (size_t i = 0; i < consumers.size(); ++i) {
      line += i > 0 ? ", " : branches ? " -> (" : " -> ";
      appendInALine(graph_.nodes[consumers[i] - 1], text, line);
    }
    if (branches) line += ")";
  }

  // a
  // :- b
  // :  +- c
  // +- d
  void appendAsTree(const StreamNode& node, const std::string& indent, std::string& lines) const {
    lines += describe(node) + "\n";
    const std::vector<int>& consumers = chainedAfter(node);
    for (size_t i = 0; i < consumers.size(); ++i) {
      const bool last = i + 1 == consumers.size();
      lines += indent + (last ? "+- " : ":- ");
      appendAsTree(graph_.nodes[consumers[i] - 1], indent + (last ? "   " : ":  "), lines);
    }
  }

  // Depth first, so that a branch of the chain lies together.
  void addToChain(const StreamNode& node, JobVertex& vertex) {
    places_[node.id - 1] = {vertex.id, static_cast<int>(vertex.chain.size())};
    ChainedOperator& added = vertex.chain.emplace_back();
    added.node = node.id;
    added.id = resolved_[node.id - 1].id;
    added.name = node.name;
    added.uid = node.uid;
    added.op = node.op;
    added.source = node.source;
    for (const int consumer : chainedAfter(node)) addToChain(graph_.nodes[consumer - 1], vertex);
  }

  // Consumers are connected in the order of their creation: that is the order of each operator's outputs.
  void connect(const StreamNode& node) {
    const Place to = places_[node.id - 1];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const StreamEdge& input = node.inputs[i];
      const Place from = places_[input.from - 1];
      ChainedOutput output;
      output.side = input.side;
      if (chained_[node.id - 1]) {
        output.to = to.chainIndex;
      } else {
        output.edge = addEdge(input, resolved_[node.id - 1].inputKinds[i], from, to);
      }
      job_.vertices[from.vertex].chain[from.chainIndex].outputs.push_back(output);
    }
  }

  int addEdge(const StreamEdge& input, PartitionKind kind, Place from, Place to) {
    JobEdge edge;
    edge.id = static_cast<int>(job_.edges.size());
    edge.from = from.vertex;
    edge.to = to.vertex;
    edge.fromOperator = from.chainIndex;
    edge.input = input.input;
    edge.side = input.side;
    edge.partitioning = input.partitioning;
    edge.partitioning.kind = kind;
    edge.bufferTimeout = graph_.nodes[input.from - 1].bufferTimeout.value_or(graph_.bufferTimeout);
    edge.pool = poolOf(graph_.nodes[input.from - 1], input.side);
    FLOTT_CHECK(edge.from < edge.to, "vertices are not in topological order");
    job_.vertices[edge.from].outputEdges.push_back(edge.id);
    job_.vertices[edge.to].inputEdges.push_back(edge.id);
    job_.edges.push_back(std::move(edge));
    return job_.edges.back().id;
  }

  static PoolOf poolOf(const StreamNode& from, SideOutputIndex side) {
    if (side.value < 0) return from.outputPool;
    for (const SideOutput& output : from.sideOutputs) {
      if (output.index == side) return output.pool;
    }
    return nullptr;
  }

  void groupSlots() {
    std::map<std::string, size_t> places;
    for (const JobVertex& vertex : job_.vertices) {
      const auto [at, added] = places.emplace(vertex.slotSharingGroup, job_.slotGroups.size());
      if (added) job_.slotGroups.push_back(slotGroup(vertex.slotSharingGroup));
      int& slots = job_.slotGroups[at->second].slots;
      slots = std::max(slots, vertex.parallelism);
    }
    job_.slots = 0;
    for (const JobSlotGroup& group : job_.slotGroups) job_.slots += group.slots;
  }

  JobSlotGroup slotGroup(const std::string& name) const {
    JobSlotGroup group{.name = name, .slots = 1, .resources = {}};
    const auto resources = graph_.slotResources.find(name);
    if (resources != graph_.slotResources.end()) group.resources = resources->second;
    return group;
  }

  const StreamGraph& graph_;
  const std::vector<ResolvedNode> resolved_;
  const std::vector<bool> chained_;
  std::vector<std::vector<int>> chainedConsumers_;  // node ids, by StreamNode::id − 1
  std::vector<Place> places_;                       // by StreamNode::id − 1
  JobGraph job_;
};

}  // namespace

JobGraph compile(const StreamGraph& graph) { return Compiler(graph).run(); }

}  // namespace flott
