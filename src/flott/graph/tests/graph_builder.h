// Builds logical graphs for the tests of this room, as the API does: a node's inputs exist before it.
//
//   GraphBuilder job;
//   const int lines = job.source("lines");
//   job.sink("print", {lines});
//   compile(job.graph);
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/graph/job_graph.h"
#include "flott/graph/stream_graph.h"

namespace flott {

class IgnoringHasher final : public KeyHasher {
 public:
  void hash(Batch&) const override {}
};

class IgnoringRouter final : public RowRouter {
 public:
  void route(const Batch&, uint32_t, uint32_t*) const override {}
};

struct GraphBuilder {
  GraphBuilder() { graph.jobName = "test"; }

  int source(std::string name) { return add(NodeKind::kSource, std::move(name), {}); }
  int map(std::string name, std::initializer_list<int> inputs) {
    return add(NodeKind::kOperator, std::move(name), inputs);
  }
  int sink(std::string name, std::initializer_list<int> inputs) {
    return add(NodeKind::kSink, std::move(name), inputs);
  }
  /// An operator behind an exchange that the user asked for.
  int map(std::string name, int input, PartitionKind kind) {
    const int id = map(std::move(name), {input});
    StreamEdge& edge = node(id).inputs[0];
    edge.kind = kind;
    if (kind == PartitionKind::kHash) edge.partitioning.hasher = std::make_shared<IgnoringHasher>();
    if (kind == PartitionKind::kCustom) edge.partitioning.router = std::make_shared<IgnoringRouter>();
    return id;
  }
  /// Inputs 0, 1, …, one for each stream.
  int connect(std::string name, std::initializer_list<int> inputs) {
    const int id = map(std::move(name), inputs);
    int number = 0;
    for (StreamEdge& edge : node(id).inputs) edge.input = number++;
    return id;
  }

  StreamNode& node(int id) { return graph.nodes[id - 1]; }

  StreamGraph graph;

 private:
  int add(NodeKind kind, std::string name, std::initializer_list<int> inputs) {
    StreamNode node;
    node.id = static_cast<int>(graph.nodes.size()) + 1;
    node.kind = kind;
    node.name = std::move(name);
    for (const int from : inputs) {
      StreamEdge edge;
      edge.from = from;
      node.inputs.push_back(edge);
    }
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back().id;
  }
};

inline std::vector<std::string> vertexNames(const JobGraph& job) {
  std::vector<std::string> names;
  for (const JobVertex& vertex : job.vertices) names.push_back(vertex.name);
  return names;
}

/// The operator made from a node, wherever it was chained to.
inline const ChainedOperator& operatorOf(const JobGraph& job, int node) {
  for (const JobVertex& vertex : job.vertices) {
    for (const ChainedOperator& op : vertex.chain) {
      if (op.node == node) return op;
    }
  }
  FLOTT_CHECK(false, "node " + std::to_string(node) + " is in no vertex");
}

/// The text of the Error(kUser) with which the graph is refused; "accepted" when it is not.
inline std::string refusal(const StreamGraph& graph) {
  try {
    compile(graph);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kUser ? error.what() : "not the user's fault";
  }
  return "accepted";
}

}  // namespace flott
