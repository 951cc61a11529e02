#include "flott/rest/job_board.h"

#include <algorithm>

#include "flott/base/options.h"

namespace flott {
namespace {

std::string restartText(const Configuration& configuration) {
  const auto type = configuration.find(kRestartStrategy)
                        .value_or(configuration.find(kCheckpointInterval) ? "exponential-delay" : "none");
  return type == "off" || type == "disable" ? "none" : type;
}

JobDescription::Vertex describeVertex(const JobVertex& vertex, const JobGraph& graph) {
  JobDescription::Vertex described{.id = std::string(16, '0') + toString(vertex.chain.front().id),
                                   .name = vertex.name,
                                   .description = vertex.description,
                                   .parallelism = vertex.parallelism,
                                   .maxParallelism = vertex.maxParallelism,
                                   .slotSharingGroup = vertex.slotSharingGroup,
                                   .chain = {},
                                   .inputs = {}};
  for (const ChainedOperator& op : vertex.chain) {
    const bool sends = std::any_of(op.outputs.begin(), op.outputs.end(), [](const ChainedOutput& output) {
      return output.to < 0 && output.side.value < 0;
    });
    described.chain.push_back({.name = op.name, .source = op.source != nullptr, .sends = sends});
  }
  for (const int index : vertex.inputEdges) {
    const JobEdge& edge = graph.edges[static_cast<size_t>(index)];
    described.inputs.push_back({.from = edge.from,
                                .number = edge.input,
                                .shipStrategy = std::string(toString(edge.partitioning.kind))});
  }
  return described;
}

}  // namespace

const JobDescription::Vertex* JobDescription::find(std::string_view vertexId) const {
  const auto found = std::find_if(vertices.begin(), vertices.end(),
                                  [&](const Vertex& vertex) { return vertex.id == vertexId; });
  return found == vertices.end() ? nullptr : &*found;
}

JobDescription describeJob(const JobId& id, const JobGraph& graph, const Configuration& configuration) {
  JobDescription job{.id = id,
                     .name = graph.jobName,
                     .slots = graph.slots,
                     .vertices = {},
                     .userConfig = configuration.find(kGlobalJobParameters).value_or(StringMap()),
                     .parallelism = configuration.get(kDefaultParallelism),
                     .objectReuse = configuration.get(kObjectReuse),
                     .restartStrategy = restartText(configuration),
                     .stateBackend = configuration.get(kStateBackend),
                     .checkpointFolder = configuration.find(kCheckpointDir).value_or(""),
                     .exactlyOnce = configuration.get(kCheckpointMode) == "EXACTLY_ONCE",
                     .checkpoints = checkpointOptions(configuration),
                     .configuration = {}};
  for (const auto& [key, entry] : configuration.entries()) job.configuration.emplace(key, entry.value);
  for (const JobVertex& vertex : graph.vertices) job.vertices.push_back(describeVertex(vertex, graph));
  return job;
}

}  // namespace flott
