#include <nlohmann/json.hpp>
#include <string_view>

#include "flott/graph/internal/resolve.h"
#include "flott/graph/job_graph.h"

namespace flott {
namespace {

using Json = nlohmann::ordered_json;

const char* pactOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kSource:
      return "Data Source";
    case NodeKind::kOperator:
      return "Operator";
    case NodeKind::kSink:
      return "Data Sink";
  }
  return "Operator";
}

Json planNode(const StreamNode& node, const ResolvedNode& resolved) {
  Json plan;
  plan["id"] = node.id;
  plan["type"] = displayName(node);
  plan["pact"] = pactOf(node.kind);
  plan["contents"] = node.description.empty() ? displayName(node) : node.description;
  plan["parallelism"] = resolved.parallelism;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Json predecessor;
    predecessor["id"] = node.inputs[i].from;
    predecessor["ship_strategy"] = toString(resolved.inputKinds[i]);
    predecessor["side"] = node.inputs[i].input == 0 ? "first" : "second";
    plan["predecessors"].push_back(std::move(predecessor));
  }
  return plan;
}

Json planGroup(const JobSlotGroup& group) {
  Json plan;
  plan["name"] = group.name;
  plan["slots"] = group.slots;
  plan["cpu_cores"] = group.resources->cpuCores;
  plan["task_memory"] = group.resources->taskMemory.bytes;
  plan["managed_memory"] = group.resources->managedMemory.bytes;
  plan["external"] = Json::object();
  for (const auto& [name, amount] : group.resources->external) plan["external"][name] = amount;
  return plan;
}

std::string nameOf(const StreamNode& node, SideOutputIndex index) {
  for (const SideOutput& side : node.sideOutputs) {
    if (side.index == index) return side.name;
  }
  return std::to_string(index.value);
}

class TreePrinter {
 public:
  TreePrinter(const StreamGraph& graph, const JobGraph& job) : graph_(graph), job_(job) {}

  std::string print() {
    text_ = "Job '" + job_.jobName + "' (vertices: " + std::to_string(job_.vertices.size()) +
            ", slots: " + std::to_string(job_.slots) + ")\n";
    for (const JobVertex& vertex : job_.vertices) {
      text_ += "\nVertex " + std::to_string(vertex.id) + ": " + vertex.name + "\n";
      text_ += "  parallelism " + std::to_string(vertex.parallelism) + ", max parallelism " +
               std::to_string(vertex.maxParallelism) + ", slot sharing group '" + vertex.slotSharingGroup +
               "'\n";
      printOperator(vertex, 0, 1);
    }
    printSlots();
    return std::move(text_);
  }

 private:
  void printSlots() {
    for (const JobSlotGroup& group : job_.slotGroups) {
      if (!group.resources) continue;
      text_ += "\nSlot sharing group '" + group.name + "': " + std::to_string(group.slots) +
               (group.slots == 1 ? " slot of " : " slots, each of ") + toString(*group.resources) + "\n";
    }
  }

  void printOperator(const JobVertex& vertex, int index, size_t depth) {
    const ChainedOperator& op = vertex.chain[index];
    const StreamNode& node = graph_.nodes[op.node - 1];
    indent(depth);
    text_ += displayName(node);
    if (!node.description.empty()) text_ += ": " + node.description;
    text_ += " [id " + toString(op.id);
    if (!op.uid.empty()) text_ += ", uid '" + op.uid + "'";
    text_ += "]";
    if (!node.outputType.empty()) text_ += " gives " + node.outputType;
    text_ += "\n";
    for (const ChainedOutput& output : op.outputs) {
      if (output.to >= 0) {
        printOperator(vertex, output.to, depth + 1);
      } else {
        printExchange(job_.edges[output.edge], depth + 1);
      }
    }
  }

  void printExchange(const JobEdge& edge, size_t depth) {
    indent(depth);
    text_ += "=> ";
    text_ += toString(edge.partitioning.kind);
    text_ += " to vertex " + std::to_string(edge.to) + ", input " + std::to_string(edge.input);
    if (edge.side.value >= 0) {
      const int node = job_.vertices[edge.from].chain[edge.fromOperator].node;
      text_ += ", side output '" + nameOf(graph_.nodes[node - 1], edge.side) + "'";
    }
    text_ += "\n";
  }

  void indent(size_t depth) { text_.append(2 * depth, ' '); }

  const StreamGraph& graph_;
  const JobGraph& job_;
  std::string text_;
};

}  // namespace

std::string planJson(const StreamGraph& graph) {
  const std::vector<ResolvedNode> resolved = resolve(graph);
  Json plan;
  plan["nodes"] = Json::array();
  for (const StreamNode& node : graph.nodes) plan["nodes"].push_back(planNode(node, resolved[node.id - 1]));
  for (const JobSlotGroup& group : compile(graph).slotGroups) {
    if (group.resources) plan["slot_sharing_groups"].push_back(planGroup(group));
  }
  // A name that is not UTF-8 must not fail the plan.
  return plan.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string planTree(const StreamGraph& graph, const JobGraph& job) {
  return TreePrinter(graph, job).print();
}

}  // namespace flott
