#include "flott/api/process.h"

namespace flott {

void noteSideOutput(StreamNode& node, SideOutput side) {
  for (const SideOutput& other : node.sideOutputs) {
    if (other.name == side.name) {
      if (other.type != side.type) throwSideOutputTypes(side.name, other.type, side.type);
      return;
    }
    if (other.index == side.index) throwSideOutputNames(other.name, side.name);
  }
  node.sideOutputs.push_back(std::move(side));
}

}  // namespace flott
