// What an operator takes from its neighbours and from the environment, decided.
//
// resolve() is the first half of compile(): it checks the logical graph and fills in what the user left open.
// The plan printers share it, so that a plan shows what will run. Pure functions of the graph; any thread.
#pragma once

#include <string>
#include <vector>

#include "flott/graph/stream_graph.h"

namespace flott {

struct ResolvedNode {
  OperatorId id;
  int parallelism = 1;
  int maxParallelism = 128;
  std::string slotSharingGroup;
  std::vector<PartitionKind> inputKinds;  // one for each of StreamNode::inputs
};

/// By StreamNode::id − 1. Throws Error(kUser) that names the operators at fault.
std::vector<ResolvedNode> resolve(const StreamGraph& graph);

/// "Source: lines", "split", "Sink: print".
std::string displayName(const StreamNode& node);

}  // namespace flott
