#include "flott/graph/graph_digest.h"

#include <algorithm>

namespace flott {
namespace {

std::string lineOf(const JobVertex& vertex) {
  return "vertex " + std::to_string(vertex.id) + " '" + vertex.name + "' of parallelism " +
         std::to_string(vertex.parallelism) + ", at most " + std::to_string(vertex.maxParallelism) +
         ", in slots '" + vertex.slotSharingGroup + "'";
}

std::string lineOf(const JobVertex& vertex, const ChainedOperator& op) {
  std::string line = "operator '" + op.name + "' (id " + toString(op.id) + ") of vertex " +
                     std::to_string(vertex.id) + ", which goes to";
  for (const ChainedOutput& output : op.outputs) {
    line += " " + std::to_string(output.side.value) + ":";
    line +=
        output.to >= 0 ? "operator " + std::to_string(output.to) : "exchange " + std::to_string(output.edge);
  }
  return op.outputs.empty() ? line + " nothing" : line;
}

std::string lineOf(const JobEdge& edge) {
  return "exchange " + std::to_string(edge.id) + " from vertex " + std::to_string(edge.from) + " to input " +
         std::to_string(edge.input) + " of vertex " + std::to_string(edge.to) + ", by " +
         std::string(toString(edge.partitioning.kind));
}

}  // namespace

std::optional<std::string> GraphDigest::differenceTo(const GraphDigest& expected) const {
  if (lines == expected.lines) return std::nullopt;
  const auto quoted = [](const GraphDigest& digest, size_t line) {
    return line < digest.lines.size() ? "\"" + digest.lines[line] + "\"" : std::string("nothing more");
  };
  const auto [mine, theirs] =
      std::mismatch(lines.begin(), lines.end(), expected.lines.begin(), expected.lines.end());
  const auto at = static_cast<size_t>(mine - lines.begin());
  return "has " + quoted(*this, at) + " where " + quoted(expected, at) + " is expected";
}

GraphDigest digestOf(const JobGraph& graph) {
  GraphDigest digest;
  digest.lines.push_back("job '" + graph.jobName + "'");
  for (const JobVertex& vertex : graph.vertices) {
    digest.lines.push_back(lineOf(vertex));
    for (const ChainedOperator& op : vertex.chain) digest.lines.push_back(lineOf(vertex, op));
  }
  for (const JobEdge& edge : graph.edges) digest.lines.push_back(lineOf(edge));
  return digest;
}

}  // namespace flott
