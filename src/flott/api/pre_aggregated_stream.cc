#include "flott/api/pre_aggregated_stream.h"

namespace flott::internal {

StreamHandle unpartitioned(const StreamHandle& keyed) {
  std::vector<StreamOrigin> origins = keyed.origins();
  for (StreamOrigin& origin : origins) {
    origin.kind.reset();
    origin.partitioning = {};
  }
  return StreamHandle(keyed.shared(), std::move(origins));
}

void beAsParallelAs(StreamNode& node, const StreamHandle& stream) {
  const StreamNode& first = stream.program().node(stream.origins().front().node);
  for (const StreamOrigin& origin : stream.origins()) {
    if (stream.program().node(origin.node).parallelism != first.parallelism) return;
  }
  node.parallelism = first.parallelism;
}

void checkSalts(int salts) {
  if (salts >= 2 && salts <= 32768) return;
  throw Error(ErrorKind::kUser,
              "salted(" + std::to_string(salts) +
                  "): give the number of subtasks to spread each key over, from 2 to 32768");
}

}  // namespace flott::internal
