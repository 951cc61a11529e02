#include "flott/graph/internal/chaining.h"

namespace flott {
namespace {

bool mayChain(const StreamGraph& graph, const std::vector<ResolvedNode>& resolved, const StreamNode& node) {
  if (!graph.chaining || node.inputs.size() != 1) return false;
  const ResolvedNode& down = resolved[node.id - 1];
  // Forward implies equal parallelism.
  if (down.inputKinds[0] != PartitionKind::kForward) return false;

  const int from = node.inputs[0].from;
  const ResolvedNode& up = resolved[from - 1];
  return node.chaining == ChainingStrategy::kAlways &&
         graph.nodes[from - 1].chaining != ChainingStrategy::kNever &&
         up.slotSharingGroup == down.slotSharingGroup &&
         (graph.chainDifferentMaxParallelism || up.maxParallelism == down.maxParallelism);
}

}  // namespace

std::vector<bool> chainedToInput(const StreamGraph& graph, const std::vector<ResolvedNode>& resolved) {
  std::vector<bool> chained;
  chained.reserve(graph.nodes.size());
  for (const StreamNode& node : graph.nodes) chained.push_back(mayChain(graph, resolved, node));
  return chained;
}

}  // namespace flott
