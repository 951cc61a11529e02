// Which operators share a task: Flink's rules for chaining.
#pragma once

#include <vector>

#include "flott/graph/internal/resolve.h"

namespace flott {

/// By StreamNode::id − 1: the node takes the batches of its only input by a direct call. The others head a
/// chain.
std::vector<bool> chainedToInput(const StreamGraph& graph, const std::vector<ResolvedNode>& resolved);

}  // namespace flott
